"""What a repair in place is to move, written down before the first file moves.

Enters: moves inside one folder. Leaves: a JSON file beside it, and the same read back. It moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from leafsight.errors import StorageError
from leafsight.storage import read_json, write_json

FORMAT = "leafsight repair journal 1"
STARTED, DONE, UNDONE = "started", "done", "undone"


@dataclass(frozen=True, slots=True)
class Move:
    """One file: where it is and where it goes, both relative to the journal's folders.

    Attributes:
        source: relative to the root, with ``/`` between folders.
        target: relative to the root, or to the folder of what is left out.
        left_out: whether the target is there.
    """

    source: str
    target: str
    left_out: bool


@dataclass(frozen=True, slots=True)
class Journal:
    """What is to be moved, and where it is written down.

    Attributes:
        path: the file itself, beside the root.
        root: the folder that holds the train, valid and test folders.
        left_out: folder beside the root for what is left out.
        moves: in the order in which they are made.
        state: ``started``, ``done`` or ``undone``.
    """

    path: Path
    root: Path
    left_out: Path
    moves: tuple[Move, ...]
    state: str = STARTED

    def places(self, move: Move) -> tuple[Path, Path]:
        """Where a file is before and after its move."""
        return self.root / move.source, (self.left_out if move.left_out else self.root) / move.target

    def write(self, state: str) -> None:
        """Put the journal on disk, whole.

        Raises:
            StorageError: it cannot be written.
        """
        moves = [[move.source, move.target, move.left_out] for move in self.moves]
        folders = {"root": str(self.root), "left_out": str(self.left_out)}
        write_json(self.path, {"format": FORMAT, "state": state, **folders, "moves": moves})

    @classmethod
    def read(cls, path: Path) -> Journal:
        """Read a journal.

        Raises:
            StorageError: missing, or not such a journal, or one that reaches out of its folders.
        """
        told = read_json(path)
        try:
            if told["format"] != FORMAT:
                raise ValueError(told["format"])
            moves = tuple(Move(_inside(one[0]), _inside(one[1]), bool(one[2])) for one in told["moves"])
            return cls(path, Path(told["root"]), Path(told["left_out"]), moves, str(told["state"]))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise StorageError(f"{path} is no journal of a repair: {error}") from error


def _inside(name: Any) -> str:
    parts = PurePosixPath(name).parts
    if not isinstance(name, str) or not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise ValueError(f"{name!r} is not a name inside a folder")
    return name
