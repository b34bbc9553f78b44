// One upload of the queue as a row: its name, how far it is or why it failed, and what can be done with it. Enters: an
// item of the queue, again and again. Leaves: an element that stays the same one, so that no button goes from under a finger.

import { h, replace } from "./elements.js";
import { leftWords } from "./teach-pace.js";
import { bytes, percent } from "./words.js";

const QUIET_MS = 250; // numbers that change more often cannot be read

/** {element, draw(), far()}: after another state, and while it is sent. `cancel`, `retry`, `leave` are told of presses. */
export function makeRow(item, { cancel, retry, leave }) {
  const about = h("span", { class: "quiet small" });
  const fill = h("div", { class: "bar-fill" });
  const meter = h("div", { class: "bar teach-meter", role: "progressbar", "aria-label": `Sending ${item.name}`, "aria-valuemin": "0",
    "aria-valuemax": "100" }, fill);
  const told = h("p", { class: "quiet small teach-far" });
  const stop = h("button", { type: "button", class: "plain", "aria-label": `Cancel ${item.name}`, onclick: cancel }, "Cancel");
  const state = h("div", { class: "teach-doing" });
  const element = h("li", {}, h("div", { class: "teach-name" }, h("span", {}, item.name), about), state);
  let drawnAt = 0;
  let later = null;
  let drawn = "";

  function far() {
    const now = performance.now();
    if (now - drawnAt < QUIET_MS && item.sent < item.size) {
      later ??= setTimeout(() => {
        later = null;
        far();
      }, QUIET_MS);
      return;
    }
    clearTimeout(later);
    later = null;
    drawnAt = now;
    const share = item.size ? Math.min(1, item.sent / item.size) : 0;
    fill.style.width = `${(share * 100).toFixed(2)}%`;
    meter.setAttribute("aria-valuenow", String(Math.floor(share * 100)));
    meter.setAttribute("aria-valuetext", item.isLarge ? farWords(item) : percent(share));
    if (!item.isLarge) return;
    replace(told, farWords(item));
    stop.disabled = item.sent >= item.size && !item.broken; // from here on it is kept
  }

  function draw() {
    replace(about, ` ${[item.label ? `as ${item.label}` : "", item.size ? `(${bytes(item.size)})` : ""].filter(Boolean).join(" ")}`);
    element.className = `teach-item teach-${item.state}${item.isLarge && item.state === "sending" ? " teach-large" : ""}`;
    const now = `${item.state} ${item.isLarge}`;
    if (now !== drawn) {
      drawn = now;
      replace(state, item.state === "failed" ? trouble() : item.state !== "sending" ? h("span", { class: "quiet small" }, "waits")
        : item.isLarge ? [meter, told, stop] : meter);
    }
    drawnAt = -QUIET_MS;
    if (item.state === "sending") far();
  }

  function trouble() {
    const { detail, hint, message } = item.problem;
    return h("div", { class: "teach-trouble", role: "alert" },
      h("p", { class: "bad" }, detail || message),
      hint ? h("p", { class: "small" }, hint) : null,
      h("div", { class: "row" }, h("button", { type: "button", onclick: retry }, "Send again"),
        h("button", { type: "button", class: "plain", onclick: leave }, "Leave out")));
  }

  return { element, draw, far };
}

/** How far a large one is, and how long still; or what it waits for. */
export function farWords({ sent, size, pace, broken }) {
  const far = `${bytes(sent)} of ${bytes(size)}`;
  if (broken) return `${far}. The connection broke; it goes on by itself.`;
  if (sent >= size) return "All of it is sent; the server puts it together.";
  const left = pace.left(size);
  return left === null ? far : `${far}, ${leftWords(left)}`;
}
