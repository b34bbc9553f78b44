from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import write_tiny_bundle

from leafsight.bundle import Bundle, open_bundle
from leafsight.inference import BundlePredictor, Predictor


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(write_tiny_bundle(tmp_path_factory.mktemp("tiny") / "tiny.leafsight"))


@pytest.fixture(scope="session")
def predictor(tiny: Bundle) -> BundlePredictor:
    return BundlePredictor(tiny)


@pytest.fixture(params=["bundle", "fake"])
def anyone(request: pytest.FixtureRequest, tiny: Bundle) -> Predictor:
    return BundlePredictor(tiny) if request.param == "bundle" else FakePredictor()


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., BundlePredictor]:
    """A predictor on a bundle with changed contents."""

    def make(**changes: object) -> BundlePredictor:
        options = {name: changes.pop(name) for name in ("test_time_views", "batch_size") if name in changes}
        return BundlePredictor(write_tiny_bundle(tmp_path / "other.leafsight", **changes), **options)

    return make


@pytest.fixture(scope="session")
def png() -> Callable[[np.ndarray], bytes]:
    return lambda rgb: _encoded(rgb, "PNG")


@pytest.fixture(scope="session")
def jpeg() -> Callable[[np.ndarray], bytes]:
    return lambda rgb: _encoded(rgb, "JPEG")


def _encoded(rgb: np.ndarray, kind: str) -> bytes:
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, kind, quality=92)
    return buffer.getvalue()
