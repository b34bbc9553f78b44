"""What the machines of a cluster have, and whether that is enough.

Enters: what the work needs. Leaves: facts of every machine, or one error that names all that do not fit. It
is asked before the work begins, so that a missing library is no failure in its middle.
"""

from __future__ import annotations

import platform
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from leafsight import __version__
from leafsight.errors import ClusterError
from leafsight.storage import os_errors_translated

MARK = ".leafsight-shared-"
ASK_S = 60.0
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Needs:
    """What every machine must have.

    Attributes:
        modules: importable, with the extra that brings each.
        shared: folders that must be the same on all, and are written.
        seen: folders that must be there on all, and files that must have the same size; nothing is written.
    """

    modules: tuple[tuple[str, str], ...] = ()
    shared: tuple[Path, ...] = ()
    seen: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """One machine as a task on it sees it.

    Attributes:
        name: its address in the cluster.
        leafsight: version, empty where it is not installed.
        python: version.
        missing: extras of leafsight that are not installed.
        unseen: shared folders, and what is to be seen, that it does not see as this machine does.
    """

    name: str
    leafsight: str
    python: str
    missing: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def check_machines(needs: Needs, *, limit_s: float = ASK_S) -> list[MachineFacts]:
    """Ask every machine that is alive.

    Args:
        needs: what must be there.
        limit_s: how long one may take to answer.

    Raises:
        ClusterError: naming every machine that is silent or does not fit, and what it lacks.
        StorageError: a shared folder cannot be written from here.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    with _marked(needs.shared) as marks:
        modules = [list(pair) for pair in needs.modules]
        sizes = {str(path.absolute()): _size(str(path.absolute())) for path in needs.seen}
        asked = [
            (
                str(node["NodeManagerAddress"]),
                ray.remote(num_cpus=0, max_retries=0)(_look)
                .options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))
                .remote(modules, marks, sizes),
            )
            for node in nodes
        ]
        answers = [(name, _answer(name, reference, limit_s)) for name, reference in asked]
    facts = [answer for _, answer in answers if isinstance(answer, MachineFacts)]
    faults = [fault for name, answer in answers for fault in _faults(name, answer)]
    if faults:
        more = len(faults) - _SHOWN
        raise ClusterError(
            "the machines of the cluster do not fit: "
            + "; ".join(faults[:_SHOWN])
            + (f"; and {more} more" if more > 0 else ""),
            hint=_remedy(facts),
        )
    return facts


def _answer(name: str, reference: object, limit_s: float) -> MachineFacts | str:
    try:
        found = ray.get(reference, timeout=limit_s)
    except GetTimeoutError:
        return f"{name} did not answer within {limit_s:.0f} s"
    except RayError as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        if any("No module named 'leafsight" in line for line in lines):
            return MachineFacts(name, "", platform.python_version())
        return f"{name} cannot work: {lines[-1]}"
    return MachineFacts(
        name, found["leafsight"], found["python"], tuple(found["missing"]), tuple(found["unseen"])
    )


def _faults(name: str, answer: MachineFacts | str) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
        return
    if not answer.leafsight:
        yield f"{name} has no leafsight"
    elif answer.leafsight != __version__:
        yield f"{name} has leafsight {answer.leafsight}, here it is {__version__}"
    if answer.missing:
        yield f"{name} lacks the extra {' and '.join(answer.missing)}"
    if answer.unseen:
        yield f"{name} does not see {' and '.join(answer.unseen)} as this machine does"


def _remedy(facts: Sequence[MachineFacts]) -> str:
    if any(fact.unseen for fact in facts):
        return "put the folder on storage that every machine mounts at the same path, such as NFS"
    extras = sorted({extra for fact in facts for extra in fact.missing} | {"cluster"})
    return f"on every machine: pip install 'leafsight[{','.join(extras)}]=={__version__}'"


@contextmanager
def _marked(folders: Sequence[Path]) -> Iterator[dict[str, str]]:
    """A small file in each folder while the machines look for it: path -> what stands in it."""
    marks: dict[str, str] = {}
    try:
        for folder in folders:
            path = folder.absolute() / f"{MARK}{secrets.token_hex(8)}"
            with os_errors_translated(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(secrets.token_hex(16), "ascii")
            marks[str(path)] = path.read_text("ascii")
        yield marks
    finally:
        for name in marks:
            Path(name).unlink(missing_ok=True)


def _look(modules: list[list[str]], marks: dict[str, str], sizes: dict[str, int]) -> dict[str, object]:
    """Runs on the machine that is asked."""
    unseen = [str(Path(path).parent) for path, text in marks.items() if _read(path) != text]
    unseen += [path for path, size in sizes.items() if _size(path) != size]
    return {
        "leafsight": __version__,
        "python": platform.python_version(),
        "missing": sorted({extra for module, extra in modules if find_spec(module) is None}),
        "unseen": sorted(unseen),
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii")
    except OSError:
        return ""


def _size(path: str) -> int:
    """Bytes of a file; -1 for a folder, -2 where there is nothing to be seen."""
    try:
        status = Path(path).stat()
        return -1 if stat.S_ISDIR(status.st_mode) else status.st_size
    except OSError:
        return -2
