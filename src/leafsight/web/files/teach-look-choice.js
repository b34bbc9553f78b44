// Which photographs are chosen, by mouse, finger or keyboard. Enters: presses on tiles. Leaves: chosen tiles, and
// word of the letters that mean a deed. It decides nothing and asks nothing.

import { tileAt } from "./teach-look-tile.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * {tiles(), targets(), choose(tiles), clear(), forget(tile), focus(tile), after(tiles)} for the tiles below `root`.
 * `can()` says whether there is anything to choose for; `changed(count)`, `pressed(letter)`, `opened(tile)` are told.
 */
export function makeChoice(root, { can, changed, pressed, opened }) {
  const chosen = new Set();
  let anchor = null;

  const tiles = () => [...root.querySelectorAll(".look-tile")].map(tileAt);
  const free = (tile) => tile && !tile.element.classList.contains("look-waits");

  function set(tile, on) {
    if (on) chosen.add(tile);
    else chosen.delete(tile);
    tile.choose(on);
  }

  function only(some) {
    for (const tile of [...chosen]) if (!some.includes(tile)) set(tile, false);
    for (const tile of some) set(tile, true);
    changed(chosen.size);
  }

  function range(tile) {
    const all = tiles();
    const [from, to] = [all.indexOf(anchor ?? tile), all.indexOf(tile)].sort((a, b) => a - b);
    only(all.slice(Math.max(0, from), to + 1).filter(free));
  }

  function toggle(tile) {
    set(tile, !chosen.has(tile));
    anchor = tile;
    changed(chosen.size);
  }

  /** Into its list box's place in the tab order, and under the keyboard. */
  function focus(tile) {
    if (!tile) return;
    for (const other of tile.element.parentElement.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    tile.element.tabIndex = 0;
    tile.element.focus();
  }

  function neighbour(tile, [across, down]) {
    const all = tiles().filter(free);
    const at = all.indexOf(tile);
    if (across) return all[at + across] ?? null;
    const box = tile.element.getBoundingClientRect();
    let best = null;
    for (let next = at + down; all[next]; next += down) {
      const other = all[next].element.getBoundingClientRect();
      if (Math.abs(other.top - box.top) < 4) continue;
      if (best && Math.abs(other.top - best.top) > 4) break; // the row after the next
      const away = Math.abs(other.left - box.left);
      if (!best || away < best.away) best = { tile: all[next], away, top: other.top };
    }
    return best?.tile ?? null;
  }

  function onKey(event) {
    const tile = tileAt(event.target);
    if (!tile || event.altKey) return;
    const withControl = event.ctrlKey || event.metaKey;
    if (act(event, tile, withControl)) event.preventDefault();
  }

  function act(event, tile, withControl) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in ARROWS || key === "Home" || key === "End") return walk(tile, key, event.shiftKey);
    if (key === "Enter") return opened(tile) ?? true;
    if (!can()) return false;
    if (withControl && key === "a") only(tiles().filter(free));
    else if (key === "z") pressed("z");
    else if (withControl) return false;
    else if (key === " ") toggle(tile);
    else if (key === "Escape") only([]);
    else return pressed(key);
    return true;
  }

  function walk(tile, key, extends_) {
    const all = tiles().filter(free);
    const next = key === "Home" ? all[0] : key === "End" ? all.at(-1) : neighbour(tile, ARROWS[key]);
    if (!next) return true;
    if (extends_ && can()) {
      anchor ??= tile;
      range(next);
    } else anchor = next;
    focus(next);
    return true;
  }

  function onClick(event) {
    const tile = tileAt(event.target);
    if (!free(tile)) return;
    focus(tile);
    if (!can()) opened(tile);
    else if (event.shiftKey && anchor) range(tile);
    else toggle(tile);
  }

  root.addEventListener("keydown", onKey);
  root.addEventListener("click", onClick);
  root.addEventListener("dblclick", (event) => tileAt(event.target) && opened(tileAt(event.target)));
  root.addEventListener("mousedown", (event) => event.shiftKey && tileAt(event.target) && event.preventDefault()); // marks no text

  return {
    tiles,
    focus,
    choose: (some) => only(some.filter(free)),
    clear: () => only([]),
    /** What a deed is done to: the chosen ones, otherwise the one under the keyboard. */
    targets() {
      const at = tileAt(document.activeElement);
      return chosen.size ? tiles().filter((tile) => chosen.has(tile)) : [at].filter(free);
    },
    chosen: () => tiles().filter((tile) => chosen.has(tile)),
    forget(tile) {
      if (anchor === tile) anchor = null;
      if (chosen.delete(tile)) changed(chosen.size);
    },
    /** The first free tile after `some`, otherwise the last one before them. */
    after(some) {
      const all = tiles();
      const last = all.indexOf(some.at(-1));
      const stays = (tile) => free(tile) && !some.includes(tile);
      return all.slice(last + 1).find(stays) ?? all.slice(0, last).reverse().find(stays) ?? null;
    },
  };
}
