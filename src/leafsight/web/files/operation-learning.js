// What begins a training by itself, and what the challenger would have answered. Enters: /v1/retraining and `shadow`
// of /v1/insight. Leaves: a card.

import { card, h, replace, table } from "./elements.js";
import { folded } from "./operation-charts.js";
import { triggers } from "./teach-asking.js";
import { count, duration, number, percent, verdictName } from "./words.js";

/** {element, show(trigger, shadow)} */
export function learningCard() {
  const words = h("p", {});
  const share = h("div", {});
  const shade = h("p", {});
  const more = folded("What the challenger says");
  const element = card("Learning", words, share, h("h3", {}, "The challenger in the shadow"), shade, more.element);

  function show(trigger, shadow) {
    replace(words, trigger ? triggers(trigger) : "");
    const any = shadow && shadow.photographs > 0;
    replace(shade, any ? disagreement(shadow) : "No challenger answers in the shadow now, or nobody asked anything since it does.");
    more.element.hidden = !any;
    if (any) more.show(() => inside(shadow));
  }

  return { element, show };
}

function disagreement({ model_hash: model, photographs, compared, same }) {
  const who = model ? ["Model ", h("code", {}, model.slice(0, 8))] : ["The challenger"];
  if (!compared) return [...who, ` was asked about ${count(photographs, "photograph")} without being heard.`];
  return [...who, ` was asked about ${count(compared, "photograph")} without being heard, and says the same of ${percent(same / compared)} of them.`];
}

function inside({ verdicts = {}, classes_differ: differ, latency_ms: times = {} }) {
  return h("div", { class: "stack" },
    table([{ title: "The challenger says", header: true }, { title: "Photographs", number: true }],
      Object.entries(verdicts).map(([key, many]) => [verdictName(key), number(many)]), { caption: "Verdicts in the shadow" }),
    differ ? h("p", { class: "small" }, `Both name a condition, and not the same one, in ${count(differ, "photograph")}.`) : null,
    times.p50 ? h("p", { class: "quiet small" }, `Half of its answers took ${duration(times.p50)}.`) : null);
}
