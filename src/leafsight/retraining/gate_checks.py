"""The conditions of the gate on what both models say of the same photographs.

Enters: an ``Exam``, answers, limits. Leaves: checks, each with a sentence. It opens no bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Bool, Float64

from leafsight.evaluation import KINDS, Evaluation, wilson
from leafsight.retraining.gate_exam import Answers, Exam
from leafsight.retraining.gate_options import GateOptions
from leafsight.retraining.gate_report import Check, ClassRow

NOT_A_LEAF, DIAGNOSIS = KINDS.index("not_a_leaf"), KINDS.index("diagnosis")
NAMES = {"class": "worst_class", "domain": "domains"}
ROUNDING = 1e-9
Flags = Bool[np.ndarray, " n"]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Both models on one exam: the champion first."""

    exam: Exam
    champion: Answers
    candidate: Answers

    @property
    def lost(self) -> int:
        """Photographs that only the champion has right."""
        return int((self.champion.right & ~self.candidate.right).sum())

    @property
    def gained(self) -> int:
        """Photographs that only the candidate has right."""
        return int((~self.champion.right & self.candidate.right).sum())

    def change(self, rows: Flags) -> float:
        """Share of these photographs that the candidate has right more (or, below zero, less)."""
        return float(self.candidate.right[rows].mean() - self.champion.right[rows].mean())


def accuracy_check(pair: Pair, options: GateOptions) -> Check:
    """Not worse overall: the lower end of the paired interval stays above minus the margin."""
    everything = np.ones(len(pair.exam), bool)
    value = pair.change(everything)
    low = _lower_end(pair, options)
    passed = low >= -options.margin - ROUNDING
    return Check(
        "accuracy", passed, value, low, -options.margin,
        f"On the {len(pair.exam)} photographs of the locked test the candidate has"
        f" {pair.candidate.right.mean():.2%} right, the champion {pair.champion.right.mean():.2%}: a change"
        f" of {_points(value)}, at worst {_points(low)}; {_points(-options.margin)} is the limit.",
    )  # fmt: skip


def group_checks(pair: Pair, options: GateOptions) -> Iterator[Check]:
    """No class and no domain with enough photographs loses more than stated and more than chance."""
    for what, names, least, most in (
        ("class", pair.exam.names, options.least_class_photos, options.class_loss),
        ("domain", pair.exam.domains, options.least_domain_photos, options.domain_loss),
    ):
        yield _worst_check(pair, np.asarray(names), what, least, most, options)


def measured_checks(
    champion: Evaluation, candidate: Evaluation, alpha: float, target: float, options: GateOptions
) -> Iterator[Check]:
    """Macro F1, calibration and the share of answers on the locked test."""
    old, new = (_values(one) for one in (champion, candidate))
    yield _no_less("macro_f1", "The mean F1 of the classes", old, new, options.macro_f1_loss)
    rise = new["ece"] - old["ece"]
    yield Check(
        "calibration", rise <= options.ece_rise + ROUNDING, rise, None, options.ece_rise,
        f"The calibration error is {new['ece']:.3f}, that of the champion {old['ece']:.3f}; it may rise by"
        f" {options.ece_rise:.3f}.",
    )  # fmt: skip
    least = 1.0 - alpha - options.coverage_slack
    yield Check(
        "coverage", new["set_coverage"] >= least - ROUNDING, new["set_coverage"], None, least,
        f"The sets of possible conditions hold the truth for {new['set_coverage']:.1%}; they promise"
        f" {1 - alpha:.0%}, {least:.0%} is the limit.",
    )  # fmt: skip
    yield _no_less("answered", "The share of photographs with a diagnosis", old, new, options.answered_loss)
    right = new.get("accuracy_answered", float("nan"))
    # A model that answers nothing has no accuracy among its answers: the share above says that.
    yield Check(
        "answers_right", not right < target - ROUNDING, right, None, target,
        f"Of its answers {right:.1%} are right; {target:.0%} is promised."
        if right == right else "It gave no answer on the locked test.",
    )  # fmt: skip


