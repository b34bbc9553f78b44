// The answers as a table for spreadsheets, made in the browser. Enters: photographs with answers. Leaves: CSV
// (RFC 4180). A cell that a spreadsheet would take for a formula is made plain text by an apostrophe before it.

import { MOST_LISTED } from "./diagnose-sending.js";

const TITLES = [
  "photograph", "verdict", "class", "name", "probability", "reason", "possible", "crop_given", "plant", "correction",
  "correction_note", "prediction", "model", "model_hash",
];
const FORMULA = /^[=+\-@\t\r\n]/;
const BYTE_ORDER_MARK = "\ufeff";
/** Without it spreadsheets take UTF-8 for something else. */

/** The whole table; photographs without an answer are in it with their problem as the reason. */
export function csvOf(photos) {
  const guesses = Array.from({ length: MOST_LISTED }, (_, at) => [`guess_${at + 1}`, `guess_${at + 1}_probability`]);
  const lines = [[...TITLES, ...guesses.flat()], ...photos.map(rowOf)];
  return BYTE_ORDER_MARK + lines.map((cells) => cells.map(cellOf).join(",")).join("\r\n") + "\r\n";
}

/** Hand the table to the browser to be saved. */
export function saveCsv(photos, name = "leafsight.csv") {
  const address = URL.createObjectURL(new Blob([csvOf(photos)], { type: "text/csv;charset=utf-8" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser may ask where to save it first
}

function rowOf(photo) {
  const { answer, problem, plant } = photo;
  if (!answer) return [photo.label, photo.state === "failed" ? "failed" : "not sent", "", "", "", problem?.detail ?? ""];
  const said = photo.corrections.at(-1);
  return [
    photo.label, answer.verdict, answer.key, answer.display, answer.probability, answer.reason,
    answer.possible.map((one) => one.key).join("; "), answer.crop_given, plant ? plant.number : "",
    said ? (said.right ? "right" : said.class ?? "not listed") : "", said?.note, answer.id, answer.model, answer.model_hash,
    ...answer.top.slice(0, MOST_LISTED).flatMap((one) => [one.key, one.probability]),
  ];
}

function cellOf(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : String(value);
  return /[",\r\n;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
