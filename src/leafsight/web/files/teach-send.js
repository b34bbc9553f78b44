// The first step of Teach: photographs with labels are sent. Enters: files of a person, and /v1/uploads. Leaves:
// uploads with a key of their own, so that one is kept once however often it is sent, and what became of each.

import { archives } from "./teach-archives.js";
import { makeList } from "./teach-list.js";
import { photographs } from "./teach-photographs.js";
import { makeQueue } from "./teach-queue.js";
import { makeUnfinished } from "./teach-unfinished-list.js";

/** {element, shown(), hidden()} */
export function makeSend(context, { go }) {
  const { elements: { card, h } } = context;
  const list = makeList(context);
  const queue = makeQueue(context, () => {
    list.look();
    unfinished.look();
  });
  const unfinished = makeUnfinished(context, queue.holds);
  const element = h("div", { class: "stack step-body" },
    h("p", { class: "quiet" }, "Photographs sent here are for the next model. They are kept without what the camera "
      + "wrote into them, such as the place; the pixels stay as they are. Nothing is learned from them before somebody accepted them.",
      queue.heard),
    h("div", { class: "columns" }, archives(context, queue), photographs(context, queue)),
    unfinished.element,
    queue.element,
    card("What was sent", list.element,
      h("button", { type: "button", onclick: () => go("look") }, "Look through the photographs")));
  return {
    element,
    shown() {
      list.start();
      unfinished.look();
    },
    hidden: list.stop,
  };
}
