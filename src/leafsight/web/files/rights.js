// What the key in use may do, asked once for each key, so that a tab can show what may be seen and say what is
// needed for the rest. Enters: the key that the page holds. Leaves: one word. It decides nothing: the server does.

import { ask } from "./api.js";
import { h } from "./elements.js";
import { heldKey } from "./keys.js";

const TRIAL = "/v1/jobs?limit=1"; // the cheapest answer that wants the scope admin
const held = { key: undefined, asking: null };

/** "all" (the scope admin, or a server without keys), "some", "none" (no key was given) or "elsewhere" (the admin port). */
export function rights() {
  if (!held.asking || held.key !== heldKey()) {
    held.key = heldKey();
    held.asking = look();
  }
  return held.asking;
}

/** A line that says what is needed to do `what`; nothing where it may be done. */
export function needed(may, what) {
  if (may === "all") return null;
  return h("p", { class: "quiet needed" }, may === "elsewhere"
    ? `${what} is done on the admin side of this server: open this page at its address, which the operator knows.`
    : `${what} wants a key with the scope admin. The button Key, at the top, takes one.`);
}

async function look() {
  try {
    await ask(TRIAL);
    return "all";
  } catch (problem) {
    const said = { 401: "none", 403: "some", 404: "elsewhere" }[problem.status];
    held.asking = null; // another time it may be otherwise
    if (!said) throw problem;
    if (problem.status !== 401) held.asking = Promise.resolve(said);
    return said;
  } finally {
    held.key = heldKey(); // a key may have been given meanwhile
  }
}
