// Whether photographs and answers look as they did when the model began.
// Enters: what /v1/insight says on drift. Leaves: a card: the sentence first, the numbers behind it.

import { card, h, notice, replace, table } from "./elements.js";
import { folded } from "./operation-charts.js";
import { count, number, percent, plain, verdictName, when } from "./words.js";

const KINDS = { drift: "warn", small: "info", none: "info", too_few: "info", no_earlier_time: "info" };
const NAMES = {
  verdict: "Verdicts",
  class: "Conditions named",
  probability: "Probability of the first class",
  unfamiliarity: "Unfamiliarity (above 1: unlike the training)",
  look: "Look (embedding)",
  entropy_bits: "Range of tones (entropy)",
};
const MOST_SHARES = 3;

/** {element, show(drift)} */
export function driftCard() {
  const sentence = h("div", {});
  const windows = h("p", { class: "quiet small" });
  const numbers = folded("The numbers");
  const meaning = folded("What they mean");
  meaning.show(explained);
  let last = "";
  const element = card("Drift over time", sentence, windows, numbers.element, meaning.element);

  function show(drift) {
    if (drift.said !== last) replace(sentence, notice(KINDS[drift.state] ?? "info", drift.said));
    last = drift.said;
    windows.textContent = compared(drift);
    numbers.element.hidden = !drift.measures.some((one) => one.recent.photographs);
    numbers.show(() => table([{ title: "Measure", header: true }, "Before", "Lately", { title: "Difference", number: true },
      { title: "By chance", number: true }, { title: "p of all", number: true }, "In words"], drift.measures.map(row), { caption: "Before and lately" }));
  }

  return { element, show };
}

function compared({ reference, recent }) {
  const late = `Lately: ${window(recent)}.`;
  return reference.photographs ? `Before: ${window(reference)}. ${late}` : late;
}

function window({ from_ms, until_ms, photographs, occasions }) {
  return `${when(from_ms)} to ${when(until_ms)}, ${count(photographs, "photograph")} on ${count(occasions, "occasion")}`;
}

function row(one) {
  const d = one.difference;
  return [NAMES[one.name] ?? plain(one.name), side(one, one.reference), side(one, one.recent),
    d ? d.size.toFixed(3) : "", d ? d.by_chance.toFixed(3) : "", d ? d.p_of_all.toFixed(3) : "", judged(d)];
}

function side(one, found) {
  if (!found.photographs) return "none";
  if (one.kind === "numbers") return `${number(found.p50, 2)} (${number(found.p05, 2)} to ${number(found.p95, 2)})`;
  if (one.kind === "embedding") return count(found.photographs, "photograph");
  const shares = Object.entries(found.shares);
  const name = one.name === "verdict" ? verdictName : plain;
  const first = shares.slice(0, MOST_SHARES).map(([key, part]) => `${name(key)} ${percent(part)}`);
  return [...first, shares.length > MOST_SHARES ? "\u2026" : null].filter(Boolean).join(", ");
}

function judged(difference) {
  if (!difference) return "too few to tell";
  if (!difference.differs) return "as before";
  return difference.large ? "changed" : "changed a little";
}

function explained() {
  return h("div", { class: "stack small" },
    h("p", {}, "The newest three days are compared with the first two weeks of the same model. Photographs that one key sent within one hour count as one occasion, because they resemble each other."),
    h("p", {}, "Numbers are shown as the middle, and the range that holds nine of ten. The difference is the population stability index, for the look the part of the spread that the two times explain."),
    h("p", {}, "By chance is the difference that comes of dealing the occasions out anew. p of all is how often chance makes the largest of all differences as large; at 0.01 and below a difference is called a change. Of looks at photographs that are alike, about one in a hundred is called a change."),
    h("p", {}, "A change is no fault: another season, crop or camera is a change, too. Look at the newest photographs, and test the model on photographs like them."));
}
