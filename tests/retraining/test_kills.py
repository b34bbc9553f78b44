"""A retraining that is killed ends once, with the same model, and nothing twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.retraining.killing import POINTS, STEPS, Lives, chances, until_it_ends
from tests.retraining.places import Place, made_place

from leafsight.registry import SERVING

ROUNDS = 12


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = made_place(tmp_path)
    yield made
    made.state.close()


def killed(place: Place, tmp_path: Path, deaths: Iterator[str | float]) -> Lives:
    job = place.job()
    lives = until_it_ends(place.values(job), tmp_path / f"{job}.json", deaths)
    place.state.jobs.cancel(job)
    return lives


def require_once(place: Place, lives: Lives) -> None:
    """One entry, one promotion, one challenger, one watch; and it is the champion's child."""
    result = lives.result
    assert result["promoted"]
    assert [one.hash for one in place.registry.entries() if not one.builtin] == [
        result["candidate"],
        place.champion,
    ]
    changes = place.registry.history(SERVING, 20)
    assert [(one.number, one.kind) for one in changes] == [(2, "promote"), (1, "promote")]
    assert changes[0].hash == result["candidate"]
    assert len(place.registry.history("challenger", 20)) == 1
    assert (place.state.marks.get("watch") or {})["change"] == 2
    assert place.registry.verify() == ()


@pytest.mark.slow
def test_undisturbed(place: Place, tmp_path: Path) -> None:
    lives = killed(place, tmp_path, iter(()))
    assert lives.kills == 0
    require_once(place, lives)


def test_killed_between_the_promotion_and_its_record(place: Place, tmp_path: Path) -> None:
    lives = killed(place, tmp_path, iter(["promote:done"]))
    assert lives.kills == 1
    require_once(place, lives)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["snapshot:done", "train:begun", "train:done", "publish:done"])
def test_killed_once(place: Place, tmp_path: Path, point: str) -> None:
    lives = killed(place, tmp_path, iter([point]))
    assert lives.kills == 1
    require_once(place, lives)


@pytest.mark.slow
def test_killed_at_every_boundary_of_one_retraining(place: Place, tmp_path: Path) -> None:
    lives = killed(place, tmp_path, iter(POINTS))
    assert lives.kills == len(POINTS)
    require_once(place, lives)
    done = [line for line in lives.talk if line.startswith("step: ")]
    # Each step is done once more for the kill between its work and its record, and never after that.
    assert done == sorted(done, key=lambda line: int(line.split()[2].split("/")[0]))
    assert len(done) == 2 * len(STEPS)


def undisturbed_s(folder: Path) -> float:
    """How long one retraining takes that nobody kills, its process included."""
    place = made_place(folder)
    began = time.monotonic()
    assert killed(place, folder, iter(())).kills == 0
    took_s = time.monotonic() - began
    place.state.close()
    return took_s


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    undisturbed_s(tmp_path / "first")  # the server that forks loads everything for the first one
    kills, most_s = 0, undisturbed_s(tmp_path / "second")
    for round_ in range(ROUNDS):
        place = made_place(tmp_path / str(round_))
        lives = killed(place, tmp_path / str(round_), chances(round_, most_s))
        require_once(place, lives)
        kills += lives.kills
        place.state.close()
    assert kills > ROUNDS, "it was hardly ever hit"


@pytest.mark.slow
def test_the_same_model_as_undisturbed(tmp_path: Path) -> None:
    """The same job on the same photographs, once killed and once not."""
    import shutil

    first = made_place(tmp_path / "one" / "place")
    job = first.job()
    first.state.close()
    hashes = []
    for name, deaths in (("a", ()), ("b", POINTS[::2])):
        folder = tmp_path / name / "place"
        shutil.copytree(tmp_path / "one" / "place", folder)
        values = {
            **first.values(job),
            "database_url": f"sqlite:///{folder / 'leafsight.db'}",
            "blob_url": str(folder / "blobs"),
            "registry_dir": str(folder / "registry"),
            "work_dir": str(folder / "learning"),
        }
        hashes.append(until_it_ends(values, tmp_path / f"{name}.json", iter(deaths)).result["candidate"])
    assert hashes[0] == hashes[1]
