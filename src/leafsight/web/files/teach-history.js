// All trainings, newest first, each of which can be opened. Enters: /v1/retraining. Leaves: a card with a list.

import { card, failure, h, replace } from "./elements.js";
import { outcomeWords } from "./teach-training.js";
import { pathName, whyName } from "./teach-training-words.js";
import { when } from "./words.js";

/** {element, show(trainings, hasMore), opened(id)}; `open(id)` and `more()` are asked. */
export function historyCard(context, { open, more }) {
  const rows = h("ul", { class: "teach-list training-list" });
  const button = h("button", { type: "button", onclick: older }, "Show older ones");
  const trouble = h("div", {});
  const element = card("Trainings so far", rows, trouble, button);
  let here = null;

  function show(trainings, hasMore) {
    button.hidden = !hasMore;
    replace(rows, trainings.length ? trainings.map(row) : h("li", { class: "quiet" }, "None yet."));
  }

  function row(one) {
    const { word, kind, more: also } = outcomeWords(one);
    const asked = one.by && one.why === "hand" ? `asked for by ${one.by}` : whyName(one.why);
    const facts = [asked, also].filter(Boolean).join(", ");
    return h("li", { class: "teach-upload training-row", dataset: { training: one.id } },
      h("div", { class: "training-what" }, h("p", {}, h("strong", {}, `${pathName(one.path)} training`), " ", h("span", { class: `teach-state ${kind}` }, word)),
        h("p", { class: "quiet small" }, `${when(one.created_at)}, ${facts}`), one.reason ? h("p", { class: "small" }, `\u201c${one.reason}\u201d`) : null),
      one.state === "done" || one.state === "failed" ? h("button", { type: "button", "aria-pressed": String(here === one.id),
        "aria-label": `Show the ${one.path} training of ${when(one.created_at)}`, onclick: () => open(one.id) }, "Show") : null);
  }

  async function older() {
    button.disabled = true;
    try {
      await more();
      replace(trouble);
    } catch (problem) {
      replace(trouble, failure(problem));
    } finally {
      button.disabled = false;
    }
  }

  return {
    element,
    show,
    opened(id) {
      here = id;
      for (const one of rows.querySelectorAll("[data-training]")) one.querySelector("button")?.setAttribute("aria-pressed", String(one.dataset.training === id));
    },
  };
}
