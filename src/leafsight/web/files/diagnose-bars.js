// Probabilities as bars with numbers. Enters: the most probable classes of an answer. Leaves: a list of three, and the
// others on demand.

import { bar, h } from "./elements.js";
import { spoken } from "./diagnose-phrases.js";
import { percent } from "./words.js";

const FIRST = 3;

/** The list; null where there are no classes. */
export function barsOf(answer, level) {
  if (answer.top.length === 0) return null;
  const crop = answer.crop_given;
  const rows = answer.top.map((one, at) => h("li", { class: "probability", hidden: at >= FIRST },
    h("span", { class: "probability-name" }, capital(spoken(one.display))),
    h("span", { class: "number" }, percent(one.probability)),
    bar(one.probability, `${percent(one.probability)} for ${spoken(one.display)}`)));
  const list = h("ol", { class: "probabilities" }, rows);
  const hidden = rows.length - FIRST;
  const more = hidden <= 0 ? null : h("button", {
    type: "button", class: "plain small", "aria-expanded": "false",
    onclick: () => {
      const open = more.getAttribute("aria-expanded") !== "true";
      rows.slice(FIRST).forEach((row) => { row.hidden = !open; });
      more.setAttribute("aria-expanded", String(open));
      more.textContent = open ? "Show fewer" : `Show ${hidden} more`;
    },
  }, `Show ${hidden} more`);
  return h("section", { class: "stack probabilities-part" },
    h(level, { class: "probabilities-title" }, crop ? "Probabilities among the conditions of this crop" : "Probabilities"), list, more);
}

function capital(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
