// Tab Data: what is wrong with the operator's photographs, and what they look like. Enters: /v1/reports. Leaves:
// the newest report, older ones to choose from, and a way to make a new one. Without a collection it says what
// the model in service was trained on.

import { drawKnown } from "./data-known.js";
import { drawReport } from "./data-report.js";
import { drawWork } from "./data-work.js";

export const title = "Data";
let view = null;

export function mount(root, context) {
  view = makeView(root, context);
}

export function shown() {
  view?.look();
}

export function hidden() {
  view?.rest();
}

function makeView(root, context) {
  const { api, elements: { busy, failure, h, replace } } = context;
  const top = h("div", { class: "stack" }, busy("Looking for reports"));
  const body = h("div", { class: "stack data-body" });
  root.append(top, body);
  let controller = null;
  let drawn = null;
  let following = null;

  async function look() {
    controller?.abort();
    controller = new AbortController();
    const { signal } = controller;
    try {
      const listing = await api.ask("/v1/reports", { query: { limit: 20 }, signal });
      drawTop(listing);
      if (listing.reports.length) await show(listing.reports[0].id, signal);
      else await known(listing, signal);
      if (listing.job) await follow(listing.job, signal);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (problem.status === 403 || problem.status === 404) await forbidden(problem, signal);
      else replace(top, failure(problem, look));
    }
  }

  function rest() {
    controller?.abort();
    following = null;
  }

  async function show(id, signal) {
    if (drawn?.id === id) return;
    drawn?.drop();
    drawn = null;
    replace(body, busy("Fetching the report"));
    const report = await api.ask(`/v1/reports/${id}`, { signal });
    drawn = { id, ...drawReport(body, report, context) };
  }

  async function known(listing, signal) {
    drawn?.drop();
    drawn = null;
    await drawKnown(body, listing, context, signal);
  }

  async function forbidden(problem, signal) {
    replace(top, h("p", { class: "quiet" }, problem.status === 404
      ? "Reports on the operator's own collection are shown on the admin side of this server."
      : "Reports on the operator's own collection are shown to keys with the scope admin."));
    try {
      await drawKnown(body, null, context, signal);
    } catch (error) {
      if (error.name !== "AbortError") replace(body, failure(error, look));
    }
  }

  function drawTop(listing) {
    if (!listing.collection && !listing.reports.length) {
      replace(top);
      return;
    }
    const { words } = context;
    const newest = listing.reports[0];
    const choose = listing.reports.length > 1
      ? h("label", { class: "data-choose" }, h("span", { class: "quiet small" }, "Show the report of"),
        h("select", { onchange: (event) => open(event.target.value) },
          listing.reports.map((one) => h("option", { value: one.id }, words.when(one.created_at)))))
      : null;
    const button = listing.collection
      ? h("button", { type: "button", class: newest ? "" : "primary", onclick: make },
        newest ? "Make a new report" : "Make the first report")
      : null;
    replace(top, h("section", { class: "card data-top", "aria-label": "The collection" },
      h("div", { class: "row data-top-row" },
        h("div", {},
          h("h2", {}, listing.collection ?? newest.collection),
          h("p", { class: "quiet" }, newest ? age(newest) : "No report was made yet.")),
        h("div", { class: "row data-controls" }, choose, button)),
      h("div", { class: "data-work" })));
  }

  function age(report) {
    const { words } = context;
    const passed = Math.max(0, Date.now() - report.created_at);
    const ago = passed < 60_000 ? "just now" : `${words.duration(passed)} ago`;
    return `Report of ${words.when(report.created_at)}, ${ago}: ${words.count(report.photographs, "photograph")} `
      + `in ${words.count(report.classes, "class", "classes")}.`;
  }

  async function open(id) {
    try {
      await show(id, controller?.signal);
    } catch (problem) {
      if (problem.name !== "AbortError") replace(body, failure(problem, () => open(id)));
    }
  }

  async function make(event) {
    event.target.disabled = true;
    const work = top.querySelector(".data-work");
    try {
      const asked = await api.ask("/v1/reports", { method: "POST", idempotent: true });
      await follow(asked.job, controller.signal);
    } catch (problem) {
      if (problem.name !== "AbortError") replace(work, failure(problem));
    } finally {
      event.target.disabled = false;
    }
  }

  async function follow(job, signal) {
    if (following === job) return;
    following = job;
    const work = top.querySelector(".data-work");
    const panel = drawWork(work, job, context);
    const ended = await api.follow(`/v1/jobs/${job}`, panel.told, signal);
    following = null;
    if (ended.state === "done") await look();
    else panel.ended(ended);
  }

  return { look, rest };
}
