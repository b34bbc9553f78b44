// Steps one after the other, of which one is shown; the fragment "#teach/look" names it, so that Back and links
// work. Enters: steps with a name, a title and a way to make them. Leaves: a row of buttons and the step's nodes.

import { busy, h, replace } from "./elements.js";

const TAB = "teach";

/** {element, shown(), hidden(), go(name)}; each step is made when it is first opened: {element, shown(), hidden()}. */
export function makeSteps(steps, context) {
  const place = h("div", { class: "stack step-place" }, busy("Loading"));
  const buttons = steps.map(({ name, title, about }, at) => h("button", { type: "button", class: "step", onclick: () => go(name) },
    h("span", { class: "step-number", "aria-hidden": "true" }, String(at + 1)),
    h("span", { class: "step-words" }, h("span", { class: "step-title" }, title), h("span", { class: "step-about quiet small" }, about))));
  const element = h("div", { class: "stack steps-all" },
    h("ol", { class: "steps", "aria-label": "Steps" }, buttons.map((button) => h("li", {}, button))), place);
  const made = new Map();
  let current = null;
  let last = null;
  let seen = false;

  function named() {
    const [tab, name] = location.hash.slice(1).split("/");
    if (tab !== TAB) return null;
    const step = steps.find((one) => one.name === name) ?? last ?? steps[0];
    if (step.name !== name) history.replaceState(null, "", `#${TAB}/${step.name}`); // the tab was opened: go on where it was left
    return step;
  }

  function go(name) {
    const fragment = `#${TAB}/${name}`;
    if (location.hash !== fragment) history.pushState(null, "", fragment);
    show();
  }

  function show() {
    const step = seen ? named() : null;
    if (!step) return;
    last = step;
    if (!made.has(step.name)) made.set(step.name, step.make(context, { go }));
    const next = made.get(step.name);
    for (const [at, button] of buttons.entries()) {
      if (steps[at] === step) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    }
    if (current === next) return;
    current?.hidden();
    current = next;
    replace(place, next.element);
    next.shown();
  }

  window.addEventListener("hashchange", show);
  window.addEventListener("popstate", show);

  return {
    element,
    go,
    shown() {
      seen = true;
      const before = current;
      show();
      if (current === before) current?.shown();
    },
    hidden() {
      seen = false;
      current?.hidden();
    },
  };
}
