// One model, in the order in which people ask: what may I expect of it (a grower), how does it do by class (an
// agronomist), what is it made of (an operator), and what its maker says (the card). Enters: a model's details.
// Leaves: one card.

import { bar, card, h, notice, table } from "./elements.js";
import { markdown, section } from "./models-markdown.js";
import { abroad, atHome, byClass, known, measure, MEASURES, mixUps, testedOn } from "./models-measures.js";
import { className } from "./teach-training-words.js";
import { bytes, count, duration, number, percent, plain, when, withInterval } from "./words.js";

const FEW_PHOTOGRAPHS = 20;
const ROLES = { train: "to learn from", calibration: "to calibrate", probe: "held out, to measure" };
const SPLITS = [["train", "to learn from"], ["valid", "to choose by"], ["calibration", "to calibrate"], ["test", "to test"]];

/** A card on `model`; `entry` is its row of /v1/models. */
export function modelCard(model) {
  return card(
    model.name,
    h("p", { class: "quiet small" }, "Model ", h("code", {}, model.id.slice(0, 16))),
    model.damaged ? notice("error", "The file of this model is gone or changed.", "leafsight models check says more.") : null,
    inShort(model),
    fold("Measured", measured(model)),
    fold("Class by class", classes(model)),
    lineage(model) ? fold("Lineage", lineage(model)) : null,
    fold("Made from", provenance(model)),
    fold("Model card", h("div", { class: "prose" }, markdown(model.card, { level: 3, without: model.name }))),
  );
}

function fold(title, content) {
  return h("details", { class: "fold" }, h("summary", {}, h("h3", {}, title)), h("div", { class: "stack" }, content));
}

function inShort(model) {
  const { conditions, crops } = known(model);
  const home = atHome(model);
  const others = abroad(model);
  return h(
    "div",
    { class: "stack" },
    h("p", {}, `It can name ${count(conditions, "condition")} of ${count(crops.length, "crop")}: `
      + `${crops.map((crop) => plain(crop).toLowerCase()).join(", ")}. Of other plants and diseases it knows nothing.`),
    home || others.length
      ? h("div", { class: "columns" },
        home ? panel("On photographs like those it learned from", home) : null,
        others.map((one) => panel(`On photographs from elsewhere (${one.name})`, one)))
      : notice("info", "This model brings no measures.", "Nothing is known of how often it is right: take its answers as hints."),
    home && !others.length
      ? notice("warn", "It was never tested on photographs from elsewhere.", "On other cameras, places and varieties it will do worse.")
      : null,
    limits(model),
  );
}

function limits(model) {
  const said = section(model.card, "Limits");
  return said ? [h("h3", {}, "Limits, in the words of its maker"), h("div", { class: "prose" }, markdown(said, { level: 4 }))] : null;
}

function panel(title, tested) {
  const rows = [
    ["answered", "get a condition named; of the others it says that it cannot tell"],
    ["accuracy_answered", "of those that it names are named rightly"],
    ["accuracy", "have the right condition as first guess, named or not"],
    ["crop_given_accuracy", "have it when the crop is given"],
  ];
  return h("div", { class: "panel-short" }, h("h3", {}, title),
    h("p", { class: "quiet small" }, `${count(tested.photos, "photograph")} that it had never seen.`),
    rows.map(([key, words]) => line(measure(tested, key), words)));
}

function line(found, words) {
  if (!found) return h("div", { class: "line-short" }, h("p", {}, h("strong", {}, "Not measured"), `: how many ${words}`));
  return h("div", { class: "line-short" },
    h("p", {}, h("strong", {}, percent(found.value)), ` ${words}`),
    bar(found.value, `${percent(found.value)} ${words}`));
}

function measured(model) {
  const groups = testedOn(model);
  if (!groups.length) return h("p", {}, "Nothing was measured.");
  const columns = [{ title: "Measure", header: true }, ...groups.map(({ title }) => ({ title, number: true }))];
  const rows = MEASURES.map((one) => [
    one.name ? [one.title, " ", h("span", { class: "quiet" }, `(${one.name})`)] : one.title,
    ...groups.map((group) => withInterval(measure(group, one.key), one.kind)),
  ]);
  rows.unshift(["Photographs", ...groups.map((group) => number(group.photos))]);
  return [
    h("p", { class: "quiet small" }, "In brackets: where the figure lies with 95 % certainty, as far as chance goes."),
    table(columns, rows, { caption: `Measures of ${model.name}`, class: "wide-table" }),
  ];
}

