from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from leafsight.images import Preprocessing
from leafsight.models import ModelOptions, Network, build_network

SIDE_PX = 48


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def preprocessing() -> Preprocessing:
    return Preprocessing(side_px=SIDE_PX)


@pytest.fixture(scope="session")
def squares() -> np.ndarray:
    """60 smooth pictures, uint8 [60, 48, 48, 3]; the three classes differ in their brightest channel."""
    return drawn(60, seed=1)


@pytest.fixture(scope="session")
def labels() -> np.ndarray:
    return np.arange(60) % 3


def drawn(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(0, 120, size=(count, 3, 4, 4)).astype(np.float32))
    pictures = torch.nn.functional.interpolate(coarse, size=SIDE_PX, mode="bilinear")
    pictures[torch.arange(count), torch.arange(count) % 3] += 120
    return np.ascontiguousarray(pictures.clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())


@pytest.fixture(scope="session")
def network(squares: np.ndarray, labels: np.ndarray) -> Network:
    """A small MobileNetV2 with settled batch statistics whose head tells the three classes apart."""
    return trained(ModelOptions(width=0.35, dropout=0), squares, labels)


@pytest.fixture(scope="session")
def sturdy(squares: np.ndarray, labels: np.ndarray) -> Network:
    """The simple CNN: with random features MobileNetV2 does not survive INT8, this one does."""
    return trained(ModelOptions(name="simple_cnn", width=0.5, dropout=0), squares, labels)


def trained(options: ModelOptions, squares: np.ndarray, labels: np.ndarray) -> Network:
    torch.manual_seed(0)
    network = build_network(options, 3)
    pixels = torch.from_numpy(squares).permute(0, 3, 1, 2).float()
    # Statistics of every layer in turn, as a first epoch would settle them.
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    network.train()
    with torch.no_grad():
        network(pixels)
    network.eval()
    with torch.no_grad():
        embedding = network.embed(pixels)
    optimiser = torch.optim.Adam(network.head_parameters(), lr=0.05)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(network.head(embedding), torch.from_numpy(labels))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network


@pytest.fixture
def real_squares(shared_data: Path) -> np.ndarray:
    """Twelve real photographs at 224 px, one a class."""
    from leafsight.images import prepare_bytes

    folders = sorted(path for path in (shared_data / "plantvillage").iterdir() if path.is_dir())[:12]
    files = [min(path for path in folder.iterdir() if path.is_file()) for folder in folders]
    return np.stack([prepare_bytes(file.read_bytes(), Preprocessing()) for file in files])
