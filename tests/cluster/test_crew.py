"""Tasks shared by workers: every one is done, in order, whoever is lost; or one error says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from tests.cluster.crew_members import Doubler

from leafsight.cluster import ClusterOptions, connected
from leafsight.cluster.crew import AHEAD, WAITING_EACH, Crew, Hiring
from leafsight.errors import BundleError, ClusterError

Hire = Callable[..., Crew[Any]]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def hire(cluster_address: str, tmp_path: Path, said: list[str]) -> Iterator[Hire]:
    """Makes a crew of two that doubles numbers and does what words say."""
    crews: list[Crew[Any]] = []

    def make(admit: Callable[[str, Any], None] = lambda machine, sample: None, **words: Any) -> Crew[Any]:
        options = ClusterOptions(address=cluster_address, **words)

        def new() -> Any:
            made = ray.remote(num_cpus=options.cpus_per_worker, max_restarts=0)(Doubler)
            return made.remote(str(tmp_path))

        crews.append(Crew(2, options, Hiring(new, "hello", admit, str, said.append)))
        return crews[-1]

    with connected(ClusterOptions(address=cluster_address)):
        yield make
        for crew in crews:
            crew.close()


def answers(crew: Crew[Any], tasks: list[Any]) -> list[Any]:
    return [answer for _, answer in crew.map(tasks)]


def test_answers_come_in_the_order_of_the_tasks(hire: Hire, said: list[str]) -> None:
    crew = hire()
    assert answers(crew, list(range(50))) == [2 * number for number in range(50)]
    assert [machine for machine, _ in crew.map([1])] == ["here"]  # the same workers, again
    assert answers(crew, []) == []
    assert said == []


def test_what_a_killed_worker_was_at_is_done_again(hire: Hire, tmp_path: Path, said: list[str]) -> None:
    tasks = [1, 2, 3, "kill-once a", 4, 5, "kill-once b", 6]
    assert answers(hire(), tasks) == [2, 4, 6, "kill-once a", 8, 10, "kill-once b", 12]
    assert [(tmp_path / name).read_text().count("asked") for name in "ab"] == [2, 2]
    assert said == ["a worker on here was lost (its process was killed); what it had begun is done again"] * 2


def test_a_task_that_ends_every_worker_is_named_and_its_neighbours_are_not(
    hire: Hire, tmp_path: Path, said: list[str]
) -> None:
    crew = hire(max_failures=1)
    with pytest.raises(ClusterError, match=r"2 workers were lost over the same task: kill x$"):
        answers(crew, [*range(9), "kill x", *range(9)])
    assert (tmp_path / "x").read_text().count("asked") == 2
    assert len(said) == 2


def test_a_silent_worker_counts_as_lost(hire: Hire, said: list[str]) -> None:
    assert answers(hire(silence_s=1), [1, "sleep-once s", 2]) == [2, "sleep-once s", 4]
    assert [line for line in said if "silent for 1 s" in line]


def test_what_a_worker_raises_is_raised_here(hire: Hire, said: list[str]) -> None:
    with pytest.raises(BundleError, match="no model m") as caught:
        answers(hire(), [1, "raise m"])
    assert caught.value.hint == "look for it"
    assert said == []


def test_a_worker_may_be_refused(hire: Hire) -> None:
    def refuse(machine: str, sample: object) -> None:
        raise ClusterError(f"{machine} said {sample}")

    with pytest.raises(ClusterError, match="here said hello"):
        answers(hire(refuse), [1])


def test_room_that_never_comes_is_not_waited_for(hire: Hire) -> None:
    with pytest.raises(ClusterError, match="no worker began within 1 s"):
        answers(hire(cpus_per_worker=64, start_s=1), [1])


def test_no_more_is_under_way_than_is_needed(hire: Hire, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first is slow, the other worker gets some way ahead, and then waits."""
    ended, ahead = 0, []
    real = Crew._go_on

    def noted(self: Crew[Any], left: int, first: int) -> None:
        real(self, left, first)
        ahead.append(200 - len(self._waiting) - ended)

    monkeypatch.setattr(Crew, "_go_on", noted)
    for _ in hire().map(["nap n", *range(199)]):
        ended += 1
    assert ended == 200
    assert max(ahead) == AHEAD * 2 * (1 + WAITING_EACH)
