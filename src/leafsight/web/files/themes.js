// Light, dark, or as the system says. Enters: a press. Leaves: `data-theme` on the document, remembered here.

import { h } from "./elements.js";

const NAME = "leafsight.theme";
const NEXT = { system: "light", light: "dark", dark: "system" };
const SAID = { system: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };
const SIGNS = { system: "\u25d0", light: "\u2600\ufe0e", dark: "\u263e\ufe0e" };

/** A button that goes through the three. */
export function themeControl() {
  const sign = h("span", { "aria-hidden": "true" });
  const button = h("button", { type: "button", class: "plain", onclick: () => choose(NEXT[now()]) }, sign);
  function show() {
    sign.textContent = SIGNS[now()];
    button.setAttribute("aria-label", SAID[now()]);
    button.title = SAID[now()];
  }
  function choose(theme) {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    remember(theme);
    show();
  }
  show();
  return button;
}

function now() {
  return document.documentElement.dataset.theme ?? "system";
}

function remember(theme) {
  try {
    if (theme === "system") localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, theme);
  } catch {
    // Storage is forbidden: the choice holds until the page is left.
  }
}
