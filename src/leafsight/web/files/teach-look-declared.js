// The classes that were declared, also those without photographs, and how one is taken back. Enters: what the server
// declares and the counts of photographs. Leaves: a list that opens.

import { h, inPlace, replace } from "./elements.js";
import { count, number, when } from "./words.js";

/**
 * {element, look(), draw(), takeBack({label, display}, said)}. `labels()` of the summary tell how many photographs there
 * are, `can()` whether one may be taken back; `tried(work)` says what fails; `taken()` is told when one was.
 */
export function makeDeclared({ classes, labels, can, tried, taken }) {
  const title = h("summary", {});
  const list = h("ul", { class: "declared-list" });
  const told = h("p", { class: "small", role: "status" });
  const box = h("details", { class: "declared" }, title, list);
  const element = h("div", {}, box, told);
  const rows = new Map(); // name -> {element, many, button}
  let declared = [];
  box.hidden = true;

  async function look() {
    try {
      declared = await classes.declared();
      draw();
    } catch {
      // The photographs have come, or said why not; the next look tries again.
    }
  }

  async function takeBack({ label, display }, said) {
    const left = await tried(() => classes.takeBack(label));
    if (!left) return;
    said(takenBack(display, labels().find((one) => one.label === label)));
    declared = left;
    draw();
    taken();
  }

  function makeRow({ name, display, by, created_at: at, note }) {
    const many = h("span", {});
    const button = h("button", { type: "button", class: "plain", "aria-label": `Take back ${display}`, onclick: press }, "Take back");
    const about = [by ? `declared by ${by}` : "declared", when(at), note].filter(Boolean).join(", ");

    async function press() {
      button.disabled = true;
      await takeBack({ label: name, display }, (words) => replace(told, words));
      button.disabled = false;
      if (!button.isConnected && document.activeElement === document.body) title.focus();
    }
    return { many, button, element: h("li", {}, h("div", {}, h("span", {}, display), h("p", { class: "quiet small" }, many, `; ${about}`)), button) };
  }

  function draw() {
    for (const one of declared) if (!rows.has(one.name)) rows.set(one.name, makeRow(one));
    for (const name of rows.keys()) if (!declared.some((one) => one.name === name)) rows.delete(name);
    replace(title, count(declared.length, "declared class", "declared classes"));
    for (const [name, { many, button }] of rows) {
      replace(many, manyWords(labels().find((one) => one.label === name)));
      button.hidden = !can();
    }
    inPlace(list, declared.map(({ name }) => rows.get(name).element));
    box.hidden = !declared.length;
  }

  return { element, look, draw, takeBack };
}

function manyWords(label) {
  if (!label) return "without photographs";
  const parts = ["waiting", "accepted", "rejected"].filter((state) => label[state]).map((state) => `${number(label[state])} ${state}`);
  return [...parts, label.known ? "the model knows it by now" : ""].filter(Boolean).join(", ");
}

/** What follows from taking a class back. */
function takenBack(display, label) {
  const many = label?.accepted ?? 0;
  if (!many) return `${display} is declared no more. None of its photographs is accepted until it is declared again.`;
  const [stay, them] = many === 1 ? ["stays", "it"] : ["stay", "them"];
  return `${display} is declared no more. ${count(many, "photograph")} of it ${stay} accepted: put ${them} back if nothing shall be learned from ${them}.`;
}
