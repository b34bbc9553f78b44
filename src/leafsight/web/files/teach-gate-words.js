// The conditions of a gate in words: what each is called, and its number and limit in the unit that it has. Enters:
// checks as the report keeps them. Leaves: plain English. It knows no element and no request.

import { className } from "./teach-training-words.js";
import { number, percent, plain } from "./words.js";

const TITLES = {
  usable: "The new model can be opened and run",
  accuracy: "Not worse on the locked test",
  domains: "No kind of photograph loses much",
  worst_class: "No class loses much",
  knows: "Knows every class of the champion",
  macro_f1: "The mean over classes",
  calibration: "Its probabilities are as right",
  coverage: "What it cannot exclude holds the truth",
  answered: "Names a condition as often",
  answers_right: "Right when it names one",
  false_silence: "Does not keep back what it knows",
  leaf_refused: "Leaves are not called something else",
  no_leaf_missed: "What is no leaf is still noticed",
  taught: "A taught class is recognised",
  contributions: "What was taught before is not lost",
  parity: "The graph says what its head says",
  latency: "As quick",
  size: "Not much larger",
};
const MAIN = new Set(["accuracy", "worst_class", "domains", "taught", "contributions", "calibration"]);
const SHARES = new Set(["coverage", "answers_right", "taught"]);
const TIMES = new Set(["latency", "size"]);
const COUNTS = new Set(["knows"]);
const PLAIN = new Set(["parity"]);
const RISES = new Set(["calibration", "false_silence", "leaf_refused", "no_leaf_missed"]);

/** Whether people ask for this condition first. */
export function isMain(check) {
  return MAIN.has(nameOf(check));
}

/** What a condition is called. */
export function checkTitle(check) {
  const taught = check.name === "taught" && /^(.+?) was taught/.exec(check.said ?? "");
  if (taught) return `Recognises ${className(taught[1])}`;
  return TITLES[nameOf(check)] ?? plain(check.name);
}

/** {value, limit} in words; empty where there is none. */
export function checkNumbers(check) {
  const name = nameOf(check);
  if (check.value === null || check.value === undefined) return { value: "", limit: "" };
  if (SHARES.has(name)) return { value: percent(check.value, 1), limit: `at least ${percent(check.limit)}` };
  if (TIMES.has(name)) return { value: `${number(check.value, 2)} times`, limit: `at most ${number(check.limit, 2)} times` };
  if (COUNTS.has(name)) return { value: `${number(check.value)} missing`, limit: "none" };
  if (PLAIN.has(name)) return { value: check.value.toExponential(1), limit: `at most ${check.limit.toExponential(0)}` };
  const points = (value) => signed(value * 100, 2, " points");
  const value = typeof check.low === "number" ? `${signed(check.value * 100, 2)}, at worst ${points(check.low)}` : points(check.value);
  return { value, limit: check.limit === null ? "" : `at ${RISES.has(name) ? "most" : "least"} ${points(check.limit)}` };
}

/** A number with its sign: +0.5, −2.0. */
export function signed(value, digits, unit = "") {
  const rounded = Number(value.toFixed(digits));
  return `${rounded < 0 ? "\u2212" : rounded > 0 ? "+" : ""}${number(Math.abs(rounded), digits)}${unit}`;
}

/** Two conditions may be called "classes": that none is missing, and that none loses much. */
function nameOf({ name, limit }) {
  if (name !== "classes") return name;
  return limit === 0 ? "knows" : "worst_class";
}
