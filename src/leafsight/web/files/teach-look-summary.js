// How many photographs there are of each state and class, as the server counts them. Enters: /v1/contributions/summary.
// Leaves: the counts, looked at again soon after each decision, and now and then for what others send.

import { ask } from "./api.js";

const SOON_MS = 400; // many decisions follow each other
const AGAIN_MS = 4000; // photographs that are still looked into come in

/** {now(), load(), soon(), late(), watch(), stop()}; `counted()` is told of new counts, `arrived(many)` of more photographs. */
export function makeSummary({ counted, arrived }) {
  let summary = null;
  let counting = null;
  let watching = null;

  async function load() {
    summary = await ask("/v1/contributions/summary");
    return summary;
  }

  async function count() {
    clearTimeout(counting);
    counting = null;
    try {
      await load();
      counted();
    } catch {
      // The line under the header says so where the server is lost; the next decision counts again.
    }
  }

  async function look() {
    try {
      const more = sum(await ask("/v1/contributions/summary")) - (summary ? sum(summary) : 0);
      if (more > 0) await arrived(more);
    } catch {
      // As above.
    }
    if (watching !== null) watching = setTimeout(look, AGAIN_MS);
  }

  return {
    now: () => summary,
    load,
    soon() {
      clearTimeout(counting);
      counting = setTimeout(count, SOON_MS);
    },
    /** Resolves when no count is outstanding. */
    late: () => (counting === null ? Promise.resolve() : count()),
    watch() {
      clearTimeout(watching);
      watching = setTimeout(look, AGAIN_MS);
    },
    stop() {
      clearTimeout(counting);
      clearTimeout(watching);
      watching = counting = null;
    },
  };
}

function sum({ states }) {
  return Object.values(states).reduce((all, one) => all + one, 0);
}