def silence_checks(pair: Pair, no_leaf: Flags, options: GateOptions) -> Iterator[Check]:
    """Right guesses that are kept back, and who is called no leaf.

    Args:
        pair: on the locked test.
        no_leaf: which photographs show no leaf.
        options: limits.
    """
    yield _no_more(
        "false_silence", "Of the photographs that the first guess has right, the share without a diagnosis",
        _false_silence(pair.champion, no_leaf), _false_silence(pair.candidate, no_leaf),
        options.false_silence_rise,
    )  # fmt: skip
    old, new = (_kinds(one) == NOT_A_LEAF for one in (pair.champion, pair.candidate))
    yield _no_more(
        "leaf_refused", "The share of leaves that are called no leaf",
        _share(old[~no_leaf]), _share(new[~no_leaf]), options.not_leaf_rise,
    )  # fmt: skip
    if no_leaf.any():
        yield _no_more(
            "no_leaf_missed", "The share of photographs without a leaf that are called something else",
            _share(~old[no_leaf]), _share(~new[no_leaf]), options.not_leaf_loss,
        )  # fmt: skip


def taught_checks(pair: Pair | None, taught: tuple[str, ...], options: GateOptions) -> Iterator[Check]:
    """Every taught class is recognised on contributions that were held out.

    Args:
        pair: on these; None when there are none.
        taught: classes of the candidate that are not of the original photographs.
        options: limits.
    """
    for name in taught:
        rows = np.asarray([one == name for one in pair.exam.names], bool) if pair else np.zeros(0, bool)
        photos = int(rows.sum())
        right = int(pair.candidate.right[rows].sum()) if pair else 0
        low = float(wilson(right, photos)[0])
        passed = photos > 0 and right / photos >= options.new_recall
        said = (
            f"{name} was taught: {right} of {photos} held-out photographs are right (at least {low:.0%} of"
            f" all such, 95 % interval); {options.new_recall:.0%} is the limit."
            if photos
            else f"{name} was taught, and no photograph of it was held out, so nothing is known about it."
        )
        yield Check("taught", passed, right / photos if photos else None, low, options.new_recall, said)
    if pair is not None and set(pair.exam.names) & set(pair.champion.classes):
        known = np.asarray([name in pair.champion.classes for name in pair.exam.names], bool)
        yield _known_again(pair, known, options)


def class_rows(pair: Pair, where: str) -> Iterator[ClassRow]:
    """Both models class by class, in the order of the candidate's classes."""
    names = np.asarray(pair.exam.names)
    for name in pair.candidate.classes:
        rows = np.asarray(names == name, bool)
        photos, right = int(rows.sum()), int(pair.candidate.right[rows].sum())
        if not photos:
            continue
        before = int(pair.champion.right[rows].sum()) if name in pair.champion.classes else None
        low, high = wilson(right, photos)
        yield ClassRow(name, where, photos, before, right, float(low), float(high))


def more_than_chance(pair: Pair, rows: Flags) -> float:
    """Probability that as many groups or more would be lost if gains and losses were equally likely.

    The sign test on groups (Conover 1999, "Practical Nonparametric Statistics", section 3.4): photographs of
    one leaf are lost together and are one piece of evidence.
    """
    net = pair.candidate.right[rows].astype(np.int64) - pair.champion.right[rows]
    _, codes = np.unique(pair.exam.groups[rows], return_inverse=True)
    sums = np.bincount(codes, weights=net)
    lost, moved = int((sums < 0).sum()), int((sums != 0).sum())
    return sum(comb(moved, k) for k in range(lost, moved + 1)) / 2.0**moved


def _known_again(pair: Pair, known: Flags, options: GateOptions) -> Check:
    """Contributions of classes that the champion knows, taught classes among them, are not lost."""
    value, chance = pair.change(known), more_than_chance(pair, known)
    passed = value >= -options.class_loss - ROUNDING or chance >= options.chance
    return Check(
        "contributions", passed, value, None, -options.class_loss,
        f"Of {int(known.sum())} held-out contributions of classes that the champion knows the candidate has"
        f" {pair.candidate.right[known].mean():.1%} right, the champion"
        f" {pair.champion.right[known].mean():.1%}; {_points(-options.class_loss)} is the limit.",
    )  # fmt: skip


