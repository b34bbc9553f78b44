"""Work spread over machines by Ray: the one room that knows it.

Enters: the plain functions of other rooms, and the address of a cluster. Leaves: what those functions give on
one machine, made by several. Ray is loaded when a cluster is asked for, never before.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.cluster.addresses import AUTO, LOCAL, is_address, parse_address
from leafsight.cluster.environment import prepare_environment
from leafsight.cluster.options import ClusterOptions
from leafsight.errors import require

if TYPE_CHECKING:
    from leafsight.cluster.checking import photo_workers
    from leafsight.cluster.connection import Cluster, connected, require_running
    from leafsight.cluster.machines import MachineFacts, Needs, check_machines
    from leafsight.cluster.predicting import Answered, Asked, predict_on_cluster
    from leafsight.cluster.training import train_on_cluster
    from leafsight.cluster.tuning import ClusterTrials, trials_on

_HOME = {
    "Answered": "predicting",
    "Asked": "predicting",
    "Cluster": "connection",
    "ClusterTrials": "tuning",
    "MachineFacts": "machines",
    "Needs": "machines",
    "check_machines": "machines",
    "connected": "connection",
    "photo_workers": "checking",
    "train_on_cluster": "training",
    "predict_on_cluster": "predicting",
    "require_running": "connection",
    "trials_on": "tuning",
}

__all__ = [
    "AUTO",
    "Answered",
    "Asked",
    "LOCAL",
    "Cluster",
    "ClusterOptions",
    "ClusterTrials",
    "MachineFacts",
    "Needs",
    "check_machines",
    "connected",
    "is_address",
    "parse_address",
    "photo_workers",
    "predict_on_cluster",
    "require_running",
    "train_on_cluster",
    "trials_on",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    prepare_environment()
    require("ray", "cluster")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
