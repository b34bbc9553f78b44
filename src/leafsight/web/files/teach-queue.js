// What is being sent: a few at a time, each with a key of its own, large ones in parts; what failed is kept and can be
// sent again. Enters: items {name, type, label, body: Blob, or a function that makes one}. Leaves: requests, and how far each is.

import { makePace } from "./teach-pace.js";
import { LARGE_BYTES, giveUp, sendInParts } from "./teach-parts.js";
import { farWords, makeRow } from "./teach-queue-row.js";

const AT_ONCE = 3;
const SHOWN = 12;
const QUARTERS = ["", "a quarter is sent", "half is sent", "three quarters are sent"];

/** {add(items), holds(id), element, heard}; `changed` is called after each upload, and when one was begun or given up. */
export function makeQueue(context, changed) {
  const { api, elements: { bar, card, h, inPlace, replace }, words } = context;
  const items = [];
  const summary = h("p", { role: "status" });
  const share = h("div", {});
  const rows = h("ul", { class: "teach-queue" });
  const rest = h("li", { class: "quiet" });
  const heard = h("span", { class: "unseen", role: "status" });
  const again = h("button", { type: "button", onclick: retryAll }, "Send what failed again");
  const element = card("Being sent", summary, share, rows, again);
  element.hidden = true;

  function add(more) {
    for (const one of more) {
      const item = { ...one, key: api.newKey(), state: "waiting", sent: 0, problem: null, isLarge: false, parts: null };
      item.row = makeRow(item, { cancel: () => item.stop.abort(), retry: () => retry(item), leave: () => leave(item) });
      items.push(item);
    }
    pump();
  }

  function pump() {
    let free = AT_ONCE - items.filter((one) => one.state === "sending").length;
    for (const item of items) {
      if (free <= 0) break;
      if (item.state !== "waiting") continue;
      free -= 1;
      send(item);
    }
    draw();
  }

  async function send(item) {
    Object.assign(item, { state: "sending", problem: null, stop: new AbortController() });
    try {
      const body = typeof item.body === "function" ? await item.body() : item.body;
      item.size = body.size;
      await (body.size > LARGE_BYTES ? large(item, body) : whole(item, body));
      item.state = "sent";
      item.body = null;
      changed();
    } catch (problem) {
      if (item.stop.signal.aborted) {
        leave(item);
        return;
      }
      item.state = "failed";
      item.problem = problem;
    }
    pump();
  }

  function whole(item, body) {
    return api.upload("/v1/uploads", body, {
      type: item.type,
      query: item.label ? { label: item.label } : {},
      headers: { "idempotency-key": item.key },
      signal: item.stop.signal,
      onProgress: (done) => {
        item.sent = done;
        item.row.far();
      },
    });
  }

  async function large(item, body) {
    Object.assign(item, { isLarge: true, pace: makePace(), broken: false, quarter: 0 });
    draw();
    try {
      await sendInParts(body, item, toldOf(item), item.stop.signal);
    } catch (problem) {
      if (problem.status !== 429 || item.parts) throw problem;
      item.isLarge = false; // too many are under way in parts: in one piece it may still be taken
      draw();
      await whole(item, body);
    }
  }

  function toldOf(item) {
    const { pace, row } = item;
    return {
      begun(id) {
        item.parts = id;
        changed();
      },
      far(sent) {
        item.sent = sent;
        pace.told(sent);
        const quarter = Math.floor((4 * sent) / item.size);
        if (quarter > item.quarter && quarter < 4) say(item, `${QUARTERS[quarter]}: ${farWords(item)}`);
        item.quarter = Math.max(item.quarter, quarter);
        row.far();
      },
      goesOn(sent) {
        item.broken = false;
        item.quarter = Math.floor((4 * sent) / item.size);
        pace.restart();
        pace.told(sent);
        say(item, `goes on at ${words.bytes(sent)} of ${words.bytes(item.size)}.`);
        row.draw();
      },
      broke() {
        if (!item.broken) say(item, "the connection broke; it goes on by itself.");
        item.broken = true;
        row.draw();
      },
    };
  }

  /** Now and then, for those who do not see the bars. */
  function say(item, what) {
    replace(heard, `${item.name}: ${what}`);
  }

  function retry(item) {
    item.state = "waiting";
    pump();
  }

  function retryAll() {
    for (const item of items) if (item.state === "failed") item.state = "waiting";
    pump();
  }

  /** Neither here nor on the server is anything of it left. */
  async function leave(item) {
    const hadFocus = item.row.element.contains(document.activeElement);
    items.splice(items.indexOf(item), 1);
    pump();
    if (item.stop.signal.aborted) say(item, "cancelled.");
    if (hadFocus) (rows.querySelector("button:not(:disabled)") ?? element.parentElement.querySelector("button"))?.focus();
    if (item.parts) await giveUp(item.parts);
    changed();
  }

  function draw() {
    element.hidden = items.length === 0;
    const count = (state) => items.filter((one) => one.state === state).length;
    const failed = count("failed");
    const done = count("sent");
    const now = `${words.number(done)} of ${words.count(items.length, "upload")} sent`
      + (failed ? `, ${words.number(failed)} failed. Nothing of them is lost: they are still here.` : ".");
    if (summary.textContent !== now) replace(summary, now); // said again, it would be read aloud again
    replace(share, items.length > 1 ? bar(done / items.length, words.percent(done / items.length)) : null);
    const open = items.filter((one) => one.state !== "sent");
    const first = [...open.filter((one) => one.state !== "waiting"), ...open.filter((one) => one.state === "waiting")].slice(0, SHOWN);
    for (const { row } of first) row.draw();
    replace(rest, `and ${words.number(open.length - first.length)} more`);
    inPlace(rows, [...first.map(({ row }) => row.element), ...(open.length > first.length ? [rest] : [])]);
    again.hidden = failed < 2;
  }

  return { add, element, heard, holds: (id) => items.some((one) => one.parts === id && one.state !== "sent") };
}