def _worst_check(
    pair: Pair, names: np.ndarray, what: str, least: int, most: float, options: GateOptions
) -> Check:
    found: list[tuple[bool, float, str, int, float]] = []
    for name in sorted(set(names.tolist())):
        rows = np.asarray(names == name, bool)
        if (photos := int(rows.sum())) >= least:
            value, chance = pair.change(rows), more_than_chance(pair, rows)
            found.append((value >= -most - ROUNDING or chance >= options.chance, value, name, photos, chance))
    if not found:
        group = "class" if what == "class" else "domain"
        said = f"No {group} of the locked test has {least} photographs, so none is judged by itself."
        return Check(NAMES[what], True, None, None, -most, said)
    failed = [one for one in found if not one[0]]
    _, value, name, photos, chance = min(failed or found, key=lambda one: one[1])
    worst = "The class" if what == "class" else "The domain"
    said = (
        f"{worst} that changes for the worst is {name}: {_points(value)} of {photos} photographs, which"
        f" chance does with probability {chance:.2f}; {_points(-most)} and more than chance"
        f" ({options.chance:g}) is the limit."
    )
    groups = "classes" if what == "class" else "domains"
    fail = f"; {len(failed)} fail: {', '.join(sorted(one[2] for one in failed))}" if failed else ""
    judged = f"{len(found)} {groups} have {least} photographs or more{fail}."
    return Check(NAMES[what], not failed, value, None, -most, " ".join((said, judged)))


def _lower_end(pair: Pair, options: GateOptions) -> float:
    """Lower end of the paired bootstrap interval over groups (Efron and Tibshirani 1993, section 16)."""
    _, codes = np.unique(pair.exam.groups, return_inverse=True)
    net = pair.candidate.right.astype(np.float64) - pair.champion.right
    sums, sizes = np.bincount(codes, weights=net), np.bincount(codes).astype(np.float64)
    drawn = _draws(len(sizes), options)
    return float(np.quantile(drawn @ sums / (drawn @ sizes), (1.0 - options.confidence) / 2.0))


def _draws(groups: int, options: GateOptions) -> Float64[np.ndarray, "b g"]:
    """How often each group is drawn in each resample."""
    generator = np.random.default_rng(options.seed)
    return generator.multinomial(groups, np.full(groups, 1.0 / groups), options.resamples).astype(np.float64)


def _values(evaluation: Evaluation) -> Mapping[str, float]:
    return {name: one.value for name, one in evaluation.overall.metrics.items()}


def _no_less(name: str, what: str, old: Mapping[str, float], new: Mapping[str, float], loss: float) -> Check:
    value = new[name] - old[name]
    return Check(
        name, value >= -loss - ROUNDING, value, None, -loss,
        f"{what} is {new[name]:.3f}, that of the champion {old[name]:.3f}; it may fall by {loss:.3f}.",
    )  # fmt: skip


def _no_more(name: str, what: str, old: float, new: float, rise: float) -> Check:
    value = new - old
    return Check(
        name, value <= rise + ROUNDING, value, None, rise,
        f"{what} is {new:.1%}, with the champion {old:.1%}; it may rise by {_points(rise)}.",
    )  # fmt: skip


def _false_silence(answers: Answers, no_leaf: Flags) -> float:
    """Of leaves only: for the others "not a leaf" is the answer."""
    return _share(_kinds(answers)[answers.right & ~no_leaf] != DIAGNOSIS)


def _kinds(answers: Answers) -> np.ndarray:
    assert answers.decisions is not None
    return np.asarray(answers.decisions.kinds)


def _share(flags: np.ndarray) -> float:
    return float(flags.mean()) if flags.size else 0.0


def _points(share: float) -> str:
    return f"{100 * share:+.2f} points"


def no_leaf_rows(exam: Exam, no_leaf: set[str]) -> Flags:
    """Which photographs of an exam show no leaf."""
    return np.asarray([name in no_leaf for name in exam.names], bool)
