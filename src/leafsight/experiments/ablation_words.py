"""An ablation's table as rows of words, as Markdown, and as LaTeX.

Enters: an ``AblationResult``. Leaves: text. Numbers are shares; texts give them in per cent, differences in
points.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from leafsight.evaluation import Repeated
from leafsight.experiments.ablation_results import CHOSEN_RECALL, VALID, AblationResult, RowResult

WORDS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "auc": "AUC",
    CHOSEN_RECALL: "recall of the smallest classes",
}
LATEX_SIGNS = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "−": "$-$",
        "±": r"$\pm$",
    }
)


def ablation_headings(result: AblationResult) -> tuple[str, ...]:
    """Names of the columns of ``ablation_cells``."""
    shown = [f"{WORDS[name]}, {result.split}" for name in columns_of(result)]
    published = ["published"] if any(row.published is not None for row in result.rows) else []
    valid = [] if result.split == VALID else [f"{WORDS[result.metric]}, valid"]
    return (
        "variant",
        *published,
        *shown,
        f"against {result.against}",
        *valid,
        "runs",
        "time",
    )


def columns_of(result: AblationResult) -> tuple[str, ...]:
    """The numbers that are shown of the judged split, the deciding one first."""
    known = {name for row in result.rows for name in row.metrics.get(result.split, ())}
    order = (result.metric, *(name for name in WORDS if name != result.metric))
    return tuple(name for name in order if name in known) or (result.metric,)


def ablation_cells(result: AblationResult) -> list[tuple[str, ...]]:
    """One row of words a variant."""
    return [_cells(result, row) for row in result.rows]


def _cells(result: AblationResult, row: RowResult) -> tuple[str, ...]:
    judged, valid = row.metrics.get(result.split, {}), row.metrics.get(VALID, {})
    published = [""] if any(one.published is not None for one in result.rows) else []
    if published and row.published is not None:
        published = [f"{100 * row.published:.1f}"]
    change = row.differences.get(result.metric)
    return (
        row.title or row.name,
        *published,
        *(percent(judged.get(name)) for name in columns_of(result)),
        _against(result, row, change),
        *([] if result.split == VALID else [plain_percent(valid.get(result.metric))]),
        f"{len(row.seeds)}/{len(result.seeds)}",
        duration(row.duration_s) if row.seeds else "",
    )


def _against(result: AblationResult, row: RowResult, change: Repeated | None) -> str:
    if row.name == result.against:
        return "-"
    if row.failure and not row.seeds:
        return "failed"
    if change is None:
        base = next((one.seeds for one in result.rows if one.name == result.against), ())
        return "other photographs" if set(row.seeds) & set(base) else ""
    return points(change)


def percent(found: Repeated | None) -> str:
    """``97.1 ± 0.3 [96.2, 97.9]``: mean, standard deviation of the runs, interval."""
    if found is None:
        return ""
    mean = found.mean
    return f"{plain_percent(found)} [{100 * mean.low:.1f}, {100 * mean.high:.1f}]"


def plain_percent(found: Repeated | None) -> str:
    """``97.1 ± 0.3``; of one run without a spread."""
    if found is None:
        return ""
    spread = "" if math.isnan(found.spread) else f" ± {100 * found.spread:.1f}"
    return f"{100 * found.mean.value:.1f}{spread}"


def points(change: Repeated) -> str:
    """``+0.8 [0.1, 1.5]``: a difference in points with its interval."""
    mean = change.mean
    return f"{_signed(mean.value)} [{_signed(mean.low)}, {_signed(mean.high)}]"


def _signed(value: float) -> str:
    text = f"{100 * value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def duration(seconds: float) -> str:
    """Seconds in words that fit a cell."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def change_in_words(change: Mapping[str, object]) -> str:
    """``key = value`` of every change, short."""
    words = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in change.items()]
    return "; ".join(word if len(word) <= 90 else f"{word[:89]}…" for word in words)


def looked_in_words(row: RowResult) -> str:
    """How the runs of a row were judged."""
    seen = f"{row.views} views averaged" if row.views > 1 else "the photograph as it is"
    return f"{seen}; weights of {row.average} runs averaged" if row.average else seen


def ablation_method(result: AblationResult) -> list[str]:
    """What the numbers are, in sentences."""
    photos, groups = result.photos
    seeds = ", ".join(map(str, result.seeds))
    said = [
        f"Judged on {photos} photographs of the split '{result.split}' in {groups} groups that were never "
        f"trained on; seeds {seeds}.",
        "In per cent: mean over the runs ± their standard deviation [95 % interval over runs and groups of "
        "photographs]. Differences are in points, run by run with the same seed on the same photographs.",
    ]
    if result.split != VALID:
        said.append(
            "Choose by the column of the validation photographs: whoever picks the best row by the judged "
            "photographs has used them up."
        )
    others = len(result.rows) - 1
    if others > 1:
        said.append(
            f"{others} rows are compared with one: about one in twenty intervals misses 0 by chance alone."
        )
    if len(result.seeds) == 1:
        said.append("One seed only: nothing is said of how much another seed would change.")
    if result.smallest:
        said.append(f"Smallest classes in training: {', '.join(result.smallest)}.")
    if result.changes:
        said.append(f"For every row: {change_in_words(result.changes)}.")
    return said


def markdown(result: AblationResult) -> str:
    """A table for a README, with what the numbers are."""
    head = ablation_headings(result)
    lines = [_markdown_row(head), _markdown_row(["---"] * len(head))]
    lines += [_markdown_row(row) for row in ablation_cells(result)]
    return "\n".join([f"### {result.title or result.name}", "", *lines, "", *ablation_method(result), ""])


def _markdown_row(row: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def latex(result: AblationResult) -> str:
    """A ``booktabs`` table."""
    head = ablation_headings(result)
    body = [
        " & ".join(cell.translate(LATEX_SIGNS) for cell in row) + r" \\"
        for row in [head, *ablation_cells(result)]
    ]
    caption = f"{result.title or result.name}. {' '.join(ablation_method(result))}".translate(LATEX_SIGNS)
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{caption}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
            r"\toprule",
            body[0],
            r"\midrule",
            *body[1:],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )
