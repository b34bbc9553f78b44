"""The child's part of the quarantine: photographs in a folder become findings in files.

Enters: files with class names, the path of a bundle, a file with what is known. Leaves: two files in a
folder: ``examined.jsonl`` (one line a photograph) and ``embeddings.npy``. Runs beside neither database nor
network; whoever reads the files trusts nothing in them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leafsight.feedback.champion import Champion
from leafsight.feedback.judging import judge
from leafsight.feedback.known import load_known
from leafsight.feedback.looking import Opened, look
from leafsight.feedback.records import LONGEST_CLASS, Asked, Judged, Sent
from leafsight.images import DecodeLimits
from leafsight.progress import Progress, Silent
from leafsight.storage import read_json, replacing, write_json

EXAMINED, EMBEDDINGS, ASKED, KNOWN = "examined.jsonl", "embeddings.npy", "asked.json", "known.npz"
MOST_CONTRIBUTIONS = 20_000
"""Of one upload: 100 MB of features. Of a larger one, the rest is kept and not looked at."""
MAX_ASKED_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class Examination:
    """What the child says when it is done.

    Attributes:
        photographs: how many may become contributions.
        faults: name and reason of those that cannot be used.
        left_out: how many were over the limit.
    """

    photographs: int
    faults: tuple[tuple[str, str], ...]
    left_out: int


def write_asked(asked: Asked, path: Path) -> None:
    """What the child is to know, as a file."""
    values = {name: getattr(asked, name) for name in Asked.__slots__}
    write_json(path, {**values, "declared": list(asked.declared), "brought": dict(asked.brought)})


def read_asked(path: Path) -> Asked:
    """The same again.

    Raises:
        StorageError: it is not such a file.
    """
    values = read_json(path, max_bytes=MAX_ASKED_BYTES)
    return Asked(**{name: values[name] for name in Asked.__slots__ if name in values})


def examine(
    photographs: Sequence[Sent],
    bundle: Path,
    folder: Path,
    *,
    limits: DecodeLimits | None = None,
    progress: Progress | None = None,
) -> Examination:
    """Look at photographs and write what was found beside ``asked.json`` and ``known.npz``.

    Args:
        photographs: to look at; files below ``folder``.
        bundle: of the champion.
        folder: to read from and to write to.
        limits: of the decoder.
        progress: told of every photograph.

    Raises:
        BundleError: the champion cannot be used.
        StorageError: a file cannot be read or written.
    """
    from leafsight.inference import BundlePredictor

    talk = progress or Silent()
    some = photographs[:MOST_CONTRIBUTIONS]
    predictor = BundlePredictor(bundle, limits=limits, batch_size=8, pass_size=1)
    opened = look(some, predictor, limits, talk)
    champion = Champion(predictor.bundle)
    talk.start("judging photographs", len(opened.sent))
    judged = judge(opened.looked, champion, load_known(folder / KNOWN), read_asked(folder / ASKED))
    with replacing(folder / EXAMINED, "w") as file:
        for row, one in enumerate(judged):
            file.write(json.dumps(_line(opened, row, one, folder), allow_nan=False) + "\n")
    half = np.clip(opened.looked.embedding, -65000, 65000).astype(np.float16)
    with replacing(folder / EMBEDDINGS) as file:
        np.save(file, half, allow_pickle=False)
    talk.advance(len(opened.sent))
    talk.finish()
    return Examination(len(judged), tuple(opened.faults), len(photographs) - len(some))


def _line(opened: Opened, row: int, judged: Judged, folder: Path) -> dict[str, Any]:
    sent = opened.sent[row]
    return {
        "name": sent.name,
        "class_name": sent.class_name[:LONGEST_CLASS],
        "label": judged.label,
        "file": sent.file.relative_to(folder).as_posix(),
        "sha256": opened.sha256[row],
        "ending": opened.ending[row],
        "pixel_hash": opened.looked.pixel_hash[row],
        "look_hash": f"{int(opened.looked.look[row, 0]):016x}",
        "quality": dict(opened.looked.quality[row]),
        "findings": [one.to_dict() for one in judged.findings],
        "group": judged.group,
        "refused": judged.refused,
    }
