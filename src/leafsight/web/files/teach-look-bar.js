// The bar at the lower edge: how many are chosen, what can be done with them, what was done last and the way back.
// Enters: numbers and words. Leaves: presses. It decides nothing.

import { h, replace } from "./elements.js";
import { DEEDS, DEEDS_OF } from "./teach-look-words.js";
import { number } from "./words.js";

const NONE = "Nothing is chosen.";

/** {element, chosen(count), deeds(filter), said(words, canUndo)}; `act(name)`, `clear()`, `undo()` are told. */
export function makeBar({ act, clear, undo }) {
  const many = h("p", { class: "look-chosen", role: "status" }, NONE);
  const done = h("p", { class: "look-done", role: "status" });
  const back = h("button", { type: "button", class: "plain", "aria-keyshortcuts": "z", onclick: undo }, "Undo");
  const none = h("button", { type: "button", class: "plain", onclick: clear }, "Choose none");
  const buttons = h("div", { class: "row look-deeds" });
  const element = h("div", { class: "look-bar", role: "group", "aria-label": "What is done with them" },
    h("div", { class: "look-told" }, h("div", { class: "row look-now" }, many, none), h("div", { class: "row look-last" }, done, back)), buttons);
  let chosen = 0;
  back.hidden = none.hidden = true;

  function show() {
    replace(many, chosen ? `${number(chosen)} chosen` : done.hasChildNodes() ? "" : NONE);
    none.hidden = !chosen;
    element.classList.toggle("look-busy", chosen > 0 || done.hasChildNodes()); // a phone has no room for a bar without a purpose
    for (const button of buttons.querySelectorAll("button[data-deed]")) button.disabled = !chosen;
  }

  return {
    element,
    chosen(now) {
      chosen = now;
      if (now && back.hidden) replace(done); // what cannot be undone any more makes room
      show();
    },
    deeds(filter) {
      replace(buttons, DEEDS_OF[filter].map((name, at) => h("button", { type: "button", class: at ? "" : "primary",
        dataset: { deed: name }, "aria-keyshortcuts": DEEDS[name].key, onclick: () => act(name) }, DEEDS[name].title)));
      show();
    },
    said(words, canUndo) {
      replace(done, words);
      back.hidden = !canUndo;
      show();
    },
  };
}
