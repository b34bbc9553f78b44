"""What is said of photographs in quarantine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, RED
from tests.feedback.made_world import (
    BACKBONE,
    BLIGHT,
    HEALTHY,
    NO_LEAF,
    NOTHING,
    SCAB,
    World,
    drawn,
    judged,
    opened,
    pixels_of,
    png,
)

from leafsight.feedback import Asked, judge, known_of
from leafsight.feedback.looking import Opened
from leafsight.state import LookAlike, new_id

YELLOW, VIOLET = (190, 190, 30), (170, 40, 170)


def earlier(seen: Opened, row: int, label: str, state: str = "waiting") -> LookAlike:
    one = new_id()
    return LookAlike(
        id=one, group_id=one, state=state, label=label, pixel_hash=seen.looked.pixel_hash[row],  # type: ignore[arg-type]
        look_hash=int(seen.looked.look[row, 0]), embedded_by=BACKBONE,
        embedding=seen.looked.embedding[row].astype(np.float16),
    )  # fmt: skip


def test_honest_photographs_of_known_classes_are_clean(learned: World, tmp_path: Path) -> None:
    files = {f"{SCAB}/{n}.png": drawn(RED, 5000 + n) for n in range(4)}
    files |= {f"apple healthy/{n}.png": drawn(GREEN, 5000 + n) for n in range(4)}
    found = judged(learned, tmp_path, files)
    assert set(map(tuple, found.values())) == {()}


def test_labels_are_the_champions_however_they_are_spelt(learned: World, tmp_path: Path) -> None:
    seen = opened(learned, tmp_path, {"apple/scab/a.png": drawn(RED, 1), "Dahlia/b.png": drawn(RED, 2)})
    found = judge(seen.looked, learned.champion, NOTHING, Asked())
    assert [one.label for one in found] == [SCAB, "Dahlia"]


def test_the_locked_test_and_its_copies_are_refused(learned: World, tmp_path: Path) -> None:
    one = learned.remembered["test"][SCAB][0]
    pixels = pixels_of(one)
    copies = {
        "same": one,
        "mirrored": png(pixels[:, ::-1].copy()),
        "turned": png(np.rot90(pixels).copy()),
        "half": png(pixels.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3)).astype(np.uint8)),
    }
    seen = opened(learned, tmp_path, {f"{SCAB}/{name}.png": data for name, data in copies.items()})
    found = judge(seen.looked, learned.champion, NOTHING, Asked())
    assert [each.refused for each in found] == [True] * 4
    assert [each.findings[0].values["equal"] for each in found] == [True, False, False, False]
    assert not judged(learned, tmp_path / "other", {f"{SCAB}/new.png": drawn(RED, 77)})[f"{SCAB}/new.png"]


def test_what_the_champion_was_made_from_is_said(learned: World, tmp_path: Path) -> None:
    found = judged(learned, tmp_path, {f"{SCAB}/a.png": learned.remembered["train"][SCAB][0]})
    assert found == {f"{SCAB}/a.png": ["training_duplicate"]}


def test_copies_in_one_upload_are_grouped_and_the_second_blocks(learned: World, tmp_path: Path) -> None:
    one, changed = drawn(RED, 1), png((pixels_of(drawn(RED, 1)) // 4 * 4).astype(np.uint8))
    pictures = {"a": one, "b": one, "c": changed, "d": drawn(RED, 2)}
    seen = opened(learned, tmp_path, {f"{SCAB}/{name}.png": data for name, data in pictures.items()})
    found = judge(seen.looked, learned.champion, NOTHING, Asked())
    assert [each.group for each in found] == [0, 0, 0, 3]
    assert [[(f.kind, f.blocks) for f in each.findings] for each in found] == [
        [], [("duplicate", True)], [("near_duplicate", False)], [],
    ]  # fmt: skip


def test_what_came_before_gives_its_group(learned: World, tmp_path: Path) -> None:
    seen = opened(learned, tmp_path, {f"{SCAB}/a.png": drawn(RED, 1), f"{SCAB}/b.png": drawn(RED, 2)})
    rows = [earlier(seen, 0, SCAB), earlier(seen, 1, BLIGHT, "rejected")]
    found = judge(seen.looked, learned.champion, known_of(rows, BACKBONE), Asked())
    assert [each.group for each in found] == [one.id for one in rows]
    assert [each.findings[0].kind for each in found] == ["duplicate", "duplicate"]
    assert BLIGHT in found[1].findings[0].said
    assert "rejected" in found[1].findings[0].said


def test_what_its_sender_says_belongs_together_does(learned: World, tmp_path: Path) -> None:
    files = {f"{SCAB}/{n}": drawn(RED, n) for n in range(3)}
    seen = opened(learned, tmp_path, files, **{"0": "plant 1", "2": "plant 1"})
    assert [one.group for one in judge(seen.looked, learned.champion, NOTHING, Asked())] == [0, 1, 0]


def test_the_same_pixels_under_two_labels_are_doubted_both(learned: World, tmp_path: Path) -> None:
    files = {f"{SCAB}/a.png": drawn(RED, 1), f"{HEALTHY}/b.png": drawn(RED, 1)}
    found = judged(learned, tmp_path, files)
    assert all("label_doubt" in kinds for kinds in found.values())


def test_bad_pictures_are_said(learned: World, tmp_path: Path) -> None:
    files = {
        f"{SCAB}/dark.png": png((pixels_of(drawn(RED, 1)) // 6).astype(np.uint8)),
        f"{SCAB}/good.png": drawn(RED, 3),
    }
    found = judged(learned, tmp_path, files)
    assert "bad_picture" in found[f"{SCAB}/dark.png"]
    assert found[f"{SCAB}/good.png"] == []


def test_no_leaf_is_said_unless_that_is_the_label(learned: World, tmp_path: Path) -> None:
    found = judged(learned, tmp_path, {f"{NO_LEAF}/a.png": drawn(GREY, 1), f"{SCAB}/b.png": drawn(GREY, 2)})
    assert found[f"{NO_LEAF}/a.png"] == []
    assert found[f"{SCAB}/b.png"] == ["not_a_leaf", "label_doubt"]


def test_a_wrong_label_of_a_known_class_is_doubted(learned: World, tmp_path: Path) -> None:
    seen = opened(learned, tmp_path, {f"{SCAB}/a.png": drawn(BLUE, 1), f"{BLIGHT}/b.png": drawn(BLUE, 2)})
    wrong, right = judge(seen.looked, learned.champion, NOTHING, Asked())
    assert [one.kind for one in wrong.findings] == ["label_doubt"]
    assert wrong.findings[0].values["instead"] == BLIGHT
    assert right.clean


def new_files(count: int = 12) -> dict[str, bytes]:
    files = {f"Yellow thing/{n}.png": drawn(YELLOW, n) for n in range(count)}
    return files | {f"Violet thing/{n}.png": drawn(VIOLET, n) for n in range(count)}


def doubted(found: dict[str, list[str]]) -> set[str]:
    return {name for name, kinds in found.items() if "label_doubt" in kinds}


def test_new_classes_block_until_they_are_declared(learned: World, tmp_path: Path) -> None:
    found = judged(learned, tmp_path, new_files(), declared=["yellow THING"])
    for name, kinds in found.items():
        assert ("new_class" in kinds) == name.startswith("Violet")


def test_a_wrong_label_of_a_new_class_is_doubted(learned: World, tmp_path: Path) -> None:
    files = new_files()
    files["Yellow thing/wrong.png"] = drawn(VIOLET, 99)
    files["Violet thing/known.png"] = drawn(RED, 98)
    found = judged(learned, tmp_path, files, declared=["Yellow thing", "Violet thing"])
    assert {"Yellow thing/wrong.png", "Violet thing/known.png"} <= doubted(found)
    assert len(doubted(found)) <= 4


def test_of_a_new_class_with_few_photographs_nothing_can_be_said(learned: World, tmp_path: Path) -> None:
    declared = {"declared": ["Yellow thing"]}
    few = {f"Yellow thing/{n}.png": drawn(YELLOW, n) for n in range(3)}
    assert doubted(judged(learned, tmp_path / "few", few, **declared)) == set(few)
    more = {f"Yellow thing/{n}.png": drawn(YELLOW, 50 + n) for n in range(6)}
    seen = opened(learned, tmp_path / "more", more)
    known = known_of([earlier(seen, row, "Yellow thing") for row in range(6)], BACKBONE)
    assert len(doubted(judged(learned, tmp_path / "again", few, known, **declared))) < 3


def test_one_source_brings_no_more_than_its_share(learned: World, tmp_path: Path) -> None:
    files = {f"{SCAB}/{n}.png": drawn(RED, n) for n in range(5)}
    found = judged(learned, tmp_path, files, most_per_source=4, brought={SCAB: 1, HEALTHY: 9})
    assert [kinds for kinds in found.values() if kinds] == [["over_cap"]] * 2
    assert found[f"{SCAB}/4.png"] == ["over_cap"], "the first ones are taken"


@pytest.mark.parametrize(("wrong", "waits"), [(0, False), (1, False), (4, True)])
def test_a_source_with_many_doubted_labels_waits_for_a_person(
    learned: World, tmp_path: Path, wrong: int, waits: bool
) -> None:
    files = {f"{SCAB}/{n}.png": drawn(RED if n >= wrong else BLUE, n) for n in range(20)}
    found = judged(learned, tmp_path, files)
    assert len(doubted(found)) == wrong
    assert all(("doubted_source" in kinds) == waits for kinds in found.values())


def test_what_a_source_did_before_counts(learned: World, tmp_path: Path) -> None:
    files = {f"{SCAB}/a.png": drawn(RED, 1)}
    assert judged(learned, tmp_path / "a", files, known_before=100, doubted_before=40)[f"{SCAB}/a.png"] == [
        "doubted_source"
    ]
    assert not judged(learned, tmp_path / "b", files, known_before=100, doubted_before=5)[f"{SCAB}/a.png"]


def test_a_bundle_without_a_memory_still_judges(learned: World, tmp_path: Path) -> None:
    from tests.fakes.tiny_bundle import write_tiny_bundle

    world = World(write_tiny_bundle(tmp_path / "blank.leafsight"), learned.remembered)
    files = {
        f"{SCAB}/a.png": learned.remembered["test"][SCAB][0],
        f"{SCAB}/b.png": drawn(BLUE, 3),
        "New/c.png": drawn(YELLOW, 3),
    }
    found = judged(world, tmp_path / "x", files)
    assert found == {
        f"{SCAB}/a.png": [],
        f"{SCAB}/b.png": ["label_doubt"],
        "New/c.png": ["label_doubt", "new_class"],
    }


def test_nothing_sent_is_nothing_found(learned: World, tmp_path: Path) -> None:
    assert judged(learned, tmp_path, {}) == {}
    seen = opened(learned, tmp_path, {f"{SCAB}/a.png": b"no photograph"})
    assert (len(seen.looked), len(seen.faults)) == (0, 1)
