// The second step of Teach: what waits is accepted, corrected or rejected. Enters: /v1/contributions. Leaves:
// decisions of a person. What is drawn, chosen and sent is in modules of their own; here they meet.

import { failure, h, replace } from "./elements.js";
import { makeBar } from "./teach-look-bar.js";
import { makeChoice } from "./teach-look-choice.js";
import { makeClasses } from "./teach-look-classes.js";
import { all, makeDeciding } from "./teach-look-deciding.js";
import { makeDeclared } from "./teach-look-declared.js";
import { makeFilters } from "./teach-look-filters.js";
import { makeGroups, unknownLine } from "./teach-look-groups.js";
import { openLarge } from "./teach-look-large.js";
import { DEEDS, DEEDS_OF, decided } from "./teach-look-words.js";
import { makeSummary } from "./teach-look-summary.js";
import { needed, rights } from "./rights.js";
import { count, number } from "./words.js";


/** {element, shown(), hidden()} */
export function makeLook(context) {
  const trouble = h("div", {});
  const arrived = h("div", { class: "row look-arrived", role: "status" });
  const above = h("div", { class: "stack look-above" });
  const place = h("div", { class: "stack look-all" });
  const classes = makeClasses(context);
  const declared = makeDeclared({ classes, labels: () => counts.now().labels, can: () => may === "all", tried, taken: () => counts.soon() });
  const filters = makeFilters(others, [above, declared.element]);
  const deciding = makeDeciding();
  const groups = makeGroups(place, context, { seen, emptied });
  const bar = makeBar({ act: (name) => act(name), clear: () => choice.clear(), undo });
  const choice = makeChoice(place, { can: () => may === "all", changed: bar.chosen, pressed, opened });
  const element = h("div", { class: "stack step-body" }, filters.element, arrived, trouble, place, bar.element);
  const findings = new Set();
  const counts = makeSummary({ counted, arrived: came });
  let may = "none";
  let drawn = "";
  bar.element.hidden = true;

  async function look() {
    try {
      may = await rights();
      replace(arrived);
      const now = JSON.stringify([await counts.load(), may]);
      replace(trouble);
      declared.look();
      if (now === drawn) return; // what a person has chosen or reads is not exchanged for the same
      drawn = now;
      draw();
    } catch (problem) {
      replace(trouble, failure(problem, look));
    }
  }

  function draw() {
    const summary = counts.now();
    filters.show(summary, [...findings].sort());
    choice.clear();
    groups.draw(summary, filters.state, may === "all");
    bar.deeds(filters.state.filter);
    bar.element.hidden = may !== "all" || !summary.labels.length;
    heads();
  }

  function counted() {
    drawn = JSON.stringify([counts.now(), may]);
    declared.draw();
    filters.show(counts.now(), [...findings].sort());
    heads();
  }

  /** What stands above the photographs: numbers change with each decision, the photographs stay. */
  function heads() {
    const summary = counts.now();
    const offered = filters.state.filter === "waiting" && summary.labels.some((one) => one.waiting && (one.known || one.declared)) && may === "all";
    replace(above, needed(may, "Accepting and rejecting"), offered ? h("div", { class: "row" },
      h("button", { type: "button", class: "primary", onclick: (event) => acceptClean(event.target) }, "Accept everything without doubts"),
      h("p", { class: "quiet small" }, "What is in doubt, or of a class that is not known yet, goes on waiting.")) : null,
    may === "all" ? keys() : null);
    for (const { name, section, title } of groups.sections()) {
      const label = summary.labels.find((one) => one.label === name) ?? { known: true };
      const many = label[filters.state.filter];
      section.head(many ? number(many) : null,
        may === "all" ? h("button", { type: "button", class: "plain", "aria-label": `Choose all shown of ${title}`,
          onclick: () => choice.choose(section.tiles()) }, "Choose all shown") : null,
      filters.state.by === "class" ? unknownLine(label, may === "all", { declare: () => declare(label), relabel: () => relabelAll(label),
        takeBack: () => declared.takeBack(label, (words) => bar.said(words, deciding.canUndo())) }) : null);
    }
  }

  function seen(contributions) {
    const before = findings.size;
    for (const one of contributions) for (const { kind } of one.findings) findings.add(kind);
    if (findings.size !== before) filters.show(counts.now(), [...findings].sort());
    if (filters.state.by === "upload") heads();
  }

  function emptied() {
    const line = h("p", { class: "quiet look-empty" }, counts.now().labels.length ? "Nothing of this kind is left." : "");
    if (!place.querySelector(".look-empty")) place.prepend(line);
  }

  /** The person wants to see others: what was decided a moment ago is among them. */
  async function others() {
    if (!counts.now()) return;
    await deciding.settled();
    await counts.late();
    draw();
  }

  function pressed(letter) {
    if (letter === "z") {
      undo();
      return true;
    }
    const name = DEEDS_OF[filters.state.filter].find((one) => DEEDS[one].key === letter);
    if (name) act(name);
    return Boolean(name);
  }

  async function act(name, tiles = choice.targets(), then = null) {
    if (!tiles.length) return;
    let label = null;
    if (name === "label" && !(label = await tried(() => classes.choose(tiles.length)))) return;
    const follower = choice.after(tiles);
    const focused = place.contains(document.activeElement) || document.activeElement === document.body;
    for (const tile of tiles) tile.wait(true);
    if (then) then();
    else if (focused) choice.focus(follower);
    try {
      const { changed, skipped } = await deciding.decide(tiles.map((tile) => tile.one), DEEDS[name].state, label?.label);
      settle(tiles, new Set(skipped.map((one) => one.id)), { state: DEEDS[name].state, ...(label ? { label: label.label, display: label.display } : {}) });
      bar.said(decided(changed, name === "label" ? `accepted as ${label.display}` : DEEDS[name].done, skipped), deciding.canUndo());
      replace(trouble);
      counts.soon();
    } catch (problem) {
      replace(trouble, failure(problem));
    } finally {
      for (const tile of tiles) tile.wait(false);
    }
  }

  /** Tiles that changed go, or show what they are now. */
  function settle(tiles, left, now) {
    for (const tile of tiles) {
      if (left.has(tile.one.id)) continue;
      choice.forget(tile);
      const next = { ...tile.one, ...now };
      if (groups.fits(next) && next.label === tile.one.label) tile.show(next);
      else groups.take(tile);
    }
  }

  /** What `work` gives; null where it fails, which is said. */
  async function tried(work) {
    try {
      const found = await work();
      replace(trouble);
      return found;
    } catch (problem) {
      replace(trouble, failure(problem));
      return null;
    }
  }

  async function declare({ label, display }) {
    if ((await tried(() => classes.declare(label).then(() => true))) === null) return;
    bar.said(`${display} is declared: its photographs can be accepted.`, deciding.canUndo());
    counts.soon();
    declared.look();
  }

  /** All photographs of a class that is not one, shown or not. */
  async function relabelAll({ label: name, waiting }) {
    const label = await tried(() => classes.choose(waiting, name));
    if (!label) return;
    const told = await tried(async () => deciding.decide(await all({ state: "waiting", label: name }), "accepted", label.label));
    if (!told) return;
    bar.said(decided(told.changed, `accepted as ${label.display}`, told.skipped), deciding.canUndo());
    await look();
  }

  function learnable() {
    return new Set(counts.now().labels.filter((one) => one.known || one.declared).map((one) => one.label));
  }

  async function acceptClean(button) {
    button.disabled = true;
    try {
      const { changed, skipped } = await deciding.acceptClean(filters.state.label || null, (name) => learnable().has(name),
        (many) => replace(button, `Looking at ${count(many, "photograph")}`));
      bar.said(decided(changed, "accepted", skipped), deciding.canUndo());
      await look();
    } catch (problem) {
      replace(trouble, failure(problem));
      heads();
    }
  }

  async function undo() {
    if (!deciding.canUndo()) return;
    try {
      const back = await deciding.undo();
      bar.said(`Undone: ${count(back.length, "photograph")} as before.`, false);
      const put = back.map((one) => groups.put(one)).filter(Boolean);
      if (put.length !== back.length) await look(); // some are elsewhere, or many
      else choice.focus(put[0]);
      counts.soon();
    } catch (problem) {
      replace(trouble, failure(problem));
    }
  }

  function opened(tile) {
    openLarge(tile, {
      next: (at, step) => {
        const tiles = choice.tiles();
        return tiles[tiles.indexOf(at) + step] ?? null;
      },
      deeds: () => (may === "all" ? DEEDS_OF[filters.state.filter] : []),
      act: (name, at, then) => act(name, [at], then),
      closed: (at) => choice.focus(at.element.isConnected ? at : choice.tiles()[0]),
    });
  }

  /** Others sent more: it is shown at once only where nothing is in the way. */
  async function came(more) {
    if (!place.querySelector(".look-tile")) await look();
    else replace(arrived, h("p", {}, `${count(more, "photograph")} came in meanwhile.`), h("button", { type: "button", onclick: look }, "Show"));
  }

  return {
    element,
    async shown() {
      counts.watch();
      await look();
    },
    hidden: counts.stop,
  };
}

function keys() {
  const all_ = [["Arrows", "go"], ["Space", "choose"], ["Shift", "a range"], ["A", "accept"], ["L", "other class"], ["R", "reject"],
    ["Z", "undo"], ["Enter", "larger"]];
  return h("ul", { class: "look-keys small quiet", "aria-label": "Keys" }, all_.map(([key, what]) => h("li", {}, h("kbd", {}, key), ` ${what}`)));
}
