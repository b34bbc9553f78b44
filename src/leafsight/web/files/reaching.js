// Says when the server does not answer, and takes it back when it does again. Enters: events of `api`.
// Leaves: one line under the header.

import { events, response } from "./api.js";
import { clear, notice, replace } from "./elements.js";

const AGAIN_MS = 2000;

/** Watch; the line goes into `place`. */
export function watchReach(place) {
  let timer = null;
  const look = () => response("/healthz").catch(() => {
    timer = setTimeout(look, AGAIN_MS);
  });
  events.addEventListener("reach", ({ detail: reached }) => {
    clearTimeout(timer);
    if (reached) {
      clear(place);
      return;
    }
    replace(place, notice("warn", "The server cannot be reached.", "This line goes away when it answers again."));
    timer = setTimeout(look, AGAIN_MS);
  });
  window.addEventListener("online", look);
}
