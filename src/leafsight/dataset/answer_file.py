"""Answers of a model as Parquet: one row a photograph, in columns that stay as they are.

Enters: answers as plain values. Leaves: the bytes of a Parquet file that counts its own verdicts, and that
count again from a file on disk. It does not know how an answer is found.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leafsight.dataset.photo_table import arrow
from leafsight.errors import require

ANSWER_FORMAT_VERSION = 1
_COUNTS_KEY, _VERSION_KEY = b"leafsight.answers.counts", b"leafsight.answers.format"
_TEXTS = ("verdict", "reason", "hint", "class_name", "key", "crop", "condition", "display", "crop_given")
_NUMBERS = ("probability", "not_leaf_probability", "unfamiliarity")
_CANDIDATE = ("class_name", "key", "display", "probability")
_QUALITY = ("sharpness", "brightness", "contrast", "saturation", "entropy_bits")
# The same words in almost every row; anything else is as good as unique.
_REPEATED = ["model", "model_hash", "error", *_TEXTS]


def answer_schema() -> Any:
    """The columns, as ``docs/cluster.md`` describes them."""
    pa = arrow()
    number, text = pa.float64(), pa.string()
    candidates = pa.list_(
        pa.struct([pa.field(name, number if name == "probability" else text) for name in _CANDIDATE])
    )
    return pa.schema(
        [
            pa.field("photo", text, nullable=False),
            pa.field("member", text),
            *(pa.field(name, text) for name in _TEXTS),
            *(pa.field(name, number) for name in _NUMBERS),
            pa.field("top", candidates),
            pa.field("possible", candidates),
            pa.field("quality", pa.struct([pa.field(name, number) for name in _QUALITY])),
            pa.field("error", text),
            pa.field("model", text),
            pa.field("model_hash", text),
        ]
    )


class AnswerFile:
    """A Parquet file in memory that grows by groups of rows.

    Attributes:
        counts: rows of each verdict so far.
    """

    def __init__(self) -> None:
        parquet = require("pyarrow.parquet", "train")
        self.counts: Counter[str] = Counter()
        self._schema = answer_schema()
        self._file = io.BytesIO()
        self._writer = parquet.ParquetWriter(
            self._file, self._schema, compression="zstd", use_dictionary=_REPEATED
        )

    def add(self, answers: Sequence[Mapping[str, Any]]) -> None:
        """Write some rows as one group.

        Args:
            answers: what ``Prediction.to_dict`` of room ``inference`` gives, with ``photo`` and ``member``.
        """
        if not answers:
            return
        self.counts.update(str(answer["verdict"]) for answer in answers)
        rows = [_row(answer) for answer in answers]
        self._writer.write_table(arrow().Table.from_pylist(rows, schema=self._schema))

    def close(self) -> bytes:
        """The whole file."""
        counts = json.dumps(dict(sorted(self.counts.items())))
        self._writer.add_key_value_metadata(
            {_COUNTS_KEY: counts.encode(), _VERSION_KEY: str(ANSWER_FORMAT_VERSION).encode()}
        )
        self._writer.close()
        return self._file.getvalue()


def answer_counts(path: Path) -> Counter[str] | None:
    """Rows of each verdict in a file of answers, from its last bytes; None where it is no whole one."""
    parquet, pa = require("pyarrow.parquet", "train"), arrow()
    try:
        found = parquet.read_metadata(path).metadata or {}
        counts = json.loads(found[_COUNTS_KEY])
        return Counter({str(verdict): int(count) for verdict, count in counts.items()})
    except (pa.ArrowException, OSError, KeyError, ValueError, AttributeError):
        return None


def _row(answer: Mapping[str, Any]) -> dict[str, Any]:
    """One answer in the words of the columns."""
    error = answer.get("error")
    return {
        **answer,
        "error": None if error is None else str(error["type"]),
        "quality": answer.get("quality") or None,
    }
