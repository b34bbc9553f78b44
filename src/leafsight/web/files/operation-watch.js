// How the model that was promoted last does beside the one before. Enters: /v1/watch. Leaves: a card: the sentence
// first, how long still, and each measure beside its limit.

import { bar, card, h, notice, replace, table } from "./elements.js";
import { folded } from "./operation-charts.js";
import { count, number, percent, plain, when } from "./words.js";

const KINDS = { rolled_back: "warn" };
const TITLES = { watching: "Being watched", passed: "Watch passed", rolled_back: "Rolled back by itself", none: "Nothing is watched" };

/** {element, show(watch, models)}; models: id -> name. */
export function watchCard() {
  const sentence = h("div", {});
  const time = h("div", { class: "watch-time" });
  const who = h("p", { class: "quiet small" });
  const numbers = folded("Measure by measure");
  const element = card("After the last promotion", sentence, time, who, numbers.element);
  let last = "";

  function show(watch, models) {
    const said = JSON.stringify([watch.state, watch.said]);
    if (said !== last) replace(sentence, notice(KINDS[watch.state] ?? "info", TITLES[watch.state] ?? plain(watch.state), watch.said));
    last = said;
    replace(time, watch.state === "watching" ? left(watch) : null);
    replace(who, watch.model ? between(watch, models) : "");
    const measures = watch.measures ?? [];
    numbers.element.hidden = !measures.length;
    numbers.show(() => table([{ title: "Measure", header: true }, { title: "Before", number: true }, { title: "Now", number: true },
      { title: "May rise by", number: true }, { title: "Photographs", number: true }, "In words"],
    measures.map((one) => row(one, watch.limits ?? [])), { caption: `Since ${when(watch.began_ms)}`, stack: true }));
  }

  return { element, show };
}

function left({ began_ms: began, until_ms: until }) {
  const whole = Math.max(1, until - began);
  const rest = Math.max(0, until - Date.now());
  const words = rest ? `${count(Math.ceil(rest / 60_000), "minute")} left of ${number(Math.round(whole / 60_000))}` : "Its time is over; it waits for enough photographs";
  return h("div", { class: "watch-left" }, h("span", { class: "small" }, words), bar(1 - rest / whole, words));
}

function between({ model, former, began_ms: began, ended_ms: ended, photographs }, models) {
  const name = (id) => [models.get(id) ?? "a model", " ", h("code", {}, id.slice(0, 8))];
  return [name(model), former ? [" instead of ", name(former)] : null, `, since ${when(began)}`, ended ? ` until ${when(ended)}` : "",
    photographs ? `; ${count(photographs, "photograph")} so far` : ""].flat(3).filter(Boolean);
}

function row(one, limits) {
  const { words = plain(one.name) } = limits.find(({ name }) => name === one.name) ?? {};
  const verdict = one.crossed ? h("strong", { class: "bad" }, "over the limit") : one.judged ? h("span", { class: "good" }, "within") : "too few to tell";
  return [words[0].toUpperCase() + words.slice(1), share(one.before), share(one.now), one.limit === null ? "" : `${number(one.limit * 100)} points`, number(one.photographs), verdict];
}

function share(value) {
  return value === null || value === undefined ? "none" : percent(value, 1);
}
