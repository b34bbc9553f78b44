"""The part of ``leafsight split`` that mends splits which exist already: plan, do, undo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.found_groups import read_to_group
from leafsight.cli.grouping import REPAIR_RULES, leaf_maps, rules
from leafsight.cli.terminal import print_json, progress, settings_for, talk
from leafsight.errors import DatasetError, UsageError

if TYPE_CHECKING:
    from leafsight.dataset import Journal, RepairPlan

ONLY_REPAIR = ("drop_conflicting", "plan", "yes", "in_place", "lose_classes")
NOT_REPAIR = ("folds", "exact")


def repair(sources: tuple[Path, ...], out: Path | None, words: Mapping[str, Any]) -> None:
    """Print the plan; with ``--yes`` also write the mended index or move the files."""
    from leafsight.storage import write_text

    _require_sense(sources, out, words)
    plan = _planned(sources, out, words)
    if words["plan"] is not None:
        write_text(words["plan"], plan.to_csv())
    done: dict[str, str] = {}
    if words["yes"]:
        _require_classes(plan, lose=words["lose_classes"])
        done = _done(plan, out, words)
    if words["as_json"]:
        print_json({**plan.to_dict(), "done": done})
        return
    click.echo("\n".join(plan.lines()))
    for what, where in done.items():
        click.echo(f"{what}: {where}")
    if not words["yes"] and not plan.is_clean:
        talk("nothing was changed; add --yes and --out FILE, or --yes --in-place", words["quiet"])


def _require_sense(sources: tuple[Path, ...], out: Path | None, words: Mapping[str, Any]) -> None:
    if unused := [name for name in NOT_REPAIR if words[name]]:
        raise UsageError(f"--{unused[0]} makes a new split; --repair mends one", hint="leave one out")
    if words["in_place"] and out is not None:
        raise UsageError("--out writes an index, --in-place moves the files", hint="use one of them")
    if words["in_place"] and not all(source.is_dir() for source in sources):
        raise UsageError("--in-place needs a folder of train, valid and test folders", hint="use --out")
    if words["yes"] and out is None and not words["in_place"]:
        raise UsageError("--yes without a place for the result", hint="add --out FILE.parquet or --in-place")


def _planned(sources: tuple[Path, ...], out: Path | None, words: Mapping[str, Any]) -> RepairPlan:
    from leafsight.dataset import RepairOptions, plan_repair
    from leafsight.errors import validated

    values = {
        "by": words["repair_by"],
        "keep": words["keep"],
        "drop_conflicting": words["drop_conflicting"],
        "group_by": rules(words["group_by"] or REPAIR_RULES),
        "name_pattern": words["name_pattern"],
        "keep_groups": True,
    }
    options = validated(RepairOptions, values, "repair")
    beside = out.parent if out is not None else settings_for().cache_dir
    index, found = read_to_group(sources, options.group_by, beside, quiet=words["quiet"])
    return plan_repair(index, options, leaf_map=leaf_maps(words["leaf_map"], sources), found=found)


def _require_classes(plan: RepairPlan, *, lose: bool) -> None:
    if plan.lost and not lose:
        pairs = ", ".join(f"{name} in {split}" for name, split in plan.lost[:4])
        more = f" and {len(plan.lost) - 4} more" if len(plan.lost) > 4 else ""
        raise DatasetError(
            f"no photograph would be left of {pairs}{more}; nothing was changed",
            hint="add photographs of other leaves, or say --lose-classes",
        )


def _done(plan: RepairPlan, out: Path | None, words: Mapping[str, Any]) -> dict[str, str]:
    """What was written or moved, and where."""
    from leafsight.dataset import journal_for, move_files

    if out is not None:
        plan.repaired.save(out)
        return {"wrote": str(out)}
    if plan.is_clean:
        return {}
    journal = journal_for(plan)
    move_files(journal, progress(words["quiet"]))
    return _told(journal)


def _told(journal: Journal) -> dict[str, str]:
    told = {"moved files in": str(journal.root), "journal, for --undo": str(journal.path)}
    if any(move.left_out for move in journal.moves):
        told["left out, kept in"] = str(journal.left_out)
    return told


def go_on(
    sources: tuple[Path, ...], undo: Path | None, finish: Path | None, *, quiet: bool, as_json: bool
) -> None:
    """Finish a repair in place that was cut off, or put everything back."""
    from leafsight.dataset import Journal, finish_moves, undo_moves

    if sources or (undo is not None and finish is not None):
        raise UsageError("--undo and --finish take a journal and nothing else")
    path = undo if undo is not None else finish
    assert path is not None
    journal = Journal.read(path)
    (undo_moves if undo is not None else finish_moves)(journal, progress(quiet))
    state = "undone" if undo is not None else "done"
    if as_json:
        print_json({"state": state, "files": len(journal.moves), "root": str(journal.root)})
    else:
        click.echo(f"{state}: {len(journal.moves)} files in {journal.root}")
