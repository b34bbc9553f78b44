// A large file is sent in parts, so that a broken connection costs one part and not the whole. Enters: a body, and
// /v1/uploads as tus 1.0 has it. Leaves: an upload, and word of how far it is. It knows no element.

import { Problem, ask, events, newKey, response, upload } from "./api.js";
import { forget, markOf, recall, remember } from "./teach-unfinished.js";

/** A file above this goes in parts; a smaller one is sent again as quickly as two parts are. */
export const LARGE_BYTES = 8e6;
/** Of one part, which is what a break costs: 7 s at 5 Mbit/s. 512 MiB are 135 of the 2,000 parts that a server takes. */
const PART_BYTES = 4e6;
const LEAST_PART_BYTES = 5e5; // a part that broke is halved: small ones come through where large ones do not
const [PARTS, MOST_PARTS] = [1000, 1500]; // of what is so large that parts of these sizes would be too many
const MOST_TROUBLES = 8; // one after the other, of a server that answers otherwise
const LONGEST_WAIT_MS = 30_000;
const PASSING = new Set([0, 408, 409, 429, 502, 503, 504]);
const OF_THE_KEY = new Set([401, 403]); // what is there stays
const PART = "application/offset+octet-stream";
const underWay = new Set(); // marks of files that this page is sending

/** Bytes that the server has of an upload in parts. */
export async function bytesThere(id, signal) {
  const answer = await response(pathOf(id), { method: "HEAD", signal });
  return Number(answer.headers.get("upload-offset"));
}

/** Forget an upload in parts, here and on the server; what the server does not hear it forgets after a day. */
export function giveUp(id) {
  forget(id);
  return response(pathOf(id), { method: "DELETE" }).catch(() => null);
}

/**
 * Send `body`; what breaks is tried again from where the server says. file: {name, type, label}. Resolves to the upload.
 * Told are begun(id); far(bytes there); goesOn(bytes there), after a break or an earlier visit; broke(problem).
 */
export async function sendInParts(body, file, told, signal) {
  const mark = await readable(markOf(body, file));
  if (underWay.has(mark)) return sending(body, { file, mark: null, known: null }, told, signal); // chosen twice is sent twice
  underWay.add(mark);
  try {
    return await sending(body, { file, mark, known: recall(mark) }, told, signal);
  } finally {
    underWay.delete(mark);
  }
}

async function sending(body, { file, mark, known }, told, signal) {
  const part = Math.max(PART_BYTES, Math.ceil(body.size / PARTS));
  const state = { file, mark, key: newKey(), id: known?.id ?? null, part: Math.min(part, known?.most ?? part),
    least: Math.max(LEAST_PART_BYTES, Math.ceil(body.size / MOST_PARTS)), isOld: Boolean(known), there: -1, troubles: 0, tries: 0, isAnswered: false };
  for (;;) {
    try {
      state.isAnswered = false;
      const offset = state.id ? await bytesThere(state.id, signal) : await begin(body, state, signal);
      Object.assign(state, { isAnswered: true, isOld: false });
      told.begun(state.id);
      reached(offset, state, told);
      if (offset || state.tries) told.goesOn(offset);
      const kept = await sendRest(body, offset, state, told, signal);
      forget(state.id);
      return kept;
    } catch (problem) {
      if (problem.status === 404 && state.isOld) { // the server does not know any more what an earlier visit began
        forget(state.id);
        Object.assign(state, { id: null, isOld: false });
        continue;
      }
      await afterTrouble(problem, body, state);
      told.broke(problem);
      await pause(Math.min(LONGEST_WAIT_MS, 500 * 2 ** state.tries), !state.isAnswered, signal);
    }
  }
}

async function begin(body, state, signal) {
  const { name, type, label } = state.file;
  const said = await ask("/v1/uploads", { method: "POST", query: label ? { label } : {}, idempotent: true, signal,
    headers: { "upload-length": String(body.size), "content-type": type, "idempotency-key": state.key } });
  state.id = said.id;
  state.part = Math.min(state.part, said.most_part_bytes);
  if (state.mark) remember({ id: said.id, mark: state.mark, name, size: body.size, most: said.most_part_bytes });
  return 0;
}

/** All from `offset` on; an empty part at the end asks a server that has everything to make an upload of it. */
async function sendRest(body, offset, state, told, signal) {
  for (;;) {
    const start = offset;
    const end = Math.min(start + state.part, body.size);
    const kept = await upload(pathOf(state.id), body.slice(start, end), { type: PART, method: "PATCH", signal,
      headers: { "upload-offset": String(start) }, onProgress: (sent) => told.far(Math.min(start + sent, end)) });
    state.tries = 0;
    reached(end, state, told);
    if (kept) return kept;
    if (start === body.size) throw new Problem({ status: 500, detail: "the server has all parts and made no upload of them" });
    offset = end;
  }
}

function reached(offset, state, told) {
  if (offset > state.there) state.troubles = 0;
  state.there = offset;
  told.far(offset);
}

/** Throws what waiting does not mend, and what it did not mend. */
async function afterTrouble(problem, body, state) {
  if (!PASSING.has(problem.status) || (problem.status === 429 && !state.id)) {
    if (state.id && problem.status >= 400 && problem.status < 500 && !OF_THE_KEY.has(problem.status)) forget(state.id);
    throw problem;
  }
  await readable(body.slice(0, 1).arrayBuffer());
  state.tries += 1;
  if (state.isAnswered || problem.status) state.troubles += 1; // a server that is away is waited for, however long
  if (state.troubles >= MOST_TROUBLES) throw problem.status ? problem : broken();
  if (state.isAnswered) state.part = Math.max(Math.min(state.part, state.least), Math.round(state.part / 2));
}

const pathOf = (id) => `/v1/uploads/${id}/parts`;

function broken() {
  return new Problem({ detail: `the connection broke ${MOST_TROUBLES} times at the same place`,
    hint: "what the server has stays there: send it again when the connection is better" });
}

/** A file that was changed, moved or is on a drive that was taken out cannot be read any more. */
async function readable(reading) {
  try {
    return await reading;
  } catch {
    throw new Problem({ status: 400, detail: "the file cannot be read any more: it was changed or moved since it was chosen",
      hint: "leave it out and choose it again" });
  }
}

/** Until `ms` are over, or a server that is away answers again. */
function pause(ms, isAway, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(end, ms);
    const heard = ({ detail: isReached }) => isReached && end();
    function end() {
      clearTimeout(timer);
      events.removeEventListener("reach", heard);
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(new DOMException("aborted", "AbortError"));
      else resolve();
    }
    if (isAway) events.addEventListener("reach", heard);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
