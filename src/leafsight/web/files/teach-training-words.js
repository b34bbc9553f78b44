// The words of trainings: steps, ways, reasons, and what is measured on the way. Enters: values of the API. Leaves:
// plain English. It knows no element and no request.

import { duration, number, percent, plain } from "./words.js";

/** The steps of a training, in their order. */
export const PARTS = [
  { name: "snapshot", title: "Freeze what is learned from" },
  { name: "train", title: "Train" },
  { name: "evaluate", title: "Measure" },
  { name: "gate", title: "Hold it against the champion" },
  { name: "publish", title: "Keep the new model" },
  { name: "promote", title: "Promote" },
];
const WHY = { hand: "asked for", count: "enough was accepted", schedule: "it was time", drift: "photographs drifted" };
const SHARES = /accuracy|share|recall|precision|coverage|f1|ece|answered/;
const SHOWN = 8;

/** "Quick" or "Full". */
export function pathName(path) {
  return plain(path) || "Quick";
}

/** A class as a collection spells it, `Tomato___Early_blight`, for people. */
export function className(name) {
  return String(name ?? "").replaceAll("___", ": ").replaceAll("_", " ").trim();
}

/** Why a training began. */
export function whyName(why) {
  return WHY[why] ?? plain(why).toLowerCase();
}

/** Numbers of a training as [name, value] in words; what is no number is left out. */
export function figures(metrics) {
  return Object.entries(metrics ?? {}).filter(([, value]) => typeof value === "number" && Number.isFinite(value)).slice(0, SHOWN)
    .map(([name, value]) => [plain(name.replace(/_(s|ms)$/, "")), figure(name, value)]);
}

function figure(name, value) {
  if (name.endsWith("_s")) return duration(value * 1000);
  if (name.endsWith("_ms")) return duration(value);
  if (SHARES.test(name) && value >= 0 && value <= 1) return percent(value, 1);
  return number(value, Number.isInteger(value) ? 0 : Math.abs(value) < 1 ? 3 : 1);
}
