// The tab of models: which are kept, which is in service, what each can do, and how they differ.
// Enters: /v1/models and /v1/models/{id}. Leaves: the tab, and promotions and rollbacks that a person confirmed.

import { comparison } from "./models-compare.js";
import { modelCard } from "./models-details.js";
import { historyCard } from "./models-history.js";
import { askPromote } from "./models-promoting.js";
import { rights } from "./rights.js";

export const title = "Models";

const PAGE = 20;
const MOST_COMPARED = 4;
const MOST_NOTE = 120;
const LOOKS = 60;
const LOOK_MS = 500;
let tab = null;

export function mount(root, context) {
  tab = makeTab(root, context);
  return tab.load();
}

export function shown() {
  return tab?.look();
}

function makeTab(root, context) {
  const { api, elements, words } = context;
  const { h, busy, card, failure, notice, replace } = elements;
  const list = h("ul", { class: "models-list" });
  const more = h("div", { class: "row" });
  const beside = h("div", {});
  const compared = h("div", { "aria-live": "polite" });
  const details = h("div", {});
  const found = new Map();
  const chosen = new Set();
  let entries = [];
  let next = null;
  let open = null;
  let may = "none";
  const inService = historyCard(context, changed);

  async function load() {
    replace(root, busy("Asking for the models"));
    entries = await page(null);
    replace(
      root,
      card("Models on this server", beside, list, more, h("p", { class: "quiet small" },
        "New models come from the tab Teach, or from ", h("code", {}, "leafsight models add"), " on the server. The same is done there with ",
        h("code", {}, "leafsight models promote"), ".")),
      inService.element,
      compared,
      details,
    );
    draw();
    await past();
    const wanted = location.hash.split("/")[1];
    const first = entries.find((one) => wanted && one.id.startsWith(wanted)) ?? entries.find((one) => one.serving) ?? entries[0];
    if (first) await show(first.id, false);
  }

  async function page(after) {
    const answer = await api.ask("/v1/models", { query: { limit: PAGE, after } });
    next = answer.next;
    return answer.models;
  }

  /** Who served before; a server without a registry of its own has no such list, and the rest is shown all the same. */
  async function past() {
    if (!entries.length) return;
    try {
      may = await rights();
      await inService.show(entries);
      draw();
    } catch (problem) {
      if (problem.status) inService.said(problem.detail);
    }
  }

  async function again() {
    await look();
    await past();
  }

  async function changed(id) {
    await past();
    await taken(id);
    await past();
  }

  async function promote(entry) {
    const change = await askPromote(entry, entries.find((one) => one.serving));
    if (!change) return;
    inService.said(`${entry.name} ${entry.id.slice(0, 8)} was promoted. Servers take it up within seconds.`);
    await changed(entry.id);
  }

  /** The server that is asked takes a promoted model up in a moment; what is shown waits for it, not for long. */
  async function taken(id) {
    for (let looks = 0; looks < LOOKS; looks += 1) {
      await look();
      if (entries.find((one) => one.id === id)?.serving) return;
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }

  /** The tab is seen again: another model may serve now. */
  async function look() {
    if (!entries.length) return;
    try {
      const fresh = await api.ask("/v1/models", { query: { limit: Math.min(200, Math.max(PAGE, entries.length)) } });
      entries = fresh.models;
      next = fresh.next;
      draw();
    } catch {
      // What is shown stays; the line under the header says when the server is lost.
    }
  }

  function draw() {
    const serving = entries.some((one) => one.serving);
    replace(beside, serving || next ? null : notice("info", "The model in service is a file that the operator named.",
      "It is not among the models that the server keeps."));
    replace(list, entries.map(row));
    replace(more, next ? h("button", { type: "button", onclick: loadMore }, "More models") : null);
  }

  async function loadMore(event) {
    event.target.disabled = true;
    try {
      entries = [...entries, ...await page(next)];
      draw();
      list.children[list.children.length - 1]?.querySelector("button")?.focus();
    } catch (error) {
      replace(more, failure(error, loadMore));
    }
  }

  function row(entry) {
    const short = entry.id.slice(0, 8);
    const facts = [
      `${words.count(entry.classes, "class", "classes")}`,
      words.bytes(entry.bytes),
      entry.builtin ? "came with leafsight" : `kept since ${words.when(entry.created_at)}`,
      entry.note && !entry.builtin ? shortened(entry.note) : null,
    ];
    const names = entry.aliases.filter((alias) => alias !== "serving");
    return h("li", { class: "models-row", "aria-current": entry.serving ? "true" : null },
      h("div", { class: "models-what" },
        h("p", {}, h("strong", {}, entry.name), " ", h("code", { class: "quiet" }, short), " ",
          entry.serving ? h("span", { class: "badge badge-good" }, "In service") : null,
          names.map((alias) => h("span", { class: "badge" }, alias)),
          entry.damaged ? h("span", { class: "badge badge-bad" }, "Damaged") : null),
        h("p", { class: "quiet small" }, facts.filter(Boolean).join(" \u00b7 "))),
      h("label", { class: "check" }, h("input", {
        type: "checkbox", checked: chosen.has(entry.id), onchange: (event) => choose(entry, event.target),
        "aria-label": `Compare ${entry.name} ${short}`,
      }), "Compare"),
      h("button", {
        type: "button", onclick: () => show(entry.id, true), "aria-label": `Show ${entry.name} ${short}`,
        "aria-pressed": String(open === entry.id),
      }, "Show"),
      may === "all" && !entry.serving && !entry.damaged ? h("button", {
        type: "button", onclick: () => promote(entry), "aria-label": `Promote ${entry.name} ${short}`,
      }, "Promote") : null);
  }

  async function show(id, asked) {
    open = id;
    for (const [at, one] of entries.entries()) {
      list.children[at]?.querySelector("button").setAttribute("aria-pressed", String(one.id === id));
    }
    replace(details, busy("Reading the model"));
    try {
      const model = await detailsOf(id);
      if (open !== id) return;
      replace(details, modelCard(model));
      if (asked) {
        history.replaceState(null, "", `#models/${id.slice(0, 12)}`);
        const heading = details.querySelector("h2");
        heading.tabIndex = -1;
        heading.focus();
      }
    } catch (error) {
      if (open === id) replace(details, failure(error, () => show(id, asked)));
    }
  }

  async function detailsOf(id) {
    if (!found.has(id)) found.set(id, await api.ask(`/v1/models/${id}`));
    const serving = entries.find((one) => one.id === id)?.serving ?? false;
    return { ...found.get(id), serving };
  }

  async function choose(entry, box) {
    if (box.checked && chosen.size >= MOST_COMPARED) {
      box.checked = false;
      replace(compared, notice("info", `At most ${MOST_COMPARED} models are compared at once.`, "Take one out first."));
      return;
    }
    if (box.checked) chosen.add(entry.id);
    else chosen.delete(entry.id);
    await compare();
  }

  async function compare() {
    const ids = [...chosen];
    if (ids.length < 2) {
      replace(compared, ids.length ? h("p", { class: "quiet" }, "Choose one more model to compare with.") : null);
      return;
    }
    replace(compared, busy("Comparing"));
    try {
      const models = await Promise.all(ids.map(detailsOf));
      if (String([...chosen]) !== String(ids)) return;
      models.sort((a, b) => Number(b.serving) - Number(a.serving));
      replace(compared, comparison(models));
    } catch (error) {
      replace(compared, failure(error, compare));
    }
  }

  window.addEventListener("hashchange", () => {
    const [name, wanted] = location.hash.slice(1).split("/");
    const other = name === "models" && wanted && entries.find((one) => one.id.startsWith(wanted));
    if (other && other.id !== open) show(other.id, true);
  });

  return { load, look: again };
}

/** Notes of retrainings are long; the whole of one stands under "Made from". */
function shortened(note) {
  return note.length > MOST_NOTE ? `${note.slice(0, MOST_NOTE).trimEnd()}\u2026` : note;
}
