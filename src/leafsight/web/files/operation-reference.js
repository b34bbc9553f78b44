// Whether the newest photographs are like those that the model was made for. Enters: `reference_drift` of
// /v1/insight. Leaves: a card: the sentence, each measure beside what chance allows, the photographs that are farthest.

import { bar, card, h, notice, replace, table } from "./elements.js";
import { folded } from "./operation-charts.js";
import { openDetails } from "./operation-details.js";
import { isCovered, redraw, said } from "./operation-phrases.js";
import { count, number, percent, plain, when } from "./words.js";

const KINDS = { drift: "warn" };
const NAMES = {
  look: "How far they look from the training", doubt: "Doubt in the first class", mix_of_looks: "Mix of looks", mix_of_classes: "Mix of classes",
};
const MOST_FAR = 10;

/** {element, show(drift)} */
export function referenceCard(context, changed) {
  const sentence = h("div", {});
  const lines = h("div", { class: "stack" });
  const far = folded("Photographs that drifted most");
  const meaning = folded("What this means");
  const element = card("Drift from the training", sentence, lines, far.element, meaning.element);
  let last = "";

  function show(drift) {
    if (!drift?.said) {
      element.hidden = true;
      return;
    }
    element.hidden = false;
    const now = JSON.stringify(drift);
    if (now === last || isCovered()) return;
    last = now;
    replace(sentence, notice(KINDS[drift.state] ?? "info", drift.said, drift.state === "drift" && drift.since_ms ? `Since ${when(drift.since_ms)}.` : ""));
    replace(lines, (drift.windows ?? []).slice(-1).map(windowOf));
    far.element.hidden = !drift.drifted?.length;
    far.show(() => farTable(drift.drifted));
    meaning.element.hidden = !drift.windows?.length;
    meaning.show(() => explained(drift));
  }

  function farTable(photographs) {
    const place = h("div", {});
    redraw(place, table(["When", "Said", { title: "Distance", number: true }, "Photograph"], photographs.slice(0, MOST_FAR).map((one) => [
      when(one.created_at),
      h("button", { type: "button", class: "opens", dataset: { place: `far-${one.id}` }, "aria-label": `${said({ ...one, key: one.class_key })}, details of photograph ${one.id.slice(0, 8)}`,
        onclick: () => openDetails(context, one.id, changed) }, said({ ...one, key: one.class_key })),
      `${number(one.of_rare, 1)} times`, h("code", {}, one.id)]),
    { caption: "Distance: times of what one in a hundred photographs of the training reaches", class: "newest", stack: true }));
    return place;
  }

  return { element, show };
}

function windowOf({ photographs, occasions, since_ms: since, measures }) {
  return [
    h("p", { class: "quiet small" }, `The newest ${count(photographs, "photograph")} on ${count(occasions, "occasion")}, since ${when(since)}.`),
    h("dl", { class: "against" }, measures.map((one) => {
      const words = `${figure(one.value)}, at most ${figure(one.limit)} by chance`;
      return h("div", { class: "against-line" }, h("dt", {}, NAMES[one.name] ?? plain(one.name)),
        h("dd", {}, gauge(one, words), h("span", { class: `small ${one.over ? (one.alarms ? "bad" : "warn") : "quiet"}` }, `${words}${one.over ? ": over" : ""}`)));
    })),
  ];
}

/** A bar whose mark at two thirds is the limit. */
function gauge({ value, limit, over, alarms }, words) {
  const whole = limit * 1.5;
  const made = bar(whole > 0 ? value / whole : 0, words);
  made.classList.add("gauge");
  if (over) made.classList.add(alarms ? "gauge-over" : "gauge-other");
  return made;
}

function figure(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(3))) : "none";
}

function explained({ reference_photographs: many, false_alarms: alarms, mix }) {
  return h("div", { class: "stack small" },
    h("p", {}, `The newest photographs are held against ${many ? count(many, "held-out photograph") : "the held-out photographs"} that the model remembers of its making. `
      + `The limits are what chance alone goes over in ${typeof alarms === "number" ? percent(alarms, 1) : "few"} of looks.`),
    mix?.differs ? h("p", {}, "Another mix of classes is no drift by itself: a season or a field brings other diseases.") : null,
    h("p", {}, "Drift is no fault, but a reason to look: label some of the photographs that drifted most, send them in the tab Teach, and train again."));
}
