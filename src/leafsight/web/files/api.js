// The page's way to the HTTP API of this server, and to no other. Enters: a path and what to send. Leaves: the
// answer, or a `Problem` in the server's own words. It knows keys, refusals and lost connections; no element.
// A request that the caller aborts ends as `AbortError`, which is no problem of anybody.

import { heldKey } from "./keys.js";
import { Problem, problemOf, unreachable } from "./problems.js";
import { sendSlowly } from "./slow-sending.js";

export { Problem };

const MOST_REPEATS = 3;
const LONGEST_WAIT_S = 15; // who is told to wait longer is told so at once
const GESTURE_MS = 2000; // a request this soon after a press was wanted by the person
const POLL_MS = 2000;
const FINAL = new Set(["done", "failed", "cancelled"]);

/** Events: `reach` with detail true or false, when the server answers, or does not. */
export const events = new EventTarget();

const state = { reached: true, asking: null, dismissedAt: null, pressedAt: 0, askForKey: null };
for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => (state.pressedAt = performance.now()), { capture: true, passive: true });
}

/** Who asks the person for a key: a function of the problem that resolves to true when there is one now. */
export function setKeyAsker(ask) {
  state.askForKey = ask;
}

/** JSON of `path`; see `response` for the options. */
export async function ask(path, options = {}) {
  const answer = await response(path, options);
  if (answer.status === 204) return null;
  try {
    return await answer.json();
  } catch (error) {
    throw broken(error);
  }
}

/** The body of `path` as it is. */
export async function blob(path, options = {}) {
  const answer = await response(path, options);
  try {
    return await answer.blob();
  } catch (error) {
    throw broken(error);
  }
}

/** The body of `path` as text. */
export async function text(path, options = {}) {
  const answer = await response(path, options);
  try {
    return await answer.text();
  } catch (error) {
    throw broken(error);
  }
}

/**
 * The whole answer of `path`. Options: method; query (an object); body (a plain object becomes JSON); headers;
 * signal; idempotent (a write that may be sent again: it gets an Idempotency-Key).
 */
export async function response(path, { method = "GET", query, body, headers = {}, signal, idempotent } = {}) {
  const sent = { ...headers };
  let content = body;
  if (isPlain(body)) {
    content = JSON.stringify(body);
    sent["content-type"] ??= "application/json";
  }
  const repeatable = method === "GET" || method === "HEAD" || idempotent;
  if (idempotent && method !== "GET") sent["idempotency-key"] ??= newKey();
  const send = () =>
    reach(fetch(address(path, query), {
      method,
      body: content,
      headers: { ...sent, ...authorization() },
      signal,
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
    }));
  return patiently(send, problemOf, repeatable, signal);
}

/**
 * Send a body with word of how far it is: onProgress(sent, total) in bytes. Options: type (of the body), query,
 * onProgress, signal, method, headers. It may be sent again: the server keeps it once.
 */
export async function upload(path, body, { type, query, onProgress, signal, method = "POST", headers = {} } = {}) {
  const sent = { "idempotency-key": newKey(), ...headers };
  if (type) sent["content-type"] = type;
  const send = () => reach(sendSlowly(method, address(path, query), body, { ...sent, ...authorization() }, onProgress, signal));
  const answer = await patiently(send, problemOf, true, signal);
  return answer.status === 204 ? null : answer.json();
}

/**
 * Follow a job, such as "/v1/jobs/ID", until it has ended: onJob(job) for each change. Resolves to the ended job.
 * By server-sent events; by asking now and then where these do not get through.
 */
export async function follow(jobPath, onJob, signal) {
  let job = null;
  const hear = (next) => {
    if (JSON.stringify(next) !== JSON.stringify(job)) onJob(next);
    job = next;
  };
  while (!job || !FINAL.has(job.state)) {
    try {
      await listen(`${jobPath}/events`, hear, signal);
    } catch (error) {
      if (error.name === "AbortError" || [401, 403, 404].includes(error.status)) throw error;
    }
    if (job && FINAL.has(job.state)) break;
    await pause(POLL_MS, signal);
    try {
      hear(await ask(jobPath, { signal }));
    } catch (error) {
      if (error.status !== 0 && error.status !== 503 && error.status !== 429) throw error;
    }
  }
  return job;
}

/** A new idempotency key; `crypto.randomUUID` exists on secure origins only. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function patiently(send, toProblem, repeatable, signal) {
  const pressedAt = performance.now() - state.pressedAt < GESTURE_MS ? state.pressedAt : null; // now: the answer may take long
  let askedForKey = false;
  for (let repeats = 0; ; ) {
    const answer = await send();
    if (answer.ok) return answer;
    const problem = await toProblem(answer);
    if (problem.status === 401 && !askedForKey) {
      askedForKey = true;
      if (await keyGiven(problem, pressedAt)) continue;
    }
    const waitS = problem.retryAfterS ?? 1;
    const refused = problem.status === 429 || problem.status === 503;
    if (!refused || !repeatable || repeats >= MOST_REPEATS || waitS > LONGEST_WAIT_S) throw problem;
    repeats += 1;
    await pause(waitS * 1000, signal);
  }
}

/** One window for all requests that wait for it. Once the person closed it, no timer of the page opens it again. */
async function keyGiven(problem, pressedAt) {
  if (!state.askForKey) return false;
  if (!state.asking) {
    if (state.dismissedAt !== null && !(pressedAt > state.dismissedAt)) return false;
    state.asking = state.askForKey(problem).finally(() => {
      state.asking = null;
    });
  }
  const given = await state.asking;
  state.dismissedAt = given ? null : performance.now();
  return given;
}

/** The answer of a request that is under way; word goes out when the server is lost or found again. */
async function reach(sending) {
  try {
    const answer = await sending;
    tell(true);
    return answer;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    tell(false);
    throw unreachable();
  }
}

function broken(error) {
  if (error.name === "AbortError") return error;
  tell(false);
  return unreachable();
}

function tell(reached) {
  if (reached === state.reached) return;
  state.reached = reached;
  events.dispatchEvent(new CustomEvent("reach", { detail: reached }));
}

async function listen(path, hear, signal) {
  const answer = await response(path, { headers: { accept: "text/event-stream" }, signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
      if (data.length) hear(JSON.parse(data.join("\n")));
    }
  }
}

/** Relative to this server; another origin is a mistake in the page, and is not asked. */
function address(path, query = {}) {
  const url = new URL(path, location.origin);
  if (url.origin !== location.origin) throw new TypeError(`not of this server: ${url.origin}`);
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") url.searchParams.append(name, one);
    }
  }
  return url.href;
}

function authorization() {
  const key = heldKey();
  return key ? { authorization: `Bearer ${key}` } : {};
}

function isPlain(body) {
  return body !== null && typeof body === "object" && (Array.isArray(body) || Object.getPrototypeOf(body) === Object.prototype);
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(end, ms);
    function end() {
      signal?.removeEventListener("abort", stop);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      reject(new DOMException("aborted", "AbortError"));
    }
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
