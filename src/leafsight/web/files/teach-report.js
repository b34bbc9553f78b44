// The whole report of a gate: a page with scripts of its own. Enters: the id of a training. Leaves: the page in a
// frame that has no origin, no storage and no network; its address is a ticket that lasts a minute.

import { busy, failure, h, replace } from "./elements.js";

/** A button that opens the report into `place`. */
export function reportButton(id, place, { api }) {
  const button = h("button", { type: "button", "aria-expanded": "false", onclick: toggle }, "Open the whole report");

  async function toggle() {
    if (button.getAttribute("aria-expanded") === "true") {
      button.setAttribute("aria-expanded", "false");
      button.textContent = "Open the whole report";
      replace(place);
      return;
    }
    replace(place, busy("Opening"));
    try {
      const { url } = await api.ask(`/v1/retraining/${id}/ticket`, { method: "POST" });
      button.setAttribute("aria-expanded", "true");
      button.textContent = "Close the report";
      replace(place, h("iframe", { src: url, class: "gate-frame", sandbox: "allow-scripts", title: "The whole report of the gate", referrerpolicy: "no-referrer" }));
    } catch (problem) {
      replace(place, failure(problem));
    }
  }
  return button;
}
