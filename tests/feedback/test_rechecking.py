"""What waits is judged again when something changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.tiny_bundle import BLUE, LABELS, RED
from tests.feedback.made_uploads import sent_in
from tests.feedback.made_world import BLIGHT, SCAB, World, drawn, make_world

from leafsight.bundle import open_bundle
from leafsight.feedback import Champion, held, recheck, rechecking, twins
from leafsight.feedback.judging import judge
from leafsight.feedback.known import known_of
from leafsight.feedback.likeness import fit_whitening
from leafsight.feedback.records import Asked
from leafsight.feedback.sources import Brought, BroughtBefore, brought_by
from leafsight.state import Blobs, State

YELLOW, VIOLET = (190, 190, 30), (170, 40, 170)


def kinds(state: State, upload: str) -> dict[str, list[str]]:
    return {one.name: [f["kind"] for f in one.findings] for one in state.contributions.of_upload(upload)}


def test_a_class_that_was_declared_blocks_no_more(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    files = {f"Yellow/{n}": drawn(YELLOW, n) for n in range(8)}
    files |= {f"Violet/{n}": drawn(VIOLET, n) for n in range(8)}
    upload, _ = sent_in(state, blobs, learned, tmp_path, files)
    assert all("new_class" in each for each in kinds(state, upload.id).values())
    state.declared.add("yellow", by="a person")
    done = recheck(state, learned.champion)
    assert (done.judged, done.changed, done.unseen) == (16, 8, 0)
    for name, each in kinds(state, upload.id).items():
        assert ("new_class" in each) == name.startswith("Violet")
    assert {one.label for one in state.contributions.of_upload(upload.id)} == {"yellow", "Violet"}
    assert recheck(state, learned.champion).changed == 0


def test_what_people_decided_stays(state: State, blobs: Blobs, learned: World, tmp_path: Path) -> None:
    files = {f"{SCAB}/{n}": drawn(BLUE, n) for n in range(3)}
    upload, _ = sent_in(state, blobs, learned, tmp_path, files)
    first, second, third = state.contributions.of_upload(upload.id)
    state.contributions.decide([first.id], "accepted", by="a person")
    state.contributions.decide([second.id], "rejected", by="a person")
    state.contributions.decide([third.id], "waiting", label=BLIGHT, by="a person")
    before = [state.contributions.get(one.id) for one in (first, second)]
    done = recheck(state, learned.champion)
    assert (done.judged, done.changed) == (1, 1)
    assert [state.contributions.get(one.id) for one in (first, second)] == before
    relabelled = state.contributions.get(third.id)
    assert relabelled is not None
    assert (relabelled.label, relabelled.findings) == (BLIGHT, ())


def test_only_uploads_with_a_label(state: State, blobs: Blobs, learned: World, tmp_path: Path) -> None:
    for label in ("Yellow", "Violet"):
        sent_in(state, blobs, learned, tmp_path, {f"{label}/{n}": drawn(YELLOW, n) for n in range(2)})
    assert recheck(state, learned.champion, label="Violet").judged == 2


def test_another_backbone_has_to_see_them_first(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    upload, _ = sent_in(state, blobs, learned, tmp_path, {f"{SCAB}/{n}": drawn(RED, n) for n in range(3)})
    other = make_world(tmp_path / "other")
    other = World(_with_backbone(other.bundle, "cd" * 32), other.remembered)
    assert recheck(state, other.champion).unseen == 3
    done = recheck(state, other.champion, blobs=blobs, predictor=other.predictor)
    assert (done.judged, done.unseen) == (3, 0)
    assert {one.embedded_by for one in state.contributions.of_upload(upload.id)} == {"cd" * 32}


def test_what_came_before_is_read_once_however_many_wait(
    state: State, blobs: Blobs, learned: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was read again for each; behind 1,500 corrections uploads waited for minutes."""
    keys = ("a" * 32, "a" * 32, "b" * 32, None)
    for number, key in enumerate(keys):
        files = {f"Yellow/{number} {n}": drawn(YELLOW, 10 * number + n) for n in range(2)}
        sent_in(state, blobs, learned, tmp_path, files, key)
    counted: Counter[str] = Counter()
    for name in ("look_alikes", "page"):
        whole = getattr(type(state.contributions), name)

        def counting(*words: Any, whole: Any = whole, name: str = name, **named: Any) -> Any:
            counted[name] += 1
            return whole(*words, **named)

        monkeypatch.setattr(type(state.contributions), name, counting)

    def fitting(*words: Any) -> Any:
        counted["fit"] += 1
        return fit_whitening(*words)

    monkeypatch.setattr(twins, "fit_whitening", fitting)
    monkeypatch.setattr(held, "fit_whitening", fitting)
    state.declared.add("yellow", by="a person")
    done = recheck(state, Champion(learned.bundle))
    assert (done.judged, done.changed) == (8, 8)
    assert counted == {"look_alikes": 1, "page": 2, "fit": 2}, "once, and once for each key"


