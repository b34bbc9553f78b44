"""What the child process does: reads a collection, checks it, draws it, and keeps a study of it.

Enters: a ``Wish`` and one end of a pipe. Leaves: a folder that is there when it is whole. It tells how far it
is, and ends when the other end of the pipe says so or is gone.
"""

from __future__ import annotations

import _thread
import hashlib
import io
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from leafsight.desktop.session.language import FIGURES, begin_to_speak, translated
from leafsight.desktop.session.understanding.pace import Telling, Told
from leafsight.desktop.session.understanding.studies import (
    HEALTH_FILE,
    INSIGHT_FILE,
    PICTURES_FOLDER,
    SMALL_FOLDER,
    forget,
    newest_first,
    write_study,
)
from leafsight.errors import DatasetError, LeafsightError, StateBusyError, require
from leafsight.images import DecodeLimits
from leafsight.storage import holding, os_errors_translated, readable, sync_folder, write_bytes

if TYPE_CHECKING:
    from leafsight.inspection import Figure, Looked, Material

LOG = logging.getLogger("leafsight.desktop")
END_WITHIN_S = 3.0
NICER_BY = 5
PHOTOS_PER_CHUNK = 512
"""Some seconds of reading: so much is lost at most when a person cancels."""
CASES_WITH_PICTURE, ROWS_WITH_PICTURE = 24, 4
"""As many as the health report shows: their small pictures are there even when the photographs are not."""
SMALL_QUALITY = 85
PICTURE_WIDTH_PX = 900
"""As wide as the window shows them at most: what is written in them stays large enough to be read."""
MOST_KEPT = 12
LOCK_NAME, MAKING = "study.lock", ".making"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be studied, and with what.

    Attributes:
        places: folders, listings or archives that are one collection.
        root: studies are kept below it.
        cache_dir: what was read is kept below it, together with what the command line read.
        model: whose network compares photographs; None is the built-in one.
        limits: of the decoder.
        workers: threads.
        language: of the window, as its preferences have it; what stands in pictures is said in it.
        own_languages: folder of translations that a person added.
    """

    places: tuple[Path, ...]
    root: Path
    cache_dir: Path
    model: Path | None = None
    limits: DecodeLimits | None = None
    workers: int = 1
    language: str = ""
    own_languages: Path | None = None


def work(connection: Connection, wish: Wish) -> None:
    """The life of the child: one study; what came of it is the last thing that the pipe says."""
    _take_leash(connection)
    answer: tuple[Any, ...]
    begin_to_speak(wish.language, FIGURES, wish.own_languages or wish.root, os.environ)
    try:
        answer = ("done", study(wish, Telling(partial(_tell, connection))))
    except KeyboardInterrupt:
        answer = ("ended",)
    except LeafsightError as error:
        answer = ("trouble", error.message, error.hint)
    except MemoryError:
        answer = ("trouble", "the memory does not suffice", "close other programs, or look at a part of it")
    except Exception as error:
        LOG.exception("a study failed")
        answer = ("trouble", f"the study failed: {error!r}", "this is a bug of ours: report it")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is said now is said whole
    with suppress(OSError):
        connection.send(answer)


def study(wish: Wish, telling: Telling) -> Path:
    """Look at a collection and keep what was found.

    Returns:
        The folder of the study.

    Raises:
        DatasetError: nothing usable, the places are gone, or another process reads the same photographs.
        MissingExtraError: pyarrow or matplotlib is not installed.
        StateBusyError: another window studies the same places.
        StorageError: something cannot be written; what was kept before stays.
    """
    for module in ("pyarrow", "matplotlib"):
        require(module, "train")  # said before the photographs are read, not after
    from leafsight.dataset import leaf_maps_inside
    from leafsight.inference import bundle_embedder
    from leafsight.inspection import check_collection, read_collection

    _check_places(wish.places)
    made_s = time.time()
    limits = wish.limits or DecodeLimits()
    with _making(wish) as folder:
        telling.begin("read")
        looked = read_collection(
            wish.places,
            cache_dir=wish.cache_dir,
            limits=limits,
            workers=wish.workers,
            progress=telling,
            embedder=bundle_embedder(wish.model),
            photos_per_chunk=PHOTOS_PER_CHUNK,
        ).looked
        _check_places(wish.places)  # a card that is pulled out leaves photographs that cannot be read
        telling.begin("check")
        health = check_collection(looked, leaf_map=leaf_maps_inside(wish.places), progress=telling)
        telling.begin("draw")
        figures = _figures(wish, looked, folder, telling)
        telling.begin("keep")
        _keep_pictures(looked, health, folder, limits, telling, _title(wish))
        write_study(folder, wish.places, made_s, health, figures)
        return _publish(folder)


def _check_places(places: Sequence[Path]) -> None:
    for place in places:
        if not place.exists():
            raise DatasetError(
                f"{readable(str(place))} is not there", hint="bring it back; what was read is kept"
            )


def _title(wish: Wish) -> str:
    return ", ".join(readable(place.resolve().name) for place in wish.places)


def _figures(wish: Wish, looked: Looked, folder: Path, telling: Telling) -> list[tuple[Figure, Path | None]]:
    from leafsight.inspection import insight_figures, write_insight_page, write_pngs

    material = _material(wish, looked)
    figures = insight_figures(material, progress=telling)
    drawn = [figure for figure in figures if figure.kind != "words"]
    paths = write_pngs(
        folder / PICTURES_FOLDER,
        drawn,
        width_px=PICTURE_WIDTH_PX,
        words=False,
        say=translated,
        progress=telling,
    )
    write_insight_page(folder / INSIGHT_FILE, material, figures)
    by_name = {figure.name: path for figure, path in zip(drawn, paths, strict=True)}
    return [(figure, by_name.get(figure.name)) for figure in figures]


def _material(wish: Wish, looked: Looked) -> Material:
    from leafsight.inspection import material_of

    return material_of(
        looked.index,
        looked.sketches,
        embeddings=looked.embeddings,
        embedded_by="the built-in model" if wish.model is None else f"the model {readable(wish.model.name)}",
        title=_title(wish),
    )


def _keep_pictures(
    looked: Looked, health: Any, folder: Path, limits: DecodeLimits, telling: Telling, title: str
) -> None:
    """The page of the report, and of each finding the small pictures of its first cases."""
    from leafsight.inspection import picture_of, write_health_report

    first = {
        row
        for finding in health.findings
        for case in finding.cases[:CASES_WITH_PICTURE]
        for row in case.rows[:ROWS_WITH_PICTURE]
    }
    done: set[int] = set()

    def picture(row: int) -> Any:
        found = picture_of(looked, row, limits)
        if row not in done:
            done.add(row)
            telling.advance()
            if found is not None:
                write_bytes(folder / SMALL_FOLDER / f"{row}.jpg", _jpeg(found))
        return found

    telling.start("keeping pictures", len(first))
    write_health_report(health, folder / HEALTH_FILE, pictures=picture, title=f"Health of {title}")
    for row in sorted(first - done):
        picture(row)
    telling.finish()


def _jpeg(picture: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=SMALL_QUALITY)
    return file.getvalue()


def _home(wish: Wish) -> Path:
    places = "\n".join(str(place.resolve()) for place in wish.places)
    digest = hashlib.sha256(os.fsencode(places)).hexdigest()[:12]
    name = readable(wish.places[0].resolve().stem)[:40] or "photographs"
    return wish.root / f"{name}-{digest}"


@contextmanager
def _making(wish: Wish) -> Iterator[Path]:
    """A folder to fill; whatever is left in it when the block ends is thrown away."""
    home = _home(wish)
    with os_errors_translated(home):
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / LOCK_NAME).open("ab")
    busy = StateBusyError("another window is looking at these photographs", hint="wait for it to end")
    with lock, holding(lock.fileno(), busy):
        folder = home / MAKING
        forget(folder)  # of one that was killed
        with os_errors_translated(folder):
            folder.mkdir()
        try:
            yield folder
        finally:
            forget(folder)


def _publish(folder: Path) -> Path:
    """Give a whole study its number; older ones of the same places, and the oldest of all others, go."""
    home = folder.parent
    older = [one for one in home.iterdir() if one.name.isdecimal()]
    place = home / f"{max((int(one.name) for one in older), default=0) + 1:06d}"
    with os_errors_translated(place):
        folder.rename(place)
    sync_folder(home)
    for one in older:
        forget(one)
    for one in newest_first(home.parent)[MOST_KEPT:]:
        forget(one.parent)
    return place


def _tell(connection: Connection, told: Told) -> None:
    with suppress(OSError):  # nobody listens any more: the leash ends this process
        connection.send(("told", told))


def _take_leash(connection: Connection) -> None:
    """End when the pipe says so, or when whoever held it is gone, however that ended."""

    def interrupted(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in the terminal is the window's to hear
    signal.signal(signal.SIGTERM, interrupted)
    with suppress(AttributeError, OSError):
        os.nice(NICER_BY)
    threading.Thread(target=_hold_leash, args=(connection,), name="leash", daemon=True).start()


def _hold_leash(connection: Connection) -> None:
    with suppress(EOFError, OSError):
        connection.recv()
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGTERM)  # wakes it, wherever it waits
    else:
        _thread.interrupt_main(signal.SIGTERM)
    time.sleep(END_WITHIN_S)
    os._exit(1)
