// Decisions on contributions, and the way back from the last one. Enters: contributions and what is to become of
// them. Leaves: requests to /v1/contributions/decide, one after the other, and what came of them.

import { ask } from "./api.js";
import { isDoubtful } from "./teach-look-words.js";

const MOST_IDS = 200; // in one request
const PAGE = 200;

/** {decide(contributions, state, label), acceptClean(label, mayBeLearned, onFound), undo(), canUndo(), settled()} */
export function makeDeciding() {
  let line = Promise.resolve();
  let last = null;

  /** One at a time, in the order in which they were asked for. */
  function inTurn(work) {
    const turn = line.then(work);
    line = turn.catch(() => {});
    return turn;
  }

  function decide(contributions, state, label) {
    const before = contributions.map((one) => ({ ...one }));
    return inTurn(async () => {
      const { changed, skipped } = await send(before.map((one) => one.id), state, label);
      const left = new Set(skipped.map((one) => one.id));
      last = before.filter((one) => !left.has(one.id));
      return { changed, skipped, before: last };
    });
  }

  /** Everything that waits without a doubt; the server says what that is, the page remembers what it may have been. */
  function acceptClean(label, mayBeLearned, onFound = () => {}) {
    return inTurn(async () => {
      const waiting = await all({ state: "waiting", label }, onFound);
      const body = { all: "clean", state: "accepted", ...(label ? { label } : {}) };
      const { changed, skipped } = await ask("/v1/contributions/decide", { method: "POST", body, idempotent: true });
      last = waiting.filter((one) => mayBeLearned(one.label) && !isDoubtful(one));
      return { changed, skipped, before: last };
    });
  }

  /** As it was before the last decision: the contributions as they are again. */
  function undo() {
    return inTurn(async () => {
      const back = last ?? [];
      last = null;
      const groups = new Map();
      for (const one of back) {
        const key = JSON.stringify([one.state, one.label]);
        groups.set(key, [...(groups.get(key) ?? []), one.id]);
      }
      for (const [key, ids] of groups) {
        const [state, label] = JSON.parse(key);
        await send(ids, state, label);
      }
      return back;
    });
  }

  return { decide, acceptClean, undo, canUndo: () => last !== null && last.length > 0, settled: () => line };
}

/** All contributions of a question, page by page. */
export async function all(query, onFound = () => {}) {
  const found = [];
  let after = null;
  do {
    const answer = await ask("/v1/contributions", { query: { ...query, limit: PAGE, after } });
    found.push(...answer.contributions);
    after = answer.next;
    onFound(found.length);
  } while (after !== null);
  return found;
}

async function send(ids, state, label) {
  const told = { changed: 0, skipped: [] };
  for (let at = 0; at < ids.length; at += MOST_IDS) {
    const body = { ids: ids.slice(at, at + MOST_IDS), state, ...(label ? { label } : {}) };
    const answer = await ask("/v1/contributions/decide", { method: "POST", body, idempotent: true });
    told.changed += answer.changed;
    told.skipped.push(...answer.skipped);
  }
  return told;
}
