// All answers so far: what was sent last comes first, photographs of one plant under their common answer. Enters:
// photographs and plants. Leaves: elements, kept up to date. They stay until the person clears them.

import { failure, h, newId, replace } from "./elements.js";
import { answerParts } from "./diagnose-answer.js";
import { basis, plantName } from "./diagnose-phrases.js";
import { makeRow } from "./diagnose-row.js";
import { count } from "./words.js";

/** {element, addLoose, addPlant, update(photos), updatePlant, filter, clear, photos()}. */
export function makeResults(tools) {
  const rows = new Map();
  const plants = new Map();
  const element = h("div", { class: "results stack" });

  function addRows(photos) {
    const list = h("ol", { class: "photos" });
    for (const photo of photos) {
      const row = makeRow(photo, tools);
      rows.set(photo, row);
      list.append(row.element);
    }
    return list;
  }

  function addLoose(photos) {
    element.prepend(h("section", { class: "card results-part", "aria-label": count(photos.length, "photograph") },
      h("h2", { class: "unseen" }, count(photos.length, "photograph")), addRows(photos)));
  }

  function addPlant(plant) {
    const id = newId("plant");
    const title = h("h2", { id });
    const said = h("div", { class: "stack plant-said" });
    const actions = h("div", { class: "row" });
    const list = addRows(plant.photos);
    plants.set(plant, { title, said, actions, list });
    element.prepend(h("section", { class: "card plant", "aria-labelledby": id }, title, said, actions, list));
    updatePlant(plant);
  }

  /** The photographs that came to a plant later. */
  function growPlant(plant, photos) {
    const more = addRows(photos);
    plants.get(plant).list.append(...more.children);
    updatePlant(plant);
  }

  function updatePlant(plant) {
    const { title, said } = plants.get(plant);
    replace(title, plantName(plant.number, plant.photos.length));
    const busy = updateActions(plant);
    const { combined } = plant;
    if (plant.problem) replace(said, failure(plant.problem));
    else if (!combined) replace(said, h("p", { class: "quiet" }, busy ? "On the way" : "Not sent"));
    else replace(said, h("p", { class: "small quiet" }, basis(combined)), answerParts(combined, tools.conditions, 3));
  }

  /** What can be done with a plant, while nothing is under way; whether something is. */
  function updateActions(plant) {
    const busy = plant.photos.some((photo) => photo.state === "waiting" || photo.state === "sending");
    replace(plants.get(plant).actions, busy ? null : actionsOf(plant, tools));
    return busy;
  }

  function update(photos) {
    for (const photo of photos) {
      rows.get(photo)?.update();
      if (photo.plant && photo === photo.plant.photos.at(-1) && photo.state !== "sending") updatePlant(photo.plant);
    }
  }

  return {
    element, addLoose, addPlant, growPlant, update,
    refreshPlants: () => [...plants.keys()].forEach(updateActions),
    openRow: (photo) => rows.get(photo)?.open(),
    filter(shows) {
      for (const [photo, row] of rows) row.element.hidden = !shows(photo);
    },
    clear() {
      for (const row of rows.values()) row.close();
      rows.clear();
      plants.clear();
      replace(element);
    },
    photos: () => [...rows.keys()],
  };
}

function actionsOf(plant, tools) {
  const ready = tools.readyCount();
  return [
    ready > 0 ? h("button", { type: "button", onclick: () => tools.grow(plant) }, `Add the ${count(ready, "ready photograph")} to this plant`) : null,
    h("button", { type: "button", class: "plain small", onclick: () => tools.askPlant(plant) }, plant.combined ? "Ask again with the choices above" : "Try again"),
  ];
}
