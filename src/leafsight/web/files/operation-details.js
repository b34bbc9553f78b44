// One prediction with everything that was said of it, and a way to say more.
// Enters: the id of a prediction. Leaves: a window over the page, and a correction when somebody gives one.

import { dialog, failure, h, busy, replace, table } from "./elements.js";
import { peopleSaid, said } from "./operation-phrases.js";
import { duration, percent, plain, when } from "./words.js";

/** Show a prediction; `changed` is called when the window closes after a correction. */
export function openDetails({ api, conditions }, id, changed) {
  const inside = h("div", { class: "stack", "aria-live": "polite" }, busy("Reading the prediction"));
  const over = dialog("Prediction", inside);
  let corrected = false;
  over.element.addEventListener("close", () => corrected && changed());
  over.open();
  read();

  async function read() {
    try {
      replace(inside, facts(await api.ask(`/v1/predictions/${id}`)));
    } catch (error) {
      replace(inside, failure(error, read));
    }
  }

  function facts(one) {
    const rows = [
      ["Photograph", one.photo], ["When", when(one.created_at)], ["Said", said(one)], ["Because", one.reason],
      ["Probability", one.probability === null ? null : percent(one.probability, 1)],
      ["Cannot be excluded", one.possible.map((other) => other.display).join(", ")],
      ["Plant", one.plant_id], ["Crop given", one.crop_given && plain(one.crop_given)],
      ["Answered within", duration(one.latency_ms)], ["Model", `${one.model} ${one.model_hash.slice(0, 8)}`],
      ["Photograph kept", one.stored ? "yes" : "no"], ["Id", h("code", {}, one.id)],
    ];
    return [
      h("dl", { class: "details-facts" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
      one.top.length ? table([{ title: "Class", header: true }, { title: "Probability", number: true }],
        one.top.map((other) => [other.display, percent(other.probability, 1)]), { caption: "Most probable" }) : null,
      h("h3", {}, "Corrections"),
      one.corrections.length ? table(["When", "People said", "Note"], one.corrections.map((other) => [when(other.created_at), peopleSaid(other), other.note ?? ""]))
        : h("p", { class: "quiet" }, "Nobody said yet whether this was right."),
      correction(),
    ];
  }

  function correction() {
    const choice = h("select", {}, h("option", { value: "" }, "I do not know which"));
    const line = h("div", { "aria-live": "polite" });
    const form = h("div", { class: "stack" },
      h("div", { class: "row" }, h("span", {}, "Was this right?"),
        h("button", { type: "button", onclick: () => send({ right: true }) }, "Right"),
        h("button", { type: "button", onclick: () => send({ right: false, class: choice.value || null }) }, "Wrong")),
      h("label", { class: "stack" }, "If it was wrong, what the photograph shows", choice), line);
    conditions().then(({ conditions: known }) => choice.append(...known.map((one) => h("option", { value: one.key }, one.display))), () => {});

    async function send(body) {
      form.querySelectorAll("button").forEach((button) => (button.disabled = true));
      try {
        await api.ask(`/v1/predictions/${id}/correction`, { method: "POST", body, idempotent: true });
        corrected = true;
        await read();
      } catch (error) {
        form.querySelectorAll("button").forEach((button) => (button.disabled = false));
        replace(line, failure(error));
      }
    }

    return form;
  }
}
