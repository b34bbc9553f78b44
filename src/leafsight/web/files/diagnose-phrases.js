// How answers are put in words on this tab. Enters: answers of the API. Leaves: plain English, never more certain
// than the number. It knows no element.

import { count, percent, plainConfidence, sentence } from "./words.js";

/** "Tomato: early blight" as it is said: "early blight of tomato", "a healthy tomato leaf". */
export function spoken(display) {
  const [crop, condition] = partsOf(display);
  if (!crop) return lower(display);
  return condition === "healthy" ? `a healthy ${lower(crop)} leaf` : `${condition} of ${lower(crop)}`;
}

/** The first line of an answer. */
export function headline(answer) {
  if (answer.verdict === "diagnosis") return upper(spoken(answer.display)).replace(/^A healthy/, "Healthy");
  return sentence(answer.verdict).replace(/\.$/, "");
}

/** How sure that is: "likely, 83 %"; empty where nothing is named. */
export function sureness(answer) {
  if (answer.verdict !== "diagnosis") return "";
  return `${plainConfidence(answer.probability)}, ${percent(answer.probability)}`;
}

/** The conditions that cannot be excluded besides the one that is named, as one sentence; empty where there are none. */
export function alsoPossible(answer) {
  const named = answer.verdict === "diagnosis" ? answer.class_name : null;
  const others = answer.possible.filter((one) => one.class_name !== named).map((one) => spoken(one.display));
  if (named && others.length === 0) return "Nothing else that the model knows is about as likely.";
  if (others.length === 0) return "";
  const list = listed(others.slice(0, MOST_NAMED));
  const rest = others.length > MOST_NAMED ? ` and ${count(others.length - MOST_NAMED, "other")}` : "";
  return named ? `It could also be ${list}${rest}.` : `What cannot be excluded: ${list}${rest}.`;
}

const MOST_NAMED = 5;

/**
 * What stands behind the list of possible conditions, from the metrics of the model; a sentence for each thing known.
 * Its promise holds for photographs like those of the calibration only, so the figure for others stands beside it.
 */
export function promiseOf(metrics) {
  const alpha = metrics?.test?.calibration?.alpha;
  if (typeof alpha !== "number") return ["How often this list holds the truth is not known for this model."];
  const said = [
    `The list is made so that it holds the truth for at least ${percent(1 - alpha)} of photographs like those of the model's own tests`,
  ];
  const held = metrics.test.overall?.metrics?.set_coverage?.value;
  said[0] += typeof held === "number" ? `; there it did for ${percent(held)}.` : ".";
  for (const [name, abroad] of Object.entries(metrics.abroad ?? {})) {
    const value = abroad.overall?.metrics?.set_coverage?.value;
    if (typeof value === "number") {
      said.push(`For photographs from elsewhere (${name}), which it was never trained on, it did for ${percent(value)}.`);
    }
  }
  return said;
}

/** "Plant 2, 3 photographs". */
export function plantName(number, photographs) {
  return `Plant ${number}, ${count(photographs, "photograph")}`;
}

/** What the answer of a plant rests on. */
export function basis({ photographs, used }) {
  if (used === 0) return "None of the photographs could be used.";
  return `Rests on ${photographs === used ? "all" : `${used} of`} ${count(photographs, "photograph")}.`;
}

/** What a person said of an answer; `display` is the name of the class that they said, empty where it is not listed. */
export function wordSaid(right, display) {
  if (right) return "You said that this was right.";
  return display ? `You said that it shows ${spoken(display)}.` : "You said that it is not in the list.";
}

/**
 * What about the photograph itself may stand in the way; empty where nothing does. The bounds are such that of the
 * leaf photographs of the public collections (docs/credits.md) about one in a hundred lies outside each.
 */
export function qualityRemarks(quality) {
  const found = [];
  const { sharpness, brightness, contrast } = quality ?? {};
  if (sharpness < DULL) found.push(`hardly sharp (sharpness ${sharpness.toFixed(0)}; nearly all have more than ${DULL})`);
  if (brightness < DARK) found.push(`dark (mean brightness ${percent(brightness)})`);
  if (brightness > BRIGHT) found.push(`very bright (mean brightness ${percent(brightness)})`);
  if (contrast < FLAT) found.push(`low in contrast (${percent(contrast)} of the range)`);
  return found.length ? `The photograph is ${listed(found, "and")}; that can mislead the model.` : "";
}

const DULL = 24;
const DARK = 0.3;
const BRIGHT = 0.75;
const FLAT = 0.075;

/** "a", "a or b", "a, b or c"; or with another word. */
function listed(names, word = "or") {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} ${word} ${names.at(-1)}`;
}

function partsOf(display) {
  const at = display.indexOf(": ");
  return at < 0 ? ["", display] : [display.slice(0, at), display.slice(at + 2)];
}

function lower(text) {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

function upper(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
