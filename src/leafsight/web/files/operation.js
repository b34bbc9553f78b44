// The tab of those who run the service: how much there is to do, what was diagnosed, whether it looks as before.
// Enters: /v1/load, /v1/insight, /v1/predictions, /v1/watch and /v1/retraining. Leaves: cards that refresh while they are seen. It draws
// nothing itself and changes nothing, but for corrections, which have a module of their own.

import { driftCard } from "./operation-drift.js";
import { learningCard } from "./operation-learning.js";
import { healthCard, loadCard } from "./operation-load.js";
import { correctionsCard, diagnosedCard, newestCard } from "./operation-lately.js";
import { referenceCard } from "./operation-reference.js";
import { watchCard } from "./operation-watch.js";

export const title = "Operation";

const LOAD_MS = 5000;
const LATELY_EVERY = 2;
/** The counts are asked for each second time: they cost the server more. */
const AFTER_A_CORRECTION = 2;
/** The server counts anew after some seconds, so that they are asked for at once and the next time, too. */
let tab = null;

export function mount(root, context) {
  tab = makeTab(root, context);
  return tab.begin();
}

export function shown() {
  tab?.resume();
}

export function hidden() {
  tab?.rest();
}

function makeTab(root, context) {
  const { api, elements } = context;
  const { busy, h, replace } = elements;
  const look = async () => {
    state.due = AFTER_A_CORRECTION;
    await round();
  };
  const cards = {
    load: loadCard(),
    health: healthCard(),
    diagnosed: diagnosedCard(),
    newest: newestCard(context, look),
    corrections: correctionsCard(context, look),
    drift: driftCard(),
    watch: watchCard(),
    reference: referenceCard(context, look),
    learning: learningCard(),
  };
  const line = h("div", { class: "operation-line" });
  const pause = h("button", { type: "button", "aria-pressed": "false", onclick: toggle }, "Pause");
  const state = { drawn: false, seen: true, paused: false, timer: 0, rounds: 0, due: 0, asking: null };

  async function begin() {
    replace(root, busy("Asking the service how it does"));
    await round();
  }

  /** One look; the next follows when it is done, so that a slow server is not asked twice at once. */
  async function round() {
    clearTimeout(state.timer);
    state.asking ??= ask().finally(() => {
      state.asking = null;
    });
    await state.asking;
    clearTimeout(state.timer); // two may have waited for the same look
    if (state.seen && !state.paused) state.timer = setTimeout(round, LOAD_MS);
  }

  async function ask() {
    try {
      const load = await api.ask("/v1/load");
      if (!state.drawn || state.due > 0 || state.rounds % LATELY_EVERY === 0) await lately();
      state.rounds += 1;
      state.due = Math.max(0, state.due - 1);
      draw();
      cards.load.show(load);
      cards.health.show(load);
      replace(line);
    } catch (error) {
      if (error.name === "AbortError") return;
      trouble(error);
    }
  }

  async function lately() {
    const [insight, page, watch, { trigger }, { models }] = await Promise.all([
      api.ask("/v1/insight", { query: { days: 30 } }),
      api.ask("/v1/predictions", { query: { limit: 10 } }),
      api.ask("/v1/watch"),
      api.ask("/v1/retraining", { query: { limit: 1 } }),
      api.ask("/v1/models", { query: { limit: 200 } }),
    ]);
    cards.watch.show(watch, new Map(models.map((one) => [one.id, one.name])));
    cards.reference.show(insight.reference_drift);
    cards.learning.show(trigger, insight.shadow);
    cards.diagnosed.show(insight);
    cards.health.stored(insight);
    cards.newest.show(page);
    cards.corrections.show(insight);
    cards.drift.show(insight.drift);
  }

  function draw() {
    if (state.drawn) return;
    state.drawn = true;
    replace(root,
      h("div", { class: "operation-top" }, h("p", { class: "quiet" },
        "Figures are those of all processes of this service, and are looked up again every few seconds."), pause),
      line, cards.health.element, cards.load.element, cards.watch.element, cards.diagnosed.element,
      cards.newest.element, cards.corrections.element, cards.reference.element, cards.drift.element, cards.learning.element);
  }

  function trouble(error) {
    const said = spoken(error, elements, round);
    if (state.drawn && ![401, 403, 404].includes(error.status)) replace(line, said);
    else {
      state.drawn = false;
      replace(root, said);
    }
  }

  function toggle() {
    state.paused = !state.paused;
    pause.setAttribute("aria-pressed", String(state.paused));
    if (state.paused) clearTimeout(state.timer);
    else round();
  }

  return {
    begin,
    resume() {
      state.seen = true;
      if (!state.paused) round();
    },
    rest() {
      state.seen = false;
      clearTimeout(state.timer);
    },
  };
}

/** Having no right to look is no error, and neither is a side that is elsewhere. */
function spoken(error, { failure, h, notice }, again) {
  const button = h("button", { type: "button", onclick: again }, "Try again");
  if (error.status === 403) {
    return notice("info", "You may not see the figures of this service.",
      "They are for those who run it: a key with the scope admin shows them.", button);
  }
  if (error.status === 404) {
    return notice("info", "The figures of this service are shown on its admin side.",
      "Open this page at the admin address, which the operator of the service knows.");
  }
  if (error.status === 401) {
    return notice("info", "The figures are shown with a key that has the scope admin.", error.hint, button);
  }
  return failure(error, again);
}
