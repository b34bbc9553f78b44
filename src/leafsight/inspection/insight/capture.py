"""Which camera took the photographs, and when, where the files say so."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from leafsight.inspection.insight.figure import Figure, figure_of
from leafsight.inspection.insight.grouping import guess_share
from leafsight.inspection.insight.material import Material
from leafsight.inspection.insight.phrases import named, percent, photographs, visible
from leafsight.inspection.insight.series import Axis, Bar, Bars, Words

MOST_CAMERAS = 12
MOST_MONTHS = 24
_DAY = re.compile(r"^(?!0000)\d{4}-\d{2}-\d{2}")


def cameras_figure(material: Material) -> Figure:
    """Photographs per camera."""
    question = "Which cameras took the photographs, and does the camera tell the class?"
    cameras = material.cameras
    counts = Counter(camera for camera in cameras if camera)
    known = sum(counts.values())
    if not known:
        answer = (
            f"Unknown: not one of the {photographs(len(material))} says which camera took it. Whether "
            "each class has its own camera cannot be checked here."
        )
        return figure_of(material, "cameras", "Cameras", question, answer, Words())
    order = sorted(counts, key=lambda camera: (-counts[camera], camera))
    bars = [Bar(visible(camera), float(counts[camera])) for camera in order[:MOST_CAMERAS]]
    if len(order) > MOST_CAMERAS:
        rest = sum(counts[camera] for camera in order[MOST_CAMERAS:])
        bars.append(Bar(f"{len(order) - MOST_CAMERAS} more", float(rest)))
    if known < len(cameras):
        bars.append(Bar("not stated", float(len(cameras) - known)))
    most = f"{named(order[0])} took {percent(counts[order[0]] / known)}"
    answer = (
        f"One photograph names its camera: {named(order[0])}."
        if known == 1
        else f"The {photographs(known)} with a stated camera come from one: {named(order[0])}."
        if len(order) == 1
        else f"{len(order)} cameras; {most} of the photographs that name theirs."
    )
    if known < len(cameras):
        answer += f" {percent(1 - known / len(cameras))} do not say."
    answer += _tells_class(material)
    return figure_of(
        material,
        "cameras",
        "Cameras",
        question,
        answer,
        Bars(Axis("photographs", from_zero=True), tuple(bars)),
    )


def _tells_class(material: Material) -> str:
    """A camera that is not stated is a fact, too: files of another origin lack it."""
    if len(set(material.cameras)) < 2 or len(material.classes) < 2:
        return ""
    largest = float(material.counts().max() / len(material))
    share = guess_share(material.cameras, material.labels)
    if share < largest + 0.02:
        return " The camera does not give the class away."
    return (
        f" Who knows the camera and nothing else guesses the class right in {percent(share)} of the "
        f"cases; always saying the largest class is right in {percent(largest)}."
    )


def dates_figure(material: Material) -> Figure:
    """Photographs per month, or per year where there are many months."""
    question = "When were the photographs taken?"
    dated = [(row, taken[:10]) for row, taken in enumerate(material.taken) if taken and _DAY.match(taken)]
    if not dated:
        answer = (
            f"Unknown: not one of the {photographs(len(material))} says when it was taken. Whether "
            "classes were photographed on different days cannot be checked here."
        )
        return figure_of(material, "dates", "Dates", question, answer, Words())
    days = [day for _, day in dated]
    months = Counter(day[:7] for day in days)
    by_year = len(months) > MOST_MONTHS
    counts = Counter(day[:4] for day in days) if by_year else months
    bars = tuple(Bar(label, float(counts[label])) for label in sorted(counts)[-MOST_MONTHS:])
    first, last = min(days), max(days)
    answer = (
        f"1 photograph was taken on {first}, on 1 day."
        if len(dated) == 1
        else f"{len(dated):,} photographs were taken on {first}, on 1 day."
        if first == last
        else f"{len(dated):,} photographs were taken between {first} and {last}, on {len(set(days)):,} days."
    )
    if len(dated) < len(material):
        answer += f" {percent(1 - len(dated) / len(material))} do not say when."
    answer += _single_days(material, dated)
    note = "The date is what the camera's clock said."
    if by_year:
        note += " One bar a year."
    if len(counts) > len(bars):
        note += f" The latest {len(bars)} of {len(counts)} are shown."
    return figure_of(
        material, "dates", "Dates", question, answer, Bars(Axis("photographs", from_zero=True), bars), note
    )


def _single_days(material: Material, dated: list[tuple[int, str]]) -> str:
    by_class: dict[int, set[str]] = {}
    for row, day in dated:
        by_class.setdefault(int(material.labels[row]), set()).add(day)
    counts = np.bincount(material.labels[[row for row, _ in dated]], minlength=len(material.classes))
    single = [label for label, days in by_class.items() if len(days) == 1 and counts[label] >= 5]
    if not single or len({day for _, day in dated}) == 1 or len(by_class) < 2:
        return ""
    if len(single) > 1:
        return (
            f" {len(single)} classes were photographed on a single day each: light and place then tell the "
            "class."
        )
    return (
        f" {named(material.classes[single[0]])} was photographed on a single day: light and place then tell "
        "the class."
    )
