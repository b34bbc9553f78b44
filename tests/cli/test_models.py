"""``leafsight models``: what a person sees when models come, serve and go."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.tiny_bundle import write_tiny_bundle
from tests.journeys.small_world import leafsight

from leafsight.bundle import builtin as builtin_module


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of this test's own, and a small built-in model."""
    monkeypatch.setenv("LEAFSIGHT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(
        builtin_module, "BUILTIN", write_tiny_bundle(tmp_path / "shipped.leafsight", name="shipped")
    )
    return tmp_path / "state"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / "apples.leafsight", name="apples")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / "beans.leafsight", name="beans")


def serving() -> str:
    return next(
        one["name"] for one in leafsight("models", "ls", "--json").json if "serving" in one["aliases"]
    )


def test_before_anything_was_added_the_builtin_model_serves(state: Path) -> None:
    told = leafsight("models", "ls")
    assert told.code == 0
    header, row = (line.split("\t") for line in told.out.splitlines())
    assert header == ["hash", "name", "aliases", "added (UTC)", "classes", "size", "note"]
    assert (row[1], row[2], row[3], row[6]) == ("shipped", "serving", "", "ships with leafsight")
    [entry] = leafsight("models", "ls", "--json").json
    assert (entry["builtin"], entry["hash"][:12]) == (True, row[0])
    assert leafsight("models", "history", "--json").json == []
    assert not state.exists()


def test_from_adding_to_rolling_back(model: Path, other: Path) -> None:
    added = leafsight("models", "add", model, "--note", "more\tapples")
    content_hash = added.out.strip()
    assert len(content_hash) == 64
    assert f"leafsight models promote {content_hash[:12]}" in added.err
    assert serving() == "shipped"

    done = leafsight("models", "promote", content_hash[:8], "--reason", "better")
    assert done.out.startswith(f"serving is {content_hash[:12]} since 2")
    assert serving() == "apples"
    change = leafsight("models", "add", other, "--promote", "--json").json["change"]
    assert (change["number"], change["former"]) == (2, content_hash)
    assert serving() == "beans"

    back = leafsight("models", "rollback", "--reason", "worse", "--json").json
    assert (back["hash"], back["kind"], back["reason"]) == (content_hash, "rollback", "worse")
    told = leafsight("models", "history", "--limit", "2").out.splitlines()
    assert [line.split("\t")[:2] for line in told[1:]] == [["3", "rollback"], ["2", "promote"]]
    assert [one["reason"] for one in leafsight("models", "history", "--json").json] == ["worse", "", "better"]
    assert leafsight("models", "rollback").code == 0
    assert serving() == "shipped"
    refused = leafsight("models", "rollback")
    assert refused.code == 1
    assert refused.error_lines[0] == "error: 'serving' has no model 1 step back"
    assert "more\\tapples" in leafsight("models", "ls").out


def test_another_alias_and_several_steps(model: Path, other: Path) -> None:
    hashes = [leafsight("models", "add", path).out.strip() for path in (model, other)]
    for content_hash in hashes:
        leafsight("models", "promote", content_hash, "--alias", "canary")
    leafsight("models", "promote", "builtin", "--alias", "canary")
    assert (
        leafsight("models", "rollback", "--alias", "canary", "--steps", "2", "--json").json["hash"]
        == hashes[0]
    )
    assert serving() == "shipped"


def test_show(model: Path) -> None:
    content_hash = leafsight("models", "add", model, "--note", "first try").out.strip()
    told = leafsight("models", "show", content_hash[:6])
    assert told.out.startswith("# tiny")
    assert f"content hash: {content_hash}" in told.out
    assert "note: first try" in told.out
    assert "aliases: serving" in leafsight("models", "show").out
    shown = leafsight("models", "show", content_hash, "--json").json
    assert (shown["entry"]["name"], shown["metrics"], shown["aliases"]) == ("apples", {"accuracy": 1.0}, [])
    assert len(shown["classes"]) == 4
    assert shown["provenance"] == {"seed": 0}


def test_remove_wants_a_word_more(model: Path) -> None:
    content_hash = leafsight("models", "add", model).out.strip()
    refused = leafsight("models", "remove", content_hash[:8])
    assert refused.code == 2
    assert refused.error_lines[1] == f"hint: leafsight models remove {content_hash[:8]} --yes"
    assert leafsight("models", "remove", content_hash[:8], "--yes").out.strip() == content_hash
    assert len(leafsight("models", "ls", "--json").json) == 1
    for wanted in (content_hash, "serving"):
        assert leafsight("models", "remove", wanted, "--yes").code == 1


def test_verify_names_the_damaged_and_exits_with_1(model: Path, state: Path) -> None:
    assert leafsight("models", "verify").out == "1 model is whole\n"
    content_hash = leafsight("models", "add", model, "--promote", "--json").json["hash"]
    assert leafsight("models", "verify").out == "2 models are whole\n"
    path = state / "registry" / "bundles" / f"{content_hash}.leafsight"
    path.write_bytes(path.read_bytes()[:-9])
    told = leafsight("models", "verify")
    assert told.code == 1
    assert "leafsight models rollback --alias serving" in told.out
    [damage] = leafsight("models", "verify", "--json").json
    assert (damage["what"], damage["aliases"]) == (content_hash, ["serving"])
    assert "damaged" in leafsight("models", "ls").out
    shown = leafsight("models", "show")
    assert shown.code == 1
    assert "rollback --alias serving" in shown.error_lines[1]
    assert leafsight("models", "rollback").code == 0
    assert leafsight("models", "show").code == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("promote", "ffff"), 1),
        (("promote", "builtin", "--alias", "../x"), 2),
        (("promote", "builtin", "--reason", "x" * 3000), 2),
        (("show", "nothing"), 1),
        (("add", "none.leafsight"), 1),
        (("rollback", "--steps", "0"), 2),
        (("rollback", "--steps", "many"), 2),
        (("rollback",), 1),
        (("history", "--limit", "0"), 2),
        (("history", "--alias", "BAD"), 2),
        (("remove", "builtin", "--yes"), 1),
        (("promote",), 2),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_two_lines(tmp_path: Path, words: tuple[str, ...], code: int) -> None:
    done = leafsight("models", *words, folder=tmp_path)
    assert (done.code, done.out) == (code, "")
    assert [line.split(":")[0] for line in done.error_lines] == ["error", "hint"]


def test_who_runs_it_stands_in_the_history(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import getpass

    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    content_hash = leafsight("models", "add", model, "--promote").out.strip()

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert leafsight("models", "promote", "builtin").code == 0
    told = [(one["by"], one["hash"]) for one in leafsight("models", "history", "--json").json]
    assert told[1] == ("ada", content_hash)
    assert told[0][0] == ""
