// Who served when and why, and the way back. Enters: /v1/models/history and the models that are kept. Leaves: a card.

import { card, h, replace, table } from "./elements.js";
import { askRollBack, modelName } from "./models-promoting.js";
import { needed, rights } from "./rights.js";
import { when } from "./words.js";

const KINDS = { promote: "Promoted", rollback: "Rolled back to" };

/** {element, show(models)}; `changed(id)` is told after a rollback to that model. */
export function historyCard({ api }, changed) {
  const now = h("div", { class: "row models-now" });
  const list = h("div", {});
  const said = h("p", { class: "quiet", role: "status" });
  const element = card("In service, and before", now, said, list);
  element.hidden = true;

  async function show(models) {
    const may = await rights();
    const byId = new Map(models.map((one) => [one.id, one]));
    const serving = models.find((one) => one.serving);
    element.hidden = false;
    if (may !== "all") {
      replace(now, serving ? h("p", {}, modelName(serving), " serves.") : null);
      replace(list, needed(may, "Promoting, rolling back and reading the history"));
      return;
    }
    const { changes } = await api.ask("/v1/models/history", { query: { alias: "serving", limit: 50 } });
    const name = (id) => modelName(byId.get(id) ?? { id, name: "a model" });
    const way = wayBack(changes);
    const former = way && (byId.get(way) ?? { id: way, name: "a model" });
    const pointed = changes.length ? byId.get(changes[0].model) ?? { id: changes[0].model, name: "a model" } : serving;
    replace(now,
      pointed ? h("p", { class: "models-now-name" }, modelName(pointed), changes.length ? ` serves since ${when(changes[0].created_at)}.` : " serves; nothing was promoted yet.") : null,
      former ? h("button", { type: "button", onclick: () => back(pointed, former) }, "Roll back to ", h("span", {}, former.name, " ", h("code", {}, former.id.slice(0, 8)))) : null);
    replace(list, changes.length ? table(["When", "What", "Instead of", "By", { title: "Why" }], changes.map((one) => [
      when(one.created_at), h("span", {}, `${KINDS[one.kind] ?? one.kind} `, name(one.model)), one.former ? name(one.former) : "", one.by || "", one.reason || ""]),
    { caption: "Changes of what serves, newest first", class: "history-table", stack: true }) : null);
  }

  async function back(serving, former) {
    const change = await askRollBack(serving, former);
    if (!change) return;
    replace(said, `${former.name} ${former.id.slice(0, 8)} serves again. Servers take it up within seconds.`);
    await changed(former.id);
  }

  return { element, show, said: (words) => replace(said, words) };
}

/**
 * The model that a rollback leads to, from changes newest first; null where they do not say. A promotion is laid on
 * the others, a rollback takes those off that were laid on the model that it leads to.
 */
export function wayBack(changes) {
  const pile = [];
  for (const { kind, model, former } of [...changes].reverse()) {
    if (!pile.length && former) pile.push(former);
    if (kind === "promote") pile.push(model);
    else {
      while (pile.length && pile.at(-1) !== model) pile.pop();
      if (!pile.length) pile.push(model);
    }
  }
  return pile.at(-2) ?? null;
}
