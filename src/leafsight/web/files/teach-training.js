// A training while it is under way: which step, how far, how long still, and what was measured so far; and a way to
// stop it. Enters: its job, again and again. Leaves: a card.

import { bar, card, failure, h, notice, replace } from "./elements.js";
import { figures, PARTS, pathName } from "./teach-training-words.js";
import { count, number, percent, plain } from "./words.js";

/** {element, told(job), ended(job), lost(problem)} */
export function trainingCard(training, { api }) {
  const steps = h("ol", { class: "training-steps" });
  const now = h("p", { class: "training-now", role: "status" });
  const left = h("p", { class: "quiet small number" });
  const share = h("div", { class: "training-share" });
  const measured = h("dl", { class: "figures" });
  const stop = h("button", { type: "button", class: "plain", onclick: cancel }, "Stop");
  const trouble = h("div", {});
  const inside = h("div", { class: "stack" }, steps, h("div", { class: "row training-line" }, now, left, stop), share, measured, trouble);
  const element = card(`${pathName(training.path)} training`, inside);

  function told(job) {
    const { part = "", step = "", done, total, share: part_share, eta_s: eta, metrics } = job.progress ?? {};
    const at = PARTS.findIndex(({ name }) => name === part);
    replace(steps, PARTS.map(({ title }, place) => h("li", {
      class: place < at ? "training-done" : place === at && job.state === "running" ? "training-here" : "",
      "aria-current": place === at ? "step" : null,
    }, h("span", { class: "training-dot", "aria-hidden": "true" }), h("span", {}, title))));
    if (job.state === "queued") replace(now, "Waits for its turn: one training runs at a time.");
    else replace(now, at < 0 ? "Begins." : `Step ${at + 1} of ${PARTS.length}: ${step ? plain(step) : PARTS[at].title}${total ? `, ${number(done)} of ${number(total)}` : ""}`);
    replace(left, typeof eta === "number" && job.state === "running" ? `about ${eta < 90 ? `${Math.max(1, Math.round(eta))} s` : count(Math.round(eta / 60), "minute")} left` : "");
    replace(share, typeof part_share === "number" ? bar(part_share, `${PARTS[at]?.title ?? "Training"}: ${percent(part_share)}`) : null);
    const found = figures(metrics);
    replace(measured, found.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    measured.hidden = !found.length;
  }

  async function cancel() {
    stop.disabled = true;
    try {
      await api.ask(`/v1/jobs/${training.id}`, { method: "DELETE" });
    } catch (problem) {
      stop.disabled = false;
      if (problem.status !== 409) replace(trouble, failure(problem)); // else it ended just then
    }
  }

  function ended(job) {
    const { message = "it ended without a reason", hint = "" } = job.error ?? {};
    replace(inside, job.state === "cancelled"
      ? notice("info", "The training was stopped.", "The model in service is as it was; what was accepted stays accepted.")
      : notice("error", `The training failed: ${message}`, `${hint} The model in service is as it was; what was accepted stays accepted.`.trim()));
  }

  told({ state: training.state, progress: training.progress });
  return { element, told, ended, lost: (problem) => replace(trouble, failure(problem)) };
}

/** The words of one that has ended, in few. */
export function outcomeWords(one) {
  if (one.state === "failed") return { word: "Failed", kind: "bad", more: one.error?.message ?? "" };
  if (one.state === "cancelled") return { word: "Stopped", kind: "quiet", more: "" };
  if (one.state === "queued") return { word: "Waits", kind: "quiet", more: "" };
  if (one.state === "running") return { word: "Runs", kind: "quiet", more: "" };
  const { gate, promoted, classes_added: added = [] } = one.result ?? {};
  const more = added.length ? `${count(added.length, "new class", "new classes")}` : "";
  if (!gate?.passed) return { word: "Gate did not hold", kind: "warn", more };
  return { word: promoted ? "Promoted" : "Gate held", kind: "good", more };
}
