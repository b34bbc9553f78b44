// The tab Diagnose: photographs in, diagnoses out. Enters: the tab's panel and the page's context. Leaves: a working
// tab. It puts the parts together; each part is a module of its own, named diagnose-*.

import { events } from "./api.js";
import { h } from "./elements.js";
import { makeChoices } from "./diagnose-choices.js";
import { makeIntake } from "./diagnose-intake.js";
import { askLimits } from "./diagnose-limits.js";
import { headline, sureness } from "./diagnose-phrases.js";
import { makeQueue, unitOf, unitsOf } from "./diagnose-queue.js";
import { makeResults } from "./diagnose-results.js";
import { sendUnit, weigh } from "./diagnose-sending.js";
import { makeSummary } from "./diagnose-summary.js";
import { makeTray } from "./diagnose-tray.js";

export const title = "Diagnose";
let view = null;

export function mount(root, context) {
  view = makeView(root, context);
}

export function shown() {
  view?.shown();
}

export function hidden() {
  view?.hidden();
}

/** Whether the person asked for as little movement as possible. */
function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function makeView(root, { conditions }) {
  let plants = 0;
  let frame = 0;
  const choices = makeChoices(conditions, () => tray.refresh());
  const tray = makeTray({ wish: choices.value, send });
  const intake = makeIntake((found) => {
    tray.add(found);
    results.refreshPlants();
  });
  const queue = makeQueue({ send: sendUnit, changed, moved: soon });
  const tools = { conditions, again, grow, askPlant, changed: (photo) => results.update([photo]), readyCount: () => tray.size };
  const results = makeResults(tools);
  const summary = makeSummary({ queue, photos: results.photos, again, filter: results.filter, clear });
  const heard = h("p", { class: "unseen", role: "status" });
  root.append(
    h("section", { class: "card start", "aria-label": "New photographs" }, intake.element, choices.element, tray.said, tray.element),
    summary.element, results.element, heard);
  events.addEventListener("reach", ({ detail }) => detail && queue.state.halted?.status === 0 && queue.goOn());

  function send(photos) {
    const wish = choices.value();
    if (wish.combine && photos.length > 1) newPlant(photos, wish);
    else {
      results.addLoose(photos);
      queue.add(unitsOf(photos, wish, (photo) => weigh(photo, wish.store)));
    }
    summary.update();
    reveal();
  }

  function reveal() {
    summary.element.scrollIntoView({ block: "start", behavior: calm() ? "instant" : "smooth" });
  }

  function newPlant(photos, wish) {
    plants += 1;
    const plant = { number: plants, photos, combined: null, problem: null };
    for (const photo of photos) photo.plant = plant;
    results.addPlant(plant);
    queue.add([unitOf(photos, wish, plant)]);
  }

  function grow(plant) {
    const more = tray.take();
    for (const photo of more) photo.plant = plant;
    plant.photos.push(...more);
    results.growPlant(plant, more);
    askPlant(plant);
  }

  /** All photographs of a plant are sent again: a common answer needs more of each than the page is told. */
  function askPlant(plant) {
    Object.assign(plant, { combined: null, problem: null });
    queue.add([unitOf(plant.photos, { ...choices.value(), combine: true }, plant)]);
  }

  function again(photos) {
    const wish = choices.value();
    const loose = photos.filter((photo) => !photo.plant);
    for (const plant of new Set(photos.map((photo) => photo.plant).filter(Boolean))) askPlant(plant);
    queue.add(unitsOf(loose, { ...wish, combine: false }, (photo) => weigh(photo, wish.store)));
  }

  function changed(photos) {
    results.update(photos);
    const [first] = photos;
    if (photos.length === 1 && first.state === "answered" && queue.state.total === 1) {
      results.openRow(first);
      requestAnimationFrame(reveal); // before, the page was too short to scroll that far
      heard.textContent = [first.label, headline(first.answer), sureness(first.answer)].filter(Boolean).join(": ");
    }
    soon();
  }

  /** The sums are done at most once a frame, however many photographs change. */
  function soon() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => summary.update());
  }

  function clear() {
    results.clear();
    soon();
  }

  return {
    shown() {
      intake.shown();
      choices.refresh();
      askLimits().then((changed) => changed && [choices, intake, tray].forEach((part) => part.refresh()), () => {});
    },
    hidden: intake.hidden,
  };
}
