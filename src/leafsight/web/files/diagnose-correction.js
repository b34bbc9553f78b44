// "Was this right?" Enters: an answer that the server wrote down. Leaves: a correction sent to it, and word of it. It
// can be said again: the server keeps every word, and the last one counts.

import { ask } from "./api.js";
import { failure, h, newId, replace } from "./elements.js";
import { wordSaid } from "./diagnose-phrases.js";

const NOT_LISTED = "";
const LONGEST_NOTE = 2000;

/** The question, or why it is not asked. `conditions()` resolves to the list of what the model knows. */
export function makeCorrection(photo, conditions, changed) {
  const place = h("div", { class: "correction" });
  const { answer } = photo;
  if (answer.id === null || !answer.recorded) {
    return replace(place, h("p", { class: "small quiet" },
      "The server could not write this answer down, so it cannot be corrected. The answer itself is not affected."));
  }
  const say = async (said) => {
    const { name, ...body } = said;
    await ask(`/v1/predictions/${answer.id}/correction`, { method: "POST", body, idempotent: true });
    photo.corrections.push(said);
    changed(photo);
    thank(said);
  };
  const question = () => replace(place, questionOf(answer, () => sendYes(), () => choose()));
  const sendYes = () => attempt(place, () => say({ right: true }), question);
  const choose = async () => {
    let known = [];
    try {
      known = (await conditions()).conditions;
    } catch {
      // "Not in the list" and a note are still possible.
    }
    const form = formOf(photo, known, (said) => attempt(form.problems, () => say(said), null), question);
    replace(place, form.element);
    form.focus();
  };
  const thank = (said) => {
    const again = h("button", { type: "button", class: "plain", onclick: question }, "Say it again");
    replace(place, h("div", { role: "status" },
      h("p", {}, h("strong", {}, "Thank you. "), wordSaid(said.right, said.class ? said.name : "")),
      h("p", { class: "small quiet" }, whatHappens(answer))), again);
    again.focus();
  };
  if (photo.corrections.length) thank(photo.corrections.at(-1));
  else question();
  return place;
}

function questionOf(answer, yes, no) {
  const asked = answer.verdict === "diagnosis" ? "Was this right?" : "Do you know what it shows?";
  const label = answer.verdict === "diagnosis" ? "No" : "Say what it shows";
  return h("div", { class: "row", role: "group", "aria-label": asked },
    h("span", { class: "correction-question" }, asked),
    answer.verdict === "diagnosis" ? h("button", { type: "button", onclick: yes }, "Yes") : null,
    h("button", { type: "button", onclick: no }, label));
}

function whatHappens(answer) {
  const kept = "It is kept beside the answer, which stays as it was given. The model does not learn from it by itself";
  return answer.stored
    ? `${kept}; with the photograph it can teach the next one.`
    : `${kept}; without the photograph, which was not kept, it is counted and no more.`;
}

/** The field to search, the classes to choose from, a note. */
function formOf(photo, known, send, cancel) {
  const search = h("input", { type: "search", id: newId("search"), autocomplete: "off", placeholder: "for example: blight" });
  const name = newId("truth");
  const choices = orderOf(photo.answer, known).map((one) => choiceOf(one, name));
  const unlisted = choiceOf({ key: NOT_LISTED, display: "It is not in the list" }, name);
  const none = h("p", { class: "small quiet", hidden: true }, "Nothing here has that name.");
  const note = h("textarea", { id: newId("note"), rows: "2", maxlength: String(LONGEST_NOTE) });
  const problems = h("div");
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase().split(/\s+/);
    for (const one of choices) one.element.hidden = !wanted.every((word) => one.text.includes(word)) && !one.input.checked;
    none.hidden = choices.some((one) => !one.element.hidden);
  });
  const element = h("form", { class: "correction-form" },
    h("fieldset", {}, h("legend", {}, "What does it show?"),
      h("label", { for: search.id, class: "small" }, "Search"), search,
      h("div", { class: "truths" }, choices.map((one) => one.element), none, unlisted.element)),
    h("label", { for: note.id }, "Note, if there is more to say"), note,
    problems,
    h("div", { class: "row" }, h("button", { type: "submit", class: "primary" }, "Send the correction"),
      h("button", { type: "button", onclick: cancel }, "Cancel")));
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = [...choices, unlisted].find((one) => one.input.checked);
    const words = note.value.trim();
    if (!chosen) return replace(problems, h("p", { class: "bad", role: "alert" }, "Choose what it shows, or that it is not in the list."));
    if (chosen === unlisted && !words) return replace(problems, h("p", { class: "bad", role: "alert" }, "Say in the note what it shows."));
    send({ right: false, class: chosen.key || null, note: words || null, name: chosen.display });
  });
  return { element, problems, focus: () => search.focus() };
}

/** What the model thought of comes first, then the given crop, then the alphabet; what it said is left out. */
function orderOf(answer, known) {
  const rank = new Map(answer.top.map((one, at) => [one.key, at]));
  const place = (one) => rank.get(one.key) ?? (one.crop && one.crop === answer.crop_given ? 50 : 100);
  const said = answer.verdict === "diagnosis" ? answer.key : null;
  return known.filter((one) => one.key !== said)
    .sort((a, b) => place(a) - place(b) || a.display.localeCompare(b.display, "en"));
}

function choiceOf({ key, display }, name) {
  const input = h("input", { type: "radio", name, value: key });
  return { key, display, input, text: `${display} ${key}`.toLowerCase(), element: h("label", { class: "check" }, input, display) };
}

/** Do it; where it fails, say so in `place` with a way to try again. */
async function attempt(place, act, back) {
  try {
    await act();
  } catch (problem) {
    replace(place, failure(problem, back ?? null));
  }
}
