"""Judges contributions again that wait: a class was declared, another model serves, or a training is over.

Enters: the database, and the model that serves now. Leaves: new findings on what waits. What people decided
stays; what turns out to be in the locked test is rejected. Photographs are opened only where their embedding
is another backbone's and a predictor is given.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leafsight.errors import NotFoundError
from leafsight.feedback.champion import Champion
from leafsight.feedback.judging import judge
from leafsight.feedback.known import known_of
from leafsight.feedback.looked import Looked
from leafsight.feedback.looking import look
from leafsight.feedback.records import MOST_PER_SOURCE, REJECTED, RULE, WAITING, Asked, Judged, Sent
from leafsight.feedback.sources import BroughtBefore
from leafsight.feedback.twins import common_of

if TYPE_CHECKING:
    from leafsight.inference import BundlePredictor
    from leafsight.state import Blobs, ContributionRecord, State

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What came of it.

    Attributes:
        judged: how many were judged again.
        changed: of how many the findings are other ones now.
        unseen: how many could not be judged, because the champion has not seen them.
    """

    judged: int
    changed: int
    unseen: int


def recheck(
    state: State,
    champion: Champion,
    *,
    label: str | None = None,
    blobs: Blobs | None = None,
    predictor: BundlePredictor | None = None,
    most_per_source: int = MOST_PER_SOURCE,
    since_ms: int = 0,
) -> Rechecked:
    """Judge again what waits.

    Args:
        state: the database.
        champion: that serves now.
        label: only uploads in which something with this label waits; None for all.
        blobs: the store, to open photographs again.
        predictor: of the champion's bundle, to embed them again.
        most_per_source: photographs of one class that one source may bring between two trainings.
        since_ms: when the last training began.

    Raises:
        StateBusyError, StateError: the database does not answer; what was judged stays so.
    """
    declared = [one.name for one in state.declared.list()]
    judged = changed = unseen = 0
    if blobs is not None and predictor is not None:
        for _, records in _waiting(state, label):
            _embed(state, records, champion, blobs, predictor)
    # Once for all of them: what sent photographs have in common is the same for each, and takes a second.
    everything = known_of(state.contributions.look_alikes(), champion.backbone)
    common = common_of(champion, everything)
    row_of = {one: row for row, one in enumerate(everything.id.tolist())}
    sources = BroughtBefore(state, since_ms=since_ms, classes=set(champion.bundle.classes))
    for upload_id, records in _waiting(state, label):
        seen = [one for one in records if _is_seen(one, champion)]
        unseen += len(records) - len(seen)
        if not seen:
            continue
        brought = sources.without(seen[0].key_id, upload_id)
        others = np.ones(len(everything), bool)
        others[[row_of[one.id] for one in records if one.id in row_of]] = False
        asked = Asked(
            declared=declared, most_per_source=most_per_source, brought=dict(brought.waiting_or_accepted),
            known_before=brought.known, doubted_before=brought.doubted,
        )  # fmt: skip
        found = judge(_looked(seen, champion), champion, everything.only(others), asked, common.only(others))
        for one, verdict in zip(seen, found, strict=True):
            if one.state == WAITING:
                judged += 1
                now = _write(state, one, verdict)
                changed += now.findings is not one.findings
                if now is not one:
                    sources.judged(one, now)
                    if one.id in row_of:
                        everything = everything.with_row(row_of[one.id], now.label, now.state == REJECTED)
    return Rechecked(judged, changed, unseen)


def _waiting(state: State, label: str | None) -> Iterator[tuple[str | None, list[ContributionRecord]]]:
    """Uploads of which something waits, each with all that was not rejected; then the corrections."""
    uploads: dict[str, None] = {}
    corrections: list[ContributionRecord] = []
    for one_id in list(state.contributions.ids(state=WAITING, label=label)):
        one = state.contributions.get(one_id)
        if one is not None and one.upload_id is not None:
            uploads[one.upload_id] = None
        elif one is not None:
            corrections.append(one)
    for upload_id in uploads:
        yield upload_id, [one for one in state.contributions.of_upload(upload_id) if one.state != REJECTED]
    for one in corrections:
        yield None, [one]


def _is_seen(one: ContributionRecord, champion: Champion) -> bool:
    width = champion.bundle.network_spec.embedding.shape[1]
    by = champion.backbone is not None and one.embedded_by == champion.backbone
    return by and one.embedding is not None and one.embedding.shape == (width,)


def _looked(records: Sequence[ContributionRecord], champion: Champion) -> Looked:
    return Looked(
        name=[one.name for one in records],
        class_name=[one.label for one in records],
        given_group=[None] * len(records),
        pixel_hash=[one.pixel_hash for one in records],
        look=np.array([[one.look_hash or 0] for one in records], np.uint64),
        embedding=np.stack([np.asarray(one.embedding, np.float32) for one in records]),
        logits=None,
        quality=[one.quality for one in records],
    )


def _embed(
    state: State,
    records: Sequence[ContributionRecord],
    champion: Champion,
    blobs: Blobs,
    predictor: BundlePredictor,
) -> None:
    """Have those seen by the champion that were not and can be opened."""
    backbone = champion.backbone
    missing = [one for one in records if not _is_seen(one, champion)] if backbone is not None else []
    for at in range(0, len(missing), AT_ONCE):
        with tempfile.TemporaryDirectory(prefix="leafsight-again-") as made:
            sent = list(_files(missing[at : at + AT_ONCE], blobs, Path(made)))
            opened = look(sent, predictor, predictor.limits)
        for row, one in enumerate(opened.sent):
            half = np.clip(opened.looked.embedding[row], -65000, 65000).astype(np.float16)
            state.contributions.annotate(one.name, embedding=half, embedded_by=backbone)


def _files(records: Sequence[ContributionRecord], blobs: Blobs, folder: Path) -> Iterator[Sent]:
    for one in records:
        try:
            data = blobs.get(one.blob)
        except NotFoundError:
            continue  # it stays unseen, and waits
        path = folder / one.id
        path.write_bytes(data)
        yield Sent(one.id, one.label, path)


def _write(state: State, one: ContributionRecord, judged: Judged) -> ContributionRecord:
    """Write down what is new; how it is now, the same object where its findings are."""
    findings = [finding.to_dict() for finding in judged.findings]
    now = one
    if [dict(finding) for finding in one.findings] != findings:
        state.contributions.annotate(one.id, findings=findings)
        now = replace(now, findings=findings)
    if judged.refused:
        state.contributions.decide([one.id], REJECTED, by=RULE, reason="it is in the locked test")
        now = replace(now, state=REJECTED)
    elif judged.label != one.label:
        state.contributions.decide(
            [one.id], WAITING, label=judged.label, by=RULE, reason="the model spells it so"
        )
        now = replace(now, label=judged.label)
    return now
