// Another model in the place of the one that serves, and the way back, each with a window that names both. Enters:
// models and who serves. Leaves: a change of the registry, or nothing when the window was closed.

import { ask } from "./api.js";
import { busy, dialog, failure, h, newId, replace } from "./elements.js";

/** A model in a sentence: its name and the beginning of its id. */
export function modelName(model) {
  return h("span", { class: "model-name" }, h("strong", {}, model?.name ?? "a model that is gone"), " ", h("code", {}, (model?.id ?? "").slice(0, 8)));
}

/**
 * Ask whether `model` shall serve instead of `serving`; resolves to the change or null.
 * gate: {passed, said} of the training that made it, or null; one that did not hold wants a reason.
 */
export function askPromote(model, serving, gate = null) {
  const failed = gate && !gate.passed;
  return confirm(failed ? "Promote all the same?" : "Promote this model?", [
    h("p", {}, modelName(model), " will answer instead of ", serving ? modelName(serving) : "the model in service", ". Every server of this registry takes it up within seconds; no request is lost."),
    failed ? h("p", { class: "warn" }, `Its gate did not hold: ${gate.said}`) : null,
    h("p", { class: "quiet small" }, "It can be rolled back at any time. After a promotion the new model is watched, and rolled back by itself when a limit is crossed."),
  ], failed ? "Promote all the same" : "Promote", Boolean(failed), async (reason, override) =>
    ask(`/v1/models/${model.id}/promote`, { method: "POST", body: { alias: "serving", reason, override }, idempotent: true }), Boolean(failed));
}

/** Ask whether the model before shall serve again; resolves to the change or null. */
export function askRollBack(serving, former, steps = 1) {
  return confirm("Roll back?", [
    h("p", {}, former ? modelName(former) : "The model before", " will answer again instead of ", modelName(serving), "."),
    h("p", { class: "quiet small" }, "Every server of this registry takes it up within seconds; no request is lost. Nothing is deleted: the newer model stays and can be promoted again."),
  ], "Roll back", false, async (reason) =>
    ask("/v1/models/rollback", { method: "POST", body: { alias: "serving", steps, reason, over: serving.id }, idempotent: true }));
}

function confirm(title, words, verb, needsReason, send, override = false) {
  return new Promise((resolve) => {
    const field = h("input", { type: "text", id: newId("reason"), maxlength: "500", required: needsReason, autocomplete: "off" });
    const trouble = h("div", {});
    const submit = h("button", { type: "submit", class: "primary" }, verb);
    const body = h("form", { class: "stack", onsubmit: onSubmit }, words,
      h("label", { for: field.id }, needsReason ? "Why, although the gate did not hold" : "Why ", needsReason ? null : h("span", { class: "quiet small" }, "(kept in the history, may stay empty)")),
      field, trouble, h("div", { class: "row" }, submit, h("button", { type: "button", onclick: () => over.close() }, "Leave it as it is")));
    const over = dialog(title, body);
    let change = null;

    async function onSubmit(event) {
      event.preventDefault();
      submit.disabled = true;
      replace(trouble, busy("Asking the server"));
      try {
        change = await send(field.value.trim(), override);
        over.close();
      } catch (problem) {
        submit.disabled = false;
        if (problem.status === 409 && !override && send.length > 1) becomeOverride(problem);
        else replace(trouble, failure(problem));
      }
    }

    /** The server knows of a gate that did not hold, and the page did not. */
    function becomeOverride(problem) {
      override = true;
      field.required = true;
      submit.textContent = "Promote all the same";
      replace(trouble, failure(problem), h("p", {}, "Promoting it all the same wants a reason, which is kept in the history."));
      field.focus();
    }

    over.element.addEventListener("close", () => resolve(change));
    over.open();
    (needsReason ? field : submit).focus();
  });
}
