"""A study as pages for other people: copied into a folder of their own, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from itertools import count
from pathlib import Path

from leafsight.desktop.session.understanding.studies import HEALTH_FILE, INSIGHT_FILE, Study
from leafsight.storage import os_errors_translated

SAVED = (HEALTH_FILE, "health.json", INSIGHT_FILE)


def save_report(study: Study, into: Path) -> Path:
    """Copy the pages of a study.

    Args:
        study: whose pages.
        into: a new folder for them is made here; nothing that is there is touched.

    Returns:
        The new folder.

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: it cannot be written, or the study is gone.
    """
    day = datetime.fromtimestamp(study.made_s).strftime("%Y-%m-%d")
    name = f"{study.places[0].name or 'photographs'} {day}"
    with os_errors_translated(into):
        made = Path(tempfile.mkdtemp(prefix=".leafsight-", dir=into))
        try:
            for file in SAVED:
                shutil.copyfile(study.folder / file, made / file)
            made.chmod(0o755)
            return made.rename(_free(into, name))
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise


def _free(into: Path, name: str) -> Path:
    for number in count(1):
        place = into / (name if number == 1 else f"{name} ({number})")
        if not place.exists():
            return place
    raise AssertionError("numbers do not end")
