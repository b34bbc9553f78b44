// One photograph with its heatmap over it. Enters: a file and the layer of its answer. Leaves: a figure with a slider
// and a way to look closer. The file is read by this browser only; its address lives as long as the figure is shown.

import { dialog, h, newId, replace } from "./elements.js";
import { enlarge, fieldSize, hottestPlace, paint, readLayer } from "./diagnose-heat.js";

const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8];
const remembered = { strength: 0.6 };
/** What the person chose last holds for the next photograph. */

/** {element, close()}; `about` says whose evidence the heatmap shows. */
export function makePicture(photo, about) {
  const address = URL.createObjectURL(photo.file);
  const frame = makeFrame(address, photo.label);
  const caption = h("figcaption", { class: "small" });
  const tools = h("div", { class: "picture-tools" });
  const element = h("figure", { class: "picture" }, frame.element, tools, caption);
  const closer = h("button", { type: "button", class: "picture-closer", onclick: () => lookCloser(frame, address, photo) },
    "Look closer");
  frame.ready.then((there) => {
    if (there) tools.append(closer);
    else replace(caption, unseenWords(photo.answer));
    if (there && photo.answer?.heatmap) showHeat(photo.answer.heatmap, frame, { tools, caption, about });
  });
  return { element, close: () => frame.ready.then(() => URL.revokeObjectURL(address)) }; // not while it is being read
}

async function showHeat(picture, frame, { tools, caption, about }) {
  const layer = await readLayer(picture);
  const place = hottestPlace(layer);
  if (place === null) {
    replace(caption, `Nothing in the picture speaks for ${about} alone, so there is no heatmap.`);
    return;
  }
  const id = newId("heat");
  const slider = h("input", { type: "range", id, min: "0", max: "100", step: "5", value: String(remembered.strength * 100),
    "aria-valuetext": said(remembered.strength) });
  slider.addEventListener("input", () => {
    remembered.strength = slider.valueAsNumber / 100;
    slider.setAttribute("aria-valuetext", said(remembered.strength));
    frame.warm(layer);
  });
  tools.prepend(h("div", { class: "picture-heat" }, h("label", { for: id }, "Heatmap"), slider));
  replace(caption, h("span", { class: "heat-scale", "aria-hidden": "true" }),
    `Warm colours show what speaks for ${about}; most of it is ${place}. They say where, not how sure.`);
  frame.warm(layer);
}

function unseenWords(answer) {
  if (!answer) return "This browser cannot show files of this kind.";
  return answer.verdict === "unreadable"
    ? "This browser cannot show it either."
    : "This browser cannot show files of this kind. The server has read it all the same.";
}

function said(strength) {
  return strength === 0 ? "off" : `${Math.round(strength * 100)} per cent`;
}

/** The photograph and a canvas exactly over it: {element, ready, warm(layer)}. */
function makeFrame(address, label) {
  const picture = h("img", { class: "picture-photo", alt: `Photograph ${label}`, decoding: "async" });
  const heat = h("canvas", { class: "picture-heat-layer", "aria-hidden": "true", width: "1", height: "1" });
  const element = h("div", { class: "picture-frame" }, picture, heat);
  const ready = new Promise((resolve) => {
    picture.addEventListener("load", () => resolve(true));
    picture.addEventListener("error", () => {
      picture.remove();
      resolve(false);
    });
  });
  picture.src = address;
  let warmth = null;
  let source = null;
  return {
    element,
    ready,
    get layer() {
      return source;
    },
    warm(layer) {
      // The sizes of an image are those of the upright picture, as the layer's.
      if (source !== layer) warmth = enlarge(layer, ...fieldSize(picture.naturalWidth, picture.naturalHeight));
      source = layer;
      paint(heat, warmth, remembered.strength);
    },
  };
}

/** A window in which the photograph is as large as one likes; arrows scroll, + and - zoom. */
function lookCloser(from, address, photo) {
  const frame = makeFrame(address, photo.label);
  let at = 0;
  const shown = h("output", {}, "");
  const zoom = (step) => {
    at = Math.min(ZOOMS.length - 1, Math.max(0, at + step));
    frame.element.style.width = `${ZOOMS[at] * 100}%`;
    replace(shown, `${ZOOMS[at]} times`);
    smaller.disabled = at === 0;
    larger.disabled = at === ZOOMS.length - 1;
  };
  const smaller = h("button", { type: "button", "aria-label": "Smaller", onclick: () => zoom(-1) }, "\u2212");
  const larger = h("button", { type: "button", "aria-label": "Larger", onclick: () => zoom(1) }, "+");
  const place = h("div", { class: "closer-place", tabindex: "0", role: "region", "aria-label": "The photograph; arrows move it" },
    frame.element);
  const shownIn = dialog(photo.label, h("div", { class: "row closer-tools" }, smaller, shown, larger), place);
  shownIn.element.classList.add("closer");
  shownIn.element.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") zoom(1);
    if (event.key === "-") zoom(-1);
  });
  frame.ready.then((there) => {
    if (there && from.layer) frame.warm(from.layer);
  });
  zoom(0);
  shownIn.open();
  place.focus();
}
