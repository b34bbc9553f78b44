// Photographs on their way to the server, a few at a time. Enters: units, each one request: a handful of photographs,
// or all of one plant. Leaves: the answers, in the photographs. It knows no element and not how a unit is sent.

import { newKey, Problem } from "./api.js";
import { limits } from "./diagnose-limits.js";

const LANES = 2;
/** Requests at a time: one is judged while the next arrives. */
const MOST_ROUNDS = 6;
/** So often a refused unit is tried again, each time after what the server asked for; `api` tried before that. */
const LONGEST_REST_S = 120;
const MOST_PHOTOGRAPHS = 4;
const MOST_BYTES = 8_000_000;

/** Photographs as units: few in each, so that answers come as they are ready. `weigh` tells the bytes to be sent. */
export function unitsOf(photos, wish, weigh) {
  const units = [];
  const mostPhotographs = Math.min(MOST_PHOTOGRAPHS, limits.max_photos);
  const mostBytes = Math.min(MOST_BYTES, limits.max_request_bytes / 2);
  let bytes = Infinity;
  for (const photo of photos) {
    bytes += weigh(photo);
    if (bytes > mostBytes || units.at(-1).photos.length === mostPhotographs) {
      units.push(unitOf([], wish));
      bytes = weigh(photo);
    }
    units.at(-1).photos.push(photo);
  }
  return units;
}

/** One request. Sent again, it has the same key, so that the server does it once. */
export function unitOf(photos, wish, plant = null) {
  return { photos, wish, plant, key: newKey(), rounds: 0, ready: null };
}

/**
 * The queue: {add, stop, goOn, state}. `send(unit, signal, onShare)` resolves to the answer of the API;
 * `changed(photos)` is called when photographs have another state, `moved()` when the queue itself has.
 */
export function makeQueue({ send, changed, moved }) {
  const waiting = [];
  const running = new Map();
  const state = { total: 0, done: 0, halted: null, restUntil: 0 };
  let timer = null;

  function add(units) {
    if (running.size === 0 && waiting.length === 0) Object.assign(state, { total: 0, done: 0 });
    for (const unit of units) {
      state.total += unit.photos.length;
      mark(unit, "waiting");
    }
    waiting.push(...units);
    goOn();
  }

  function goOn() {
    state.halted = null;
    run();
  }

  function run() {
    while (!state.halted && state.restUntil <= performance.now() && running.size < LANES && waiting.length > 0) {
      begin(waiting.shift());
    }
    moved();
  }

  async function begin(unit) {
    const stopper = new AbortController();
    running.set(unit, stopper);
    mark(unit, "sending");
    try {
      const answer = await send(unit, stopper.signal, (share) => {
        for (const photo of unit.photos) photo.share = share;
        changed(unit.photos);
      });
      arrived(unit, answer);
    } catch (error) {
      if (error.name === "AbortError") mark(unit, "stopped");
      else failed(unit, error instanceof Problem ? error : unexpected(error));
    } finally {
      running.delete(unit);
    }
    run();
  }

  function arrived(unit, answer) {
    unit.ready = null;
    unit.photos.forEach((photo, at) => {
      Object.assign(photo, { answer: answer.predictions[at], problem: null, wish: unit.wish, corrections: [] });
    });
    if (unit.plant) Object.assign(unit.plant, { combined: answer.combined, problem: null });
    state.done += unit.photos.length;
    mark(unit, "answered");
  }

  function failed(unit, problem) {
    const refused = problem.status === 429 || problem.status === 503;
    const restS = problem.retryAfterS ?? 1;
    if (refused && restS <= LONGEST_REST_S && unit.rounds < MOST_ROUNDS) {
      unit.rounds += 1;
      again(unit);
      rest(restS);
    } else if (problem.status === 0 || problem.status === 401 || problem.status === 403 || problem.status === 429) {
      again(unit);
      halt(problem); // the next one would fare no better
    } else if (unit.photos.length > 1 && !unit.plant) {
      waiting.unshift(...unit.photos.map((photo) => unitOf([photo], unit.wish))); // one of them may be to blame
      mark(unit, "waiting");
    } else {
      unit.ready = null;
      if (unit.plant) unit.plant.problem = problem;
      for (const photo of unit.photos) photo.problem = problem;
      state.done += unit.photos.length;
      mark(unit, "failed");
    }
  }

  function again(unit) {
    waiting.unshift(unit);
    mark(unit, "waiting");
  }

  function halt(problem) {
    state.halted = problem;
  }

  function rest(seconds) {
    state.restUntil = Math.max(state.restUntil, performance.now() + seconds * 1000);
    clearTimeout(timer);
    timer = setTimeout(run, state.restUntil - performance.now() + 1);
  }

  function stop() {
    clearTimeout(timer);
    for (const unit of waiting.splice(0)) mark(unit, "stopped");
    for (const stopper of running.values()) stopper.abort();
    Object.assign(state, { halted: null, restUntil: 0 });
    moved();
  }

  function mark(unit, name) {
    for (const photo of unit.photos) Object.assign(photo, { state: name, share: 0 });
    changed(unit.photos);
  }

  return {
    add,
    stop,
    goOn,
    get state() {
      return { ...state, busy: running.size > 0 || waiting.length > 0, resting: state.restUntil > performance.now() };
    },
  };
}

function unexpected(error) {
  return new Problem({ status: -1, detail: "the photograph could not be sent", hint: String(error.message ?? error) });
}
