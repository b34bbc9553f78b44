// One photograph that waits or was decided on. Enters: a contribution. Leaves: an option of a list box, with its
// picture, its class, what the model says and what was found. It asks nothing; who listens to it is elsewhere.

import { h, newId, replace } from "./elements.js";
import { dropThumb, showThumb } from "./teach-look-thumbs.js";
import { agrees, modelSays, remarks, spoken, weight } from "./teach-look-words.js";

const MARKS = { accepted: ["\u2713", "good"], rejected: ["\u2717", "bad"] };
const tiles = new WeakMap();

/** The tile that `node` is in, or null. */
export function tileAt(node) {
  return tiles.get(node?.closest?.(".look-tile")) ?? null;
}

/** {element, one, show(contribution), choose(bool), wait(bool), drop()} */
export function makeTile(contribution) {
  const picture = h("span", { class: "look-picture" });
  const mark = h("span", { class: "look-mark" });
  const words = h("span", { class: "look-words" });
  const element = h("div", { role: "option", class: "look-tile", id: newId("photo"), tabindex: "-1", "aria-selected": "false" },
    h("span", { class: "look-photo" }, picture, mark, h("span", { class: "look-check", "aria-hidden": "true" })), words);
  const tile = {
    element,
    one: contribution,
    show(next) {
      tile.one = next;
      element.setAttribute("aria-label", spoken(next));
      const [sign, kind] = MARKS[next.state] ?? ["", ""];
      replace(mark, sign);
      mark.className = `look-mark ${kind}`;
      replace(words,
        h("span", { class: "look-label" }, next.display),
        h("span", { class: `look-said small ${agrees(next) === false ? "look-differs" : "quiet"}` }, modelSays(next.said, agrees(next))),
        remarks(next).slice(0, 2).map((found) => h("span", { class: `look-finding small ${weight(found)}` }, found.said)));
    },
    choose: (chosen) => element.setAttribute("aria-selected", String(chosen)),
    wait: (waits) => element.classList.toggle("look-waits", waits),
    drop() {
      dropThumb(picture);
      element.remove();
    },
  };
  tiles.set(element, tile);
  tile.show(contribution);
  showThumb(picture, contribution.photograph);
  return tile;
}
