"""Which model answers: the one of a file, the one that serves here, or that of a server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.fakes.tiny_bundle import write_tiny_bundle

from leafsight.bundle import builtin_bundle_path, open_bundle
from leafsight.client import ModelDescription, ModelEntry
from leafsight.desktop.session import Reach, Server, ServiceHere, loader, own_command
from leafsight.errors import BundleError, LeafsightError, RemoteError
from leafsight.images import DecodeLimits
from leafsight.registry import open_registry

LABEL = {"key": "okra/rust", "display": "Okra: rust", "crop": "okra", "is_leaf": True}


@pytest.fixture
def reach(tmp_path: Path) -> Reach:
    return Reach(ServiceHere(tmp_path / "store", own_command(), os.getpid()), Server())


def name(reach: Reach, path: Path | None = None) -> str:
    return loader(path, reach, DecodeLimits())().model.name


def test_on_this_computer_what_was_promoted_answers_and_the_built_in_one_before(
    reach: Reach, tmp_path: Path
) -> None:
    assert name(reach) == open_bundle(builtin_bundle_path()).name
    registry = open_registry(reach.here.registry_dir)
    entry = registry.add(write_tiny_bundle(tmp_path / "x.leafsight", name="okra"))
    assert name(reach) == open_bundle(builtin_bundle_path()).name
    registry.promote(entry.hash)
    assert name(reach) == "okra"
    registry.path(entry).unlink()
    with pytest.raises(LeafsightError):
        name(reach)
    assert not reach.here.runs  # no service is wanted for that


def test_a_file_that_a_person_named_answers_whatever_serves(reach: Reach, tmp_path: Path) -> None:
    reach.choose(Server("http://127.0.0.1:9"))
    assert name(reach, write_tiny_bundle(tmp_path / "x.leafsight", name="okra")) == "okra"
    with pytest.raises(BundleError):
        (tmp_path / "no.leafsight").write_bytes(b"no model")
        name(reach, tmp_path / "no.leafsight")


class Elsewhere:
    """A server whose operator named another file than the one that was promoted."""

    def __init__(self, label: dict[str, object]) -> None:
        self.label = label

    def models(self) -> tuple[ModelEntry, ...]:
        return (
            ModelEntry(id="a", name="promoted", aliases=("serving",)),
            ModelEntry(id="b", name="b", serving=True),
        )

    def model(self, wanted: str) -> ModelDescription:
        return ModelDescription(id=wanted, name=f"the model {wanted}", labels=(self.label,))


def test_of_a_server_the_one_that_answers_counts(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    reach.choose(Server("https://leaf.example"))
    monkeypatch.setattr(Reach, "client", lambda self: Elsewhere(LABEL))
    loaded = loader(None, reach, DecodeLimits())()
    assert (loaded.model.hash, loaded.model.classes) == ("b", {"okra/rust": "Okra: rust"})


def test_a_server_that_describes_its_classes_otherwise_is_said(
    reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach.choose(Server("https://leaf.example"))
    monkeypatch.setattr(Reach, "client", lambda self: Elsewhere({"name": "rust"}))
    with pytest.raises(RemoteError, match="describes its classes without 'key'"):
        name(reach)
