"""A newcomer runs the whole job once, on a folder of their own."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.small_world import SMALL, World, leafsight, with_settings

QUICK = (
    *(value for value in SMALL if not value.startswith("stages")),
    "stages.head.epochs=1",
    "stages.whole.epochs=1",
    "model.pretrained=none",
)


def test_from_a_folder_to_diagnoses(world: World, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    done = leafsight("demo", world.photographs, "--out", out, *with_settings(QUICK))
    assert done.code == 0, done.err
    assert [f"[{number}/6]" in done.err for number in range(1, 7)] == [True] * 6
    for said in (
        "photographs are usable",
        "groups known",
        "parity:",
        "test accuracy",
        "new model",
        "try next:",
    ):
        assert said in done.out
    assert (out / "report.html").stat().st_size > 1000
    assert list((out / "heatmaps").glob("*.png"))
    assert leafsight("predict", world.photo(), "--model", out / "model.leafsight").code == 0
    again = leafsight("demo", world.photographs, "--out", out, "-q", *with_settings(QUICK))
    assert (again.code, again.err) == (0, "")


def test_every_collection_has_a_folder_of_its_own(tmp_path: Path) -> None:
    from leafsight.cli.demo import _folder_for

    assert _folder_for(None) == Path("runs/demo")
    assert _folder_for(tmp_path / "chilli") == Path("runs/demo-chilli")
