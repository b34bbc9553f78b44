"""Libraries against their ranges: whole, in part, absent, too old, known to be bad."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.doctor.conftest import states, the

from leafsight import __version__
from leafsight.doctor import versions
from leafsight.doctor.findings import Finding
from leafsight.doctor.versions import Installed, check_versions

REQUIRES = [
    "numpy>=2.0",
    "pillow>=12.3",
    "sqlalchemy>=2.0.40; extra == 'serve'",
    "uvicorn[standard]>=0.35; extra == 'serve'",
    "sqlalchemy>=2.0.40; extra == 'telemetry'",
    "uvicorn[standard]>=0.35; extra == 'telemetry'",
    "opentelemetry-sdk>=1.35; extra == 'telemetry'",
    "leafsight[serve]; extra == 'web'",
    "pyside6-essentials!=6.12.0,>=6.8; extra == 'desktop'",
    "tensorflow>=2.20; (sys_platform == 'nowhere') and extra == 'formats'",
    "keras>=3; extra == 'formats'",
    "pytest>=8; extra == 'dev'",
]
EXTRAS = ["desktop", "dev", "formats", "serve", "telemetry", "web"]
BASE = {"numpy": "2.4.1", "pillow": "12.3.0"}


def look(**installed: str) -> list[Finding]:
    there = {**BASE, **{name.replace("_", "-"): version for name, version in installed.items()}}
    return list(check_versions(Installed(__version__, ">=3.11", REQUIRES, EXTRAS, there.get)))


def test_a_base_install_is_fine_and_says_how_to_get_the_rest() -> None:
    found = look()
    assert states(found) == {
        "versions.python": "ok", "versions.leafsight": "ok", "versions.base": "ok",
        "versions.onnxruntime": "ok", "versions.desktop": "skipped", "versions.formats": "skipped",
        "versions.serve": "skipped", "versions.telemetry": "skipped", "versions.web": "skipped",
    }  # fmt: skip
    assert "pip install 'leafsight[serve]'" in the(found, "versions.serve").todo


def test_an_extra_that_others_contain_does_not_make_them_look_half_installed() -> None:
    found = states(look(sqlalchemy="2.1", uvicorn="0.40"))
    assert found["versions.serve"] == "ok"
    assert found["versions.web"] == "ok"  # the same libraries
    assert found["versions.telemetry"] == "skipped"


def test_an_extra_in_part_names_what_is_missing() -> None:
    one = the(look(sqlalchemy="2.1"), "versions.serve")
    assert one.state == "warn"
    assert "uvicorn is missing" in one.said
    assert "leafsight[serve]" in one.todo


def test_a_library_that_is_too_old() -> None:
    found = look(sqlalchemy="1.4", uvicorn="0.40", pillow="11.0")
    assert (the(found, "versions.serve").state, the(found, "versions.base").state) == ("warn", "fail")
    assert "sqlalchemy 1.4 is not >=2.0.40" in the(found, "versions.serve").said
    assert the(found, "versions.base").todo == "pip install -U 'pillow>=12.3'"


def test_a_version_that_is_known_to_be_bad_fails() -> None:
    one = the(look(pyside6_essentials="6.12.0"), "versions.desktop")
    assert one.state == "fail"
    assert "6.12.0 is known to be bad: it crashes" in one.said
    assert the(look(pyside6_essentials="6.11.3"), "versions.desktop").state == "ok"


def test_another_python_and_another_copy() -> None:
    found = list(check_versions(Installed("9.9", ">=4", REQUIRES, [], BASE.get)))
    assert the(found, "versions.python").state == "fail"
    assert the(found, "versions.leafsight").state == "warn"
    assert "9.9 is installed" in the(found, "versions.leafsight").said


def test_without_metadata_nothing_is_compared() -> None:
    found = list(check_versions(Installed(None, "", (), (), BASE.get)))
    assert list(states(found)) == ["versions.python", "versions.leafsight", "versions.onnxruntime"]
    assert the(found, "versions.leafsight").state == "warn"


def test_the_real_metadata_can_be_read() -> None:
    found = states(check_versions())
    assert found["versions.base"] == "ok"
    assert "versions.dev" not in found


def test_an_onnxruntime_that_makes_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    import leafsight.inference

    def broken(*_: object) -> None:
        raise OSError("libonnxruntime.so: cannot enable executable stack")

    monkeypatch.setattr(leafsight.inference, "OnnxNetwork", broken)
    one = the(look(), "versions.onnxruntime")
    assert one.state == "fail"
    assert "OSError" in one.said


def test_an_installation_without_its_built_in_model(tmp_path: Path) -> None:
    assert versions._onnxruntime(tmp_path / "absent.leafsight").state == "skipped"
