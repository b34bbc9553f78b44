"""Which rule doubts wrong labels, and how many right ones: the choice behind ``feedback.consensus``.

    python benchmarks/label_doubts.py --data data

Known classes: the locked test of the built-in model as it remembers it, with the right label, with the worst
wrong one (the most probable other class), and with one at random. New classes: data/field-rice and
data/field-apple with 20 % wrong labels, at random or each class for the next one; and photographs of the
locked test under new names.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from leafsight.bundle import builtin_bundle_path
from leafsight.feedback import Champion, Sent
from leafsight.feedback.likeness import unit_length
from leafsight.feedback.looking import look
from leafsight.inference import BundlePredictor
from leafsight.inspection import find_suspicious_labels

NEIGHBOURS, SEEDS, WRONG = 10, 3, 0.2


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    given = parser.parse_args()
    predictor = BundlePredictor(builtin_bundle_path())
    champion = Champion(predictor.bundle)
    known(champion)
    for name in ("field-rice", "field-apple"):
        files = sorted((given.data / name).rglob("*.jpg"))
        looked = look([Sent(str(one), one.parent.name, one) for one in files], predictor).looked
        new(name, looked.embedding, np.array(looked.class_name), champion)


def known(champion: Champion) -> None:
    """Labels of classes that the champion knows."""
    memory, generator = champion.memory, np.random.default_rng(0)
    assert memory is not None
    rows = memory.rows("test")
    right, embedding = memory.label[rows], memory.embedding[rows]
    opinion, at = champion.opinion(embedding), np.arange(len(rows))
    others = opinion.probability.copy()
    others[at, right] = 0
    classes = len(champion.labels)
    labels = {
        "right": right,
        "worst": others.argmax(axis=1),
        "random": (right + generator.integers(1, classes, len(right))) % classes,
    }
    remembered, of = champion.remembered
    near = np.argpartition(-(unit_length(embedding) @ remembered.T), NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    print("| doubted when | right | worst | random |\n|---|---|---|---|")
    found: dict[str, list[float]] = {}
    for label in labels.values():
        given, best = opinion.probability[at, label], opinion.probability.max(axis=1)
        half, few = given < 0.5 * best, (of[near] == label[:, None]).mean(axis=1) < 0.3
        rules = {
            "the first class is another one": opinion.top != label,
            "not in the conformal set": ~opinion.possible[at, label],
            "probability below half of the first class's": half,
            "fewer than 3 of 10 neighbours agree": few,
            "one of the last two": half | few,
        }
        for name, doubted in rules.items():
            found.setdefault(name, []).append(float(doubted.mean()))
    for name, shares in found.items():
        print(f"| {name} | {' | '.join(f'{one:.1%}' for one in shares)} |")


def new(name: str, embedding: np.ndarray, class_name: np.ndarray, champion: Champion) -> None:
    """Labels of classes that the champion does not know."""
    memory = champion.memory
    assert memory is not None
    names, right = np.unique(class_name, return_inverse=True)
    print(f"\n| {name}: wrong labels doubted / right ones doubted | neighbours | alone | with remembered |")
    print("|---|---|---|---|")
    for kind in ("none wrong", "random", "flips", "known under new names"):
        shares: list[list[tuple[float, float]]] = [[], [], []]
        for seed in range(SEEDS):
            generator = np.random.default_rng(seed)
            label, seen = right.copy(), embedding
            wrong = generator.random(len(label)) < WRONG
            if kind == "random":
                label[wrong] = (label[wrong] + generator.integers(1, len(names), wrong.sum())) % len(names)
            elif kind == "flips":
                label[wrong] = (label[wrong] + 1) % len(names)
            elif kind == "known under new names":
                rows = generator.permutation(memory.rows("test"))[: len(label) // 4]
                seen = np.concatenate([embedding, memory.embedding[rows]])
                label = np.concatenate([label, generator.integers(0, len(names), len(rows))])
                wrong = np.arange(len(label)) >= len(embedding)
            else:
                wrong[:] = False
            for rule, doubted in enumerate(rules_of_new(seen, label, names, champion, generator)):
                of_wrong = float(doubted[wrong].mean()) if wrong.any() else float("nan")
                shares[rule].append((of_wrong, float(doubted[~wrong].mean())))
        cells = [" / ".join(f"{one:.2f}" for one in np.mean(rule, axis=0)) for rule in shares]
        print(f"| {kind} | {' | '.join(cells)} |", flush=True)


def rules_of_new(
    seen: np.ndarray, label: np.ndarray, names: np.ndarray, champion: Champion, generator: np.random.Generator
) -> list[np.ndarray]:
    """What each of three rules doubts."""
    memory = champion.memory
    assert memory is not None
    unit = unit_length(seen)
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -2)
    near = np.argpartition(-likeness, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    rows = generator.permutation(memory.rows("train"))
    rows = np.concatenate([rows[memory.label[rows] == one][:30] for one in range(len(champion.labels))])
    alone = find_suspicious_labels(label, list(names), features=seen)
    every = [*names, *champion.bundle.classes]
    both = find_suspicious_labels(
        np.concatenate([label, len(names) + memory.label[rows]]),
        every,
        features=np.concatenate([seen, memory.embedding[rows]]).astype(np.float32),
    )
    few = (label[near] == label[:, None]).mean(axis=1) < 0.3
    return [few, alone.score > 0.5, both.score[: len(label)] > 0.5]


if __name__ == "__main__":
    main()
