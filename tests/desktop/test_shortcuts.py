"""The entry of the start menu: what stands in it, by the rules of the specification, and that it goes."""

from __future__ import annotations

import configparser
import os
import shutil
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from leafsight.desktop.session.shortcuts import (
    MIME,
    data_home,
    desktop_entry,
    install_shortcuts,
    quoted,
    remove_shortcuts,
)
from leafsight.errors import PermissionDeniedError, UsageError

HARD = [
    "plain", "a b", 'quote " here', "back\\slash", "$HOME `id`", "50 % off", "%f", "ünï ☘", "it's", "a;b|c&d",
    "", "#!*?()<>~", "-P", "tab\there",
]  # fmt: skip
PICTURES = {48: b"png 48", 256: b"png 256"}


def entry_of(text: str) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(delimiters="=", comment_prefixes="#", strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    assert parser.sections() == ["Desktop Entry"]
    return parser["Desktop Entry"]


def unescaped(value: str) -> str:
    """A value of type string: "Possible values", desktop entry specification."""
    signs = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    found, rest = "", iter(value)
    for sign in rest:
        found += signs[next(rest)] if sign == "\\" else sign
    return found


def words_of(line: str) -> list[str]:
    """The words of Exec: "The Exec key", desktop entry specification; codes such as %F stay, %% is %."""
    words: list[str] = []
    rest = iter(line)
    for sign in rest:
        if sign == " ":
            continue
        word = ""
        if sign == '"':
            while (sign := next(rest)) != '"':
                if sign == "\\":
                    sign = next(rest)
                    assert sign in '"`$\\', "only these are escaped inside quotes"
                else:
                    assert sign not in "`$"
                word += sign
        else:
            while sign not in (" ", ""):
                assert sign not in "\t\n\"'\\><~|&;$*?#()`", "it has to stand in quotes"
                word += sign
                sign = next(rest, "")
        words.append(word if word in ("%F", "%%F") else word.replace("%%", "%"))
    return words


@pytest.mark.parametrize("word", HARD, ids=range(len(HARD)))
def test_every_word_comes_out_as_it_went_in(word: str) -> None:
    entry = entry_of(desktop_entry(["/opt/prögram", word, "desktop"]))
    assert words_of(unescaped(entry["Exec"])) == ["/opt/prögram", word, "desktop", "%F"]


def test_the_program_itself_may_lie_anywhere() -> None:
    program = '/home/ä b/50% "q" $x/leafsight'
    entry = entry_of(desktop_entry([program, "desktop"]))
    assert words_of(unescaped(entry["Exec"]))[0] == program
    assert unescaped(entry["TryExec"]) == program
    with pytest.raises(UsageError, match="cannot name"):
        desktop_entry(["/home/a=b/leafsight", "desktop"])


def test_the_entry_says_what_it_opens() -> None:
    entry = entry_of(desktop_entry(["/usr/bin/leafsight", "desktop"]))
    assert entry["Type"] == "Application"
    assert entry["Icon"] == "leafsight"
    assert entry["MimeType"].split(";")[:3] == ["application/vnd.leafsight.bundle", "image/jpeg", "image/png"]
    assert quoted("a%") == '"a%%"'


def test_the_type_of_model_files() -> None:
    root = ET.fromstring(MIME)
    space = "{http://www.freedesktop.org/standards/shared-mime-info}"
    kind = root.find(f"{space}mime-type")
    assert kind is not None
    assert kind.get("type") == "application/vnd.leafsight.bundle"
    glob = kind.find(f"{space}glob")
    assert glob is not None
    assert glob.get("pattern") == "*.leafsight"


def below(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def test_twice_is_as_once_and_nothing_is_left(tmp_path: Path) -> None:
    home = tmp_path / "data home"
    written = install_shortcuts(home, ["/usr/bin/true", "desktop"], b"<svg/>", PICTURES)
    assert all(path.is_file() for path in written)
    once = below(home)
    assert install_shortcuts(home, ["/usr/bin/true", "desktop"], b"<svg/>", PICTURES) == written
    assert below(home) == once
    assert set(remove_shortcuts(home)) == set(written)
    assert below(home) == {}
    assert remove_shortcuts(home) == ()


def test_what_others_have_there_stays(tmp_path: Path) -> None:
    theirs = {
        "applications/other.desktop": "[Desktop Entry]\nType=Application\nName=other\nExec=true\n",
        "mime/packages/other.xml": MIME.replace("leafsight", "other"),
        "icons/hicolor/48x48/apps/other.png": "png",
        "applications/notes.txt": "mine",
    }
    for name, text in theirs.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    install_shortcuts(tmp_path, ["/usr/bin/true", "desktop"], b"<svg/>", PICTURES)
    remove_shortcuts(tmp_path)
    left = below(tmp_path)
    for name, text in theirs.items():
        assert left[name] == text.encode()
    assert not [name for name in left if "leafsight" in name]
    if shutil.which("update-mime-database"):
        assert b"other" in (left["mime/globs2"] or b"")


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="needs desktop-file-utils")
def test_the_validator_of_freedesktop_finds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "leafsight.desktop"
    path.write_text(desktop_entry(["/opt/a b/50%/leafsight", "-c", 'x; "$y"', "desktop"]))
    done = subprocess.run(["desktop-file-validate", path], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("gio") is None, reason="needs GLib's gio")
def test_glib_finds_the_type_and_who_opens_it(tmp_path: Path) -> None:
    if shutil.which("update-desktop-database") is None or shutil.which("update-mime-database") is None:
        pytest.skip("needs desktop-file-utils and shared-mime-info")
    install_shortcuts(tmp_path, ["/usr/bin/true", "desktop"], b"<svg/>", PICTURES)
    model = tmp_path / "a model.leafsight"
    model.write_bytes(b"PK\x03\x04")
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}

    def gio(*words: object) -> str:
        return subprocess.run(
            ["gio", *map(str, words)], env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert "application/vnd.leafsight.bundle" in gio("info", "-a", "standard::content-type", model)
    assert "leafsight.desktop" in gio("mime", "application/vnd.leafsight.bundle")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(PermissionDeniedError):
        install_shortcuts(tmp_path / "home", ["/usr/bin/true"], b"", {})


@pytest.mark.parametrize("named", ["", "relative"])
def test_where_the_desktop_looks(named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", named)
    assert data_home() == Path.home() / ".local" / "share"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_home() == tmp_path


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_elsewhere_the_standalone_build_does_it(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(UsageError, match="the start menu belongs to the standalone build"):
        data_home()


def cli(home: Path, *words: str) -> Any:
    nowhere = dict.fromkeys(("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"), "")
    return subprocess.run(
        [sys.executable, "-c", "from leafsight.cli import main; main()", "desktop", *words],
        env={**os.environ, **nowhere, "XDG_DATA_HOME": str(home)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_a_person_does_it_without_a_screen(tmp_path: Path) -> None:
    pytest.importorskip("PySide6.QtSvg", reason="Qt cannot be loaded", exc_type=ImportError)
    home = tmp_path / "data"
    done = cli(home, "--install-shortcuts")
    assert done.returncode == 0, done.stderr
    entry = entry_of((home / "applications" / "leafsight.desktop").read_text())
    words = words_of(unescaped(entry["Exec"]))
    assert words[0] == sys.executable
    assert words[-2:] == ["desktop", "%F"]
    started = subprocess.run([*words[:-2], "--version"], capture_output=True, text=True)
    assert started.stdout.startswith("leafsight, version"), started.stderr
    png = (home / "icons/hicolor/48x48/apps/leafsight.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    drawn = (home / "icons/hicolor/scalable/apps/leafsight.svg").read_bytes()
    assert drawn.lstrip().startswith(b"<svg")
    assert done.stdout.splitlines()[-1] == str(home / "applications" / "leafsight.desktop")
    assert cli(home, "--remove-shortcuts").returncode == 0
    assert below(home) == {}
    both = cli(home, "--install-shortcuts", "--remove-shortcuts")
    assert both.returncode == 2
    assert "undo each other" in both.stderr


def test_the_icon_is_the_one_of_the_web_page_at_every_size() -> None:
    pytest.importorskip("PySide6.QtSvg", reason="Qt cannot be loaded", exc_type=ImportError)
    from leafsight.desktop.window.icon import as_png, drawing, picture
    from leafsight.web import page_file

    page = page_file("icon.svg")
    assert page is not None
    assert drawing() == page.body
    for side_px in (16, 32, 256):
        image = picture(side_px)
        assert (image.width(), image.height()) == (side_px, side_px)
        assert image.pixelColor(0, 0).alpha() < 128  # a rounded corner
        ground, leaf = image.pixelColor(side_px // 2, 1), image.pixelColor(side_px * 5 // 8, side_px // 4)
        assert leaf.lightness() - ground.lightness() > 100
        assert as_png(side_px).startswith(b"\x89PNG")
