// One answer in full: the verdict in plain words first, then why, then the numbers, then advice. Enters: an answer of
// the API, for one photograph or for a plant. Leaves: elements. It sends nothing but a question about the model.

import { ask } from "./api.js";
import { h, replace } from "./elements.js";
import { adviceOf } from "./diagnose-advice.js";
import { barsOf } from "./diagnose-bars.js";
import { alsoPossible, headline, promiseOf, qualityRemarks, sureness } from "./diagnose-phrases.js";

const MOST_CARDS = 3;
const promises = new Map();

/** What is said, without the photograph: an array of elements. `conditions()` resolves to what the model knows. */
export function answerParts(answer, conditions, level = 4) {
  const named = answer.verdict === "diagnosis";
  return [
    verdictPart(answer, `h${level}`),
    possiblePart(answer),
    named ? null : qualityPart(answer),
    barsOf(answer, `h${level}`),
    named ? qualityPart(answer) : null,
    advicePart(answer, conditions, named, `h${level}`),
  ].filter(Boolean);
}

/** The verdict, how sure, why, what to do. */
function verdictPart(answer, level) {
  const sure = sureness(answer);
  return h("div", { class: `verdict verdict-${answer.verdict}` },
    h(level, { class: "verdict-name" }, headline(answer)),
    sure ? h("p", { class: "verdict-sure" }, sure) : null,
    // A diagnosis has its probability above; for the others the reason is the answer.
    answer.reason && (!sure || "photographs" in answer) ? h("p", {}, answer.reason) : null,
    sure ? h("p", { class: "small quiet" }, "From a photograph alone; look at the plant before you act on it.") : null,
    answer.hint ? h("p", { class: "verdict-hint" }, h("strong", {}, "What helps: "), `${answer.hint}.`.replace(/\.\.$/, ".")) : null);
}

function possiblePart(answer) {
  const said = alsoPossible(answer);
  if (!said || answer.verdict === "not_a_leaf" || answer.verdict === "too_blurred") return null;
  const why = h("div", { class: "small quiet stack" });
  const details = h("details", { class: "promise" }, h("summary", { class: "small" }, "What this list promises"), why);
  details.addEventListener("toggle", () => {
    if (details.open && !why.hasChildNodes()) explain(answer.model_hash, why);
  });
  return h("div", { class: "possible" }, h("p", {}, said), details);
}

async function explain(model, place) {
  replace(place, h("p", {}, "Looking it up"));
  const said = promiseOf(await metricsOf(model));
  replace(place, said.map((line) => h("p", {}, line)),
    h("p", {}, "It is longer where the model is less sure. Conditions that the model does not know are never in it."));
}

/** The metrics of a model, asked once; null where the server does not keep them. */
function metricsOf(model) {
  if (!promises.has(model)) {
    promises.set(model, lookUp(model).catch(() => {
      promises.delete(model);
      return null;
    }));
  }
  return promises.get(model);
}

async function lookUp(model) {
  const { models } = await ask("/v1/models", { query: { limit: 200 } });
  if (!models.some((one) => one.id === model)) return null; // served from a file that is in no registry
  return (await ask(`/v1/models/${encodeURIComponent(model)}`)).metrics;
}

function qualityPart(answer) {
  const remark = answer.verdict === "unreadable" ? "" : qualityRemarks(answer.quality);
  return remark ? h("p", { class: "quality" }, remark) : null;
}

/** The cards come when the conditions do: what a person already reads, or types into, is not drawn anew for them. */
function advicePart(answer, conditions, named, level) {
  const keys = named ? [answer.key] : answer.possible.map((one) => one.key).slice(0, MOST_CARDS);
  if (answer.verdict === "not_a_leaf" || answer.verdict === "too_blurred") return null;
  const place = h("section", { class: "advices", hidden: true });
  const show = ({ conditions: known }) => {
    const cards = keys.map((key) => adviceOf(key, known, { open: named })).filter(Boolean);
    place.hidden = cards.length === 0;
    replace(place, h(level, { class: "unseen" }, "Advice"), cards);
  };
  conditions().then(show, () => {}); // without them there are none; the frame of the page says that the server is lost
  return place;
}
