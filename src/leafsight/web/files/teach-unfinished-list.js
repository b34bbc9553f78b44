// Uploads that an earlier visit began and did not bring to their end. Enters: what this browser remembers, and how far
// the server says they are. Leaves: a card that says how to go on, or how to give one up; nothing where there are none.

import { bytesThere, giveUp } from "./teach-parts.js";
import { forget, unfinished } from "./teach-unfinished.js";

/** {element, look()}; what `isHeld(id)` is being sent now, or is shown with what went wrong. */
export function makeUnfinished(context, isHeld) {
  const { elements: { card, h, inPlace, replace }, words } = context;
  const list = h("ul", { class: "teach-list" });
  const element = card("Not finished", h("p", { class: "quiet" }, "Choose the same file again, and it goes on where it was."), list);
  const rows = new Map(); // id -> element
  element.hidden = true;

  async function look() {
    draw();
    await Promise.all(unfinished().filter(({ id }) => rows.has(id) && !rows.get(id).isAsked).map(ask));
  }

  async function ask({ id, size }) {
    const row = rows.get(id);
    row.isAsked = true;
    try {
      const there = await bytesThere(id);
      if (there >= size) forget(id); // the server makes an upload of it by itself
      else replace(row.far, `${words.bytes(there)} of ${words.bytes(size)} are there.`);
    } catch (problem) {
      if (problem.status === 404) forget(id);
      else row.isAsked = false; // another look may tell more
    }
    draw();
  }

  function draw() {
    const shown = unfinished().filter(({ id }) => !isHeld(id));
    for (const one of shown) if (!rows.has(one.id)) rows.set(one.id, makeRow(one));
    for (const id of rows.keys()) if (!shown.some((one) => one.id === id)) rows.delete(id);
    inPlace(list, shown.map(({ id }) => rows.get(id).element));
    element.hidden = !shown.length;
  }

  function makeRow({ id, name }) {
    const far = h("span", { class: "quiet small" });
    const button = h("button", { type: "button", class: "plain", "aria-label": `Give up ${name}`, onclick: leave }, "Give up");
    const row = h("li", { class: "teach-item teach-rest" }, h("div", { class: "teach-name" }, h("span", {}, name), " ", far), button);

    async function leave() {
      button.disabled = true;
      await giveUp(id);
      draw();
    }
    return { element: row, far, isAsked: false };
  }

  return { element, look };
}
