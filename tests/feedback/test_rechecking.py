"""What waits is judged again when something changed."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.tiny_bundle import BLUE, LABELS, RED
from tests.feedback.made_uploads import sent_in
from tests.feedback.made_world import BLIGHT, SCAB, World, drawn, make_world

from leafsight.bundle import open_bundle
from leafsight.feedback import recheck
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
