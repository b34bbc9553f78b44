// What this server takes and keeps. Enters: /v1/about. Leaves: bounds that are said before anything is sent, and kept.
// Until the server has said its own, those of a server without settings hold.

import { ask } from "./api.js";

export const MOST_AT_ONCE = 1000;
/** Photographs that wait on this page; more of them are a task for the command line or the tab Teach. */
export const limits = { max_photos: 32, max_image_bytes: 64 * 1024 ** 2, max_request_bytes: 128 * 1024 ** 2, keep_photos: "ask", keep_days: null };

/** Ask the server; resolves to whether it said something else than before. */
export async function askLimits() {
  const before = JSON.stringify(limits);
  const said = await ask("/v1/about");
  for (const name of Object.keys(limits)) limits[name] = said[name] ?? limits[name];
  return JSON.stringify(limits) !== before;
}
