"""``leafsight ablate`` as a person uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.experiments.tiny_ablation import draw_photographs, write_recipe
from tests.journeys.small_world import in_another_process, leafsight


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_photographs(tmp_path_factory.mktemp("ablate") / "photographs")


def test_the_runs_are_listed_before_anything_is_trained(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    done = leafsight("ablate", recipe, "--dry-run", "--json", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert done.json["runs"] == 6
    assert done.json["changes"]["smooth-mirror"] == {"loss.label_smoothing": 0.1}
    assert not (tmp_path / "out").exists()
    told = leafsight("ablate", recipe, "--dry-run", "--only", "smooth", "--seeds", "4").out
    assert "smooth/seed-4" in told
    assert "loss.label_smoothing = 0.1" in told


def test_two_processes_share_the_runs_and_the_table_is_printed(photographs: Path, tmp_path: Path) -> None:
    recipe, out = write_recipe(tmp_path), tmp_path / "out"
    done = in_another_process("ablate", recipe, "--data", photographs, "--out", out, "--jobs", 2)
    assert done.code == 0, done.err
    assert "everything" in done.out
    assert "Choose by the column of the validation photographs" in done.out
    for name in ("index.html", "table.md", "table.tex", "table.json"):
        assert (out / name).exists()
    again = leafsight("ablate", recipe, "--data", photographs, "--out", out, "-q", "--json")
    assert again.json["folder"] == str(out)
    assert [row["seeds"] for row in again.json["rows"]] == [[0, 1]] * 4


def test_any_values_can_be_varied(photographs: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    done = leafsight(
        "ablate", recipe, "--data", photographs, "--out", tmp_path / "out", "-q", "--json",
        "--vary", "batch_size=[4,8]", "--seeds", "0", "--fraction", "0.5", "--set", "threads=1",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert [row["name"] for row in done.json["rows"]] == ["as-it-is", "batch_size-4", "batch_size-8"]
    assert done.json["changes"] == {"data.train_fraction": 0.5}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--vary", "batch_size=4"), "gives no list of values"),
        (("--vary", "batch_size=[4,'x']", "--dry-run"), "1 fault"),
        (("--seeds", "one"), "no whole numbers"),
        (("--table", "prts"), "no ablation 'prts'"),
        ((), "no photographs were named"),
    ],
)
def test_what_cannot_be_done_is_told(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = leafsight("ablate", write_recipe(tmp_path), *words)
    assert done.code == 2
    assert said in done.err


def test_the_cache_obeys_the_settings(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFSIGHT_MAX_CACHE_BYTES", str(1024**2))
    done = leafsight(
        "ablate", write_recipe(tmp_path), "--data", photographs, "--out", tmp_path / "out", "-q",
        "--set", "data.cache_side_px=256",
    )  # fmt: skip
    assert done.code == 1
    assert "the limit is 1,048,576" in done.err
