// A report while it is made: which part, which step, how far, and a way to stop it. Enters: the job, again and
// again. Leaves: words and a bar.

const PARTS = [
  ["health", "Checking the photographs"],
  ["figures", "Drawing the figures"],
  ["store", "Keeping the report"],
];

/** {told(job), ended(job)}; draws into `root`. */
export function drawWork(root, id, context) {
  const { api, elements: { bar, failure, h, notice, replace }, words } = context;
  const parts = h("ol", { class: "data-parts" });
  const step = h("p", { class: "data-step", role: "status" });
  const share = h("div", {});
  const stop = h("button", { type: "button", class: "plain", onclick: cancel }, "Stop");
  replace(root, parts, h("div", { class: "row data-progress" }, step, stop), share);

  function told(job) {
    const { part = "", step: name = "", done, total, share: held } = job.progress ?? {};
    const at = PARTS.findIndex(([key]) => key === part);
    replace(parts, PARTS.map(([, label], place) => h("li", {
      class: place < at ? "data-part-done" : place === at ? "data-part-now" : "quiet",
      "aria-current": place === at ? "step" : null,
    }, label)));
    if (job.state === "queued") replace(step, "Waits for its turn.");
    else if (total) replace(step, `${words.plain(name)}: ${words.number(done)} of ${words.number(total)}`);
    else replace(step, name ? words.plain(name) : "Begins.");
    replace(share, typeof held === "number" ? bar(held, words.percent(held)) : null);
  }

  function ended(job) {
    if (job.state === "cancelled") {
      replace(root, notice("info", "The report was stopped.", "What was read is kept; the next one is quicker."));
      return;
    }
    const { message = "it ended without a reason", hint = "" } = job.error ?? {};
    replace(root, notice("error", `The report could not be made: ${message}`, hint));
  }

  async function cancel() {
    stop.disabled = true;
    try {
      await api.ask(`/v1/jobs/${id}`, { method: "DELETE" });
    } catch (problem) {
      stop.disabled = false;
      if (problem.status !== 409) replace(share, failure(problem));
    }
  }

  replace(step, "Begins.");
  return { told, ended };
}
