// What of the contributions is looked through: their state, class, and what was found. Enters: the summary of
// /v1/contributions. Leaves: a card, and word when the person wants to see others.

import { card, h, replace } from "./elements.js";
import { FILTERS, FINDINGS } from "./teach-look-words.js";
import { count, number, plain } from "./words.js";

/** {element, show(summary, findings), state}; `changed()` is told when `state` {filter, label, finding, by} is another. */
export function makeFilters(changed, below) {
  const state = { filter: "waiting", label: "", finding: "", by: "class" };
  const sentence = h("p", {});
  const buttons = FILTERS.map((one) => h("button", { type: "button", "aria-pressed": String(one.name === state.filter),
    onclick: () => set({ filter: one.name }) }));
  const label = select("Class", "label");
  const finding = select("Found", "finding");
  const by = select("Together", "by");
  fill(by, [["class", "by class"], ["upload", "by upload"]]);
  const element = card("Look through", sentence,
    h("div", { class: "look-states", role: "group", "aria-label": "Which are shown" }, buttons),
    h("div", { class: "look-filters" }, label.frame, finding.frame, by.frame), below);

  function select(title, name) {
    const box = h("select", { onchange: () => set({ [name]: box.value }) });
    return { box, name, frame: h("label", { class: "look-select" }, h("span", { class: "quiet small" }, title), box) };
  }

  function fill({ box, name }, options) {
    replace(box, options.map(([value, text]) => h("option", { value, selected: value === state[name] }, text)));
    box.value = state[name];
  }

  function set(next) {
    Object.assign(state, next);
    for (const [at, button] of buttons.entries()) button.setAttribute("aria-pressed", String(FILTERS[at].name === state.filter));
    changed();
  }

  /** Numbers and names as the server has them now; `findings` are kinds that were seen. */
  function show(summary, findings) {
    const { waiting = 0, accepted = 0, rejected = 0 } = summary.states;
    const many = { waiting, accepted, rejected, doubtful: summary.doubtful };
    for (const [at, { name, title }] of FILTERS.entries()) replace(buttons[at], `${title} `, h("span", { class: "look-many" }, number(many[name])));
    replace(sentence, said(many, summary));
    fill(label, [["", "all classes"], ...summary.labels.map((one) => [one.label, one.display])]);
    fill(finding, [["", "anything"], ...findings.map((kind) => [kind, FINDINGS[kind] ?? plain(kind).toLowerCase()])]);
    finding.frame.hidden = !findings.length;
  }

  return { element, show, state };
}

function said({ waiting, doubtful, accepted, rejected }, { labels }) {
  if (!waiting && !accepted && !rejected) return "Nothing was sent yet. Photographs of step 1 wait here until somebody accepts them.";
  if (!waiting) return `Nothing waits. ${count(accepted, "photograph")} ${accepted === 1 ? "is" : "are"} accepted for the next model.`;
  const waits = labels.filter((one) => one.waiting).length;
  const doubts = doubtful ? `; something is remarked on ${number(doubtful)} of them` : "";
  return `${count(waiting, "photograph")} of ${count(waits, "class", "classes")} ${waiting === 1 ? "waits" : "wait"}${doubts}.`;
}
