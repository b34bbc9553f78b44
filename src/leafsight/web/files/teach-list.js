// What was sent and what became of it. Enters: /v1/uploads. Leaves: a list that looks again while anything is
// still looked into.

import { result, stateWords } from "./teach-words.js";

const LOOK_MS = 1500;
const PAGE = 20;
const ALIVE = new Set(["queued", "running"]);

/** {look(), start(), stop(), element}; looks only between start and stop. */
export function makeList(context) {
  const { api, elements: { bar, busy, failure, h, inPlace, replace }, words } = context;
  const rows = h("ul", { class: "teach-list" });
  const trouble = h("div", {});
  const more = h("button", { type: "button", onclick: older }, "Show older ones");
  const element = h("div", { class: "stack teach-sent" }, trouble, rows, more);
  let shown = false;
  let timer = null;
  let pages = 1;
  let looking = null;
  let drawn = "";
  let held = new Map();
  more.hidden = true;
  replace(rows, h("li", {}, busy("Looking")));

  async function look() {
    clearTimeout(timer);
    looking?.abort();
    looking = new AbortController();
    try {
      const { uploads, next } = await fetchPages(looking.signal);
      draw(uploads);
      more.hidden = next === null;
      replace(trouble);
      if (shown && uploads.some((one) => ALIVE.has(one.job?.state))) timer = setTimeout(look, LOOK_MS);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (!drawn) replace(rows);
      replace(trouble, failure(problem, look));
    }
  }

  async function fetchPages(signal) {
    const uploads = [];
    let after = null;
    for (let page = 0; page < pages; page += 1) {
      const answer = await api.ask("/v1/uploads", { query: { limit: PAGE, ...(after ? { after } : {}) }, signal });
      uploads.push(...answer.uploads);
      after = answer.next;
      if (after === null) break;
    }
    return { uploads, next: after };
  }

  function older() {
    pages += 1;
    look();
  }

  function draw(uploads) {
    const said = JSON.stringify(uploads);
    if (said === drawn) return; // what a person reads or has under the finger is not exchanged for the same
    drawn = said;
    held = new Map(uploads.map((one) => [JSON.stringify(one), one]).map(([key, one]) => [key, held.get(key) ?? row(one)]));
    if (uploads.length) inPlace(rows, [...held.values()]);
    else replace(rows, h("li", { class: "quiet" }, "Nothing yet. What you send appears here, with what was found in it."));
  }

  function row(upload) {
    const { word, kind } = stateWords(upload);
    const job = upload.job;
    return h("li", { class: "teach-upload" },
      h("div", { class: "teach-upload-top" },
        h("div", {},
          h("span", { class: "teach-what" }, what(upload)),
          h("span", { class: "quiet small" }, ` ${words.bytes(upload.bytes)}, ${words.when(upload.created_at)}`)),
        h("span", { class: `teach-state ${kind}` }, word)),
      ALIVE.has(job?.state) ? progress(job) : null,
      result(upload, context),
      job?.state === "failed" ? again(upload.id) : null);
  }

  function progress(job) {
    const { step, done, total, share } = job.progress ?? {};
    const how = job.state === "queued" ? "Waits for its turn." : total ? `${words.number(done)} of ${words.number(total)}`
      : words.plain(step ?? "begins");
    const stop = doing("Do not look into it", `/v1/jobs/${job.id}`, { method: "DELETE" }, "plain");
    return h("div", { class: "row teach-progress" }, h("span", { class: "quiet small" }, how),
      typeof share === "number" ? h("div", { class: "teach-meter" }, bar(share, words.percent(share))) : null, stop);
  }

  function again(id) {
    const how = { method: "POST", idempotent: true };
    return h("div", { class: "row teach-progress" }, doing("Check again", `/v1/uploads/${id}/check`, how));
  }

  function doing(text, path, how, kind = "") {
    const button = h("button", { type: "button", class: kind, onclick: () => send(button, path, how) }, text);
    return button;
  }

  async function send(button, path, how) {
    button.disabled = true;
    try {
      await api.ask(path, how);
    } catch (problem) {
      button.disabled = false;
      if (problem.status !== 409) { // else it ended just then, or began
        replace(trouble, failure(problem));
        return;
      }
    }
    look();
  }

  function what(upload) {
    if (upload.media_type.startsWith("image/")) return upload.label ? `A photograph as ${upload.label}` : "A photograph";
    return "A collection";
  }

  return {
    look,
    element,
    start() {
      shown = true;
      look();
    },
    stop() {
      shown = false;
      clearTimeout(timer);
      looking?.abort();
    },
  };
}
