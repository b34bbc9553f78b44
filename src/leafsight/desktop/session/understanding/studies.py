"""A study: what was found in a folder, as the window shows it, and how it is kept between two windows.

Enters: a ``Health`` and figures in the child, files in the window. Leaves: records. Cases are lines of their
own, because a collection may have a hundred thousand: they are read without holding up another thread.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from leafsight.errors import LeafsightError, StorageError
from leafsight.storage import os_errors_translated, read_json, replacing

if TYPE_CHECKING:
    from leafsight.inspection import Figure, Health

HEAD_FILE, CASES_FILE, SEEN_FILE = "study.json", "cases.jsonl", "photographs.jsonl"
SMALL_FOLDER, PICTURES_FOLDER = "small", "pictures"
HEALTH_FILE, INSIGHT_FILE = "health.html", "insight.html"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """A photograph that a finding is about.

    Attributes:
        path: of the file.
        name: below its collection, for people.
        small: a small picture that was kept; None where there is none.
    """

    path: Path
    name: str
    small: Path | None = None


@dataclass(frozen=True, slots=True)
class ProblemCase:
    """One photograph, or several that belong together.

    Attributes:
        rows: keys of ``Study.photographs``, at least one.
        text: what is the matter with them.
    """

    rows: tuple[int, ...]
    text: str = ""


class Cases(Sequence[ProblemCase]):
    """Cases in few objects.

    A hundred thousand records of their own would hold up every thread of the window, each time that Python
    looks for what nobody needs any more.

    Args:
        rows: of each case.
        texts: of each case.
    """

    def __init__(self, rows: Sequence[tuple[int, ...]] = (), texts: Sequence[str] = ()) -> None:
        self._rows, self._texts = rows, texts

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> ProblemCase: ...

    @overload
    def __getitem__(self, place: slice) -> Cases: ...

    def __getitem__(self, place: int | slice) -> ProblemCase | Cases:
        if isinstance(place, slice):
            return Cases(self._rows[place], self._texts[place])
        return ProblemCase(self._rows[place], self._texts[place])

    @property
    def most_photographs(self) -> int:
        """Of the case that has most."""
        return max(map(len, self._rows), default=0)

    @property
    def longest_text(self) -> int:
        """Characters."""
        return max(map(len, self._texts), default=0)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding; see ``leafsight.inspection.Finding``, whose words these are."""

    kind: str
    weight: str
    sentence: str
    hint: str
    count: int
    cases: Cases
    per_class: Mapping[str, int]
    class_sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class InsightPicture:
    """One question about the collection, and its answer.

    Attributes:
        title: two or three words.
        question: what is asked.
        answer: in a sentence.
        note: how it was measured.
        path: of the picture; None where there is nothing to draw.
        shape_px: width and height of the picture.
    """

    title: str
    question: str
    answer: str
    note: str = ""
    path: Path | None = None
    shape_px: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Study:
    """What was found.

    Attributes:
        places: that were looked at.
        made_s: when, seconds since 1970.
        total: photographs, faulty ones included.
        class_counts: usable photographs by class.
        problems: worst first.
        photographs: of all cases, by row.
        pictures: of the insight.
        not_looked: sentences on what was not done, and notes.
        folder: where it is kept.
    """

    places: tuple[Path, ...]
    made_s: float
    total: int
    class_counts: Mapping[str, int]
    problems: tuple[Problem, ...]
    photographs: Mapping[int, Seen]
    pictures: tuple[InsightPicture, ...]
    not_looked: tuple[str, ...]
    folder: Path

    @property
    def usable(self) -> int:
        """Photographs without a fault."""
        return sum(self.class_counts.values())

    @property
    def to_mend(self) -> int:
        """Findings that must be mended before training."""
        return sum(problem.weight == "mend" for problem in self.problems)

    @property
    def to_look(self) -> int:
        """Findings that a person has to decide on."""
        return sum(problem.weight == "look" for problem in self.problems)


def write_study(
    folder: Path,
    places: Sequence[Path],
    made_s: float,
    health: Health,
    figures: Sequence[tuple[Figure, Path | None]],
) -> None:
    """Write what the window shows.

    Args:
        folder: of this study; small pictures lie below it already.
        places: that were looked at.
        made_s: when.
        health: what was found.
        figures: each with its picture below ``folder``.

    Raises:
        StorageError: a file cannot be written.
    """
    findings = [
        {
            "kind": one.kind, "weight": one.weight, "sentence": one.sentence, "hint": one.hint,
            "count": one.count, "per_class": dict(one.per_class), "class_sizes": dict(one.class_sizes),
        }
        for one in health.findings
    ]  # fmt: skip
    pictures = [
        {
            "title": one.title, "question": one.question, "answer": one.answer, "note": one.note,
            "file": None if path is None else path.name, "shape_px": _shape_px(path),
        }
        for one, path in figures
    ]  # fmt: skip
    cases = (
        {"of": number, "rows": list(case.rows), "text": case.text}
        for number, one in enumerate(health.findings)
        for case in one.cases
    )
    _write_lines(folder / CASES_FILE, cases)
    _write_lines(folder / SEEN_FILE, _seen(health))
    head = {
        "format": FORMAT,
        "places": [str(place.absolute()) for place in places],
        "made_s": made_s,
        "total": health.photographs,
        "class_counts": list(health.class_counts.items()),
        "findings": findings,
        "pictures": pictures,
        "not_looked": [*health.not_looked, *health.index.notes],
    }
    _write_lines(folder / HEAD_FILE, [head])


