// Photographs that are shown together: a heading, what can be done with all of them, and a list box of tiles.
// Enters: contributions, in the server's order. Leaves: a section. It asks nothing.

import { h, newId, replace } from "./elements.js";
import { makeTile, tileAt } from "./teach-look-tile.js";

/**
 * {element, tiles(), add(contributions), put(contribution, isWhole), take(tile), head(...), expect(count), drop()}.
 * `several` says whether several can be chosen.
 */
export function makeSection(title, { several }) {
  const id = newId("look");
  const many = h("span", { class: "quiet small" });
  const name = h("h3", {}, h("span", { id }, title), many);
  const side = h("div", { class: "look-side" });
  const note = h("div", { class: "look-note" });
  const box = h("div", { role: "listbox", class: "look-grid", "aria-labelledby": id, "aria-multiselectable": String(several),
    "aria-orientation": "horizontal" });
  const element = h("section", { class: "card look-section", "aria-labelledby": id },
    h("div", { class: "look-top" }, name, side), note, box);
  const tiles = () => [...box.children].map(tileAt).filter(Boolean);

  /** One of them is in the tab order; arrows go to the others. */
  function stop() {
    if (!box.querySelector('[tabindex="0"]')) box.firstElementChild?.setAttribute("tabindex", "0");
  }

  return {
    element,
    box,
    tiles,
    /** How many there are, what stands beside the heading, and under it. */
    head(count, beside, below) {
      replace(many, count);
      replace(side, beside);
      replace(note, below);
    },
    /** About so many will come: their place is kept free, so that what is below does not jump. */
    expect: (count) => box.style.setProperty("--expected", String(count)),
    add(contributions) {
      box.style.removeProperty("--expected");
      box.append(...contributions.map((one) => makeTile(one).element));
      stop();
    },
    /** Back in its place; not where the server will still bring it. */
    put(one, isWhole) {
      const all = tiles();
      const falls = all.length < 2 || all[0].one.id > all.at(-1).one.id;
      const later = all.find((tile) => (falls ? tile.one.id < one.id : tile.one.id > one.id));
      if (!later && !isWhole) return null;
      const tile = makeTile(one);
      box.insertBefore(tile.element, later?.element ?? null);
      stop();
      return tile;
    },
    take(tile) {
      tile.drop();
      stop();
    },
    drop() {
      for (const tile of tiles()) tile.drop();
      element.remove();
    },
  };
}
