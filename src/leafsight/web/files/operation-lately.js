// What was diagnosed lately and what people said of it.
// Enters: answers of /v1/insight and /v1/predictions. Leaves: three cards that show them.

import { bar, card, h, replace, table } from "./elements.js";
import { folded, stackedChart } from "./operation-charts.js";
import { openDetails } from "./operation-details.js";
import { isCovered, peopleSaid, redraw, said } from "./operation-phrases.js";
import { count, duration, number, percent, plain, verdictName, when } from "./words.js";

const KINDS = ["diagnosis", "cannot_tell", "not_a_leaf", "too_blurred", "unreadable"].map((key) =>
  [key, verdictName(key), `kind-${key}`]);
const NOTHING = "No photograph was diagnosed yet.";
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DAYS = 30;
const MOST_CLASSES = 10;

/** {element, show(insight)}: verdicts by day and hour, shares, conditions. */
export function diagnosedCard() {
  const summary = h("p", {});
  const shares = h("div", { class: "shares" });
  const days = stackedChart("Photographs each day, last 30 days", KINDS, { none: NOTHING, first: "Day" });
  const hours = stackedChart("Photographs each hour, last day", KINDS, { none: "No photograph was diagnosed in the last day.", first: "Hour" });
  const classes = folded("Conditions that were named");
  const charts = h("div", { class: "charts" }, days.element, hours.element);
  const element = card("Diagnosed", summary, shares, charts, classes.element);

  function show(insight) {
    const any = insight.predictions > 0;
    shares.hidden = charts.hidden = !any;
    classes.element.hidden = !Object.keys(insight.classes).length;
    summary.textContent = any
      ? `${count(insight.predictions, "photograph")} in the last 30 days; half were answered within ${duration(insight.latency_ms.p50)}.`
      : NOTHING;
    if (!any) return;
    replace(shares, KINDS.filter(([key]) => insight.verdicts[key]).map(([key, name]) => share(name, insight.shares[key], insight.verdicts[key])));
    const until = Date.now();
    days.show(everyDay(insight.days, until));
    hours.show(everyHour(insight.hours, until));
    classes.show(() => conditions(insight.classes));
  }

  return { element, show };
}

/** {element, show(page)}: the newest predictions, each with its details. */
export function newestCard(context, changed) {
  const inside = h("div", {});
  let last = "";
  const element = card("Newest predictions", inside);

  function show({ predictions }) {
    const now = JSON.stringify(predictions.map((one) => one.id));
    if (now === last || isCovered()) return;
    last = now;
    redraw(inside, predictions.length ? table(["When", "Said", { title: "Probability", number: true }, "Photograph"],
      predictions.map((one) => [when(one.created_at), details(context, one.id, said(one), one.photo, changed),
        one.probability === null ? "none" : percent(one.probability), one.photo]),
      { caption: "The newest ten; each opens its details", class: "newest" })
      : h("p", { class: "quiet" }, NOTHING));
  }

  return { element, show };
}

/** {element, show(insight)}: how often people said right, and their newest words. */
export function correctionsCard(context, changed) {
  const inside = h("div", { class: "stack" });
  let last = "";
  const element = card("Corrections", inside);

  function show({ corrections, newest_corrections: newest }) {
    const now = JSON.stringify([corrections, newest.map((one) => one.id)]);
    if (now === last || isCovered()) return;
    last = now;
    const all = corrections.right + corrections.wrong;
    redraw(inside,
      h("p", {}, all ? `People said right ${number(corrections.right)} of ${number(all)} times in the last 30 days.`
        : "Nobody said yet whether a diagnosis was right."),
      all ? h("p", { class: "quiet small" }, "Whoever corrects chooses what to correct, so this is no measure of how often the model is right.") : null,
      newest.length ? table(["When", "The model said", "People said", "Note"], newest.map((one) => [when(one.created_at),
        details(context, one.prediction, said(one), "this correction", changed), peopleSaid(one), one.note ?? ""]),
      { caption: "The newest ten; each opens its details", class: "newest" }) : null);
  }

  return { element, show };
}

function details(context, id, words, what, changed) {
  return h("button", { type: "button", class: "opens", dataset: { place: id }, "aria-label": `${words}, details of ${what}`,
    onclick: () => openDetails(context, id, changed) }, words);
}

function share(name, part, many) {
  return h("div", { class: "share" }, h("span", {}, name), bar(part, `${name}: ${percent(part)}`),
    h("span", { class: "number quiet small" }, `${percent(part)} (${number(many)})`));
}

function conditions(classes) {
  const named = Object.entries(classes);
  const more = named.length - MOST_CLASSES;
  return h("div", { class: "stack" }, table([{ title: "Condition", header: true }, { title: "Photographs", number: true }],
    named.slice(0, MOST_CLASSES).map(([key, many]) => [plain(key), number(many)]), { caption: "Of the last 30 days" }),
  more > 0 ? h("p", { class: "quiet small" }, `and ${count(more, "other")}`) : null);
}

function everyDay(days, until) {
  const known = new Map(days.map((one) => [one.date, one.verdicts]));
  return steps(DAYS, (back) => {
    const date = new Date(until - back * DAY_MS).toISOString().slice(0, 10);
    return { name: date, values: known.get(date) ?? {} };
  });
}

function everyHour(hours, until) {
  const known = new Map(hours.map((one) => [one.start_ms, one.verdicts]));
  const now = Math.floor(until / HOUR_MS) * HOUR_MS;
  return steps(24, (back) => {
    const start = now - back * HOUR_MS;
    const name = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" }).format(new Date(start));
    return { name, values: known.get(start) ?? {} };
  });
}

function steps(many, make) {
  return Array.from({ length: many }, (_, at) => make(many - 1 - at));
}
