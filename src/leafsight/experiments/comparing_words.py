"""A comparison in plain sentences: the difference, how sure it is, and what it does not say."""

from __future__ import annotations

from leafsight.evaluation import Interval
from leafsight.experiments.comparing_records import ComparedRuns, Pair

RARE = 0.05
LOWEST_SHOWN = 0.0001


def comparison_sentences(found: ComparedRuns) -> list[str]:
    """All that a terminal needs to say below its tables."""
    pairs = [said for pair in found.pairs for said in (headline(pair), chance(pair))]
    return [*pairs, all_wrong(found), method_of_tests(found), *found.notes]


def all_wrong(found: ComparedRuns) -> str:
    """How many photographs no run has right; a better network may not help there."""
    count, overall = len(found.all_wrong), found.evaluations[0].overall
    if not count:
        return "Every photograph is right by one of them at least."
    which = "Both have" if len(found.names) == 2 else f"All {len(found.names)} have"
    return (
        f"{which} {counted(count)} of {overall.photos:,} wrong ({count / overall.photos:.1%}): look there "
        "for wrong labels, and for pictures that do not show it."
    )


def headline(pair: Pair) -> str:
    """The one to remember: "b is right 1.2 points more often than a [0.1, 2.3]; ..."."""
    found, tests = pair.comparison.differences["accuracy"], pair.tests
    if found.value < 0:
        found, often = Interval(-found.value, -found.high, -found.low), "less often than"
    else:
        often = "more often than"
    value = f"{_points(found.value)} points {often}" if found.value else "as often as"
    span = f"[{_points(found.low)}, {_points(found.high)}]"
    return (
        f"{pair.run} is right {value} {pair.against} {span}; {counted(tests.only_a_right)} only "
        f"{pair.against} has right, {tests.only_b_right:,} only {pair.run}."
    )


def _points(share: float) -> str:
    """A share in points of percent, without a negative zero."""
    return f"{round(100 * share, 1) + 0.0:.1f}"


def counted(photographs: int) -> str:
    """A number of photographs in words."""
    return f"{photographs:,} photograph{'' if photographs == 1 else 's'}"


def p_value(p: float | None) -> str:
    """A p-value as people read it; nothing where there is none."""
    if p is None:
        return ""
    return f"{p:.4f}" if p >= LOWEST_SHOWN else f"< {LOWEST_SHOWN}"


def chance(pair: Pair) -> str:
    """What chance alone would do."""
    if not pair.tests.only_a_right + pair.tests.only_b_right:
        return f"{pair.run} and {pair.against} have exactly the same photographs right."
    told = f"p {p_value(pair.p_value)}"
    if pair.p_value <= RARE:
        return f"Chance alone would seldom set {pair.run} and {pair.against} so far apart ({told})."
    return (
        f"Chance alone sets two equally good models so far apart often enough ({told}): these photographs "
        f"do not say whether {pair.run} or {pair.against} is better."
    )


def comparison_tests(found: ComparedRuns) -> tuple[list[str], list[list[str]]]:
    """Names of the columns and the cells of a table of both tests, adjusted where there are several pairs."""
    several = len(found.pairs) > 1
    columns = ["pair", "only the first right", "only the other right", "McNemar p"]
    columns += ["adjusted"] if several else []
    if found.grouped:
        columns += ["sign-flip p, whole groups", *(["adjusted"] if several else [])]
    rows = []
    for pair in found.pairs:
        tests = pair.tests
        row = [f"{pair.against}, {pair.run}", f"{tests.only_a_right:,}", f"{tests.only_b_right:,}"]
        row += [p_value(tests.mcnemar), *([p_value(pair.mcnemar_holm)] if several else [])]
        if found.grouped:
            row += [p_value(tests.sign_flip), *([p_value(pair.sign_flip_holm)] if several else [])]
        rows.append(row)
    return columns, rows


def method_of_tests(found: ComparedRuns) -> str:
    """What the p-values take for granted."""
    overall, several = found.evaluations[0].overall, len(found.pairs) > 1
    if found.grouped:
        adjusted = " Both are adjusted for the number of pairs (Holm)." if several else ""
        return (
            "McNemar's test takes every photograph as independent, but leaves are photographed several "
            f"times: {overall.photos:,} photographs are {overall.groups:,} groups. So its p-value may be too "
            f"small. The sign-flip test keeps groups whole; go by that one.{adjusted}"
        )
    adjusted = " It is adjusted for the number of pairs (Holm)." if several else ""
    return (
        "McNemar's test takes every photograph as independent. No groups are known here: if leaves were "
        f"photographed several times, its p-value is too small.{adjusted}"
    )


def limits(found: ComparedRuns) -> list[str]:
    """What the comparison does not say. Never empty."""
    return [
        "These are single networks, not recipes: the same recipe with another seed gives another network. "
        "What a recipe is worth takes several seeds of each.",
        "Intervals and p-values cover the choice of photographs, not other cameras, fields or years.",
        "Probabilities are the networks' own, without calibration, also those of model files.",
        method_of_tests(found),
        *found.notes,
    ]
