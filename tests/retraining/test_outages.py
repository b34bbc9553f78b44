"""A disk that is really full, a database that really goes away."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.retraining.places import held_open, made_place

from leafsight.registry import SERVING

pytestmark = pytest.mark.slow


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[Path]:
    """A file system of so many KiB at the folder."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("NOT TESTED ON A FULL DISK: mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_full_at_any_step_ends_it_and_nothing_is_half(tmp_path: Path) -> None:
    """16 KiB end before the first step is written down, 256 KiB in the candidate, 1 MiB is enough."""
    place = made_place(tmp_path / "place")
    for kib in (16, 256):
        with small_disk(tmp_path / str(kib), kib) as disk:
            status, result, talk = place.run(place.job(), work_dir=str(disk / "work"))
        assert (status, result) == (1, {}), kib
        assert "error: the disk is full" in talk or "error: no space left" in talk
        assert "Traceback" not in talk
        assert place.registry.get(SERVING).hash == place.champion
        assert len([one for one in place.registry.entries() if not one.builtin]) == 1
    with small_disk(tmp_path / "enough", 1024) as disk:
        assert place.run(place.job(), work_dir=str(disk / "work"))[1]["promoted"]
    place.state.close()


def test_a_registry_without_room_leaves_the_alias_where_it_was(tmp_path: Path) -> None:
    place = made_place(tmp_path / "place")
    with small_disk(tmp_path / "disk", 96) as disk:
        registry = disk / "registry"
        subprocess.run(["cp", "-r", str(place.folder / "registry"), str(registry)], check=True)
        (disk / "filler").write_bytes(b"0" * 24 * 1024)
        status, _, talk = place.run(place.job(), registry_dir=str(registry))
        assert status == 1, talk
        assert "step: publish 4/6" in talk
        assert "Traceback" not in talk
        names = sorted(path.name for path in (registry / "bundles").iterdir())
        assert names == [f"{place.champion}.leafsight"]
    place.state.close()


@pytest.mark.parametrize("step", ["snapshot", "train", "gate"])
def test_a_database_that_goes_away_for_a_while_is_waited_for(tmp_path: Path, step: str) -> None:
    from tests.state.own_postgres import NoPostgresError, own_postgres

    try:
        with own_postgres() as server:
            place = made_place(tmp_path, server.new_database())
            with place.start(place.job()) as process:
                assert process.stderr is not None
                while not process.stderr.readline().startswith(f"step: {step}"):
                    pass
                server.stop()
                back = threading.Thread(target=lambda: (time.sleep(4), server.start()))
                back.start()
                printed, talk = held_open(process)
                back.join()
            assert process.returncode == 0, talk
            assert '"promoted": true' in printed
            place.state.close()
            assert len(place.registry.history(SERVING, 10)) == 2
    except NoPostgresError as error:
        pytest.skip(f"NOT TESTED ON POSTGRESQL: {error}")
