// The numbers of a gate: what was held against which limit, and what changed for each class. Enters: a gate as the
// report keeps it, read with care: a later version may measure more. Leaves: tables and lines.

import { h, table } from "./elements.js";
import { checkNumbers, checkTitle, isMain, signed } from "./teach-gate-words.js";
import { folded } from "./operation-charts.js";
import { MEASURES } from "./models-measures.js";
import { className } from "./teach-training-words.js";
import { count, number, percent } from "./words.js";

const FEW = 12;

/** Before and after on the photographs of the locked test, as two lines that are read at once; null where unknown. */
export function versus({ measured, photos, lost, gained }) {
  const pair = measured?.accuracy;
  if (!pair || pair.some((one) => typeof one !== "number")) return null;
  const line = (name, value, kind) => h("div", { class: `versus-line ${kind}` }, h("span", {}, name), h("span", { class: "versus-bar", "aria-hidden": "true" },
    h("span", { style: { width: `${(value * 100).toFixed(1)}%` } })), h("strong", { class: "number" }, percent(value, 1)));
  return h("div", { class: "versus" },
    h("p", { class: "small quiet" }, `First guess right on the ${count(photos, "photograph")} of the locked test`),
    line("Champion", pair[0], "versus-before"), line("New model", pair[1], "versus-after"),
    h("p", { class: "small quiet" }, `The new model has ${number(gained)} right that the champion had wrong, and ${number(lost)} wrong that it had right.`));
}

/** What did not hold first, then what people ask for, the rest folded: number, limit, whether it held, and a sentence. */
export function checksTable({ checks = [] }) {
  const first = checks.filter((one) => !one.passed || isMain(one)).sort((a, b) => Number(a.passed) - Number(b.passed));
  const rest = checks.filter((one) => !first.includes(one));
  const more = folded(`The other ${number(rest.length)}, which all held`);
  more.show(() => conditions(rest, "Other conditions"));
  return h("div", { class: "stack" }, conditions(first, "Conditions with their numbers and limits"), rest.length ? more.element : null);
}

function conditions(checks, caption) {
  return table([{ title: "Condition", header: true }, { title: "Measured", number: true }, { title: "Limit", number: true }, "Held?"],
    checks.map((one) => {
      const { value, limit } = checkNumbers(one);
      return [[h("span", { class: "check-title" }, checkTitle(one)), h("span", { class: "check-said small quiet" }, one.said)], value, limit, held(one)];
    }), { caption, class: "gate-checks", stack: true });
}

/** Every measure of both models on the locked test; null where the gate says nothing of them. */
export function measuredTable({ measured = {} }) {
  const known = MEASURES.filter(({ key }) => measured[key]?.every((one) => typeof one === "number"));
  if (!known.length) return null;
  const show = (one, value) => (one.kind === "share" ? percent(value, 1) : number(value, 2));
  return table([{ title: "Measure", header: true }, { title: "Champion", number: true }, { title: "New model", number: true }, { title: "Change", number: true }],
    known.map((one) => {
      const [before, after] = measured[one.key];
      return [one.title, show(one, before), show(one, after), one.kind === "share" ? signed((after - before) * 100, 1, " points") : signed(after - before, 2)];
    }), { caption: "On the locked test", stack: true });
}

/** The classes, new ones first and then those that changed most; null where the gate says nothing of them. */
export function classesTable(gate) {
  const rows = (gate.classes ?? []).map((one) => ({ ...one, before: one.champion === null ? null : one.champion / one.photos, after: one.candidate / one.photos }));
  if (!rows.length) return null;
  const change = ({ before, after }) => (before === null ? 2 : Math.abs(after - before));
  rows.sort((a, b) => change(b) - change(a));
  const rest = rows.slice(FEW);
  const more = folded(`The other ${number(rest.length)}`);
  more.show(() => rowsTable(rest, "Other classes"));
  return h("div", { class: "stack" }, rowsTable(rows.slice(0, FEW), "New classes first, then those that changed most"), rest.length ? more.element : null);
}

function rowsTable(rows, caption) {
  return table([{ title: "Class", header: true }, { title: "Photographs", number: true }, { title: "Right before", number: true },
    { title: "Right now", number: true }, { title: "Change", number: true }], rows.map((one) => [
    [className(one.name), one.where === "contributions" ? h("span", { class: "quiet small" }, " (sent, held out)") : null],
    number(one.photos), one.before === null ? "not known" : percent(one.before, 1), `${percent(one.after, 1)} (${number(one.low * 100)} to ${number(one.high * 100)})`, changed(one)]),
  { caption, stack: true });
}

function changed({ before, after }) {
  if (before === null) return "new";
  return Math.abs(after - before) < 0.0005 ? "the same" : signed((after - before) * 100, 1, " points");
}

function held({ passed }) {
  return passed ? h("span", { class: "good" }, "\u2713 held") : h("strong", { class: "bad" }, "\u2717 did not hold");
}
