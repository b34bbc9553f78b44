// As `fetch`, by XMLHttpRequest: only that says how far a body is. Enters: a body and its headers. Leaves: the answer,
// whatever its status, and word of every step. It knows no key and repeats nothing.

/** Resolves to a `Response`, as `fetch` does; an aborted one rejects with `AbortError`, a lost one with `TypeError`. */
export function sendSlowly(method, url, body, headers, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress?.(event.loaded, event.total);
    request.onload = () => resolve(new Response(request.status === 204 ? null : request.responseText, {
      status: request.status,
      headers: headersOf(request.getAllResponseHeaders()),
    }));
    request.onerror = () => reject(new TypeError("not reached"));
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    request.onloadend = () => signal?.removeEventListener("abort", stop);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) reject(new DOMException("aborted", "AbortError"));
    else request.send(body);
  });
}

function headersOf(lines) {
  const pairs = lines.trim().split(/\r?\n/).filter(Boolean).map((line) => {
    const at = line.indexOf(":");
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return new Headers(pairs);
}
