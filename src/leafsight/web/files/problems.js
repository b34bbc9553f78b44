// What went wrong, as the server says it (RFC 9457). Enters: an answer that is not ok. Leaves: a `Problem`.

/** A failure; `title`, `detail` and `hint` are for people, `slug` and `status` for programs. */
export class Problem extends Error {
  constructor({ status = 0, slug = "", title = "", detail = "", hint = "", requestId = "", retryAfterS = null, faults = [] }) {
    super(detail || title);
    this.name = "Problem";
    Object.assign(this, { status, slug, title, detail, hint, requestId, retryAfterS, faults });
  }
}

/** The problem of an answer; one that is no problem document is named by its status. */
export async function problemOf(answer) {
  let said = {};
  try {
    said = await answer.json();
  } catch {
    // Something between here and the server answered.
  }
  const retry = Number.parseFloat(answer.headers.get("retry-after") ?? "");
  const faults = Array.isArray(said.errors) ? said.errors : [];
  const parts = faults.map((fault) => `${fault.where}: ${fault.message}`).join("; ");
  return new Problem({
    status: answer.status,
    slug: String(said.type ?? "").split("/").pop(),
    title: said.title ?? `Status ${answer.status}`,
    detail: [said.detail, parts].filter(Boolean).join(": "),
    hint: said.hint ?? "",
    requestId: said.request_id ?? answer.headers.get("x-request-id") ?? "",
    retryAfterS: Number.isFinite(retry) ? retry : null,
    faults,
  });
}

/** The server, or the way to it, is not there. */
export function unreachable() {
  return new Problem({
    slug: "unreachable",
    title: "Not reached",
    detail: "the server cannot be reached",
    hint: "look whether it runs and whether this device is connected; nothing on this page is lost",
  });
}
