"""Two trainings in one process leave each other alone: what comes out is what comes out of each alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from tests.training.test_resume import same_tensors
from tests.training.tiny import tiny_data, tiny_recipe

from leafsight.models import ModelOptions, build_network
from leafsight.training import train
from leafsight.training.machine import prepared_machine
from leafsight.training.recipe import Recipe
from leafsight.training.run_folder import RunFolder
from leafsight.training.seeds import PROCESS_GENERATOR, seed_dropout

DROPPING = {"name": "simple_cnn", "width": 0.25, "head": [64], "dropout": 0.5}


@contextmanager
def somebody_drawing() -> Iterator[None]:
    """Another thread that draws from the generator of the process without a pause, as ``seeds`` allows."""
    over = threading.Event()

    def draw() -> None:
        while not over.is_set():
            with PROCESS_GENERATOR:
                torch.rand(3)

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def weights_of(recipe: Recipe, folder: Path) -> Path:
    train(recipe, tiny_data(), folder, device="cpu")
    return RunFolder(folder).last


def test_dropout_draws_from_a_generator_of_its_own(tmp_path: Path) -> None:
    recipe = tiny_recipe(model=DROPPING)
    alone = weights_of(recipe, tmp_path / "alone")
    with somebody_drawing():
        beside = weights_of(recipe, tmp_path / "beside")
    assert same_tensors(alone, beside)


def test_dropout_is_that_of_torch_bit_for_bit() -> None:
    network = build_network(ModelOptions(name="simple_cnn", width=0.25, head=(32,), dropout=0.3), 3)
    network.train()
    embedding = torch.randn(9, network.embedding_size)
    seed_dropout(network, 5, (7,), torch.device("cpu"))
    own = network.head(embedding)
    seed_dropout(network, 5, (7,), torch.device("cpu"))
    for part in network.head:
        if isinstance(part, torch.nn.Dropout):
            part.generator = None
    assert torch.equal(network.head(embedding), own)
    assert not torch.equal(network.head(embedding), own)


def test_two_that_start_together_start_with_their_own_weights(tmp_path: Path) -> None:
    recipes = [tiny_recipe(seed=number, model=DROPPING) for number in (1, 2, 3)]
    alone = [weights_of(recipe, tmp_path / f"alone-{recipe.seed}") for recipe in recipes]
    threads = [
        threading.Thread(target=weights_of, args=(recipe, tmp_path / f"together-{recipe.seed}"))
        for recipe in recipes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for recipe, theirs in zip(recipes, alone, strict=True):
        assert same_tensors(RunFolder(tmp_path / f"together-{recipe.seed}").last, theirs)


@pytest.mark.parametrize("first_to_end", [0, 1])
def test_the_last_to_end_puts_the_settings_of_the_process_back(first_to_end: int) -> None:
    assert not torch.are_deterministic_algorithms_enabled()
    state = torch.get_rng_state()
    both = [prepared_machine("cpu", 1, "auto") for _ in range(2)]
    for one in both:
        one.__enter__()
    torch.rand(1)
    both.pop(first_to_end).__exit__(None, None, None)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.equal(torch.get_rng_state(), state)
    both.pop().__exit__(None, None, None)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.get_rng_state(), state)
