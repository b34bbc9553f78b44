// The third step of Teach: what was accepted becomes the next model. Enters: /v1/retraining and what waits for it.
// Leaves: a training, watched while it runs, and what came of it. The parts of the step have modules of their own.

import { busy, card, failure, h, replace } from "./elements.js";
import { needed, rights } from "./rights.js";
import { askingCard } from "./teach-asking.js";
import { historyCard } from "./teach-history.js";
import { outcomeCard } from "./teach-outcome.js";
import { trainingCard } from "./teach-training.js";

const PAGE = 20;
const ALIVE = new Set(["queued", "running"]);

/** {element, shown(), hidden()} */
export function makeModel(context, { go }) {
  const { api } = context;
  const trouble = h("div", {});
  const running = h("div", { class: "stack teach-running" });
  const shownHere = h("div", { class: "stack teach-outcome" });
  const asking = askingCard(context, { begun: look, go });
  const history = historyCard(context, { open, more });
  const element = h("div", { class: "stack step-body" }, trouble, busy("Asking for the trainings"));
  const panels = new Map(); // id -> the card of one that is under way
  let controller = null;
  let trainings = [];
  let next = null;
  let opened = null;
  let drawn = false;

  async function look() {
    controller ??= new AbortController();
    const { signal } = controller;
    try {
      const may = await rights();
      if (may !== "all") {
        drawn = false;
        replace(element, card("Teach the model", h("p", {}, "The photographs that were accepted become the next model. It has to hold its own "
          + "against the model in service before it takes its place."), needed(may, "Teaching the model")));
        return;
      }
      const [listing, summary] = await Promise.all([
        api.ask("/v1/retraining", { query: { limit: Math.max(PAGE, trainings.length) }, signal }),
        api.ask("/v1/contributions/summary", { signal }),
      ]);
      if (!drawn) replace(element, trouble, running, asking.element, shownHere, history.element);
      drawn = true;
      replace(trouble);
      ({ next } = listing);
      trainings = listing.retrainings;
      asking.show(listing, summary, trainings.some((one) => ALIVE.has(one.state)));
      history.show(trainings, next !== null);
      for (const one of [...trainings].reverse()) if (ALIVE.has(one.state)) follow(one, signal);
      const newest = trainings.find((one) => one.state === "done");
      if (newest && !opened) await open(newest.id, false);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (drawn) replace(trouble, failure(problem, look));
      else replace(element, failure(problem, look));
    }
  }

  async function follow(training, signal) {
    if (panels.has(training.id)) return;
    const panel = trainingCard(training, context);
    panels.set(training.id, panel);
    running.append(panel.element);
    try {
      const job = await api.follow(`/v1/jobs/${training.id}`, panel.told, signal);
      panels.delete(training.id);
      if (job.state === "done") {
        panel.element.remove();
        opened = null;
        await look();
        element.querySelector(".teach-outcome h2")?.focus();
      } else {
        panel.ended(job);
        await look();
      }
    } catch (problem) {
      panels.delete(training.id);
      if (problem.name === "AbortError") panel.element.remove();
      else panel.lost(problem);
    }
  }

  async function open(id, asked = true) {
    opened = id;
    history.opened(id);
    if (asked) replace(shownHere, busy("Fetching the report"));
    try {
      const [training, models] = await Promise.all([
        api.ask(`/v1/retraining/${id}`, { signal: controller?.signal }),
        api.ask("/v1/models", { query: { limit: 200 }, signal: controller?.signal }),
      ]);
      if (opened !== id) return;
      const outcome = outcomeCard(training, models.models, context);
      replace(shownHere, outcome);
      if (!asked) return;
      outcome.querySelector("h2").focus();
      outcome.scrollIntoView({ block: "start" });
    } catch (problem) {
      if (problem.name !== "AbortError") replace(shownHere, failure(problem, () => open(id)));
    }
  }

  async function more() {
    const page = await api.ask("/v1/retraining", { query: { limit: PAGE, after: next } });
    trainings = [...trainings, ...page.retrainings];
    ({ next } = page);
    history.show(trainings, next !== null);
  }

  return {
    element,
    shown: look,
    hidden() {
      controller?.abort();
      controller = null;
    },
  };
}
