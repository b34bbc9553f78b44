// What there is to learn, which way, and the button. Enters: the trainings so far, and the summary of what was sent.
// Leaves: a wish for a training.

import { card, failure, h, newId, replace } from "./elements.js";
import { count, number } from "./words.js";

const PATHS = [
  { name: "quick", title: "Quick", about: "Seconds to a minute. Learns new classes on top of what the model already sees; the network itself stays as it is." },
  { name: "full", title: "Full", about: "Minutes to hours. Trains the whole network again with the original photographs; goes on where it was if it is interrupted." },
];

/** {element, show(listing, summary, isRunning)}; `begun()` is told after a training was asked for. */
export function askingCard({ api }, { begun, go }) {
  const ready = h("div", { class: "stack" });
  const choices = h("fieldset", { class: "paths" }, h("legend", {}, "Which way"));
  const why = h("input", { type: "text", id: newId("why"), maxlength: "500", autocomplete: "off" });
  const button = h("button", { type: "submit", class: "primary" }, "Teach the model");
  const told = h("p", { class: "quiet small" });
  const trouble = h("div", {});
  const form = h("form", { class: "stack", onsubmit: onSubmit }, choices,
    h("div", { class: "teach-field" }, h("label", { for: why.id }, "Why ", h("span", { class: "quiet small" }, "(kept with the training, may stay empty)")), why),
    h("div", { class: "row" }, button), trouble, told);
  const element = card("Teach the model", ready, form);
  const radios = new Map();
  for (const { name, title, about } of PATHS) {
    const radio = h("input", { type: "radio", name: "path", value: name, checked: name === "quick" });
    const words = h("span", { class: "quiet small" }, about);
    radios.set(name, { radio, words, about });
    choices.append(h("label", { class: "path" }, radio, h("span", { class: "path-words" }, h("strong", {}, title), words)));
  }

  function show({ trigger, paths = {} }, summary, isRunning) {
    const accepted = summary.states.accepted ?? 0;
    const fresh = summary.labels.filter((one) => one.declared && !one.known && one.accepted);
    const waits = summary.states.waiting ?? 0;
    replace(ready, h("p", { class: "teach-ready" }, said(accepted, summary.new_since_training)),
      fresh.length ? h("p", {}, `New ${fresh.length === 1 ? "class" : "classes"}: `, h("strong", {}, fresh.map((one) => `${one.display} (${number(one.accepted)})`).join(", ")), ".") : null,
      waits ? h("div", { class: "row" }, h("p", { class: "quiet" }, `${count(waits, "photograph")} still ${waits === 1 ? "waits" : "wait"} to be looked through.`),
        h("button", { type: "button", onclick: () => go("look") }, "Look through them")) : null);
    for (const [name, { radio, words, about }] of radios) {
      const not = paths[name]?.why_not ?? "";
      radio.disabled = Boolean(not);
      if (not && radio.checked) radios.get("quick").radio.checked = true;
      replace(words, not ? `${about} Not here: ${not}` : about);
    }
    form.hidden = accepted === 0;
    button.textContent = isRunning ? "Teach again after this one" : "Teach the model";
    replace(told, triggers(trigger));
  }

  async function onSubmit(event) {
    event.preventDefault();
    button.disabled = true;
    replace(trouble);
    try {
      const path = [...radios].find(([, { radio }]) => radio.checked)[0];
      await api.ask("/v1/retraining", { method: "POST", body: { path, reason: why.value.trim() }, idempotent: true });
      why.value = "";
      await begun();
    } catch (problem) {
      replace(trouble, failure(problem));
    } finally {
      button.disabled = false;
    }
  }

  return { element, show };
}

function said(accepted, fresh) {
  if (!accepted) return "Nothing is accepted yet, so there is nothing to learn.";
  if (!fresh) return `${count(accepted, "photograph")} ${accepted === 1 ? "is" : "are"} accepted, none of them since the last training.`;
  if (fresh === accepted) return `${count(accepted, "photograph")} ${accepted === 1 ? "is" : "are"} accepted and not learned yet.`;
  return `${count(fresh, "photograph")} ${fresh === 1 ? "was" : "were"} accepted since the last training; ${number(accepted)} in all.`;
}

/** What begins a training without anybody pressing. */
export function triggers({ accepted_since: since, after, every_hours: hours, on_drift: drift }) {
  const some = [
    after ? `after ${count(after, "accepted photograph")} (${number(since)} so far)` : "",
    hours ? `every ${count(hours, "hour")}` : "",
    drift ? "when photographs drift away from those of the training" : "",
  ].filter(Boolean);
  if (!some.length) return "It never trains by itself: the operator has switched on no trigger.";
  return `It also trains by itself: ${some.join("; ")}.`;
}
