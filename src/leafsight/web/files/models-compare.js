// Models side by side. Enters: details of two or more. Leaves: a card with a table; the first model is what the
// others are held against, and every difference is said in words. What chance alone could make is called so.

import { card, h, notice, table } from "./elements.js";
import { abroad, atHome, known, measure, MEASURES, testFingerprint } from "./models-measures.js";
import { bytes, count, number, withInterval } from "./words.js";

const SHOWN_ABROAD = new Set(["accuracy", "crop_given_accuracy", "answered", "accuracy_answered", "macro_f1", "ece"]);

/** A card that compares `models`, at least two. */
export function comparison(models) {
  const [first] = models;
  const columns = [{ title: "Compared", header: true }, ...models.map((model) => ({ title: `${model.name} (${model.id.slice(0, 8)})` }))];
  return card(
    `Compare ${count(models.length, "model")}`,
    h("p", { class: "quiet" }, `The others are held against ${first.name} (${first.id.slice(0, 8)}), the first column.`),
    sameTest(models),
    table(columns, rowsOf(models), { caption: "Figures with their 95 % intervals, then the difference", class: "wide-table compare-table" }),
    classDifferences(models),
  );
}

function rowsOf(models) {
  const names = [...new Set(models.flatMap((model) => abroad(model).map((one) => one.name)))];
  return [
    ["In service", ...models.map((model) => (model.serving ? "yes" : "no"))],
    ["Size", ...against(models, (model) => model.bytes, bytes, sizeWords)],
    ["Conditions it can name", ...against(models, (model) => known(model).conditions, number, countWords)],
    { group: "On photographs like those of training" },
    ["Photographs", ...models.map((model) => number(atHome(model)?.photos))],
    ...MEASURES.map((one) => [one.title, ...measured(models, atHome, one)]),
    ...names.flatMap((name) => abroadRows(models, name)),
  ];
}

function abroadRows(models, name) {
  const find = (model) => abroad(model).find((one) => one.name === name);
  return [
    { group: `On photographs from elsewhere: ${name}` },
    ["Photographs", ...models.map((model) => number(find(model)?.photos))],
    ...MEASURES.filter(({ key }) => SHOWN_ABROAD.has(key)).map((one) => [one.title, ...measured(models, find, one)]),
  ];
}

function measured(models, group, one) {
  const base = measure(group(models[0]), one.key);
  return models.map((model, at) => {
    const found = measure(group(model), one.key);
    if (!found) return "not measured";
    return cell(withInterval(found, one.kind), at === 0 ? null : difference(found, base, one));
  });
}

/** {words, good}: good is true, false, or null where nobody can tell. */
export function difference(found, base, { better, kind }) {
  if (!base) return { words: "nothing to compare with", good: null };
  const step = kind === "share" ? (found.value - base.value) * 100 : found.value - base.value;
  if (Math.abs(step) < 0.05) return { words: "the same", good: null };
  const size = `${number(Math.abs(step), 1)}${kind === "share" ? " points" : ""} ${step > 0 ? "higher" : "lower"}`;
  if (!measuredWell(found) || !measuredWell(base) || overlap(found, base)) return { words: `${size}; may be chance`, good: null };
  if (!better) return { words: size, good: null };
  const good = (step > 0) === (better === "higher");
  return { words: `${size}: ${good ? "better" : "worse"}`, good };
}

/** Whether both ends of its interval are known. */
function measuredWell(one) {
  return Number.isFinite(one.low) && Number.isFinite(one.high);
}

/** Two intervals that overlap do not show a difference; two that do not, do. */
function overlap(a, b) {
  return a.low <= b.high && b.low <= a.high;
}

function against(models, value, show, words) {
  const base = value(models[0]);
  return models.map((model, at) => cell(show(value(model)), at === 0 ? null : words(value(model), base)));
}

function cell(text, told) {
  if (!told) return text;
  const kind = told.good === null ? "quiet" : told.good ? "good" : "bad";
  return [h("span", {}, text), h("br"), h("span", { class: `small ${kind}` }, told.words)];
}

function sizeWords(value, base) {
  if (value === base) return { words: "the same", good: null };
  return { words: `${bytes(Math.abs(value - base))} ${value > base ? "larger" : "smaller"}`, good: null };
}

function countWords(value, base) {
  if (value === base) return { words: "as many", good: null };
  return { words: `${number(Math.abs(value - base))} ${value > base ? "more" : "fewer"}`, good: null };
}

function sameTest(models) {
  const prints = models.map(testFingerprint);
  if (prints.every((one) => one !== null && one === prints[0])) {
    return h("p", { class: "quiet" }, "All were tested on the same photographs.");
  }
  return notice("warn", prints.includes(null)
    ? "It is not known whether these models were tested on the same photographs."
    : "These models were tested on different photographs.",
  "A difference may come from the photographs and not from the models.");
}

function classDifferences(models) {
  const keys = (model) => new Map((model.labels ?? []).filter((one) => one.is_leaf).map((one) => [one.key, one.display]));
  const base = keys(models[0]);
  const items = models.slice(1).flatMap((model) => {
    const own = keys(model);
    const more = [...own].filter(([key]) => !base.has(key)).map(([, name]) => name);
    const fewer = [...base].filter(([key]) => !own.has(key)).map(([, name]) => name);
    const name = `${model.name} (${model.id.slice(0, 8)})`;
    return [
      more.length ? h("li", {}, `${name} can also name: ${more.join("; ")}.`) : null,
      fewer.length ? h("li", {}, `${name} cannot name: ${fewer.join("; ")}.`) : null,
    ].filter(Boolean);
  });
  return [h("h3", {}, "Conditions"), items.length ? h("ul", {}, items) : h("p", {}, "All can name the same conditions.")];
}
