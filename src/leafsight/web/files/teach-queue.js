// What is being sent: a few at a time, each with a key of its own; what failed is kept and can be sent again.
// Enters: items {name, type, label, body: Blob, or a function that makes one}. Leaves: requests, and how far each is.

const AT_ONCE = 3;
const SHOWN = 12;

/** {add(items), element}; `sent` is called after each upload. */
export function makeQueue(context, sent) {
  const { api, elements: { bar, card, h, replace }, words } = context;
  const items = [];
  const summary = h("p", { role: "status" });
  const share = h("div", {});
  const rows = h("ul", { class: "teach-queue" });
  const again = h("button", { type: "button", onclick: retryAll }, "Send what failed again");
  const element = card("Being sent", summary, share, rows, again);
  element.hidden = true;

  function add(more) {
    items.push(...more.map((one) => ({ ...one, key: api.newKey(), state: "waiting", sent: 0, problem: null })));
    pump();
  }

  function pump() {
    let free = AT_ONCE - items.filter((one) => one.state === "sending").length;
    for (const item of items) {
      if (free <= 0) break;
      if (item.state !== "waiting") continue;
      free -= 1;
      send(item);
    }
    draw();
  }

  async function send(item) {
    item.state = "sending";
    item.problem = null;
    try {
      const body = typeof item.body === "function" ? await item.body() : item.body;
      item.size = body.size;
      await api.upload("/v1/uploads", body, {
        type: item.type,
        query: item.label ? { label: item.label } : {},
        headers: { "idempotency-key": item.key },
        onProgress: (done) => progress(item, done),
      });
      item.state = "sent";
      item.body = null;
      sent();
    } catch (problem) {
      item.state = "failed";
      item.problem = problem;
    }
    pump();
  }

  function progress(item, done) {
    item.sent = done;
    if (item.meter) replace(item.meter, bar(done / (item.size || 1), words.percent(done / (item.size || 1))));
  }

  function retry(item) {
    item.state = "waiting";
    pump();
  }

  function retryAll() {
    for (const item of items) if (item.state === "failed") item.state = "waiting";
    pump();
  }

  function forget(item) {
    items.splice(items.indexOf(item), 1);
    pump();
  }

  function draw() {
    element.hidden = items.length === 0;
    const count = (state) => items.filter((one) => one.state === state).length;
    const failed = count("failed");
    const done = count("sent");
    replace(summary, `${words.number(done)} of ${words.count(items.length, "upload")} sent`
      + (failed ? `, ${words.number(failed)} failed. Nothing of them is lost: they are still here.` : "."));
    replace(share, items.length > 1 ? bar(done / items.length, words.percent(done / items.length)) : null);
    const open = items.filter((one) => one.state !== "sent");
    const first = [...open.filter((one) => one.state !== "waiting"), ...open.filter((one) => one.state === "waiting")];
    replace(rows, first.slice(0, SHOWN).map(row),
      first.length > SHOWN ? h("li", { class: "quiet" }, `and ${words.number(first.length - SHOWN)} more`) : null);
    again.hidden = failed < 2;
  }

  function row(item) {
    item.meter = h("div", { class: "teach-meter" });
    if (item.state === "sending") replace(item.meter, bar(item.sent / (item.size || 1), "Being sent"));
    const size = item.size ? ` (${words.bytes(item.size)})` : "";
    return h("li", { class: `teach-item teach-${item.state}` },
      h("div", { class: "teach-name" }, h("span", {}, item.name), h("span", { class: "quiet small" },
        `${item.label ? ` as ${item.label}` : ""}${size}`)),
      item.state === "failed" ? trouble(item) : item.state === "sending" ? item.meter
        : h("span", { class: "quiet small" }, "waits"));
  }

  function trouble(item) {
    const { detail, hint, message } = item.problem;
    return h("div", { class: "teach-trouble", role: "alert" },
      h("p", { class: "bad" }, detail || message),
      hint ? h("p", { class: "small" }, hint) : null,
      h("div", { class: "row" }, h("button", { type: "button", onclick: () => retry(item) }, "Send again"),
        h("button", { type: "button", class: "plain", onclick: () => forget(item) }, "Leave out")));
  }

  return { add, element };
}