def test_what_is_judged_again_is_judged_as_if_it_came_now(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    """What sent photographs have in common is taken of all of them at once: the verdicts are the same."""
    colours = {SCAB: RED, BLIGHT: BLUE, "Yellow": YELLOW}
    for label, colour in colours.items():
        sent_in(state, blobs, learned, tmp_path, {f"{label}/{n}": drawn(colour, n) for n in range(4)})
    sent_in(state, blobs, learned, tmp_path, {f"{SCAB}/twice": drawn(RED, 1)})
    recheck(state, learned.champion)
    for upload in state.uploads.page().records:
        sent = list(state.contributions.of_upload(upload.id))
        known = known_of(
            state.contributions.look_alikes(), learned.champion.backbone, without=[one.id for one in sent]
        )
        alone = judge(rechecking._looked(sent, learned.champion), learned.champion, known, Asked())
        assert [[dict(one) for one in each.findings] for each in sent] == [
            [one.to_dict() for one in each.findings] for each in alone
        ]


def test_what_a_source_brought_is_counted_on_while_it_is_judged(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    key, classes = "a" * 32, {BLIGHT, SCAB}
    uploads = [
        sent_in(state, blobs, learned, tmp_path, {f"{label}/{n}": drawn(colour, n) for n in range(4)}, key)[0]
        for label, colour in ((SCAB, RED), (SCAB, BLUE), (BLIGHT, RED))
    ]
    before = BroughtBefore(state, since_ms=0, classes=classes)

    def same() -> bool:
        wanted = [
            brought_by(state, key, one.id, since_ms=0, classes=classes, without_upload=one.id)
            for one in uploads
        ]
        return [before.without(key, one.id) for one in uploads] == wanted

    assert same()
    assert before.without(None, uploads[0].id) == Brought()
    doubt = {"kind": "label_doubt", "said": "x", "blocks": True}
    for one in state.contributions.of_upload(uploads[1].id):
        state.contributions.annotate(one.id, findings=[doubt])
        before.judged(one, replace(one, findings=[doubt]))
        assert same()
    (first, *_) = state.contributions.of_upload(uploads[0].id)
    state.contributions.decide([first.id], "rejected", by="a rule")
    before.judged(first, replace(first, state="rejected"))
    assert same()


def test_known_rows_take_a_longer_name() -> None:
    known = known_of([], None)
    one = replace(
        known, id=np.array(["i"]), group_id=np.array(["g"]), label=np.array(["ab"]),
        rejected=np.array([False]), pixel=np.zeros(1, np.uint64), look=np.zeros(1, np.uint64),
        embedding=np.zeros((1, 1), np.float32),
    )  # fmt: skip
    longer = one.with_row(0, "abcdef", True)
    assert (longer.label.tolist(), longer.rejected.tolist()) == (["abcdef"], [True])
    assert one.with_row(0, "c", False).label.tolist() == ["c"]
    assert len(longer.only(np.array([False]))) == 0


def test_a_photograph_that_is_gone_stays_unseen(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    upload, _ = sent_in(state, blobs, learned, tmp_path, {f"{SCAB}/{n}": drawn(RED, n) for n in range(2)})
    other = World(_with_backbone(learned.bundle, "cd" * 32, tmp_path / "x.leafsight"), learned.remembered)
    blobs.delete(next(iter(state.contributions.of_upload(upload.id))).blob)
    done = recheck(state, other.champion, blobs=blobs, predictor=other.predictor)
    assert (done.judged, done.unseen) == (1, 1)


def test_what_a_new_champion_tests_with_is_rejected(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    photograph = drawn(RED, 4711)
    upload, _ = sent_in(state, blobs, learned, tmp_path, {f"{SCAB}/a": photograph})
    (one,) = state.contributions.of_upload(upload.id)
    assert one.findings == ()
    recheck(state, _testing(learned, int(one.pixel_hash[:16], 16), tmp_path).champion)
    (one,) = state.contributions.of_upload(upload.id)
    assert (one.state, one.decided_by) == ("rejected", "rule")


def _with_backbone(path: Path, backbone: str, out: Path | None = None) -> Path:
    from dataclasses import replace

    from tests.fakes.tiny_bundle import write_tiny_bundle

    memory = open_bundle(path).memory()
    assert memory is not None
    return write_tiny_bundle(
        out or path.with_suffix(".2.leafsight"), memory=replace(memory, backbone=backbone)
    )


def _testing(learned: World, pixel: int, folder: Path) -> World:
    """The same champion, to which one more photograph is of the locked test."""
    from tests.fakes.tiny_bundle import write_tiny_bundle

    memory = learned.champion.memory
    assert memory is not None
    memory.pixel_hash[memory.rows("test")[0]] = pixel
    return World(write_tiny_bundle(folder / "testing.leafsight", memory=memory), learned.remembered)


def test_a_name_is_spelt_as_the_champion_spells_it(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    from dataclasses import replace

    from tests.fakes.tiny_bundle import CLASSES, tiny_calibration, write_tiny_bundle

    files = {f"Yellow rot/{n}": drawn(RED, n) for n in range(2)}
    upload, _ = sent_in(state, blobs, learned, tmp_path, files)
    memory = learned.champion.memory
    labels = (replace(LABELS[0], class_name="yellow_rot"), *LABELS[1:])
    names = ("yellow_rot", *CLASSES[1:])
    bundle = write_tiny_bundle(
        tmp_path / "named.leafsight",
        labels=labels,
        calibration=tiny_calibration(classes=names),
        memory=memory,
    )
    recheck(state, World(bundle, learned.remembered).champion)
    assert {one.label for one in state.contributions.of_upload(upload.id)} == {"yellow_rot"}


def test_nothing_waits(state: State, learned: World) -> None:
    assert recheck(state, learned.champion).judged == 0
