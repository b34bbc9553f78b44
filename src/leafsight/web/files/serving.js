// The header's line on the model in service, and the footer's on what is kept. Enters: what the server says of
// itself. Leaves: both, looked at again now and then, and word to the page when another model was promoted.

import { ask } from "./api.js";
import { h, replace } from "./elements.js";
import { count } from "./words.js";

const LOOK_MS = 30_000;

/** Watch; `changed` is called when another model is in service than before. */
export function watchServing(place, footer, changed) {
  let serving = null;
  replace(footer, ...promises());
  async function look() {
    if (document.hidden) return;
    try {
      const about = await ask("/v1/about");
      if (about.model.id === serving) return;
      if (serving !== null) changed();
      serving = about.model.id;
      const id = serving.slice(0, 8);
      replace(place, h("span", { class: "quiet" }, "Model "), h("strong", {}, about.model.name), " ", h("code", { class: "quiet" }, id));
      replace(footer, h("p", {}, kept(about)), ...promises(about.version));
    } catch {
      // The line under the header says so where the server is lost; what was said last stays.
    }
  }
  look();
  setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", look);
}

const PHOTOGRAPHS = {
  never: "Photographs are not kept.",
  ask: "A photograph is kept only if you say so, without its place and other metadata.",
  always: "Photographs are kept, without their place and other metadata.",
};

function kept({ keep_photos: photos, keep_days: days }) {
  const time = `Answers are remembered for ${count(days, "day")}; those that somebody corrected, for longer.`;
  return [PHOTOGRAPHS[photos], time].filter(Boolean).join(" ");
}

function promises(version = "") {
  const name = ["leafsight", version].filter(Boolean).join(" ");
  return [h("p", {}, `${name}. This page speaks to this server only and sets no cookies. A diagnosis from a photograph is never certain.`)];
}
