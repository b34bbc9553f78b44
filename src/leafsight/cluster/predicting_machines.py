"""Whether every machine sees the photographs, asked before the work begins.

Enters: a few places of files. Leaves: nothing, or one error that names the machines that do not see them.
Nothing is written there: photographs often lie where nobody may write.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from leafsight.errors import ClusterError

ASK_S = 60.0
_SHOWN = 4


def require_seen(places: Mapping[str, str]) -> None:
    """Refuse machines to which a photograph that is here is not there, or is another one.

    Args:
        places: root of an input to a file below it that this machine sees.

    Raises:
        ClusterError: naming what which machines do not see.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    if len(nodes) < 2 or not places:
        return
    here = _sizes(list(places.values()))
    asked = {
        str(node["NodeManagerAddress"]): ray.remote(num_cpus=0, max_retries=1)(_sizes)
        .options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))
        .remote(list(places.values()))
        for node in nodes
    }
    faults = []
    for name, reference in asked.items():
        try:
            there = ray.get(reference, timeout=ASK_S)
        except RayError as error:
            raise ClusterError(f"{name} does not answer: {str(error).splitlines()[-1]}") from error
        unseen = [root for root, place in places.items() if there[place] != here[place]]
        faults += [f"{name} does not see {', '.join(unseen)} as this machine does"] if unseen else []
    if faults:
        raise ClusterError(
            "; ".join(faults[:_SHOWN]) + (" and others" if len(faults) > _SHOWN else ""),
            hint="put them on storage that every machine mounts at the same path, or into a bucket",
        )


def _sizes(places: list[str]) -> dict[str, int]:
    """Runs on the machine that is asked: bytes of each file, -1 where there is none."""
    return {place: _size(Path(place)) for place in places}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
