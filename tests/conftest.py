"""What every test may use, and what every test runs under.

Shapes and types are checked while the tests run (never in the product): an import hook puts beartype around
every annotated function of leafsight, so that a shape in a signature is a promise and not a comment.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

if TYPE_CHECKING:
    from tests.journeys.small_world import World

REPOSITORY = Path(__file__).resolve().parents[1]
PHOTOGRAPHS = REPOSITORY / "data"

if any(name.partition(".")[0] == "leafsight" for name in sys.modules):  # pragma: no cover
    raise RuntimeError("leafsight was imported before the types could be watched")
# By a name without dots: pytest's importlib mode makes package objects of its own for ``tests``.
sys.path.insert(0, str(Path(__file__).parent / "runtime"))
install_import_hook("leafsight", "runtime_types.checked")

# How long a draw takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# Nothing that runs in a test may write to the real home folder, nor hear the settings of whoever tests.
HOME = Path(tempfile.mkdtemp(prefix="leafsight-tests-home-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ.update(HOME=str(HOME), XDG_CACHE_HOME=str(HOME / ".cache"), MPLCONFIGDIR=str(HOME / "matplotlib"))
for name in [name for name in os.environ if name.startswith("LEAFSIGHT_")]:
    del os.environ[name]


os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
try:
    import PySide6.QtWidgets  # noqa: F401
except (
    ImportError
):  # not installed, or libraries of the system are missing: tests/desktop says so when it skips
    pytest_plugins: list[str] = []
else:
    pytest_plugins = ["pytestqt.plugin"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of unpacked real photographs, ``<set>/<class>/<file>``; skips where they are absent."""
    if not PHOTOGRAPHS.is_dir():
        pytest.skip("needs the real photographs (see docs/development.md), which are not in the repository")
    return PHOTOGRAPHS


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A tiny trained run with its model file; read only."""
    from tests.journeys.small_world import build_world

    return build_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def colour_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file whose answers are known: red is apple scab, green healthy apple, blue tomato blight."""
    from tests.fakes.tiny_bundle import write_tiny_bundle

    return write_tiny_bundle(tmp_path_factory.mktemp("model") / "colours.leafsight")
