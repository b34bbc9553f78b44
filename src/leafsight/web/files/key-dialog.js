// Asks the person for the key of this server, in plain words. Enters: a 401, or a press in the header. Leaves: a
// key that the server took, or nothing. A key is tried before it is kept, so a wrong one is said here at once.

import { setKeyAsker } from "./api.js";
import { dialog, h, newId, notice, replace } from "./elements.js";
import { forgetKey, heldKey, holdKey, isOnDevice } from "./keys.js";
import { problemOf } from "./problems.js";

const TRIAL = "/v1/models?limit=1";

/** The header's button; from now on a 401 opens the window, too. */
export function keyControl() {
  const button = h("button", { type: "button", onclick: () => askForKey().then(show) });
  const show = () => {
    button.textContent = heldKey() ? "Key \u2713" : "Key";
    button.setAttribute("aria-label", heldKey() ? "Key: one is in use" : "Key: none is in use");
  };
  setKeyAsker(async (problem) => {
    const given = await askForKey(problem);
    show();
    return given;
  });
  show();
  return button;
}

/** Open the window; true when there is a key that works. */
function askForKey(problem = null) {
  return new Promise((resolve) => {
    const form = keyForm(problem, finish);
    const opened = dialog("Key of this server", form);
    let given = false;
    function finish() {
      given = true;
      opened.close();
    }
    opened.element.addEventListener("close", () => resolve(given));
    opened.open();
    opened.element.querySelector("input").focus();
  });
}

function keyForm(problem, done) {
  const field = newId("key");
  const input = h("input", {
    id: field, type: "password", name: "key", autocomplete: "off", spellcheck: "false", required: true,
    maxlength: "200", "aria-describedby": `${field}-hint`,
  });
  const keep = h("input", { type: "checkbox", checked: isOnDevice() });
  const said = h("div", {}, problem && heldKey()
    ? notice("warn", "The server does not take the key that was in use.", "It may have been revoked.")
    : null);
  const submit = h("button", { type: "submit", class: "primary" }, "Use this key");
  const form = h(
    "form",
    { class: "stack", onsubmit: onSubmit },
    h("p", { id: `${field}-hint` },
      "The operator of this server gives out keys; they begin with ls_. A key is sent to this server only."),
    h("label", { for: field }, "Key"),
    input,
    h("label", { class: "check" }, keep, "Remember on this device"),
    said,
    h("div", { class: "row" }, submit, heldKey() ? forgetButton(said) : null),
  );

  async function onSubmit(event) {
    event.preventDefault();
    submit.disabled = true;
    const fault = await tried(input.value.trim());
    submit.disabled = false;
    if (fault) {
      replace(said, fault);
      input.select();
      return;
    }
    holdKey(input.value.trim(), keep.checked);
    done();
  }
  return form;
}

function forgetButton(said) {
  return h("button", {
    type: "button",
    onclick: (event) => {
      forgetKey();
      event.target.remove();
      replace(said, notice("info", "The key is forgotten.", "It stays valid on the server until the operator revokes it."));
    },
  }, "Forget my key");
}

/** A notice of what is wrong with the key, or null. 403 and 429 mean that the server knows it. */
async function tried(key) {
  if (!/^[\x21-\x7e]+$/.test(key)) return notice("error", "This is not a key.", "A key has letters, figures and lines only.");
  let answer;
  try {
    answer = await fetch(TRIAL, { headers: { authorization: `Bearer ${key}` }, credentials: "omit", cache: "no-store" });
  } catch {
    return notice("error", "The server cannot be reached.", "Try again when it answers.");
  }
  if (answer.status === 401) return notice("error", "The server does not know this key.", "Look for a missing letter, or ask the operator.");
  if (answer.ok || answer.status === 403 || answer.status === 429) return null;
  const problem = await problemOf(answer);
  return notice("error", problem.detail || problem.title, problem.hint);
}
