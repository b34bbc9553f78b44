// What was said by the model and by people, in few words; and drawing anew without losing the keyboard's place.

import { h, replace } from "./elements.js";
import { plain, verdictName } from "./words.js";

/** What the model said: of a prediction, or of a correction's prediction. */
export function said(one) {
  return one.verdict === "diagnosis" ? (one.display ?? plain(one.key)) : verdictName(one.verdict);
}

/** What a person said of it. */
export function peopleSaid(one) {
  const mark = h("strong", { class: one.right ? "good" : "bad" }, one.right ? "Right" : "Wrong");
  return one.class ? h("span", {}, mark, `: ${plain(one.class)}`) : mark;
}

/** Put `children` into `node`; whichever child with the same data-place had the focus has it again. */
export function redraw(node, ...children) {
  const place = node.contains(document.activeElement) ? document.activeElement.dataset.place : null;
  replace(node, ...children);
  if (place) [...node.querySelectorAll("[data-place]")].find((one) => one.dataset.place === place)?.focus();
}

/** Whether a window is over the page: what it goes back to must not be taken away. */
export function isCovered() {
  return document.querySelector("dialog[open]") !== null;
}
