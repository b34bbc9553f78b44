"""A plan of repair done to the files themselves: renames inside one folder, with a journal to go back.

Enters: a plan for one folder of train, valid and test folders. Leaves: files at their new places, those that
are left out in a folder beside, and a journal. Nothing is deleted, overwritten or decoded.

The journal is whole and on disk before the first file moves. What has been done is read from the disk, so a
run that was killed can be finished or undone, and doing either twice does no harm.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from leafsight.dataset.folders import SPLIT_FOLDERS
from leafsight.dataset.repair_journal import DONE, STARTED, UNDONE, Journal, Move
from leafsight.dataset.repair_plan import RepairPlan, RepairStep
from leafsight.errors import DatasetError, StorageError
from leafsight.progress import Progress, Silent
from leafsight.storage import os_errors_translated, sync_folder

MOST_NAMES = 1000
# File systems that have no hard links say one of these; there a rename is checked for before it is made.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EXDEV, errno.EACCES}


def journal_for(plan: RepairPlan) -> Journal:
    """The moves that a plan means on disk; nothing is written yet.

    Raises:
        DatasetError: the photographs are not all in train, valid and test folders of one folder, one was
            changed since it was indexed or is reached through a link, or an earlier repair is unfinished.
    """
    table = plan.repaired
    roots = set(table.rows([step.row for step in plan.steps]).column("root"))
    if len(roots) != 1:
        raise DatasetError(
            f"the photographs lie in {len(roots)} folders; one at a time can be repaired in place",
            hint="name one folder, or write an index with --out",
        )
    root = Path(roots.pop())
    left_out = root.with_name(f"{root.name}.left_out")
    path = _journal_path(root)
    steps = _checked(plan, root)
    folders = _split_folders(plan)
    taken: set[str] = set()
    moves = []
    for step, name in zip(plan.steps, steps, strict=True):
        if step.to is None:
            target = _free_name(left_out, name, taken)
        else:
            target = _free_name(root, _in_split(name, step, folders), taken)
        moves.append(Move(name, target, step.to is None))
    return Journal(path, root, left_out, tuple(moves))


def _journal_path(root: Path) -> Path:
    """A free name beside the root.

    Raises:
        DatasetError: an earlier repair of this folder was neither finished nor undone.
    """
    for number in range(1, MOST_NAMES):
        path = root.with_name(f"{root.name}.repair{'' if number == 1 else f'-{number}'}.json")
        if not path.exists():
            return path
        if Journal.read(path).state == STARTED:
            raise DatasetError(
                f"an earlier repair of {root} is unfinished",
                hint=f"leafsight split --finish {path}, or --undo {path}",
            )
    raise StorageError(f"there are {MOST_NAMES} journals beside {root}", hint="remove old ones")


def _checked(plan: RepairPlan, root: Path) -> list[str]:
    """The path of every photograph of the plan, after a look at the file."""
    rows = plan.repaired.rows([step.row for step in plan.steps])
    names = rows.column("path")
    known = zip(names, rows.column("stored_as"), rows.column("bytes"), rows.column("mtime_ns"), strict=True)
    for name, stored, size, mtime in known:
        file = root / name
        if stored is not None:
            raise DatasetError(f"{name} is in an archive", hint="write an index with --out")
        with os_errors_translated(file):
            status = file.lstat()
            linked = file.is_symlink() or file.parent.resolve() != root.resolve() / PurePosixPath(name).parent
        if linked:
            raise DatasetError(f"{file} is reached through a link", hint="write an index with --out")
        if (status.st_size, status.st_mtime_ns) != (size, mtime):
            raise DatasetError(f"{file} was changed since it was read", hint="run the command again")
    return names


def _place(name: str, split: str, class_name: str) -> int:
    """Which part of the path is the folder of the split."""
    parts = name.split("/")
    for place, part in enumerate(parts[:-2]):
        if SPLIT_FOLDERS.get(part.lower()) == split and parts[place + 1] == class_name:
            return place
    raise DatasetError(
        f"{name} does not lie in a folder for its split '{split}' and its class",
        hint="write an index with --out",
    )


def _split_folders(plan: RepairPlan) -> dict[str, str]:
    """The folder of every split that something goes to, as it is called on disk."""
    folders: dict[str, str] = {}
    wanted = {step.to for step in plan.steps if step.to is not None}
    changed = {step.row for step in plan.steps}
    index = plan.repaired
    columns = zip(index.column("split"), index.column("path"), index.column("class_name"), strict=True)
    for row, (split, name, class_name) in enumerate(columns):
        if split in wanted and split not in folders and row not in changed:
            folders[split] = name.split("/")[_place(name, split, class_name)]
    return folders


def _in_split(name: str, step: RepairStep, folders: dict[str, str]) -> str:
    assert step.to is not None
    parts = name.split("/")
    parts[_place(name, step.split, step.class_name)] = folders[step.to]
    return "/".join(parts)


def _free_name(folder: Path, name: str, taken: set[str]) -> str:
    """``name``, with a number where that is taken; names that differ only in case count as equal."""
    pure = PurePosixPath(name)
    for number in range(1, MOST_NAMES):
        tried = name if number == 1 else str(pure.with_name(f"{pure.stem} ({number}){pure.suffix}"))
        key = f"{folder}/{tried}".casefold()
        if key not in taken and not os.path.lexists(folder / tried):
            taken.add(key)
            return tried
    raise DatasetError(f"{folder} has {MOST_NAMES} files called {pure.name}")


def move_files(journal: Journal, progress: Progress | None = None) -> None:
    """Write the journal, then move every file.

    Raises:
        StorageError: a file cannot be moved; those before it are, and the journal says so.
    """
    journal.write(STARTED)
    finish_moves(journal, progress)


def finish_moves(journal: Journal, progress: Progress | None = None) -> None:
    """Make the moves that are not made yet; those that are made stay.

    Raises:
        StorageError: see ``move_files``.
    """
    _make([journal.places(move) for move in journal.moves], "moving files", progress, journal.path)
    journal.write(DONE)


def undo_moves(journal: Journal, progress: Progress | None = None) -> None:
    """Put every file back that was moved, and take away folders that this leaves empty.

    Raises:
        StorageError: see ``move_files``.
    """
    back = [(after, before) for before, after in map(journal.places, reversed(journal.moves))]
    _make(back, "moving files back", progress, journal.path)
    _remove_empty(journal.left_out, {after.parent for after, _ in back if journal.left_out in after.parents})
    journal.write(UNDONE)


def _make(moves: Sequence[tuple[Path, Path]], what: str, progress: Progress | None, journal: Path) -> None:
    talk = progress or Silent()
    talk.start(what, len(moves))
    for number, (before, after) in enumerate(moves):
        try:
            _move(before, after)
        except StorageError as error:
            raise StorageError(
                f"{error.message}; {number} of {len(moves)} files were moved",
                hint=f"leafsight split --finish {journal} goes on, --undo {journal} goes back",
            ) from error
        talk.advance(1)
    for folder in {path.parent for pair in moves for path in pair}:
        if folder.is_dir():
            sync_folder(folder)
    talk.finish("")


def _move(before: Path, after: Path) -> None:
    """One file from one name to another, never over another file; nothing when that is done already."""
    here, there = os.path.lexists(before), os.path.lexists(after)
    if there and here and not os.path.samestat(before.lstat(), after.lstat()):
        raise StorageError(f"{after} is in the way of {before.name}")
    if not here and not there:
        raise StorageError(f"{before} is gone")
    if not here:
        return
    with os_errors_translated(before):
        if not there:
            after.parent.mkdir(parents=True, exist_ok=True)
            try:
                # A link never replaces what has come there meanwhile, which a rename would.
                os.link(before, after, follow_symlinks=False)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                before.rename(after)
                return
        before.unlink()


def _remove_empty(top: Path, folders: set[Path]) -> None:
    """Remove these folders and those above them up to ``top``, where they are empty."""
    for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
        for one in (folder, *folder.parents):
            if one != top and top not in one.parents:
                break
            with suppress(OSError):
                one.rmdir()
