"""Whoever tries keys is slowed down; whoever has one is not."""

from __future__ import annotations

import pytest

from leafsight.service.guesses import MOST_ADDRESSES, ONE_MORE_S, TRIES, Guesses, neighbourhood


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guesses(clock: Clock) -> Guesses:
    return Guesses(clock)


def test_ten_tries_then_one_every_six_seconds(guesses: Guesses, clock: Clock) -> None:
    assert [guesses.take("192.0.2.1") for _ in range(TRIES)] == [0.0] * TRIES
    assert guesses.take("192.0.2.1") == pytest.approx(ONE_MORE_S)
    clock.now_s += ONE_MORE_S
    assert guesses.take("192.0.2.1") == 0.0
    assert guesses.take("192.0.2.1") > 0
    clock.now_s += 3600
    assert [guesses.take("192.0.2.1") for _ in range(TRIES + 1)][-1] > 0


def test_other_addresses_do_not_wait(guesses: Guesses) -> None:
    for _ in range(TRIES + 1):
        guesses.take("192.0.2.1")
    assert guesses.take("192.0.2.2") == 0.0


def test_what_was_valid_is_given_back_and_forgotten(guesses: Guesses) -> None:
    for _ in range(100):
        assert guesses.take("192.0.2.1") == 0.0
        guesses.give_back("192.0.2.1")
    assert not guesses._left


@pytest.mark.parametrize(
    ("address", "same_as"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::2%eth1"),
    ],
)
def test_what_counts_as_one_address(address: str, same_as: str) -> None:
    assert neighbourhood(address) == neighbourhood(same_as)


def test_neighbouring_networks_are_two() -> None:
    assert neighbourhood("2001:db8:1:2::1") != neighbourhood("2001:db8:1:3::1")
    assert neighbourhood("a socket" * 20) == ("a socket" * 20)[:64]


def test_the_table_is_bounded(guesses: Guesses) -> None:
    for number in range(MOST_ADDRESSES + 50):
        guesses.take(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(guesses._left) == MOST_ADDRESSES
