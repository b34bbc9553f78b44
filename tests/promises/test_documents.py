"""What the documents say exists, and what exists stands in the documents."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest

from leafsight import errors
from leafsight.cli import command as root
from leafsight.cli.entry import VERBS
from leafsight.cli.export import packaging_values
from leafsight.errors import LeafsightError
from leafsight.settings import PREFIX, descriptions
from leafsight.training import load_recipe, recipe_names, recipe_text

REPOSITORY = Path(__file__).resolve().parents[2]
GUIDE = (REPOSITORY / "docs" / "cli.md").read_text()
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
]


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Every verb and every verb of a group, by the words that call it."""
    context = click.Context(root)
    for verb in VERBS:
        found = root.get_command(context, verb)
        assert found is not None
        yield verb, found
        if isinstance(found, click.Group):
            yield from ((f"{verb} {name}", one) for name, one in found.commands.items())


def section(words: str) -> str:
    """The part of the guide under the heading of a command."""
    found = re.search(rf"^###? `leafsight {re.escape(words)}`\n(.*?)(?=^###? |\Z)", GUIDE, re.M | re.S)
    assert found, f"docs/cli.md has no section for leafsight {words}"
    return found[1]


COMMANDS = dict(all_commands())


@pytest.mark.parametrize("words", COMMANDS)
def test_every_option_stands_in_the_guide(words: str) -> None:
    told = section(words)
    for parameter in COMMANDS[words].params:
        if isinstance(parameter, click.Option):
            for spelling in (*parameter.opts, *parameter.secondary_opts):
                assert f"`{spelling}" in told or f", {spelling}" in told, spelling
        else:
            assert (parameter.name or "").upper().rstrip("S") in told.upper()


@pytest.mark.parametrize("words", COMMANDS)
def test_every_option_of_the_guide_exists(words: str) -> None:
    known = {spelling for one in COMMANDS[words].params for spelling in (*one.opts, *one.secondary_opts)}
    named = set(re.findall(r"^\| `(--?[a-z-]+)", section(words), re.M))
    assert named <= known


def test_exit_codes_and_settings_stand_in_the_guide() -> None:
    for code in ("0", "1", "2", "70", "130"):
        assert f"| {code} |" in GUIDE
    for name in descriptions():
        assert f"`{name}`" in GUIDE
        assert f"`{PREFIX}{name.upper()}`" in GUIDE


def error_rows() -> dict[str, tuple[str, ...]]:
    """slug -> cells of the table in docs/errors.md."""
    text = (REPOSITORY / "docs" / "errors.md").read_text()
    rows = [
        tuple(cell.strip().strip("`") for cell in line.strip("|\n ").split("|")) for line in text.splitlines()
    ]
    return {row[0]: row for row in rows if len(row) == 5 and row[0] not in {"slug", "---"}}


def all_errors() -> list[type[LeafsightError]]:
    from leafsight.training import TrainingStoppedError

    found = [getattr(errors, name) for name in errors.__all__]
    tree = [one for one in found if isinstance(one, type) and issubclass(one, LeafsightError)]
    return [*tree, TrainingStoppedError]


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_every_error_is_documented_as_it_is(error: type[LeafsightError]) -> None:
    row = error_rows()[error.slug]
    assert row[1:4] == (error.__name__, str(error.exit_code), str(error.http_status))
    assert row[4]


def test_no_documented_error_is_made_up() -> None:
    assert set(error_rows()) == {error.slug for error in all_errors()}


def command_lines(text: str) -> list[str]:
    """Lines of code blocks that start with ``leafsight``; a backslash goes on in the next line."""
    blocks = re.findall(r"^```(?:sh|bash|console|shell|text)?\n(.*?)^```", text, re.M | re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [
        line.removeprefix("$ ").strip() for line in lines if line.removeprefix("$ ").startswith("leafsight ")
    ]


def check_words(line: str) -> None:
    """Every verb and option of a command line exists and its values are of the right kind."""
    words = shlex.split(line, comments=True)[1:]
    for stop in (">", "|", "&&", "<"):
        words = words[: words.index(stop)] if stop in words else words
    if words[0].startswith("-"):
        return
    verb = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
    assert verb in COMMANDS, f"no verb '{words[0]}' in: {line}"
    rest = words[len(verb.split()) :]
    if "--help" not in rest and "-h" not in rest:
        COMMANDS[verb].make_context(verb, rest, resilient_parsing=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_documents_exist(page: Path) -> None:
    if not page.exists():
        pytest.skip(f"{page.name} is not written yet")
    for line in command_lines(page.read_text()):
        check_words(line)


@pytest.mark.parametrize("name", recipe_names())
def test_the_command_in_a_recipe_exists(name: str) -> None:
    check_words(tomllib.loads(recipe_text(name))["recipe"]["command"])
    for line in re.findall(r"^#.*?(leafsight \w.*)$", recipe_text(name), re.M):
        check_words(line)


def test_the_commands_that_rebuild_the_builtin_model_exist(tmp_path: Path) -> None:
    """The target takes hours, so what it would run is read: words, options, recipes and overrides."""
    dry = subprocess.run(
        ["make", "-n", "builtin", "PRETRAINED=weights.safetensors", f"VENV={tmp_path}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    prefix = f"{tmp_path}/bin/"
    lines = [
        line.removeprefix(prefix)
        for line in dry.stdout.replace("\\\n", " ").splitlines()
        if line.startswith(f"{prefix}leafsight")
    ]
    assert [line.split()[1] for line in lines].count("train") == 5
    made = {"weights.safetensors"}
    for line in lines:
        check_words(line)
        words = shlex.split(line)
        given = [word for flag, word in pairwise(words) if flag == "--set"]
        if words[1] == "train":
            assert load_recipe(words[2], given).recipe.name == words[2]
            assert words[words.index("--pretrained") + 1].removesuffix("/checkpoint/best.safetensors") in made
        elif words[1] == "average":
            assert set(words[2 : words.index("--out")]) <= made
        else:
            packaging_values(given, name="", card_notes="", precision="auto", weights=True)
        made.add(words[words.index("--out") + 1])


def test_links_between_the_pages_lead_somewhere() -> None:
    lost = []
    for page in PAGES:
        if page.exists():
            for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text()):
                if not (page.parent / target).exists():
                    lost.append(f"{page.name}: {target}")
    assert lost == []


def test_the_tests_that_are_named_exist() -> None:
    text = (REPOSITORY / "docs" / "development.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) > 40
    for file, test in named:
        assert f"def {test}(" in (REPOSITORY / file).read_text(), f"{file}::{test}"
