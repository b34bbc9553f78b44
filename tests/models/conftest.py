"""Weights and photographs of the workshop; tests that need them skip where they are absent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

SHARED_WEIGHTS = (
    Path(__file__).resolve().parents[3] / "shared" / "weights" / "mobilenetv2_100_imagenet_fp16.safetensors"
)


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    if not SHARED_WEIGHTS.is_file():
        pytest.skip("needs ../shared/weights, which are not in the repository")
    return SHARED_WEIGHTS


@pytest.fixture(autouse=True)
def _one_thread_and_seed() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(7)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def pixels() -> torch.Tensor:
    """Eight smooth, distinct pictures, float [8, 3, 64, 64] of 0..255."""
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand(8, 3, 5, 5, generator=generator)
    return torch.nn.functional.interpolate(coarse, size=64, mode="bicubic").clamp(0, 1) * 255
