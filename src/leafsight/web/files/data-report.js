// One report: findings worst first, then every figure between its question and its answer. Enters: the answer of
// /v1/reports/ID. Leaves: nodes, and addresses of pictures that are given back with `drop`.

import { openPage, savePage } from "./data-pages.js";

const WEIGHTS = {
  mend: { word: "Mend", kind: "bad", meaning: "before training" },
  look: { word: "Look", kind: "warn", meaning: "and decide" },
  know: { word: "Know", kind: "quiet", meaning: "and leave it" },
};

/** Draws into `root`; {drop()} forgets the pictures. */
export function drawReport(root, report, context) {
  const { elements: { card, h, replace }, words } = context;
  const urls = [];
  const pages = h("div", { class: "stack" });
  const whole = (name, label) => report.files[name]
    ? h("button", { type: "button", onclick: () => openPage(pages, report, name, label, context) }, label) : null;
  replace(
    root,
    card("Health",
      h("p", {}, sentence(report, words)),
      report.findings.length ? h("ul", { class: "data-findings" }, report.findings.map((one) => finding(one, context)))
        : null,
      remarks("Not looked at", report.not_looked_at, h),
      remarks("Notes", report.notes, h),
      h("div", { class: "row" }, whole("health.html", "Open the whole health report"),
        save(report, "health.html", context))),
    pages,
    card("What the photographs look like",
      h("p", { class: "quiet" }, "Each picture answers one question. Click it to see it larger."),
      h("div", { class: "row" }, whole("insight.html", "Open all figures in one page"),
        save(report, "insight.html", context)),
      h("div", { class: "data-figures" }, report.figures.map((one) => figure(report, one, urls, context)))),
  );
  return {
    drop() {
      for (const url of urls) URL.revokeObjectURL(url);
      urls.length = 0;
    },
  };
}

function sentence(report, words) {
  const classes = words.count(Object.keys(report.class_counts).length, "class", "classes");
  const usable = `${words.number(report.usable)} of ${words.count(report.photographs, "photograph")} can be used, `
    + `in ${classes}. `;
  const mend = report.weights.mend ?? 0;
  if (!report.findings.length) return `${usable}Nothing was found to mend.`;
  if (!mend) return `${usable}Nothing has to be mended before training.`;
  return `${usable}${words.count(mend, "thing")} should be mended before training.`;
}

function finding(one, { elements: { h }, words }) {
  const { word, kind, meaning } = WEIGHTS[one.weight] ?? WEIGHTS.know;
  const classes = Object.entries(one.per_class);
  const details = one.cases.length || classes.length > 1
    ? h("details", {},
      h("summary", {}, one.count ? `Which: ${words.count(one.count, "photograph")}` : "More"),
      classes.length > 1 ? h("p", { class: "small quiet" },
        `By class: ${classes.slice(0, 12).map(([name, count]) => `${name} ${count}`).join("; ")}`
        + (classes.length > 12 ? `; and ${classes.length - 12} more` : "")) : null,
      h("ul", { class: "data-cases small" }, one.cases.map((each) => h("li", {},
        h("code", {}, [...each.photographs, ...each.elsewhere].join("  =  ")),
        each.text ? ` ${each.text}` : null))),
      one.more_cases ? h("p", { class: "small quiet" },
        `and ${words.number(one.more_cases)} more in the whole report`) : null)
    : null;
  return h("li", { class: `data-finding data-${one.weight}` },
    h("span", { class: `data-weight ${kind}`, title: `${word} ${meaning}` }, word),
    h("div", { class: "data-finding-words" },
      h("p", {}, capital(one.sentence)),
      one.hint && one.weight !== "know" ? h("p", { class: "quiet" }, capital(one.hint)) : null,
      details));
}

function figure(report, one, urls, { api, elements: { dialog, failure, h, replace } }) {
  const place = h("div", { class: "data-picture", "aria-busy": true });
  const image = (url) => h("img", { src: url, alt: `${one.title}: ${one.answer}` });
  async function load() {
    try {
      const url = URL.createObjectURL(await api.blob(`/v1/reports/${report.id}/files/${one.picture}`));
      urls.push(url);
      replace(place, h("button", { type: "button", class: "data-enlarge", "aria-label": `Enlarge: ${one.question}`,
        onclick: () => enlarge(url) }, image(url)));
      place.removeAttribute("aria-busy");
    } catch (problem) {
      if (problem.name !== "AbortError") replace(place, failure(problem, load));
    }
  }
  function enlarge(url) {
    const large = dialog(one.question, h("div", { class: "data-large" }, image(url))); // question and answer stand in the picture
    large.element.classList.add("data-dialog");
    large.open();
  }
  const near = new IntersectionObserver((seen) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    load();
  }, { rootMargin: "600px" });
  near.observe(place);
  return h("figure", { class: "data-figure" },
    h("h3", {}, one.question),
    place,
    h("figcaption", {}, h("p", { class: "data-answer" }, one.answer),
      one.note ? h("p", { class: "small quiet" }, one.note) : null));
}

function remarks(label, lines, h) {
  if (!lines.length) return null;
  return h("details", {}, h("summary", {}, `${label} (${lines.length})`),
    h("ul", { class: "small quiet" }, lines.map((line) => h("li", {}, capital(line)))));
}

function save(report, name, context) {
  if (!report.files[name]) return null;
  return context.elements.h("button", { type: "button", class: "plain",
    onclick: (event) => savePage(event.target, report, name, context) }, "Save as file");
}

function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}
