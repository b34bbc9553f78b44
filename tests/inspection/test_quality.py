"""Which photographs are hard to see anything on, from columns and from drawn pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from tests.images.drawn_pictures import drawn

from leafsight.dataset import index_photos
from leafsight.inspection.quality import QualityOptions, quality_findings


def test_sound_photographs_have_no_findings(made):
    assert quality_findings(made({}, {}, {})) == []


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ({"sharpness": 3.0}, "blurred"),
        ({"sharpness": 30.0, "contrast": 0.3}, "blurred"),
        ({"highlight": 0.2}, "dark"),
        ({"shadow": 0.8}, "over-exposed"),
        ({"contrast": 0.01}, "low-contrast"),
        ({"entropy_bits": 1.0}, "low-information"),
        ({"margin_share": 0.3}, "padded"),
    ],
)
def test_each_kind_is_found_and_only_that(made, bad, kind):
    findings = quality_findings(made({}, {"class": "scab", **bad}, {}))
    assert [(finding.kind, finding.weight, finding.count) for finding in findings] == [(kind, "look", 1)]
    assert findings[0].cases[0].score > 1
    assert findings[0].per_class == {"scab": 1}


def test_the_worst_come_first(made):
    cases = quality_findings(
        made({"sharpness": 9.0}, {}, {"sharpness": 1.0}, {"sharpness": 5.0}, {}, {}, {})
    )[0].cases
    assert [case.rows for case in cases] == [(2,), (3,), (0,)]


def test_what_most_of_a_collection_is_is_no_fault_of_photographs(made):
    finding = quality_findings(made({"sharpness": 9.0}, {"sharpness": 8.0}, {}))[0]
    assert finding.weight == "know"
    assert "on purpose" in finding.hint


def test_faulty_rows_are_not_looked_at(made):
    assert quality_findings(made({"fault": "corrupt-image: x"})) == []


def test_options_move_the_limits(made):
    index = made({"sharpness": 90.0})
    assert quality_findings(index) == []
    assert quality_findings(index, QualityOptions(min_sharpness=100))[0].kind == "blurred"


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """A sound drawing and what can be done to it; a leaf on black and one on white are sound, too."""
    rng = np.random.default_rng(0)
    sound = np.clip(drawn(256, 256).astype(int) + rng.normal(0, 14, (256, 256, 1)), 0, 255).astype(np.uint8)
    image = Image.fromarray(sound)
    leaf = image.crop((90, 90, 190, 190)).resize((150, 150))
    pictures = {
        "sound": image,
        "blurred": image.filter(ImageFilter.GaussianBlur(6)),
        "dark": Image.fromarray((sound * 0.15).astype(np.uint8)),
        "over-exposed": Image.fromarray((255 - (255 - sound.astype(int)) * 0.25).astype(np.uint8)),
        "padded": _on(image.resize((180, 180)), (255, 255, 255), grain=0),
        "on-black": _on(leaf, (6, 6, 6), grain=5),
        "on-white": _on(leaf, (246, 246, 246), grain=6),
    }
    for name, picture in pictures.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        picture.save(tmp_path / "photos" / name / "a.jpg", quality=92)
    return tmp_path / "photos"


def _on(leaf: Image.Image, colour: tuple[int, int, int], grain: int) -> Image.Image:
    noise = np.random.default_rng(1).normal(0, grain, (256, 256, 1)) if grain else 0
    paper = Image.fromarray(np.clip(np.full((256, 256, 3), colour) + noise, 0, 255).astype(np.uint8))
    paper.paste(leaf, ((256 - leaf.width) // 2, (256 - leaf.height) // 2))
    return paper


def test_drawn_pictures_are_called_what_they_are(spoilt: Path):
    index = index_photos(spoilt)
    names = index.column("class_name")
    found = {
        finding.kind: {names[case.rows[0]] for case in finding.cases} for finding in quality_findings(index)
    }
    assert found == {
        "blurred": {"blurred"},
        "dark": {"dark"},
        "over-exposed": {"over-exposed"},
        "padded": {"padded"},
    }
