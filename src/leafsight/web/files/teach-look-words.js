// How a contribution is said: its state, what was found about it, what the model says. Enters: contributions of the
// API. Leaves: plain English. It knows no element and no request.

import { count, percent, verdictName } from "./words.js";

/** What can be looked through: {name, title, state, fits(contribution)}. */
export const FILTERS = [
  { name: "waiting", title: "Waiting", state: "waiting", fits: (one) => one.state === "waiting" },
  { name: "doubtful", title: "With remarks", state: "waiting", finding: "any", fits: (one) => one.state === "waiting" && one.findings.length > 0 },
  { name: "accepted", title: "Accepted", state: "accepted", fits: (one) => one.state === "accepted" },
  { name: "rejected", title: "Rejected", state: "rejected", fits: (one) => one.state === "rejected" },
];

/** What may be done with photographs of a state: [key, words, new state]; `null` for another class. */
export const DEEDS = {
  accept: { key: "a", title: "Accept", state: "accepted", done: "accepted" },
  label: { key: "l", title: "Other class", state: "accepted", done: "accepted under another class" },
  reject: { key: "r", title: "Reject", state: "rejected", done: "rejected" },
  wait: { key: "w", title: "Put back", state: "waiting", done: "put back among those that wait" },
};
export const DEEDS_OF = {
  waiting: ["accept", "label", "reject"], doubtful: ["accept", "label", "reject"],
  accepted: ["label", "reject", "wait"], rejected: ["accept", "label", "wait"],
};

/** What can be found about a photograph, in the order in which it is offered to choose by. */
export const FINDINGS = {
  test_duplicate: "in the locked test", training_duplicate: "learned from already", duplicate: "sent before", near_duplicate: "nearly the same as another",
  bad_picture: "bad picture", not_a_leaf: "no leaf", label_doubt: "class in doubt", common_mark: "a mark that many have", new_class: "new class",
  over_cap: "too many of one sender", doubted_source: "sender in doubt",
};
const REFUSED = "test_duplicate"; // nobody can overrule this one: who learns from the locked test cannot be measured by it

const UNKNOWN = "new_class"; // no doubt any more when the class is declared, and said once for the whole class

/** Whether something speaks against it, beside that its class was not known when it came. */
export function isDoubtful({ findings }) {
  return findings.some(({ kind, blocks }) => blocks && kind !== UNKNOWN);
}

/** What is said of one photograph, beside what is said of its class. */
export function remarks({ findings }) {
  return findings.filter(({ kind }) => kind !== UNKNOWN);
}

/** How much a finding weighs, as a class of the stylesheet. */
export function weight({ kind, blocks }) {
  if (kind === REFUSED) return "bad";
  return blocks ? "warn" : "quiet";
}

const STATES = { waiting: "waits", accepted: "accepted", rejected: "rejected" };

/** A state in the middle of a sentence. */
export function stateName(state) {
  return STATES[state] ?? state;
}

/** What the model says, in few words; `agree`: it is what the label says. */
export function modelSays(said, agree = false) {
  if (!said) return "The model was not asked";
  if (said.verdict !== "diagnosis") return `Model: ${verdictName(said.verdict).toLowerCase()}`;
  return `${agree ? "The model agrees," : `Model: ${said.display}`} ${percent(said.probability)}`;
}

/** Whether the model says what the label says: true, false, or null where it says nothing. */
export function agrees({ said, display }) {
  return said?.verdict === "diagnosis" ? said.display === display : null;
}

/** Everything about a contribution in one sentence, for those who do not see the picture. */
export function spoken(one) {
  const found = remarks(one).map(({ said }) => said);
  return [one.name, one.display, modelSays(one.said), ...found, stateName(one.state)].join("; ");
}

/** What came of a decision, with the reasons of those that were left as they were. */
export function decided(changed, done, skipped) {
  const first = changed || !skipped.length ? `${count(changed, "photograph")} ${done}.` : "";
  const reasons = new Map();
  for (const { why } of skipped) reasons.set(why, (reasons.get(why) ?? 0) + 1);
  const left = [...reasons].map(([why, many]) => `${count(many, "photograph")} left as ${many === 1 ? "it was" : "they were"}: ${sentence(why)}`);
  return [first, ...left].filter(Boolean).join(" ");
}

/** A capital at the beginning and a full stop at the end. */
export function sentence(text) {
  if (!text) return "";
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
