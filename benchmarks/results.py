"""The page of results, written from the tables of finished ablations: no number of it is typed.

    python -m benchmarks.results collect runs/plant-disease-64-result ...   # table.json -> docs/results/
    python -m benchmarks.results page                                       # -> docs/results.md

``docs/results/template.md`` holds the words. In it ``{{recipe/table}}`` on a line of its own becomes the
whole table with machine, date and command; ``{{recipe/table variant metric [split] [against]}}`` inside a
line becomes one number in per cent (``against``: the difference in points; metric ``time``: how long a run
took); ``{{file NAME}}`` becomes the text of ``docs/results/NAME``.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from leafsight.errors import StorageError
from leafsight.experiments import AblationResult, load_ablation
from leafsight.experiments.ablation_words import duration, markdown, percent, points
from leafsight.storage import write_json, write_text
from leafsight.training import load_recipe

HERE = Path(__file__).parent.parent / "docs" / "results"
PAGE = HERE.parent / "results.md"
MARK = re.compile(r"\{\{([^{}]+)\}\}")
DATA = {
    "plant-disease-64": "data/plantvillage",
    "leaf-14": "data/plantvillage",
    "cifar-10": "data/cifar-10-jpeg",
    "cifar-10-fast": "data/cifar-10-jpeg",
    "flowers": "data/flowers",
    "chest-xray": "data/chest-xray",
}


def collect(run: Path, to: Path = HERE) -> Path:
    """Copy the table of an ablation's folder, and the day its last run ended, under ``recipe-table``."""
    result = load_ablation(run)
    ended = max(path.stat().st_mtime for path in run.glob("*/seed-*/run.json"))
    folder = to / f"{result.recipe}-{result.name}"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run / "table.json", folder / "table.json")
    write_json(folder / "when.json", {"ended": datetime.fromtimestamp(ended, UTC).date().isoformat()})
    return folder


def command(result: AblationResult) -> str:
    """The command that makes the table."""
    words = [f"leafsight ablate {result.recipe} --table {result.name} --data {DATA[result.recipe]}"]
    words += ["--pretrained WEIGHTS"]
    if result.seeds != tuple(load_recipe(result.recipe).ablations[result.name].seeds):
        words.append(f"--seeds {','.join(map(str, result.seeds))}")
    words += [f"--set {key}={value}" for key, value in (result.changes or {}).items()]
    return " ".join([*words, f"--set threads={result.machine['threads']}"])


def whole_table(folder: Path) -> str:
    """The table of a folder with its method, machine, date and command."""
    result = load_ablation(folder)
    ended = json.loads((folder / "when.json").read_text(encoding="utf-8"))["ended"]
    machine = result.machine
    threads = f"{machine['threads']} compute thread{'' if machine['threads'] == 1 else 's'}"
    where = (
        f"Machine: {machine['cores']} virtual cores, {machine['device']}, {threads} "
        f"a run, torch {machine['torch']}; the last run ended on {ended}."
    )
    missing = [row.title or row.name for row in result.rows if len(row.seeds) < len(result.seeds)]
    partly = [f"Not every seed has been run: {'; '.join(missing)}."] if missing else []
    return "\n".join([markdown(result).strip(), where, *partly, "", "```", command(result), "```"])


def one_number(folder: Path, words: list[str]) -> str:
    """``variant metric [split] [against]`` of a table, in per cent or points; ``variant time`` in words."""
    result = load_ablation(folder)
    variant, metric, *more = words
    row = next(row for row in result.rows if row.name == variant)
    if metric == "time":
        return duration(row.duration_s)
    if "against" in more:
        return points(row.differences[metric])
    return percent(row.metrics[more[0] if more else result.split][metric])


def page(template: str, folder: Path = HERE) -> str:
    """The template with every mark replaced.

    Raises:
        KeyError: a mark names no table, variant or number that is there.
    """

    def replaced(found: re.Match[str]) -> str:
        name, *words = found.group(1).split()
        try:
            if name == "file":
                return (folder / words[0]).read_text(encoding="utf-8").strip()
            place = folder / name.replace("/", "-")
            return one_number(place, words) if words else whole_table(place)
        except (StopIteration, KeyError, OSError, StorageError) as error:
            raise KeyError(f"{found.group(0)} of the template: {error}") from error

    return MARK.sub(replaced, template)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("collect").add_argument("runs", type=Path, nargs="+")
    parts.add_parser("page")
    given = parser.parse_args()
    if given.part == "page":
        write_text(PAGE, page((HERE / "template.md").read_text(encoding="utf-8")))
        return
    for run in given.runs:
        print(collect(run))


if __name__ == "__main__":
    main()
