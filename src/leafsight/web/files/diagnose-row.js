// One photograph among the answers: a line that opens. Enters: a photograph, whatever became of it so far. Leaves: an
// item of a list, kept up to date. What is inside is built when it is opened, and taken away when it is closed.

import { failure, h, newId, replace } from "./elements.js";
import { answerParts } from "./diagnose-answer.js";
import { makeCorrection } from "./diagnose-correction.js";
import { makePicture } from "./diagnose-picture.js";
import { headline, spoken, sureness } from "./diagnose-phrases.js";
import { thumbOf } from "./diagnose-thumbs.js";
import { bytes, percent } from "./words.js";

const WORDS = { waiting: "Waiting", sending: "Sending", stopped: "Not sent", failed: "Not diagnosed" };

/** {element, update(), open()}; tools: conditions(), again(photos), changed(photo). */
export function makeRow(photo, tools) {
  const id = newId("photo");
  const said = h("span", { class: "photo-said" });
  const sure = h("span", { class: "photo-sure" });
  const button = h("button", { type: "button", class: "photo-open", "aria-expanded": "false", "aria-controls": id, onclick: toggle },
    thumbOf(photo), h("span", { class: "photo-words" }, said, sure, h("span", { class: "photo-name" }, photo.label)));
  const inside = h("div", { class: "photo-inside", id, hidden: true });
  const element = h("li", { class: "photo" }, h("h3", { class: "photo-head" }, button), inside);
  let picture = null;

  function toggle() {
    if (inside.hidden) open();
    else close();
  }

  function open() {
    button.setAttribute("aria-expanded", "true");
    inside.hidden = false;
    build();
  }

  function close() {
    button.setAttribute("aria-expanded", "false");
    inside.hidden = true;
    picture?.close();
    picture = null;
    replace(inside);
  }

  function build() {
    picture?.close();
    inside.dataset.shown = what();
    const about = photo.answer?.top.length ? spoken(photo.answer.top[0].display) : "";
    picture = makePicture(photo, about);
    const words = h("div", { class: "photo-answer stack" });
    replace(inside, picture.element, words);
    fill(words, photo, tools);
  }

  /** What is inside, as far as it depends on more than the photograph. */
  function what() {
    return `${photo.state} ${photo.answer?.id} ${photo.corrections.length}`;
  }

  /** What is inside is old: draw it anew, unless a person writes there, or was just thanked for what was written. */
  function renew() {
    const focused = inside.contains(document.activeElement) ? document.activeElement : null;
    if (focused?.closest(".correction")) return;
    build();
    if (focused) button.focus({ preventScroll: true });
  }

  function update() {
    const { answer, state } = photo;
    element.className = `photo photo-${state}${answer ? ` photo-${answer.verdict}` : ""}`;
    replace(said, state === "answered" ? headline(answer) : state === "sending" && photo.share > 0 && photo.share < 1 ? `Sending, ${percent(photo.share)}` : WORDS[state]);
    replace(sure, state === "answered" ? sureness(answer) : state === "failed" ? photo.problem?.detail ?? "" : "");
    if (!inside.hidden && inside.dataset.shown !== what()) renew();
  }

  update();
  return { element, update, close, open: () => inside.hidden && open() };
}

function fill(place, photo, tools) {
  const { answer, state } = photo;
  if (state === "failed") {
    replace(place, failure(photo.problem, () => tools.again([photo])));
    return;
  }
  if (state !== "answered") {
    replace(place, h("p", { class: "quiet" }, `${WORDS[state]}.`));
    return;
  }
  const readable = answer.verdict !== "unreadable";
  replace(place, answerParts(answer, tools.conditions), readable ? makeCorrection(photo, tools.conditions, tools.changed) : null,
    photo.plant || !readable ? null : h("p", {}, h("button", { type: "button", class: "plain small", onclick: () => tools.again([photo]) }, "Ask again with the choices above")),
    h("p", { class: "small quiet" }, sentWords(photo)));
}

/** What was sent, and what is kept of it. */
function sentWords({ sent, answer }) {
  if (!sent) return "";
  const how = sent.shrunk
    ? `Made smaller in this browser before it was sent: ${bytes(sent.to)} instead of ${bytes(sent.from)}, without place, time and camera.`
    : `Sent as it is, ${bytes(sent.to)}.`;
  if (answer.stored) return `${how} The server keeps the photograph, without place, time and camera.`;
  return sent.whole ? `${how} This server did not keep the photograph, although it might have.` : `${how} The server does not keep the photograph.`;
}
