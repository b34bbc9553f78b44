// The advice card of a condition. Enters: a condition of /v1/conditions. Leaves: its card as text. It gives no advice
// of its own, and no product and no dose stands in any card.

import { h } from "./elements.js";
import { spoken } from "./diagnose-phrases.js";
import { plain } from "./words.js";

const PARTS = [
  ["what_it_is", "What it is"],
  ["looks_like", "What it looks like"],
  ["told_apart", "How to tell it from others"],
  ["growers_do", "What growers do"],
  ["ask_an_expert", "When to ask an expert"],
];

/** The card open, or closed behind its title; null where there is none. */
export function adviceOf(key, conditions, { open }) {
  const found = conditions.find((one) => one.key === key);
  if (!found?.card) return null;
  return h("details", { class: "advice", open },
    h("summary", {}, `About ${spoken(found.display)}`),
    h("dl", {},
      PARTS.flatMap(([name, title]) => part(title, found.card[name])),
      part("Mistaken for", mistakenFor(found.card, conditions))),
    sourcesOf(found.card));
}

function part(title, text) {
  return text ? [h("dt", {}, title), h("dd", {}, text)] : [];
}

function mistakenFor(card, conditions) {
  const names = card.mistaken_for.map((key) => conditions.find((one) => one.key === key)?.display ?? plain(key));
  return names.join("; ");
}

function sourcesOf(card) {
  if (card.sources.length === 0) return null;
  return h("p", { class: "small quiet" }, "From: ",
    card.sources.map((source, at) => [at ? "; " : "", `${source.institution}, `, titleOf(source)]), ".");
}

/** A link is followed only when a person chooses to; the other site is not told from where. */
function titleOf({ title, url }) {
  if (!/^https?:\/\//.test(url)) return title;
  return h("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, title, h("span", { class: "unseen" }, " (another site)"));
}
