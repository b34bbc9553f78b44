"""What Ray reads from the environment of the process when it is loaded.

Enters: the environment as the person set it. Leaves: ours beside it, never over it. It does not load Ray.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

QUIET = {
    # Nobody is told what runs here; the working folder stays, for paths that a person wrote.
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    # A worker that died is seen within a second.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",
    # What it would do from its next version on, and else warns of at every start.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
TOKEN_FILE = Path(".ray") / "auth_token"


def prepare_environment(environment: MutableMapping[str, str] = os.environ, home: Path | None = None) -> None:
    """Set what is not set. A key that is there is used: Ray locks what it starts, and joins without a key.

    Args:
        environment: of the process.
        home: where the key of clusters may lie.
    """
    for name, value in QUIET.items():
        environment.setdefault(name, value)
    file = Path(environment.get(TOKEN_PATH) or (home or Path.home()) / TOKEN_FILE)
    if environment.get(TOKEN) or file.is_file():
        environment.setdefault(MODE, "token")
