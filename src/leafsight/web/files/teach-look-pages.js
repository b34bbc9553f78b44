// A long list of contributions, page by page, when its end comes near. Enters: what is asked of /v1/contributions.
// Leaves: contributions in the server's order, and a line at the end that says what is under way.

import { busy, failure, h, replace } from "./elements.js";

const PAGE = 60;
const NEAR = "900px";

/** {end, start(), stop()}; `take(contributions, isLast)` gets each page. */
export function makePages({ api }, query, take) {
  const end = h("div", { class: "look-end" });
  const controller = new AbortController();
  let after = null;
  let done = false;
  let asking = false;
  const near = new IntersectionObserver((seen) => {
    if (seen.some((entry) => entry.isIntersecting)) more();
  }, { rootMargin: NEAR });

  async function more() {
    if (asking || done) return;
    asking = true;
    replace(end, busy("Fetching photographs"));
    try {
      const { contributions, next } = await api.ask("/v1/contributions", { query: { ...query, limit: PAGE, after }, signal: controller.signal });
      after = next;
      done = next === null;
      replace(end);
      take(contributions, done);
      if (!done) lookAgain();
    } catch (problem) {
      if (problem.name === "AbortError") return;
      near.disconnect();
      replace(end, failure(problem, () => {
        lookAgain();
        more();
      }));
    } finally {
      asking = false;
      if (done) near.disconnect();
    }
  }

  /** An observer tells changes only: whether the end is still near is asked anew. */
  function lookAgain() {
    near.unobserve(end);
    near.observe(end);
  }

  return {
    end,
    start: () => near.observe(end),
    stop() {
      controller.abort();
      near.disconnect();
    },
  };
}
