// Tab Teach: photographs that the next model may learn from. Enters: files of a person, and /v1/uploads. Leaves:
// uploads with a key of their own, so that one is kept once however often it is sent, and what became of each.

import { archives } from "./teach-archives.js";
import { photographs } from "./teach-photographs.js";
import { makeQueue } from "./teach-queue.js";
import { makeList } from "./teach-list.js";

export const title = "Teach";
let list = null;

export function mount(root, context) {
  const { elements: { card, h } } = context;
  list = makeList(context);
  const queue = makeQueue(context, () => list.look());
  const told = h("p", { class: "quiet", id: "teach-not-yet" },
    "Retraining is not here yet: it comes with the learning loop. What you send is kept, and looked into at once.");
  root.append(
    h("p", { class: "quiet" }, "Photographs sent here are for the next model. They are kept without what the camera "
      + "wrote into them, such as the place; the pixels stay as they are."),
    h("div", { class: "columns" }, archives(context, queue), photographs(context, queue)),
    queue.element,
    card("What was sent", list.element),
    card("The next model",
      h("div", {}, h("button", { type: "button", class: "primary", disabled: true, "aria-describedby": told.id },
        "Teach the model")),
      told),
  );
}

export function shown() {
  list?.start();
}

export function hidden() {
  list?.stop();
}
