"""What a comparison of runs consists of; all of it turns into plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from leafsight.dataset import PhotoIndex
from leafsight.evaluation import Comparison, Evaluation, PairedTests
from leafsight.experiments.comparing_subjects import Subject


@dataclass(frozen=True, slots=True)
class ConfusionChange:
    """Photographs of class ``true`` called ``answer``: ``before`` by the first run, ``after`` by another."""

    true: str
    answer: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Pair:
    """One run against the first.

    Attributes:
        against: name of the first run.
        run: name of the other.
        comparison: differences ``run - against`` with paired bootstrap intervals.
        tests: p-values as if this were the only pair.
        mcnemar_holm: McNemar's p-value adjusted for the number of pairs.
        sign_flip_holm: the same of the test with whole groups; ``None`` without groups.
        confusions: mistakes that became more or fewer, the largest changes first.
    """

    against: str
    run: str
    comparison: Comparison
    tests: PairedTests
    mcnemar_holm: float
    sign_flip_holm: float | None
    confusions: tuple[ConfusionChange, ...]

    @property
    def p_value(self) -> float:
        """The one to go by: with whole groups where there are groups, adjusted."""
        return self.mcnemar_holm if self.sign_flip_holm is None else self.sign_flip_holm

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values."""
        return {
            "against": self.against,
            "run": self.run,
            **self.comparison.to_dict(),
            "tests": {
                "mcnemar": self.tests.mcnemar,
                "mcnemar_holm": self.mcnemar_holm,
                "sign_flip": self.tests.sign_flip,
                "sign_flip_holm": self.sign_flip_holm,
            },
            "confusions": [asdict(one) for one in self.confusions],
        }


@dataclass(frozen=True, slots=True)
class Answered:
    """What one run said of one photograph, how probable it called that, and whether it is right."""

    answer: str
    probability: float
    right: bool


@dataclass(frozen=True, slots=True)
class AnsweredPhoto:
    """A photograph and what the runs said of it.

    Attributes:
        row: of the photographs compared on.
        photo: its name.
        label: its class.
        answers: of each run, in their order.
        surprise: where they contradict each other, the smaller of the two probabilities with which they do,
            0..1; of several contradictions the largest. Where all are wrong, the smallest of their
            probabilities. It is high where they are sure.
    """

    row: int
    photo: str
    label: str
    answers: tuple[Answered, ...]
    surprise: float


@dataclass(frozen=True, slots=True)
class ComparedRuns:
    """Everything that was found.

    Attributes:
        subjects: in the order of all that follows.
        index: the photographs compared on, one row each.
        split: what they are called in their index.
        evaluations: of each run, without calibration.
        pairs: each other run against the first.
        differing: photographs with unlike answers, the most surprising first.
        all_wrong: photographs that no run has right, the most surprising first.
        recipe: key path -> value of each run, where their recipes differ; a run whose recipe is not known is
            not among them.
        seen: name of a run -> photographs of these that trained it; ``None`` where nothing is known of it.
        notes: what has to be said about the photographs.
        views: averaged views of each photograph.
    """

    subjects: tuple[Subject, ...]
    index: PhotoIndex
    split: str
    evaluations: tuple[Evaluation, ...]
    pairs: tuple[Pair, ...]
    differing: tuple[AnsweredPhoto, ...]
    all_wrong: tuple[AnsweredPhoto, ...]
    recipe: Mapping[str, tuple[str, ...]]
    seen: Mapping[str, int | None]
    notes: tuple[str, ...]
    views: int

    @property
    def names(self) -> tuple[str, ...]:
        """Of the runs."""
        return tuple(subject.name for subject in self.subjects)

    @property
    def with_recipe(self) -> tuple[str, ...]:
        """Names of the runs whose recipe is known, in the order of the values in ``recipe``."""
        return tuple(subject.name for subject in self.subjects if subject.decisive)

    @property
    def grouped(self) -> bool:
        """Whether some photographs belong together."""
        overall = self.evaluations[0].overall
        return overall.groups < overall.photos

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values; of every evaluation the metrics and the confusion table."""
        overall = self.evaluations[0].overall
        return {
            "split": self.split,
            "views": self.views,
            "photographs": overall.photos,
            "groups": overall.groups,
            "classes": list(self.evaluations[0].classes),
            "notes": list(self.notes),
            "runs": [
                {
                    "name": subject.name,
                    "path": str(subject.path),
                    "kind": subject.kind,
                    "facts": dict(subject.facts),
                    "seen": self.seen[subject.name],
                    "metrics": {name: one.to_dict() for name, one in evaluation.overall.metrics.items()},
                    "confusion": evaluation.confusion.tolist(),
                }
                for subject, evaluation in zip(self.subjects, self.evaluations, strict=True)
            ],
            "pairs": [pair.to_dict() for pair in self.pairs],
            "differing": [asdict(one) for one in self.differing],
            "all_wrong": [asdict(one) for one in self.all_wrong],
            "recipe": {
                "runs": list(self.with_recipe),
                "differences": {key: list(values) for key, values in self.recipe.items()},
            },
        }
