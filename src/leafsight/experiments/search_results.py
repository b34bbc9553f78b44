"""The files of a search: the best recipe, the page, the table, the record.

Enters: an outcome and what was asked for. Leaves: four files in the folder of the study, each whole.
"""

from __future__ import annotations

from pathlib import Path

from leafsight.experiments.search_outcome import SearchOutcome, result_in_words, shown, trials_csv
from leafsight.experiments.search_page import search_page
from leafsight.experiments.search_recipe import recipe_with
from leafsight.experiments.search_request import SearchRequest
from leafsight.storage import write_json, write_text
from leafsight.training import read_recipe_file

BEST_FILE, PAGE_FILE, TABLE_FILE, RECORD_FILE = "best.toml", "search.html", "trials.csv", "search.json"


def write_results(outcome: SearchOutcome, request: SearchRequest, folder: Path) -> None:
    """Write ``best.toml`` (once a trial is complete), ``search.html``, ``trials.csv`` and ``search.json``.

    Raises:
        StorageError: a file cannot be written.
    """
    write_text(folder / TABLE_FILE, trials_csv(outcome))
    write_json(folder / RECORD_FILE, outcome.to_dict())
    write_text(folder / PAGE_FILE, search_page(outcome))
    if outcome.best is None:
        return
    changes = {} if outcome.best.as_it_stands else outcome.best.changes
    wanted = read_recipe_file(request.recipe, request.overrides).recipe(changes)
    command = f"leafsight train {BEST_FILE} --data FOLDER"
    text = recipe_with(
        request.text, request.overrides, changes, wanted, said=provenance(outcome), command=command
    )
    write_text(folder / BEST_FILE, text)


def provenance(outcome: SearchOutcome) -> str:
    """Where the best values come from, in a few lines."""
    best = outcome.best
    assert best is not None
    count = len(outcome.trials)
    lines = [
        f"Found by leafsight tune {outcome.name}: trial {best.number}, the best of {count} by "
        f"{outcome.metric} on validation.",
        result_in_words(outcome),
    ]
    if best.as_it_stands:
        return "\n".join([*lines, "It is the recipe as it stands: no trial was better."])
    moved = [
        f"  {key}: {shown(outcome.own[key]) if key in outcome.own else 'unset'} -> {shown(value)}"
        for key, value in best.changes.items()
        if value != outcome.own.get(key)
    ]
    return "\n".join([*lines, "What it changed:", *moved])
