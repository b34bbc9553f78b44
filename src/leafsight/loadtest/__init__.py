"""The load study: containers or processes with limits, people and arrivals, a report that can be believed.

Enters: set-ups, loads, photographs. Leaves: what became of every request, what it cost the server, where it
saturates and why. It does not know how the service works inside: it asks it as anybody would.

Locust, and gevent under it, are imported in ``people_locust`` only, which runs in a process of its own.
"""

from leafsight.loadtest.arithmetic import (
    constant_schedule,
    poisson_schedule,
    quantile,
    quantile_interval,
    wilson_interval,
)  # fmt: skip
from leafsight.loadtest.container_commands import found_engine
from leafsight.loadtest.container_engine import ContainerEngine
from leafsight.loadtest.container_options import ContainerOptions
from leafsight.loadtest.engines import Engine, Part, Running
from leafsight.loadtest.options import StudyOptions
from leafsight.loadtest.process_engine import ProcessEngine
from leafsight.loadtest.remote_engine import RemoteEngine
from leafsight.loadtest.report import write_report
from leafsight.loadtest.results import results_of
from leafsight.loadtest.setups import BUILT_IN
from leafsight.loadtest.store import StudyFolder
from leafsight.loadtest.study import Study
from leafsight.loadtest.wire import Answer, Connection, CutError, MalformedError, read_answer

__all__ = [
    "Answer",
    "BUILT_IN",
    "Connection",
    "ContainerEngine",
    "ContainerOptions",
    "CutError",
    "Engine",
    "MalformedError",
    "Part",
    "ProcessEngine",
    "RemoteEngine",
    "Running",
    "Study",
    "StudyFolder",
    "StudyOptions",
    "constant_schedule",
    "found_engine",
    "poisson_schedule",
    "quantile",
    "quantile_interval",
    "read_answer",
    "results_of",
    "wilson_interval",
    "write_report",
]
