"""A job while it is worked off, as a bar on the terminal or as lines.

Enters: every new state of a job. Leaves: its last state, or the error that it ended with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from leafsight.cli.terminal import progress
from leafsight.errors import LeafsightError
from leafsight.progress import Progress

Plain = dict[str, Any]
WAITING = "waiting for its turn"
SHOWN_METRICS = 3
GOING_ON = ("queued", "running")


def shown_to_its_end(states: Iterator[Plain], *, quiet: bool = False) -> Plain:
    """Follow a job to its end and show how far it is.

    Args:
        states: of the job, the last one ended.
        quiet: show nothing.

    Returns:
        Its last state.

    Raises:
        LeafsightError: it failed, or was cancelled.
    """
    bars = Bar(progress(quiet))
    last: Plain = {}
    # Closed also when Ctrl-C comes between two states: then the job goes back into the queue.
    with closing(states) as every:  # type: ignore[type-var]
        for last in every:
            if last.get("state") in GOING_ON:
                bars.show(last)
    bars.end()
    if last.get("state") == "done":
        return last
    if last.get("state") == "cancelled":
        raise LeafsightError("it was cancelled", hint="what it had done is kept; ask for it again")
    error = last.get("error") or {}
    raise LeafsightError(
        str(error.get("message") or "it failed without a word"), hint=str(error.get("hint") or "")
    )


class Bar:
    """Steps of a job on a progress reporter.

    Args:
        bars: where they are shown.
    """

    def __init__(self, bars: Progress) -> None:
        self._bars, self._label, self._done = bars, "", 0

    def show(self, job: Mapping[str, Any]) -> None:
        """Show a state of the job."""
        told = job.get("progress") or {}
        part, step = str(told.get("part") or ""), str(told.get("step") or "")
        label = WAITING if job.get("state") == "queued" else f"{part}: {step}" if part != step else part
        label = label.strip(": ") or "working"
        total = told.get("total")
        if label != self._label:
            self.end()
            self._bars.start(label, total if isinstance(total, int) and total > 0 else None)
            self._label, self._done = label, 0
        done = told.get("done")
        if isinstance(done, int) and done >= self._done:
            self._bars.advance(done - self._done, note_of(told))
            self._done = done

    def end(self) -> None:
        """The last step is over."""
        if self._label:
            self._bars.finish()
        self._label = ""


def note_of(told: Mapping[str, Any]) -> str:
    """What a progress says besides its count: how long it still takes, and some figures."""
    metrics = told.get("metrics")
    words = [
        f"{name} {value:.4g}"
        for name, value in (metrics.items() if isinstance(metrics, Mapping) else ())
        if isinstance(value, int | float)
    ][:SHOWN_METRICS]
    left_s = told.get("eta_s")
    if isinstance(left_s, int | float):
        words.append(f"{left_s:.0f} s left" if left_s < 120 else f"{left_s / 60:.0f} min left")
    return ", ".join(words)
