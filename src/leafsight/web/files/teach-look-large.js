// One photograph as large as there is room, with everything that is known of it, and the same deeds as in the list.
// Enters: a tile, and the way to its neighbours. Leaves: a window over the page. What is decided, others carry out.

import { blob } from "./api.js";
import { busy, dialog, failure, h, replace } from "./elements.js";
import { redraw } from "./operation-phrases.js";
import { DEEDS, modelSays, sentence, stateName, weight } from "./teach-look-words.js";
import { when } from "./words.js";

const SIDE_PX = 1024;

/** Show `tile`; next(tile, step) is the tile beside it; deeds(): names that may be done now; act(deed, tile) does one. */
export function openLarge(tile, { next, deeds, act, closed }) {
  const picture = h("div", { class: "large-picture" });
  const facts = h("div", { class: "stack" });
  const buttons = h("div", { class: "row large-buttons" });
  const over = dialog("Photograph", h("div", { class: "large-both" }, picture, h("div", { class: "stack large-side" }, buttons, facts)));
  let url = null;
  over.element.classList.add("large-dialog");
  over.element.addEventListener("keydown", onKey);
  over.element.addEventListener("close", () => {
    URL.revokeObjectURL(url);
    closed(tile);
  });
  over.open();
  show(tile);

  function show(other) {
    if (!other) {
      over.close();
      return;
    }
    tile = other;
    replace(facts, factsOf(tile.one));
    redraw(buttons,
      h("button", { type: "button", dataset: { place: "before" }, "aria-label": "Photograph before", onclick: () => go(-1) }, "\u2190"),
      h("button", { type: "button", dataset: { place: "after" }, "aria-label": "Photograph after", onclick: () => go(1) }, "\u2192"),
      deeds().map((name, at) => h("button", { type: "button", class: at ? "" : "primary", dataset: { place: name }, "aria-keyshortcuts": DEEDS[name].key, onclick: () => done(name) }, DEEDS[name].title)));
    load(tile.one);
  }

  async function load(one) {
    replace(picture, busy("Fetching the photograph"));
    try {
      const body = await blob(one.photograph, { query: { side: SIDE_PX } });
      if (tile.one.id !== one.id) return;
      URL.revokeObjectURL(url);
      url = URL.createObjectURL(body);
      replace(picture, h("img", { src: url, alt: `The photograph ${one.name}` }));
    } catch (problem) {
      if (tile.one.id === one.id) replace(picture, failure(problem, () => load(one)));
    }
  }

  function go(step) {
    const other = next(tile, step);
    if (other) show(other);
  }

  /** The next one is shown at once: a person goes through many. */
  function done(name) {
    const [at, after] = [tile, next(tile, 1) ?? next(tile, -1)];
    act(name, at, () => show(after === at ? null : after));
  }

  function onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input")) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const deed = deeds().find((name) => DEEDS[name].key === event.key.toLowerCase());
    if (step) go(step);
    else if (deed) done(deed);
    else return;
    event.preventDefault();
  }
}

function factsOf(one) {
  const decided = one.decided_at ? `${stateName(one.state)} ${when(one.decided_at)}${one.decided_by ? ` by ${one.decided_by}` : ""}` : stateName(one.state);
  const rows = [
    ["Class", one.display], ["As it was sent", one.class_name === one.display ? null : one.class_name], ["Model", modelSays(one.said).replace(/^Model: /, "")],
    ["File", one.name], ["Sent", when(one.created_at)], ["State", sentence(decided)], ["Because", sentence(one.reason)],
  ];
  return [
    one.findings.length ? h("ul", { class: "large-findings" }, one.findings.map((found) =>
      h("li", { class: weight(found) }, sentence(found.said)))) : null,
    h("dl", { class: "details-facts" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
  ];
}
