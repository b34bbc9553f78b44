"""The new model reaches the shelf once, and the alias moves once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.tiny_bundle import write_tiny_bundle
from tests.retraining.places import Place, made_place

from leafsight.errors import BundleCorruptError
from leafsight.registry import SERVING
from leafsight.retraining.publish import CHANGED, gate_hash, promote, publish
from leafsight.retraining.workplace import CANDIDATE, Workplace


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = made_place(tmp_path, photographs=0)
    yield made
    made.state.close()


def worked(place: Place, **changes: Any) -> tuple[Workplace, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A workplace with a candidate, and what the steps before gave."""
    work = place.workplace(place.job(), **changes)
    write_tiny_bundle(work.folder.candidate, name="challenger")
    candidate = work.folder.candidate
    work.keep_candidate(candidate)
    from leafsight.bundle import open_bundle

    built = {"candidate": open_bundle(candidate).content_hash}
    frozen = {"parent": place.champion, "snapshot": "cd" * 32, "photographs": 24, "classes_added": ["Okra"]}
    gate = {
        "passed": True,
        "said": "nothing is worse",
        "checks": [],
        "hash": "ef" * 32,
        "champion": place.champion,
    }
    return work, frozen, built, gate


def test_published_and_promoted_once_however_often_it_is_begun_again(place: Place) -> None:
    work, frozen, built, gate = worked(place, by="ada")
    found = [publish(work, frozen, built, gate) for _ in range(3)]
    assert found == [{"entry": built["candidate"]}] * 3
    moved = [promote(work, built, gate) for _ in range(3)]
    assert moved[0] == moved[1] == moved[2]
    assert (moved[0]["promoted"], moved[0]["change"], moved[0]["former"]) == (True, 2, place.champion)
    changes = place.registry.history(SERVING, 10)
    assert [(one.number, one.by) for one in changes] == [(2, "ada"), (1, "ada")]
    assert gate["hash"][:12] in changes[0].reason
    assert work.order.job in changes[0].reason
    note = place.registry.get("challenger").note
    assert "Okra" in note
    assert "the gate held" in note
    assert len(place.registry.history("challenger", 10)) == 1


def test_a_promotion_in_the_same_moment_is_judged_against_and_not_run_over(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, frozen, built, gate = worked(place)
    publish(work, frozen, built, gate)
    write_tiny_bundle(tmp_path / "other.leafsight", name="other")
    other = place.registry.add(tmp_path / "other.leafsight").hash
    registry, straight = work.registry, work.registry.promote

    def beaten(*words: Any, **more: Any) -> Any:
        straight(other, reason="somebody was quicker", by="ada")
        return straight(*words, **more)

    monkeypatch.setattr(registry, "promote", beaten)
    found = promote(work, built, gate)
    assert (found["promoted"], found["why"], found["champion"]) == (False, CHANGED, other)
    assert place.registry.get(SERVING).hash == other


def test_what_was_rolled_back_meanwhile_is_not_promoted_again(place: Place) -> None:
    work, frozen, built, gate = worked(place)
    publish(work, frozen, built, gate)
    first = promote(work, built, gate)
    place.registry.rollback(SERVING, reason="worse", by="ada")
    assert promote(work, built, gate) == first
    assert place.registry.get(SERVING).hash == place.champion
    assert [one.kind for one in place.registry.history(SERVING, 10)] == ["rollback", "promote", "promote"]


@pytest.mark.parametrize(
    ("changes", "gate_changes", "why"),
    [
        ({}, {"passed": False}, "the gate did not hold"),
        ({"promote": "ask"}, {}, "a person is asked"),
        ({}, {"champion": "00" * 32}, CHANGED),
    ],
)
def test_what_may_not_serve_does_not(
    place: Place, changes: dict[str, Any], gate_changes: dict[str, Any], why: str
) -> None:
    work, frozen, built, gate = worked(place, **changes)
    gate = {**gate, **gate_changes}
    publish(work, frozen, built, gate)
    found = promote(work, built, gate)
    assert (found["promoted"], found["why"], found["champion"]) == (False, why, place.champion)
    assert place.registry.get(SERVING).hash == place.champion
    assert place.registry.get("challenger").hash == built["candidate"]


def test_a_corrupt_candidate_is_taken_from_its_copy_and_else_refused(place: Place) -> None:
    work, frozen, built, gate = worked(place)
    work.folder.candidate.write_bytes(work.folder.candidate.read_bytes()[:-100])
    assert publish(work, frozen, built, gate)["entry"] == built["candidate"]
    other, frozen, built, gate = worked(place, seed=1)
    other.folder.candidate.write_bytes(b"rubbish")
    other.blobs.put(other.blob(CANDIDATE), b"rubbish, too")
    with pytest.raises(BundleCorruptError, match="damaged, and so is its copy"):
        publish(other, frozen, built, gate)
    other.blobs.delete(other.blob(CANDIDATE))
    with pytest.raises(BundleCorruptError, match="copy"):
        promote_candidate(other, built)


def promote_candidate(work: Workplace, built: dict[str, Any]) -> None:
    work.candidate(built["candidate"])


def test_another_model_in_its_place_is_not_taken_for_it(place: Place) -> None:
    work, _, built, _ = worked(place)
    write_tiny_bundle(work.folder.candidate, name="somebody's")
    assert work.candidate(built["candidate"]).name == "challenger"


def test_the_hash_of_a_report_is_that_of_its_values() -> None:
    assert gate_hash({"a": 1, "b": 2}) == gate_hash({"b": 2, "a": 1}) != gate_hash({"a": 1})
