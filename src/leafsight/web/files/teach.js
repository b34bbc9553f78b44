// Tab Teach: photographs that the next model learns from, in three steps. Enters: the fragment of the address,
// which names a step. Leaves: the three steps, of which one is shown. What a step does is in its own modules.

import { makeLook } from "./teach-look.js";
import { makeModel } from "./teach-model.js";
import { makeSend } from "./teach-send.js";
import { makeSteps } from "./teach-steps.js";

export const title = "Teach";
let steps = null;

export function mount(root, context) {
  steps = makeSteps([
    { name: "send", title: "Send", about: "photographs with labels", make: makeSend },
    { name: "look", title: "Look through", about: "accept, correct, reject", make: makeLook },
    { name: "model", title: "Teach the model", about: "train, compare, promote", make: makeModel },
  ], context);
  root.append(steps.element);
}

export function shown() {
  steps?.shown();
}

export function hidden() {
  steps?.hidden();
}
