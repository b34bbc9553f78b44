"""All checks at once, each with a limit; what breaks in one is a finding and stops no other.

Enters: checks, functions that give findings. Leaves: the findings in the order of the checks. It does not
know what is checked.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from leafsight.doctor.findings import Finding, of_error
from leafsight.doctor.hiding import without_secrets
from leafsight.errors import LeafsightError
from leafsight.progress import Progress, Silent

AGAIN = "pip install --force-reinstall leafsight"
REPORT = "report it as a bug of leafsight, with what --json prints"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        names: the groups that its findings belong to; the first names the check itself.
        run: looks, and gives findings as it goes.
        load: loads the libraries that it wants; called before any check begins, one after the other, because
            two threads that load the same library may see half of it. What fails here fails again in ``run``.
    """

    names: tuple[str, ...]
    run: Callable[[], Iterable[Finding]]
    load: Callable[[], object] = lambda: None


def examine(
    checks: Sequence[Check],
    *,
    timeout_s: float,
    only: Sequence[str] = (),
    secrets: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Finding]:
    """Run checks beside each other and collect what they find.

    Args:
        checks: in the order in which their findings are wanted.
        timeout_s: for all of them together; what is not done by then is a finding, and is left behind.
        only: groups or whole names; empty means all.
        secrets: texts that no finding may show.
        progress: told after each check.
    """
    teller = progress or Silent()
    wanted = [one for one in checks if not only or _groups(only) & set(one.names)]
    found: list[list[Finding]] = [[] for _ in wanted]
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    waiting = set(range(len(wanted)))
    deadline_s = time.monotonic() + timeout_s
    teller.start("looking", len(wanted))
    for check in wanted:
        with suppress(Exception):
            check.load()
    for number, check in enumerate(wanted):
        words = (check, found[number], ended, number)
        # A daemon: what hangs in the system must not keep the program from ending.
        threading.Thread(target=_run, args=words, daemon=True, name=f"doctor-{check.names[0]}").start()
    while waiting:
        try:
            number = ended.get(timeout=max(0.0, deadline_s - time.monotonic()))
        except queue.Empty:
            break
        waiting.discard(number)
        teller.advance(1, wanted[number].names[0])
    teller.finish()
    for number in sorted(waiting):
        found[number] = [*found[number], _too_long(wanted[number], timeout_s)]
    flat = [without_secrets(finding, secrets) for findings in found for finding in findings]
    order = list(dict.fromkeys([check.names[0] for check in checks] + [n for c in checks for n in c.names]))
    return sorted((one for one in flat if _is_wanted(one, only)), key=lambda one: order.index(one.check))


def _run(check: Check, found: list[Finding], ended: queue.SimpleQueue[int], number: int) -> None:
    name = check.names[0]
    try:
        for finding in check.run():
            found.append(finding)  # noqa: PERF402 (read from outside while this goes on)
    except LeafsightError as error:
        found.append(of_error(name, error))
    except ModuleNotFoundError as error:
        found.append(Finding(f"{name}.check", "fail", f"the library {error.name} is missing", AGAIN))
    except Exception as error:  # not its message, which may hold anything
        said = f"the check itself broke with {type(error).__name__}: a bug of ours"
        found.append(Finding(f"{name}.check", "fail", said, REPORT))
    finally:
        ended.put(number)


def _too_long(check: Check, timeout_s: float) -> Finding:
    said = f"no answer within {timeout_s:g} s"
    return Finding(
        f"{check.names[0]}.check", "fail", said, "see what it waits for, or allow more with --timeout-s"
    )


def _groups(only: Sequence[str]) -> set[str]:
    return {name.partition(".")[0] for name in only}


def _is_wanted(finding: Finding, only: Sequence[str]) -> bool:
    broken = finding.name.endswith(".check")  # must be heard, whatever was asked for
    return not only or broken or finding.name in only or finding.check in only
