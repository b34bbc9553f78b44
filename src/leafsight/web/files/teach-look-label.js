// Which class photographs show: one that the model knows or that was declared, or a new one. Enters: the classes.
// Leaves: the name of a class, and whether it is new, or nothing when the window was closed.

import { dialog, h, newId, replace } from "./elements.js";
import { count } from "./words.js";

const SHOWN = 8;

/** Ask; resolves to {label, display, isNew} or null. classes: {label, display, state}; many: how many photographs. */
export function askLabel(classes, many, verb) {
  return new Promise((resolve) => {
    const list = h("ul", { class: "label-list", id: newId("labels") });
    const field = h("input", { type: "text", id: newId("label"), maxlength: "200", autocomplete: "off", spellcheck: "false",
      "aria-describedby": newId("label-told"), oninput: draw });
    const told = h("p", { class: "quiet small", id: field.getAttribute("aria-describedby"), role: "status" });
    const opened = dialog(`Which class ${many === 1 ? "is it" : "are they"}?`, h("form", { class: "stack", onsubmit: onSubmit },
      h("label", { for: field.id }, `${verb} ${count(many, "photograph")} as`), field, told, list));
    let answer = null;

    function typed() {
      return field.value.trim().replace(/\s+/g, " ");
    }

    function found() {
      const parts = typed().toLowerCase().split(" ").filter(Boolean);
      return classes.filter((one) => parts.every((part) => `${one.display} ${one.label}`.toLowerCase().includes(part)));
    }

    function isKnown(name) {
      return classes.find((one) => [one.display, one.label].some((each) => each.toLowerCase() === name.toLowerCase()));
    }

    function draw() {
      const some = found();
      const fresh = typed() && !isKnown(typed());
      replace(told, some.length > SHOWN ? `${count(some.length, "class", "classes")}; the first ${SHOWN} are shown. Write a part of the name.`
        : some.length ? "" : "The model knows no such class.");
      replace(list, some.slice(0, SHOWN).map((one) => h("li", {}, h("button", { type: "button", class: "label-choice", onclick: () => take(one) },
        h("span", {}, one.display), h("span", { class: "quiet small" }, one.state)))),
      fresh ? h("li", {}, h("button", { type: "button", class: "label-choice", onclick: () => take(fromTyped()) },
        h("span", {}, `New: ${typed()}`), h("span", { class: "quiet small" }, "is declared as a class"))) : null);
    }

    function fromTyped() {
      return { label: typed(), display: typed(), isNew: true };
    }

    function take(one) {
      answer = { label: one.label, display: one.display, isNew: Boolean(one.isNew) };
      opened.close();
    }

    function onSubmit(event) {
      event.preventDefault();
      if (!typed()) return;
      take(isKnown(typed()) ?? found()[0] ?? fromTyped());
    }

    opened.element.addEventListener("close", () => resolve(answer));
    draw();
    opened.open();
    field.focus();
  });
}
