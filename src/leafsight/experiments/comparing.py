"""Several finished networks on the same photographs: what differs between them, and how sure that is.

Enters: subjects (runs, model files) and how they are asked. Leaves: one ``ComparedRuns`` with an evaluation
of each, the differences to the first with paired intervals and tests, and the photographs on which they
differ. It does not know how the result is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leafsight.dataset import PhotoIndex
from leafsight.errors import EvaluationError, UsageError
from leafsight.evaluation import EvaluationOptions
from leafsight.experiments.comparing_differences import (
    differing_photos,
    pairs_with_first,
    photos_all_have_wrong,
)
from leafsight.experiments.comparing_photographs import common_names, in_order, names_of, seen_in_training
from leafsight.experiments.comparing_recipes import differing_values
from leafsight.experiments.comparing_records import ComparedRuns
from leafsight.experiments.comparing_subjects import Asking, Subject


def compare_runs(
    subjects: Sequence[Subject],
    asking: Asking,
    *,
    data: PhotoIndex | None = None,
    even_if_seen: bool = False,
    options: EvaluationOptions | None = None,
) -> ComparedRuns:
    """Judge every subject on the same photographs and set each beside the first.

    Args:
        subjects: from ``open_subjects``.
        asking: how they are asked.
        data: photographs for all of them, with the split of ``asking``, instead of each run's own index.
        even_if_seen: go on when some of the photographs trained one of the subjects.
        options: of the evaluations and of the paired intervals.

    Raises:
        UsageError: there is no index to judge by.
        DatasetError: the split is empty.
        EvaluationError: no photograph in common, classes that nobody knows, or photographs that trained one.
    """
    options = options or EvaluationOptions()
    own = [_trained_by(subject, subjects, data) for subject in subjects]
    asked_of = _asked_of(own, data)
    parts = [index.where(split=asking.split) for index in asked_of]
    names = common_names(parts)
    first = _rows_named(parts[0], names)
    _require_known(first, subjects[0])
    seen = {
        subject.name: None if index is None else seen_in_training(first, index)
        for subject, index in zip(subjects, own, strict=True)
    }
    if not even_if_seen:
        _refuse_seen(seen, len(names))
    answers = [subject.judge(index, asking) for subject, index in zip(subjects, asked_of, strict=True)]
    # A photograph that cannot be decoded has an index row and no answer.
    readable = set(names).intersection(*(scores.photos for scores in answers))
    shown = _rows_named(first, [name for name in names if name in readable])
    kept = names_of(shown)
    scores = [in_order(one, kept, subjects[0].classes, shown) for one in answers]
    evaluations = tuple(one.evaluation(options) for one in scores)
    return ComparedRuns(
        subjects=tuple(subjects),
        index=shown,
        split=asking.split,
        evaluations=evaluations,
        pairs=pairs_with_first([subject.name for subject in subjects], evaluations, options),
        differing=differing_photos(scores),
        all_wrong=photos_all_have_wrong(scores),
        recipe=differing_values([subject.decisive for subject in subjects if subject.decisive]),
        seen=seen,
        notes=tuple(_notes(subjects, parts, len(kept), seen)),
        views=asking.views,
    )


def _trained_by(subject: Subject, others: Sequence[Subject], data: PhotoIndex | None) -> PhotoIndex | None:
    """The index that a subject was trained by; that of a model file may lie beside another subject."""
    if subject.index is not None or not subject.split_fingerprint:
        return subject.index
    known = [data, *(other.index for other in others)]
    wanted = subject.split_fingerprint
    return next((one for one in known if one is not None and one.split_fingerprint() == wanted), None)


def _asked_of(own: Sequence[PhotoIndex | None], data: PhotoIndex | None) -> list[PhotoIndex]:
    spare = data if data is not None else next((index for index in own if index is not None), None)
    if spare is None:
        raise UsageError(
            "none of these has an index of photographs beside it",
            hint="--data INDEX_OR_FOLDER says what to judge them on",
        )
    return [spare if data is not None or index is None else index for index in own]


def _rows_named(part: PhotoIndex, names: Sequence[str]) -> PhotoIndex:
    rows = {name: row for row, name in enumerate(names_of(part))}
    return part.rows([rows[name] for name in names])


def _require_known(shown: PhotoIndex, subject: Subject) -> None:
    if strange := sorted(set(shown.classes) - set(subject.classes)):
        raise EvaluationError(
            f"{subject.name} does not know the classes {', '.join(strange[:6])}",
            hint=f"it knows {', '.join(subject.classes[:6])}",
        )


def _refuse_seen(seen: Mapping[str, int | None], judged: int) -> None:
    told = [f"{count} trained {name}" for name, count in seen.items() if count]
    if told:
        raise EvaluationError(
            f"of {judged} photographs, {' and '.join(told)}; on those a network looks better than it is",
            hint="choose another --split or --data, or go on with --even-if-seen",
        )


def _notes(
    subjects: Sequence[Subject],
    parts: Sequence[PhotoIndex],
    judged: int,
    seen: Mapping[str, int | None],
) -> list[str]:
    said = []
    for subject, part in zip(subjects, parts, strict=True):
        if len(part) > judged:
            said.append(f"Of the {len(part):,} photographs for {subject.name}, {judged:,} are common to all.")
        count = seen[subject.name]
        if count:
            said.append(f"{count:,} of the photographs trained {subject.name}: its numbers are too good.")
        elif count is None:
            said.append(f"What trained {subject.name} is not known here, so it may have seen these.")
        if subject.learned_more:
            said.append(f"{subject.name} also learned from contributions, which were not looked for here.")
    return said
