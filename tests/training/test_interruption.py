from __future__ import annotations

import signal
import threading

import pytest

from leafsight.training.interruption import stop_requests


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_wish_and_the_second_an_order(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_requests() as request:
        signal.raise_signal(number)
        assert request.signal_name == number.name
        assert signal.getsignal(number) is before
    assert signal.getsignal(number) is before


def test_nobody_asked() -> None:
    with stop_requests() as request:
        assert request.signal_name == ""


def test_outside_of_the_main_thread_nothing_is_caught() -> None:
    seen = []

    def run() -> None:
        with stop_requests() as request:
            seen.append(request.signal_name)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [""]
