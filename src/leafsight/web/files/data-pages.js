// The pages of a report: programs of their own, made from names that anybody may have given. Enters: a report and
// a name. Leaves: the page in a frame that has no origin, no storage and no network, or as a file.

/** Show a page below `root`'s place, the whole width. */
export async function openPage(root, report, name, label, context) {
  const { api, elements: { busy, failure, h, replace } } = context;
  replace(root, busy("Opening"));
  try {
    const { url } = await api.ask(`/v1/reports/${report.id}/ticket`, { method: "POST", query: { name } });
    const close = () => replace(root);
    replace(root, h("section", { class: "card data-page", "aria-label": label },
      h("div", { class: "row data-top-row" }, h("h2", {}, label.replace(/^Open /, "").replace(/^./, (c) => c.toUpperCase())),
        h("button", { type: "button", onclick: close }, "Close")),
      h("iframe", { src: url, sandbox: "allow-scripts", title: `${label} of ${report.collection}`,
        referrerpolicy: "no-referrer" })));
    root.scrollIntoView({ block: "start" });
    root.querySelector("button").focus({ preventScroll: true });
  } catch (problem) {
    replace(root, failure(problem, () => openPage(root, report, name, label, context)));
  }
}

/** Hand a page to the person as a file. */
export async function savePage(button, report, name, context) {
  const { api, elements: { failure, h } } = context;
  button.disabled = true;
  button.parentElement.querySelector(".notice")?.remove();
  try {
    const url = URL.createObjectURL(await api.blob(`/v1/reports/${report.id}/files/${name}`));
    const day = new Date(report.created_at).toISOString().slice(0, 10);
    h("a", { href: url, download: `${report.collection}-${day}-${name}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (problem) {
    button.after(failure(problem));
  } finally {
    button.disabled = false;
  }
}