function classes(model) {
  const rows = byClass(model).map((one) => [
    one.is_leaf ? one.display : "Not a leaf",
    one.photos === null ? "not measured" : number(one.photos),
    withInterval(one.found),
    withInterval(one.right),
    one.photos !== null && one.photos < FEW_PHOTOGRAPHS ? "few photographs: little is known" : "",
  ]);
  const mixed = mixUps(model);
  return [
    table(
      [{ title: "Class", header: true }, { title: "Photographs", number: true }, { title: "Found", number: true },
        { title: "Right when guessed", number: true }, "Remark"],
      rows,
      { caption: "By first guess, on photographs like those of training. Found: of the photographs that show it.", class: "wide-table" },
    ),
    mixed.length ? h("h4", {}, "Most frequent mix-ups") : null,
    mixed.length ? h("ul", {}, mixed.map((one) =>
      h("li", {}, `${one.truth} taken for ${one.answer}: ${count(one.photos, "photograph")}, ${percent(one.share)} of that class`))) : null,
  ];
}

/** How a retraining made it of another model; null for a model that was made from nothing but photographs. */
function lineage(model) {
  const made = model.provenance ?? {};
  const last = made.retraining;
  if (!last) return null;
  const facts = [
    ["Made from the model", h("a", { href: `#models/${last.parent}` }, h("code", {}, last.parent.slice(0, 16)))],
    ["By", `${plain(last.path).toLowerCase()} training`],
    ["Photographs that people sent", contributed(last.contributions)],
    ["New classes", (last.classes_added ?? []).map(className).join(", ")],
    ["Training set", h("code", {}, (last.snapshot ?? "").slice(0, 16))],
    ["Gate", h("a", { href: "#teach/model" }, "its report stands in the tab Teach")],
    ["Before that", (made.lineage ?? []).slice(0, -1).reverse().map((one) => one.parent.slice(0, 8)).join(", ")],
  ];
  return h("dl", { class: "facts" }, facts.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/** How many contributions taught, by what they were for: told by class, or in the whole, as retrainings of several ages do. */
export function contributed(found) {
  const totals = new Map();
  for (const [role, value] of Object.entries(found ?? {})) {
    const inner = value !== null && typeof value === "object" ? Object.entries(value) : [[role, value]];
    for (const [one, many] of inner) {
      if (Number.isFinite(many)) totals.set(one, (totals.get(one) ?? 0) + Math.trunc(many));
    }
  }
  return [...totals].sort(([, many], [, other]) => other - many)
    .map(([role, many]) => `${number(many)} ${ROLES[role] ?? plain(role).toLowerCase()}`).join(", ");
}

function provenance(model) {
  const made = model.provenance ?? {};
  const photographs = SPLITS.filter(([split]) => Number.isFinite(made.photographs?.[split]))
    .map(([split, purpose]) => `${number(made.photographs[split])} ${purpose}`);
  const versions = Object.entries(made.export?.versions ?? made.run?.versions ?? {}).map(([name, version]) => `${name} ${version}`);
  const facts = [
    ["Id", h("code", {}, model.id)],
    ["Put on the shelf", model.builtin ? "came with leafsight" : when(model.created_at)],
    ["Names", (model.aliases ?? []).join(", ") || "none"],
    ["Note", model.note],
    ["Size", bytes(model.bytes)],
    ["Numbers inside", { int8: "8-bit whole numbers", fp32: "32-bit floating point" }[made.export?.precision?.precision] ?? made.export?.precision?.precision],
    ["Photographs", photographs.join(", ")],
    ["Collections", (made.sources ?? []).map((one) => (typeof one === "string" ? one : one?.name ?? one?.collection)).filter(Boolean).join(", ")],
    ["Recipe", made.recipe],
    ["Seed", made.seed ?? made.run?.seed],
    ["Training took", Number.isFinite(made.run?.duration_s) ? duration(made.run.duration_s * 1000) : null],
    ["Made with", versions.join(", ")],
    ["Fingerprint of its photographs", made.data_fingerprint ? h("code", {}, made.data_fingerprint) : null],
  ];
  return h("dl", { class: "facts" }, facts.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}
