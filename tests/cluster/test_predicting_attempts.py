"""Which photograph a worker was lost with; and that every loss comes to an end."""

from __future__ import annotations

from leafsight.cluster.predicting_attempts import MOST_DEADLY, Attempts


def lose_at(attempts: Attempts, at: int | None) -> None:
    """A worker says what it begins, and nothing after it."""
    attempts.tell(7, at or 0, at)


def test_the_first_try_is_quick_and_the_next_is_careful() -> None:
    attempts = Attempts(3)
    assert attempts.begin(7).is_first
    again = attempts.begin(7)
    assert (again.is_first, again.skip, again.lost, again.is_over) == (False, frozenset(), 1, False)
    assert attempts.begin(8).is_first


def test_a_photograph_is_left_out_when_two_workers_ended_with_it() -> None:
    attempts = Attempts(3)
    attempts.begin(7)
    attempts.begin(7)
    lose_at(attempts, 4)
    assert attempts.begin(7).skip == frozenset()
    lose_at(attempts, 4)
    assert attempts.begin(7).skip == {4}
    lose_at(attempts, 9)
    assert not attempts.begin(7).is_over
    lose_at(attempts, 9)
    assert attempts.begin(7).skip == {4, 9}


def test_losses_that_nobody_explains_end() -> None:
    attempts = Attempts(3)
    assert [attempts.begin(7).is_over for _ in range(5)] == [False, False, False, False, True]


def test_a_photograph_that_ends_workers_when_it_is_left_out_ends_too() -> None:
    attempts = Attempts(3)
    attempts.begin(7)
    for _ in range(20):
        lose_at(attempts, 4)
        if (attempt := attempts.begin(7)).is_over:
            return
    raise AssertionError(attempt)


def test_a_chunk_of_deadly_photographs_ends() -> None:
    attempts = Attempts(3)
    attempts.begin(7)
    found = 0
    for at in range(1000):
        lose_at(attempts, at)
        attempts.begin(7)
        lose_at(attempts, at)
        attempt = attempts.begin(7)
        if attempt.is_over:
            break
        found = len(attempt.skip)
    assert found == MOST_DEADLY


def test_what_the_command_has_is_forgotten() -> None:
    attempts = Attempts(3)
    attempts.hello()
    for chunk in (7, 8):
        attempts.begin(chunk)
        attempts.tell(chunk, 10 * chunk)
    assert attempts.look([]) == (5, 150, 0)
    assert attempts.look([7]) == (5, 80, 0)
    attempts.tell(7, 70)  # late
    assert attempts.look([]) == (6, 80, 0)
    assert attempts.begin(7).is_first
