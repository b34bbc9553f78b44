// What came of a training: whether the gate held, by which numbers, what changed for each class, and what may be done
// with the new model. Enters: a training with its gate, and the models that are kept. Leaves: a card.

import { card, h, notice, replace } from "./elements.js";
import { checksTable, classesTable, measuredTable, versus } from "./teach-gate.js";
import { reportButton } from "./teach-report.js";
import { className, pathName } from "./teach-training-words.js";
import { askPromote, modelName } from "./models-promoting.js";
import { count, when } from "./words.js";

const LOOKS = 60;
const LOOK_MS = 500;
const WHY_NOT = {
  "a person is asked": "It waits for a person to promote it.",
  "the gate did not hold": "It was not promoted.",
  "it serves already": "The same model serves already.",
};

/** The card of `training`. */
export function outcomeCard(training, models, context) {
  const { result, gate, error } = training;
  const title = `${pathName(training.path)} training of ${when(training.created_at)}`;
  const made = card(title, ...(result ? ended(training, gate ?? result.gate, models, context) : [
    notice("error", `It failed: ${error?.message ?? "without a reason"}`, error?.hint ?? "")]));
  made.querySelector("h2").tabIndex = -1;
  return made;
}

function ended(training, gate, models, context) {
  const { result } = training;
  const byId = new Map(models.map((one) => [one.id, one]));
  const model = byId.get(result.candidate);
  const champion = byId.get(gate.champion ?? result.parent) ?? { id: gate.champion ?? result.parent, name: "the champion" };
  const page = h("div", { class: "gate-page" });
  const changes = classesTable(gate);
  const measures = measuredTable(gate);
  return [
    notice(gate.passed ? "info" : "warn", gate.passed ? "The gate held." : "The gate did not hold.", gate.said),
    versus(gate),
    facts(training, champion, model ?? { id: result.candidate, name: "the new model" }),
    whatNow(training, gate, model, models.find((one) => one.serving), context.api),
    h("h3", {}, "What it was held against"),
    h("p", { class: "quiet small" }, "Both models were asked about the same photographs of the locked test, which nobody can send to. A difference counts where chance does not explain it."),
    checksTable(gate),
    measures ? [h("h3", {}, "Before and after"), measures] : null,
    changes ? [h("h3", {}, "Class by class"), changes] : null,
    h("div", { class: "row" }, reportButton(training.id, page, context)),
    page,
  ];
}

function facts({ result, snapshot }, champion, model) {
  const added = result.classes_added ?? [];
  const rows = [
    ["Learned from", result.photographs ? count(result.photographs, "accepted photograph") : null],
    ["New classes", added.map(className).join(", ")],
    ["Left out", result.left_out?.length ? count(result.left_out.length, "photograph") : null],
    ["New model", modelName(model)],
    ["Held against", modelName(champion)],
    ["Training set", h("code", {}, (snapshot?.hash ?? result.snapshot ?? "").slice(0, 16))],
  ];
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/** Served, about to be, waits for a person, or held back; with the button that fits. */
function whatNow({ result }, gate, model, serving, api) {
  const place = h("div", { class: "gate-now" });
  if (!model) replace(place, h("p", { class: "quiet" }, "The new model is not kept any more."));
  else if (model.serving) serves(result.promoted ? " It was promoted by itself." : "");
  else if (model.aliases.includes("serving")) taken(result.promoted ? "It was promoted by itself." : "It was promoted.");
  else {
    const before = result.promoted ? "It was promoted, and another model serves by now." : WHY_NOT[result.why_not] ?? "";
    replace(place, h("p", {}, before), h("button", { type: "button", class: gate.passed ? "primary" : "", onclick: promote }, gate.passed ? "Promote" : "Promote all the same"));
  }

  function serves(more) {
    replace(place, h("p", { role: "status" }, h("strong", { class: "good" }, "\u2713 It serves."), more));
  }

  async function promote() {
    if (await askPromote(model, serving, gate)) await taken("Promoted.");
  }

  /** The name points to it; the server that is asked takes it up in a moment. */
  async function taken(said) {
    const promoted = h("strong", { class: "good" }, `\u2713 ${said}`);
    replace(place, h("p", { role: "status" }, promoted, " Servers take it up within seconds."));
    for (let looks = 0; looks < LOOKS; looks += 1) {
      await new Promise((done) => setTimeout(done, LOOK_MS));
      if (!place.isConnected) return;
      try {
        const { models } = await api.ask("/v1/models", { query: { limit: 200 } });
        if (models.find((one) => one.id === model.id)?.serving) return serves(` ${said}`);
      } catch {
        // What is shown stays; the line under the header says when the server is lost.
      }
    }
    replace(place, h("p", { role: "status" }, promoted, " This server still answers with another model: the operator named its file, or it could not be loaded."));
  }
  return place;
}