def _seen(health: Health) -> Iterator[dict[str, Any]]:
    files, names = health.index.files(), health.index.column("path")
    for row in sorted({row for one in health.findings for case in one.cases for row in case.rows}):
        yield {"row": row, "path": os.path.abspath(files[row]), "name": names[row]}  # noqa: PTH100


def load_study(folder: Path) -> Study:
    """The study that was written into a folder.

    Raises:
        StorageError: it is not there, not whole, or of another version.
    """
    head = read_json(folder / HEAD_FILE)
    try:
        if head["format"] != FORMAT:
            raise StorageError(f"{folder} is of another version", hint="look again")
        small = _names(folder / SMALL_FOLDER)
        seen = {}
        for line in _lines(folder / SEEN_FILE):
            row, file = int(line["row"]), f"{int(line['row'])}.jpg"
            kept = folder / SMALL_FOLDER / file if file in small else None
            seen[row] = Seen(Path(str(line["path"])), str(line["name"]), kept)
        cases: list[tuple[list[tuple[int, ...]], list[str]]] = [([], []) for _ in head["findings"]]
        for line in _lines(folder / CASES_FILE):
            rows = tuple(map(int, line["rows"]))
            if not rows or any(row not in seen for row in rows):
                raise ValueError(f"a case of photographs {rows}, which are not there")
            cases[int(line["of"])][0].append(rows)
            cases[int(line["of"])][1].append(sys.intern(str(line["text"])))
        return Study(
            places=tuple(Path(str(place)) for place in head["places"]),
            made_s=float(head["made_s"]),
            total=int(head["total"]),
            class_counts={str(name): int(count) for name, count in head["class_counts"]},
            problems=tuple(
                _problem(one, Cases(*mine)) for one, mine in zip(head["findings"], cases, strict=True)
            ),
            photographs=seen,
            pictures=tuple(_picture(one, folder) for one in head["pictures"]),
            not_looked=tuple(map(str, head["not_looked"])),
            folder=folder,
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise StorageError(f"{folder} is damaged: {error!r}", hint="look again") from error


def _problem(plain: Mapping[str, Any], cases: Cases) -> Problem:
    counts = [
        {str(name): int(count) for name, count in plain[key].items()} for key in ("per_class", "class_sizes")
    ]
    ordered = dict(sorted(counts[0].items(), key=lambda item: (-item[1], item[0])))
    return Problem(
        str(plain["kind"]), str(plain["weight"]), str(plain["sentence"]), str(plain["hint"]),
        int(plain["count"]), cases, ordered, counts[1],
    )  # fmt: skip


def _picture(plain: Mapping[str, Any], folder: Path) -> InsightPicture:
    file = plain["file"]
    # A name only: what is written in a file leads nowhere else.
    path = None if file is None else folder / PICTURES_FOLDER / Path(str(file)).name
    title, question, answer, note = (str(plain[key]) for key in ("title", "question", "answer", "note"))
    width_px, height_px = map(int, plain["shape_px"])
    return InsightPicture(title, question, answer, note, path, (width_px, height_px))


def _shape_px(path: Path | None) -> tuple[int, int]:
    """Of a PNG, from its head."""
    if path is None:
        return (0, 0)
    with os_errors_translated(path), path.open("rb") as file:
        head = file.read(24)
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def last_study(root: Path) -> Study | None:
    """The newest whole study below ``root``; None where there is none. One that is damaged is passed over."""
    for folder in newest_first(root):
        with suppress(LeafsightError):
            return load_study(folder)
    return None


def newest_first(root: Path) -> list[Path]:
    """Folders of all published studies, the last that was made first."""
    found = []
    for head in root.glob(f"*/[0-9]*/{HEAD_FILE}"):
        with suppress(OSError):
            found.append((head.stat().st_mtime_ns, head.parent))
    return [folder for _, folder in sorted(found, reverse=True)]


def forget(folder: Path) -> None:
    """Throw a kept study away."""
    shutil.rmtree(folder, ignore_errors=True)


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(file.name for file in folder.iterdir())
    except OSError:
        return frozenset()


def _write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    # Escaped: paths may hold bytes that are no UTF-8.
    with replacing(path, "w") as file:
        for value in values:
            file.write(json.dumps(value, separators=(",", ":")) + "\n")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with os_errors_translated(path), path.open("rb") as file:
        for line in file:
            yield json.loads(line)
