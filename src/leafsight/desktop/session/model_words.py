"""What was measured of a model and what it was made of, read with care, in the words of the web page.

Enters: the description of a model, as a server gives it; another make brings other measures, or none.
Leaves: plain records and English, nothing surer than what was measured. It knows no window. The web page says
the same in ``models-measures.js``, ``models-details.js`` and ``models-history.js``; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from leafsight.desktop.session.language import named, tr, translated, trn
from leafsight.desktop.session.wording import (
    Measured,
    class_name,
    crop_name,
    duration,
    in_bytes,
    is_number,
    number,
    percent,
    plain,
    when,
)

if TYPE_CHECKING:
    from leafsight.client import ModelDescription, ModelEntry

FEW_PHOTOGRAPHS = 20
MOST_MIX_UPS = 6
SHORT_DIGITS = 8
ROLES = {
    "train": "{photographs} to learn from",
    "calibration": "{photographs} to calibrate",
    "probe": "{photographs} held out, to measure",
}
SPLITS = {
    "train": "{photographs} to learn from",
    "valid": "{photographs} to choose by",
    "calibration": "{photographs} to calibrate",
    "test": "{photographs} to test",
}
PRECISIONS = {"int8": "8-bit whole numbers", "fp32": "32-bit floating point"}
TRAININGS = {"quick": "quick training", "full": "full training"}
KINDS = {"promote": "Promoted", "rollback": "Rolled back to"}


@dataclass(frozen=True, slots=True)
class Measure:
    """One of the figures that are shown.

    Attributes:
        key: as the metrics of a model call it.
        title: for people, English.
        better: ``higher``, ``lower``, or empty where neither is.
        kind: ``share``, of 1, or ``number``.
        name: as a report calls it; empty where it does not.
    """

    key: str
    title: str
    better: Literal["higher", "lower", ""]
    kind: Literal["share", "number"] = "share"
    name: str = ""


MEASURES = (
    Measure("accuracy", "First guess right", "higher", name="accuracy"),
    Measure("crop_given_accuracy", "First guess right, crop given", "higher"),
    Measure("answered", "Names a condition", ""),
    Measure("accuracy_answered", "Right when it names one", "higher"),
    Measure("wrong_silenced", "Wrong guesses that it keeps back", "higher"),
    Measure("set_coverage", "Truth among what it cannot exclude", "higher", name="coverage"),
    Measure("mean_set_size", "Classes that it cannot exclude, on average", "lower", "number"),
    Measure("macro_f1", "Macro F1", "higher"),
    Measure("ece", "How far its probabilities are off", "lower", name="ECE"),
)


@dataclass(frozen=True, slots=True)
class Tested:
    """Photographs that a model was tested on.

    Attributes:
        name: of the group.
        title: for people.
        abroad: whether they come from collections that the model never saw.
        photos: how many; None where that is not said.
        measures: as the model brings them.
    """

    name: str
    title: str
    abroad: bool
    photos: int | None
    measures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClassResult:
    """How one class did.

    Attributes:
        name: for people.
        photos: that show it; None where it was not measured.
        found: how many of them were found, as first guess.
        right: how many of the guesses of it were right.
    """

    name: str
    photos: int | None
    found: Measured | None
    right: Measured | None

    @property
    def is_few(self) -> bool:
        """Whether so few photographs show it that little is known."""
        return self.photos is not None and self.photos < FEW_PHOTOGRAPHS


@dataclass(frozen=True, slots=True)
class MixUp:
    """A mistake that it makes often: ``truth`` taken for ``answer``."""

    truth: str
    answer: str
    photos: int | None
    share: float | None

    def said(self) -> str:
        """It as a sentence."""
        count = tr("not measured") if self.photos is None else _photographs(self.photos)
        share = percent(self.share)
        return tr(
            "{truth} taken for {answer}: {count}, {share} of that class",
            truth=self.truth, answer=self.answer, count=count, share=share,
        )  # fmt: skip


def tested_on(model: ModelDescription) -> list[Tested]:
    """The groups of photographs that it was tested on; those like its own first."""
    test = _of(model.metrics, "test")
    overall, domains = _of(test, "overall"), _list(_of(test, "domains"))
    found = [_tested(overall, tr("Like those it learned from"), abroad=False)]
    if len(domains) > 1:
        found += [_tested(one, _text(_of(one, "name")), abroad=False) for one in domains]
    for name, report in _items(_of(model.metrics, "abroad")):
        title = tr("From elsewhere: {name}", name=name)
        found.append(_tested(_of(report, "overall"), title, abroad=True, name=name))
    return [one for one in found if one is not None]


def at_home(model: ModelDescription) -> Tested | None:
    """The photographs most like those of training, all together."""
    return next((one for one in tested_on(model) if one.name == "all" and not one.abroad), None)


def abroad(model: ModelDescription) -> list[Tested]:
    """The photographs from collections that the model never saw."""
    return [one for one in tested_on(model) if one.abroad]


def measured(tested: Tested | None, key: str) -> Measured | None:
    """One measure; None where it was not taken."""
    return None if tested is None else _measured(tested.measures.get(key))


def by_class(model: ModelDescription) -> list[ClassResult]:
    """How each class did, in the order of the model."""
    results = {_text(_of(one, "name")): one for one in _list(_of(_of(model.metrics, "test"), "per_class"))}
    found = []
    for label in model.labels:
        one = results.get(_text(label.get("class_name")))
        photos = _whole(_of(one, "photos"))
        found.append(
            ClassResult(
                named(_text(label.get("display"))) if label.get("is_leaf") else tr("Not a leaf"),
                photos,
                _measured(_of(one, "recall")) if photos else None,
                _measured(_of(one, "precision")) if _whole(_of(one, "answered")) else None,
            )
        )
    return found


def mix_ups(model: ModelDescription, most: int = MOST_MIX_UPS) -> list[MixUp]:
    """The mistakes that it makes most."""
    names = {_text(label.get("class_name")): named(_text(label.get("display"))) for label in model.labels}

    def name(key: object) -> str:
        return names.get(_text(key)) or _text(key)

    return [
        MixUp(
            name(_of(one, "true")),
            name(_of(one, "answer")),
            _whole(_of(one, "photos")),
            _of(one, "share") if is_number(_of(one, "share")) else None,
        )
        for one in _list(_of(_of(model.metrics, "test"), "confused"))[:most]
    ]


def known(model: ModelDescription) -> tuple[dict[str, str], list[str]]:
    """What it can name, without "not a leaf": conditions (key -> name), and crops."""
    leaves = [label for label in model.labels if label.get("is_leaf")]
    crops = dict.fromkeys(_text(label["crop"]) for label in leaves if label.get("crop"))
    return {_text(label.get("key")): named(_text(label.get("display"))) for label in leaves}, list(crops)


def fingerprint_of_test(model: ModelDescription) -> str | None:
    """What stands for the photographs that it was tested on; None where the model does not say."""
    made = model.provenance
    found = made.get("split_fingerprint") or made.get("data_fingerprint")
    return found if isinstance(found, str) else None


def can_name(model: ModelDescription) -> str:
    """What it can name, in a sentence or two."""
    conditions, crops = known(model)
    return tr(
        "It can name {conditions} of {crops}: {names}. Of other plants and diseases it knows nothing.",
        conditions=trn("{number} condition", "{number} conditions", len(conditions)),
        crops=trn("{number} crop", "{number} crops", len(crops)),
        names=", ".join(map(crop_name, crops)),
    )


def doubts(model: ModelDescription) -> str:
    """What is not known of how it does; empty where it was tested at home and elsewhere."""
    home, others = at_home(model), abroad(model)
    if home is None and not others:
        return tr(
            "This model brings no measures. Nothing is known of how often it is right: "
            "take its answers as hints."
        )
    if not others:
        return tr(
            "It was never tested on photographs from elsewhere. "
            "On other cameras, places and varieties it will do worse."
        )
    return ""


def model_name(model: ModelEntry | None, identity: str = "") -> str:
    """A model in a sentence: its name and the beginning of its id."""
    name = tr("a model that is gone") if model is None else model.name
    return f"{name} ({(identity or (model.id if model else ''))[:SHORT_DIGITS]})"


def lineage(model: ModelDescription) -> list[tuple[str, str]]:
    """How a retraining made it of another model; nothing for one made of nothing but photographs."""
    last = _of(model.provenance, "retraining")
    if not isinstance(last, Mapping):
        return []
    earlier = _list(model.provenance.get("lineage"))[:-1]
    return _said(
        (tr("Made from the model"), _text(last.get("parent"))[: 2 * SHORT_DIGITS]),
        (tr("By"), _training(_text(last.get("path")))),
        (tr("Photographs that people sent"), contributed(last.get("contributions"))),
        (tr("New classes"), ", ".join(class_name(one) for one in _list(last.get("classes_added")))),
        (
            tr("Classes that it lost"),
            ", ".join(class_name(one) for one in _list(last.get("classes_removed"))),
        ),
        (tr("Training set"), _text(last.get("snapshot"))[: 2 * SHORT_DIGITS]),
        (
            tr("Before that"),
            ", ".join(_text(_of(one, "parent"))[:SHORT_DIGITS] for one in reversed(earlier)),
        ),
    )


def provenance(model: ModelDescription) -> list[tuple[str, str]]:
    """What it is and what it was made from, as facts with their names."""
    made = model.provenance
    run, export = _of(made, "run"), _of(made, "export")
    versions = _of(export, "versions") or _of(run, "versions")
    photographs = _of(made, "photographs")
    precision = _text(_of(_of(export, "precision"), "precision"))
    took = _of(run, "duration_s")
    seed = made.get("seed") if made.get("seed") is not None else _of(run, "seed")
    return _said(
        (tr("Id"), model.id),
        (tr("Put on the shelf"), tr("came with leafsight") if model.builtin else when(model.created_at)),
        (tr("Names"), ", ".join(model.aliases) or tr("none")),
        (tr("Note"), translated(model.note)),
        (tr("Size"), in_bytes(model.size_bytes)),
        (tr("Numbers inside"), tr(PRECISIONS[precision]) if precision in PRECISIONS else precision),
        (
            tr("Photographs"),
            ", ".join(
                tr(purpose, photographs=number(_of(photographs, split)))
                for split, purpose in SPLITS.items()
                if is_number(_of(photographs, split))
            ),
        ),
        (tr("Collections"), ", ".join(filter(None, map(_source, _list(made.get("sources")))))),
        (tr("Recipe"), _text(made.get("recipe"))),
        (tr("Seed"), _text(seed)),
        (tr("Training took"), duration(took * 1000) if is_number(took) else ""),
        (tr("Made with"), ", ".join(f"{name} {_text(version)}" for name, version in _items(versions))),
        (tr("Fingerprint of its photographs"), _text(made.get("data_fingerprint"))),
    )


def way_back(changes: Sequence[Mapping[str, Any]]) -> str | None:
    """The id of the model that a rollback leads to; None where the changes do not say.

    A promotion is laid on the others, a rollback takes those off that lay on the model that it leads to.

    Args:
        changes: of ``serving``, newest first.
    """
    pile: list[str] = []
    for one in reversed(changes):
        model, former = _text(one.get("model")), _text(one.get("former"))
        if not pile and former:
            pile.append(former)
        if one.get("kind") == "promote":
            pile.append(model)
            continue
        while pile and pile[-1] != model:
            pile.pop()
        if not pile:
            pile.append(model)
    return pile[-2] if len(pile) > 1 else None


def _training(path: str) -> str:
    return tr(TRAININGS[path]) if path in TRAININGS else f"{plain(path).lower()} training"


def contributed(found: object) -> str:
    """How many contributions taught: told by class, or in the whole, as retrainings of several ages do."""
    totals: dict[str, int] = {}
    for role, value in _items(found):
        inner = _items(value) if isinstance(value, Mapping) else ((role, value),)
        for one, many in inner:
            if is_number(many):
                totals[one] = totals.get(one, 0) + int(many)
    return ", ".join(
        tr(ROLES[role], photographs=number(many))
        if role in ROLES
        else f"{number(many)} {plain(role).lower()}"
        for role, many in sorted(totals.items(), key=lambda pair: -pair[1])
    )


def _photographs(many: int) -> str:
    return trn("{number} photograph", "{number} photographs", many)


def _source(one: object) -> str:
    return one if isinstance(one, str) else _text(_of(one, "name") or _of(one, "collection"))


def _said(*facts: tuple[str, str]) -> list[tuple[str, str]]:
    return [fact for fact in facts if fact[1]]


def _tested(report: Any, title: str, *, abroad: bool, name: str = "") -> Tested | None:
    measures = _of(report, "metrics")
    if not isinstance(measures, Mapping):
        return None
    return Tested(name or _text(_of(report, "name")), title, abroad, _whole(_of(report, "photos")), measures)


def _measured(found: Any) -> Measured | None:
    if is_number(found):
        return Measured(found)
    value, low, high = _of(found, "value"), _of(found, "low"), _of(found, "high")
    if not is_number(value):
        return None
    return Measured(value, low if is_number(low) else None, high if is_number(high) else None)


def _of(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _items(value: Any) -> Iterable[tuple[str, Any]]:
    return [(str(name), one) for name, one in value.items()] if isinstance(value, Mapping) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _whole(value: Any) -> int | None:
    return int(value) if is_number(value) else None


def _text(value: Any) -> str:
    return "" if value is None else str(value)
