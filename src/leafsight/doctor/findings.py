"""What a check found, as a plain record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from leafsight.errors import LeafsightError, MissingExtraError, StateBusyError, StateFullError

State = Literal["ok", "warn", "fail", "skipped"]
WORST_FIRST: tuple[State, ...] = ("fail", "warn", "skipped", "ok")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what was looked at: the check and the thing, such as ``database.revision``.
        state: ``ok``; ``warn`` works but should be seen to; ``fail`` does not work; ``skipped`` was not, or
            could not be, looked at.
        said: what was found.
        todo: one sentence on what to do; empty where there is nothing to do.
    """

    name: str
    state: State
    said: str
    todo: str = ""

    @property
    def check(self) -> str:
        """The check that it belongs to."""
        return self.name.partition(".")[0]

    def to_dict(self) -> dict[str, str]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings in one: how many of each state, and what to do first."""

    counts: dict[State, int]
    first: Finding | None

    @property
    def fails(self) -> bool:
        """Whether something does not work."""
        return bool(self.counts["fail"])

    @property
    def warns(self) -> bool:
        """Whether something should be seen to."""
        return bool(self.counts["warn"])


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """Count the findings, and find the first of the worst."""
    counts = {state: sum(one.state == state for one in findings) for state in WORST_FIRST}
    bad = [one for state in ("fail", "warn") for one in findings if one.state == state]
    return Verdict(counts, bad[0] if bad else None)


def counted(number: int, word: str) -> str:
    """``1 job``, ``2 jobs``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def of_error(name: str, error: LeafsightError, *, wanted: bool = True, busy: str = "") -> Finding:
    """What an error of ours means.

    Args:
        name: of the finding.
        error: with message and hint.
        wanted: whether somebody asked for what is missing; what nobody asked for is skipped.
        busy: what to do about what does not answer; the error's own hint is for who has asked a service.
    """
    if isinstance(error, MissingExtraError) and not wanted:
        return Finding(name, "skipped", error.message, error.hint)
    if busy and isinstance(error, StateBusyError) and not isinstance(error, StateFullError):
        return Finding(name, "fail", error.message, busy)
    return Finding(name, "fail", error.message, error.hint or "read docs/errors.md for this kind of error")
