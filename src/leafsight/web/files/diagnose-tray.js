// Photographs that are ready to be sent. Enters: files. Leaves: `send(photos)` when the person says so. Nothing is sent
// before that, so the crop can be chosen first.

import { h, notice, replace } from "./elements.js";
import { sortOut } from "./diagnose-files.js";
import { limits, MOST_AT_ONCE } from "./diagnose-limits.js";
import { thumbOf } from "./diagnose-thumbs.js";
import { count } from "./words.js";

const MOST_SHOWN = 24;
let numbers = 0;

/** {element, add(found), refresh()}; `wish()` is what was chosen, `send(photos)` takes them away. */
export function makeTray({ wish, send }) {
  let photos = [];
  const list = h("ul", { class: "tray-list", "aria-label": "Ready to send" });
  const rest = h("p", { class: "small quiet" });
  const said = h("div", { class: "stack", role: "status" });
  const button = h("button", { type: "button", class: "primary tray-send", onclick: sendAll });
  const none = h("button", { type: "button", class: "plain", onclick: () => put([]) }, "Take all away");
  const element = h("div", { class: "tray stack", hidden: true }, list, rest, h("div", { class: "row" }, button, none));

  function add(found) {
    const sorted = sortOut(found);
    const room = MOST_AT_ONCE - photos.length;
    const taken = sorted.photos.slice(0, room);
    sorted.tooMany += sorted.photos.length - taken.length;
    replace(said, leftOut(sorted));
    put([...photos, ...taken.map(photoOf)]);
    if (taken.length > 0) button.focus({ preventScroll: true });
  }

  function put(next) {
    photos = next;
    element.hidden = photos.length === 0;
    replace(list, photos.slice(0, MOST_SHOWN).map((photo) => chipOf(photo, () => put(photos.filter((one) => one !== photo)))));
    rest.hidden = photos.length <= MOST_SHOWN;
    replace(rest, `and ${count(photos.length - MOST_SHOWN, "more photograph", "more photographs")}`);
    refresh();
  }

  function refresh() {
    const { combine } = wish();
    const tooMany = combine && photos.length > limits.max_photos;
    const what = count(photos.length, "photograph");
    replace(button, combine && photos.length > 1 ? `Diagnose one plant from ${what}` : `Diagnose ${what}`);
    button.disabled = tooMany;
    if (tooMany) replace(said, notice("warn", `At most ${limits.max_photos} photographs of one plant are judged together.`, "Take some away; six tell nearly as much as more."));
  }

  function sendAll() {
    const sent = photos;
    put([]);
    replace(said);
    send(sent);
  }

  return { element, said, add, refresh, take: () => { const held = photos; put([]); return held; }, get size() { return photos.length; } };
}

function photoOf({ file, label }) {
  numbers += 1;
  return { id: numbers, file, label, state: "ready", share: 0, answer: null, problem: null, plant: null, corrections: [], sent: null, thumb: null };
}

function chipOf(photo, away) {
  return h("li", { class: "chip" }, thumbOf(photo),
    h("button", { type: "button", class: "chip-away", "aria-label": `Take ${photo.label} away`, title: photo.label, onclick: away }, h("span", { "aria-hidden": "true" }, "\u00d7")));
}

function leftOut({ others, tooLarge, tooMany }) {
  return [
    others ? notice("info", `${count(others, "file")} left out: no photographs by their names.`) : null,
    tooLarge.length ? notice("warn", `${count(tooLarge.length, "photograph")} left out, too large: ${tooLarge.slice(0, 3).join(", ")}${tooLarge.length > 3 ? " and others" : ""}.`,
      "Save them smaller, or as JPEG.") : null,
    tooMany ? notice("warn", `${count(tooMany, "photograph")} left out: at most ${MOST_AT_ONCE} at once.`, "Add them when these are answered.") : null,
  ];
}
