"""What is odd about the files: broken, mislabelled, tiny, turned, moving, telling where they were taken.

Enters: an index. Leaves: findings. It opens no file; the index has read them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from leafsight.dataset import PhotoIndex
from leafsight.inspection.findings import Case, Finding, Weight, counted, share

TINY_SIDE_PX = 64
"""Half of the smallest side that our recipes train at; below it lesions are a pixel or two."""

EXTREME_ASPECT = 3.0
"""A 3:1 strip is a panorama, a screenshot or a crop gone wrong; camera formats end at 16:9."""

# Names of formats as they stand in the index, by what files of them are usually called.
SUFFIXES = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".mpo": "MPO", ".png": "PNG",
    ".webp": "WebP", ".bmp": "BMP", ".dib": "BMP", ".tif": "TIFF", ".tiff": "TIFF",
}  # fmt: skip
PLAIN_MODES = {"RGB", "YCbCr"}
MODE_WORDS = {
    "L": "grey", "1": "black and white", "P": "palette", "RGBA": "transparent", "LA": "grey and transparent",
    "CMYK": "CMYK (printing colours)", "LAB": "L*a*b*",
}  # fmt: skip
FAULT_WORDS = {
    "corrupt-image": "corrupt image", "empty-file": "empty file", "image": "image",
    "image-too-large": "image too large", "several-labels": "several labels", "unreadable": "unreadable",
    "unreadable-name": "unreadable name", "unsupported-image": "unsupported image",
}  # fmt: skip
EXTRA_WORDS = {
    "animated": "carry several pictures",
    "turned-by-exif": "are turned by their EXIF orientation",
    "gps": "carry a GPS position",
}


def file_findings(index: PhotoIndex) -> list[Finding]:
    """Findings on the files of an index, faulty rows included."""
    return [*_faults(index), *_mislabelled(index), *_shapes(index), *_modes(index), *_extras(index)]


def _faults(index: PhotoIndex) -> list[Finding]:
    kinds: dict[str, list[Case]] = {}
    for row, fault in enumerate(index.column("fault")):
        if fault is not None:
            kind, _, reason = fault.partition(": ")
            kinds.setdefault(kind, []).append(Case((row,), reason))
    return [
        _finding(
            index,
            kind,
            "mend",
            cases,
            f"{share(len(cases), len(index))} files cannot be used "
            f"({FAULT_WORDS.get(kind, kind.replace('-', ' '))})",
            "copy them again from where they came from, or remove them; leafsight leaves them out",
        )
        for kind, cases in sorted(kinds.items(), key=lambda item: -len(item[1]))
    ]


def _mislabelled(index: PhotoIndex) -> list[Finding]:
    """Files whose name says another format than their bytes; an MPO is a JPEG to everybody."""
    cases = []
    for row, (path, found) in enumerate(zip(index.column("path"), index.column("format"), strict=True)):
        suffix = PurePosixPath(path).suffix.lower()
        if found is None or suffix not in SUFFIXES:
            continue
        said = SUFFIXES[suffix]
        if said != found and {said, found} != {"JPEG", "MPO"}:
            cases.append(Case((row,), f"called {suffix}, is {found}"))
    sentence = f"{len(cases)} files are of another type than their name says"
    hint = "leafsight goes by the bytes; other tools may refuse them, so rename them"
    return [_finding(index, "mislabelled-type", "know", cases, sentence, hint)] if cases else []


def _shapes(index: PhotoIndex) -> list[Finding]:
    tiny, long = [], []
    for row, (width, height) in enumerate(
        zip(index.column("width_px"), index.column("height_px"), strict=True)
    ):
        if not width or not height:
            continue
        if min(width, height) < TINY_SIDE_PX:
            tiny.append(Case((row,), f"{width} x {height} px", 1 / min(width, height)))
        if max(width, height) > EXTREME_ASPECT * min(width, height):
            long.append(Case((row,), f"{width} x {height} px", max(width, height) / min(width, height)))
    found = []
    if tiny:
        few = len(tiny) < len(index) / 2
        sentence = f"{share(len(tiny), len(index))} photographs have a side below {TINY_SIDE_PX} px"
        hint = "use the originals, not their icons" if few else "the collection is small on purpose, it seems"
        found.append(_finding(index, "tiny", "look" if few else "know", tiny, sentence, hint))
    if long:
        times = f"more than {EXTREME_ASPECT:g} times as long as wide"
        sentence = f"{share(len(long), len(index))} photographs are {times}"
        found.append(
            _finding(index, "extreme-aspect", "look", long, sentence, "crop them to the leaf, or remove them")
        )
    return found


def _modes(index: PhotoIndex) -> list[Finding]:
    """Pixels that are not red, green and blue, unless the whole collection is so."""
    modes = index.column("mode")
    usual = Counter(mode for mode in modes if mode).most_common(1)
    plain = {*PLAIN_MODES, usual[0][0]} if usual else PLAIN_MODES
    cases = [
        Case((row,), MODE_WORDS.get(mode, mode))
        for row, mode in enumerate(modes)
        if mode is not None and mode not in plain
    ]
    if not cases:
        return []
    kinds = Counter(modes[case.rows[0]] for case in cases)
    words = ", ".join(f"{count} {MODE_WORDS.get(mode, mode)}" for mode, count in kinds.most_common())
    hint = "they are converted when read; look whether colours are what they should be"
    return [_finding(index, "odd-colours", "know", cases, f"photographs with odd colours: {words}", hint)]


def _extras(index: PhotoIndex) -> list[Finding]:
    found = []
    columns: list[tuple[str, str, Callable[[object], bool], str]] = [
        ("frames", "animated", lambda value: isinstance(value, int) and value > 1,
         "only the first picture is used"),
        ("orientation", "turned-by-exif", lambda value: isinstance(value, int) and value != 1,
         "leafsight turns them upright; a tool that ignores EXIF trains on them lying down"),
        ("has_gps", "gps", bool,
         "it may be somebody's garden: remove it before you publish (exiftool -gps:all= FILE)"),
    ]  # fmt: skip
    for column, kind, holds, hint in columns:
        cases = [Case((row,)) for row, value in enumerate(index.column(column)) if holds(value)]
        if not cases:
            continue
        sentence = f"{share(len(cases), len(index))} photographs {EXTRA_WORDS[kind]}"
        found.append(_finding(index, kind, "look" if kind == "gps" else "know", cases, sentence, hint))
    return found


def _finding(
    index: PhotoIndex, kind: str, weight: Weight, cases: Sequence[Case], sentence: str, hint: str
) -> Finding:
    ordered = tuple(sorted(cases, key=lambda case: (-(case.score or 0.0), case.rows)))
    rows = [row for case in cases for row in case.rows]
    return Finding(
        kind=kind,
        part="files",
        weight=weight,
        sentence=sentence,
        hint=hint,
        count=len(cases),
        of=len(index),
        cases=ordered,
        per_class=counted(index.column("class_name"), rows),
    )
