"""Several photographs of one plant: which rule gives one probability that means what it says.

    leafsight split data/plantvillage data/field-bean data/field-blackgram data/field-chilli data/citrus-leaf
        --out builtin.parquet --ratios train=0.7,valid=0.05,calibration=0.1,test=0.15 --seed 0
        --group-by column,leaf_map,duplicates,near_duplicates,capture_runs
    python benchmarks/combining.py --index builtin.parquet --data data [--scores scores] [--json]

Nothing that the built-in model was trained on takes part. Chosen on: the calibration split, and two changed
copies of each of its photographs, as `leafsight export` makes them. Looked at beside: half of field-apple.
Reported on: the test split and the other half. Citrus is left out, as a third of its test photographs are
second shots of trained ones, and so are two photographs of field-apple that stand in PlantVillage.

Plants are made in three ways, and each has at least six photographs, the same for every k:
- leaf: the shots of one leaf (PlantVillage's leaf map); drawn eight times;
- run: shots that follow each other on the camera, of one class (the groups of the split); drawn eight times;
- class: six photographs of one class and collection from different groups, dealt once into 1, 2, 3 and 6.
Intervals are percentiles of 1,000 bootstrap resamples of plants; that of ECE is centred.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from combining_methods import BINS, GATES, KS, Drawn, compare

from leafsight.bundle import builtin_bundle_path
from leafsight.evaluation import pool_log_probabilities, wilson
from leafsight.images import prepare_bytes, read_photo
from leafsight.inference import BundlePredictor, Combined, Prediction

Row = dict[str, Any]
Plants = dict[tuple[str, str], list[list[int]]]
BLOCK = 6
DRAWS = 8
IN_PLANTVILLAGE = ("Apple___Apple_scab/image copy 54.jpg", "Apple___Apple_scab/image copy 55__7a607e.jpg")
FITTING = [("calibration", "leaf"), ("calibration", "run"), ("stressed", "leaf"), ("stressed", "run")]
ASIDE = [("calibration", "class"), ("stressed", "class"), ("abroad, first half", "class")]
REPORTED = [("test", "leaf"), ("test", "run"), ("test", "class"), ("abroad, second half", "class")]
STRANGERS = [("rice", "class"), ("unknown apple", "class")]


class Judged:
    """The photographs, each judged once without and once with its crop given."""

    def __init__(self, rows: list[Row], logs: np.ndarray) -> None:
        self.rows, self.logs = rows, logs
        self.label = np.array([row["label"] for row in rows])
        self.strange = np.array([row["open"]["unfamiliarity"] for row in rows])

    def prediction(self, at: int, crop: bool) -> Prediction:
        plain = self.rows[at]["crop" if crop else "open"]
        return replace(Prediction.from_dict(plain), log_probabilities=self.logs[at])


def main() -> None:
    options = _options()
    predictor = BundlePredictor(builtin_bundle_path())
    judged = scores(options, predictor)
    plants = {(split, kind): list(plants_of(judged, split, kind)) for split, kind in every_set()}
    found = {
        "methods": compare_methods(judged, predictor, plants),
        "gates": compare_gates(judged, predictor, plants),
        "chosen": [
            measured(judged, predictor, plants[which], which, crop, k)
            for which in [*FITTING[:2], *ASIDE[:1], *REPORTED]
            for crop in (False, True)
            for k in KS
        ],
    }
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)


def every_set() -> list[tuple[str, str]]:
    return [*FITTING, *ASIDE, *REPORTED, *STRANGERS]


def scores(options: argparse.Namespace, predictor: BundlePredictor) -> Judged:
    """Every photograph judged; kept in ``--scores`` between runs."""
    folder = options.scores
    if folder and (folder / "logs.npy").is_file():
        rows = json.loads((folder / "rows.json").read_text())
        return Judged(rows, np.load(folder / "logs.npy", allow_pickle=False))
    rows, logs = [], []
    for row, photo in photographs(options, predictor):
        (alone,) = predictor.predict([photo])
        crop = row["crop_name"]
        (within,) = predictor.predict([photo], crop=str(crop)) if crop else (alone,)
        rows.append({**row, "open": alone.to_dict(), "crop": within.to_dict()})
        logs.append(alone.log_probabilities)
    judged = Judged(rows, np.stack(logs))
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rows.json").write_text(json.dumps(rows))
        np.save(folder / "logs.npy", judged.logs)
    return judged


def photographs(
    options: argparse.Namespace, predictor: BundlePredictor
) -> Iterator[tuple[Row, bytes | np.ndarray]]:
    """Where each belongs, and its bytes (changed copies: its pixels)."""
    from leafsight.dataset import PhotoIndex, group_photos, index_photos, read_leaf_map

    classes = list(predictor.bundle.classes)
    crops = {label.class_name: label.crop for label in predictor.bundle.labels}
    leaves = read_leaf_map(options.data / "plantvillage" / "leaf_groups.csv")

    def rows_of(index: PhotoIndex, split: str) -> Iterator[tuple[Row, Path]]:
        names, groups, sources = (index.column(one) for one in ("class_name", "group", "source"))
        for at, (path, file) in enumerate(zip(index.column("path"), index.files(), strict=True)):
            if sources[at] == "citrus-leaf" or path in IN_PLANTVILLAGE or index.column("fault")[at]:
                continue
            label = classes.index(names[at]) if names[at] in classes else -1
            if label >= 0 and not predictor.bundle.labels[label].is_leaf:
                continue
            leaf = leaves.get((names[at], Path(path).name)) if sources[at] == "plantvillage" else None
            group = groups[at] or f"alone {path}"
            yield {"split": split, "label": label, "kind": f"{sources[at]}/{names[at]}", "group": group,
                   "leaf": leaf, "crop_name": crops.get(names[at])}, file  # fmt: skip

    index = PhotoIndex.load(options.index)
    calibration = list(rows_of(index.where(split="calibration"), "calibration"))
    for row, file in [*calibration, *rows_of(index.where(split="test"), "test")]:
        yield row, read_photo(file)
    apple, _ = group_photos(index_photos([options.data / "field-apple"]))
    for row, file in rows_of(apple, "abroad"):
        half = "first" if sha256(str(row["group"]).encode()).digest()[0] % 2 else "second"
        split = "unknown apple" if row["label"] == -1 else f"abroad, {half} half"
        yield {**row, "split": split}, read_photo(file)
    for row, file in rows_of(index_photos([options.data / "field-rice"]), "rice"):
        yield row, read_photo(file)
    yield from stressed(predictor, calibration)


def stressed(
    predictor: BundlePredictor, calibration: list[tuple[Row, Path]]
) -> Iterator[tuple[Row, np.ndarray]]:
    """Two changed copies of each calibration photograph, as hard as those that set the thresholds."""
    import torch

    from leafsight.export.stress import stressed_copies

    torch.set_num_threads(1)
    squares = np.stack([prepare_bytes(read_photo(file), predictor.preprocessing) for _, file in calibration])
    labels = np.array([row["label"] for row, _ in calibration], dtype=np.int64)
    side = predictor.preprocessing.side_px
    copies = stressed_copies(squares, labels, not_a_leaf=(), copies=2, side_px=side, rounds=2)
    for at, square in enumerate(copies):
        yield {**calibration[at % len(calibration)][0], "split": "stressed"}, square


def plants_of(judged: Judged, split: str, kind: str) -> Iterator[list[int]]:
    """Photographs of each plant: at least ``BLOCK``, exactly so many where plants are dealt."""
    sets: dict[object, list[int]] = defaultdict(list)
    for at, row in enumerate(judged.rows):
        if row["split"] != split or (kind == "leaf" and not row["leaf"]):
            continue
        sets[key_of(row, kind)] += [at]
    random = np.random.default_rng(0)
    for members in sets.values():
        if kind == "class":
            yield from dealt([(judged.rows[at]["group"], at) for at in members], random)
        elif len(members) >= BLOCK:
            yield members


def key_of(row: Row, kind: str) -> object:
    return row["kind"] if kind == "class" else (row["kind"], row["leaf" if kind == "leaf" else "group"])


def dealt(members: list[tuple[str, int]], random: np.random.Generator) -> Iterator[list[int]]:
    """One group after the other, dealt round, so that relatives get into different plants."""
    chance = {group: random.random() for group in sorted({group for group, _ in members})}
    order = [at for _, at in sorted(members, key=lambda one: (chance[one[0]], one[1]))]
    count = len(order) // BLOCK
    yield from (order[first::count][:BLOCK] for first in range(count))


def draws(plant: list[int], k: int, number: int) -> list[list[int]]:
    """The k photographs that are combined: all parts of six, or ``DRAWS`` drawings from more."""
    if len(plant) == BLOCK:
        return [plant[first : first + k] for first in range(0, BLOCK, k)]
    random = np.random.default_rng((number, k))
    return [random.choice(plant, k, replace=False).tolist() for _ in range(DRAWS)]


def stacked(judged: Judged, predictor: BundlePredictor, plants: list[list[int]], k: int, crop: bool) -> Drawn:
    """The drawn plants as arrays; with the crop given, only those whose crop has several conditions."""
    names = np.array([label.crop or "" for label in predictor.bundle.labels])
    parts = [(part, number) for number, plant in enumerate(plants) for part in draws(plant, k, number)]
    rows, plant = np.array([part for part, _ in parts]), np.array([number for _, number in parts])
    labels = judged.label[rows[:, 0]]
    logs = judged.logs[rows]
    if crop:
        several = np.array([(names == names[label]).sum() > 1 for label in labels])
        rows, labels, plant, logs = rows[several], labels[several], plant[several], logs[several]
        # -60 instead of -inf: a probability of 1e-26 changes nothing, and means and medians stay finite.
        logs = np.where((names[labels][:, None] == names)[:, None, :], logs, -60.0)
        logs = logs - np.logaddexp.reduce(logs, axis=2, keepdims=True)
    return Drawn(logs, labels, plant, rows)


def compare_methods(judged: Judged, predictor: BundlePredictor, plants: Plants) -> list[dict[str, Any]]:
    known = judged.label[[row["split"] == "calibration" for row in judged.rows]]
    counts = np.bincount(known, minlength=len(predictor.bundle.labels)) + 1
    cases = {
        (which, crop, k): stacked(judged, predictor, plants[which], k, crop)
        for which in [*FITTING, *ASIDE]
        for crop in (False, True)
        for k in KS[1:]
    }
    titles = {"home": FITTING[:2], "stressed": FITTING[2:], **{", ".join(one): [one] for one in ASIDE}}
    return compare(cases, FITTING, titles, np.log(counts / counts.sum()))


def compare_gates(judged: Judged, predictor: BundlePredictor, plants: Plants) -> list[dict[str, Any]]:
    """Share diagnosed of each kind of plants, by the rule that says whether a plant is familiar."""
    calibration = predictor.calibration
    result = []
    for name, gate in GATES.items():
        for which in [FITTING[1], FITTING[3], *STRANGERS]:
            shares = []
            for k in KS:
                drawn = stacked(judged, predictor, plants[which], k, crop=False)
                log = np.concatenate([pool_log_probabilities(one) for one in drawn.logs])
                top = log.argmax(axis=1)
                answered = np.exp(log.max(axis=1)) >= calibration.answer_threshold
                answered &= (gate(judged.strange[drawn.rows]) <= 1.0) & ~calibration.not_leaf[top]
                shares.append(
                    [
                        float(np.nanmean(drawn.means(answered))),
                        float(np.nanmean(drawn.means(answered & (top != drawn.labels)))),
                    ]
                )
            result.append({"gate": name, "plants": which, "answered_and_wrong": shares})
    return result


def measured(
    judged: Judged,
    predictor: BundlePredictor,
    plants: list[list[int]],
    which: tuple[str, str],
    crop: bool,
    k: int,
) -> dict[str, Any]:
    """What ``BundlePredictor.combine`` says, as shares with intervals."""
    of_plant, values = [], []
    for number, plant in enumerate(plants):
        label = predictor.bundle.labels[judged.label[plant[0]]]
        if crop and sum(one.crop == label.crop for one in predictor.bundle.labels) == 1:
            continue
        for part in draws(plant, k, number):
            said = predictor.combine([judged.prediction(at, crop) for at in part])
            of_plant.append(number)
            values.append(judged_by(said, label.class_name, k))
    plant_of = np.unique(of_plant, return_inverse=True)[1]
    table = np.array(values, dtype=float)
    sums = np.stack([np.bincount(plant_of, column) for column in table.T], axis=1)
    sums /= np.bincount(plant_of)[:, None]
    n = len(sums)
    counts = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), 1000)
    point, drawn = metrics(sums.sum(axis=0, keepdims=True)), metrics(counts @ sums)
    drawn["ece"] = np.maximum(drawn["ece"] - drawn["ece"].mean() + point["ece"], 0.0)
    asked = {"accuracy_answered": int((sums[:, 2] > 0).sum())}
    intervals = {
        name: interval(
            float(value[0]), drawn[name], asked.get(name, n), share=name not in ("ece", "set_size")
        )
        for name, value in point.items()
    }
    return {"plants": which, "crop": crop, "k": k, "n": n, **intervals}


def judged_by(said: Combined, class_name: str, k: int) -> list[float]:
    right = bool(said.top) and said.top[0].class_name == class_name
    sure = said.top[0].probability if said.top else 0.0
    place = min(max(int(np.ceil(sure * BINS)) - 1, 0), BINS - 1)
    held = class_name in [one.class_name for one in said.possible]
    contradicting = said.reason.startswith("The photographs contradict")
    first = [1.0, right, said.is_diagnosis, said.is_diagnosis and right, held, len(said.possible)]
    gaps = (np.arange(BINS) == place) * (sure - right)
    return [*first, contradicting, said.used < k, *gaps]


def metrics(sums: np.ndarray) -> dict[str, np.ndarray]:
    n = sums[:, 0]
    with np.errstate(invalid="ignore"):
        right = sums[:, 3] / sums[:, 2]
    return {
        "accuracy": sums[:, 1] / n,
        "answered": sums[:, 2] / n,
        "accuracy_answered": right,
        "ece": np.abs(sums[:, 8:]).sum(axis=1) / n,
        "set_coverage": sums[:, 4] / n,
        "set_size": sums[:, 5] / n,
        "contradicting": sums[:, 6] / n,
        "some_left_out": sums[:, 7] / n,
    }


def interval(value: float, drawn: np.ndarray, n: int, *, share: bool) -> list[float] | None:
    """Without a single exception the bootstrap is certain of itself; Wilson on the plants is not."""
    if not np.isfinite(value):
        return None
    if share and value in (0.0, 1.0):
        low, high = wilson(value * n, n)
        return [value, float(low), float(high)]
    return [value, *(float(end) for end in np.nanquantile(drawn, [0.025, 0.975]))]


def show(found: dict[str, list[dict[str, Any]]]) -> None:
    print("methods: NLL / ECE / accuracy, mean of k = 2, 3, 6, without and with the crop")
    for row in found["methods"]:
        more = "{:+.4f} [{:+.4f}, {:+.4f}]".format(*row["more_than_chosen"])
        print(f"{row['method']}, growth {row['which']} {row['growth']}: NLL more than chosen {more}")
        for title, one in row.items():
            if isinstance(one, list) and title not in ("growth", "more_than_chosen"):
                print("    {:28}{:.3f} / {:.3f} / {:.3f}".format(title, *one))
    print("\ngates: share diagnosed (diagnosed wrongly), k = 1, 2, 3, 6")
    for row in found["gates"]:
        shares = "  ".join(f"{one:.3f} ({wrong:.3f})" for one, wrong in row["answered_and_wrong"])
        print(f"{row['gate']:24}{', '.join(row['plants']):24}{shares}")
    print("\nthe rule that ships")
    for row in found["chosen"]:
        crop = "crop given" if row["crop"] else "no crop"
        print(f"{', '.join(row['plants'])}, {crop}, k = {row['k']}, n = {row['n']}")
        for name, one in row.items():
            if name not in ("plants", "crop", "k", "n"):
                print(f"    {name:20}" + ("-" if one is None else "{:.3f} [{:.3f}, {:.3f}]".format(*one)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--index", type=Path, required=True, help="the split, see above")
    parser.add_argument("--data", type=Path, required=True, help="folder of the collections")
    parser.add_argument("--scores", type=Path, help="folder that keeps the model's answers between runs")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
