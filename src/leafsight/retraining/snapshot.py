"""The training set of one retraining, frozen: which photographs, as which class, for which use.

Enters: the model to learn on from, and contributions that were accepted. Leaves: a ``Snapshot`` whose hash
names its contents, and which says of every photograph that it leaves out why. It holds names and hashes, no
pictures.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from leafsight.bundle import Bundle, Memory
from leafsight.errors import TrainingError
from leafsight.retraining.roles import LEAST_GROUPS, ROLES, against_chance, deal_roles
from leafsight.state import ContributionRecord
from leafsight.storage import canonical_json

VERSION = 1
LONGEST_LIST = 200
"""A summary names no more; of more it says how many."""
LOCKED = "it is a photograph of the locked test"
TWICE = "the same pixels were accepted before, as the same class"
TWO_CLASSES = "the same pixels were accepted as two classes"
NO_CLASS = "it has no class"
TOO_FEW = f"its class is new and has fewer than {LEAST_GROUPS} photographs that differ"
PROVENANCE = "retraining"
"""Under this name the provenance of a candidate says how it was made."""


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One photograph of the snapshot.

    Attributes:
        id: of the contribution.
        photo_sha256: of its bytes as sent.
        pixel_hash: of its upright pixels, hex.
        look_hash: 64 bits of how it looks, or None.
        blob: the name of the stored photograph.
        label: the class that it is learned as.
        group: equal for photographs that show the same.
        role: ``train``, ``calibration`` or ``probe``.
    """

    id: str
    photo_sha256: str
    pixel_hash: str
    look_hash: int | None
    blob: str
    label: str
    group: str
    role: str


@dataclass(frozen=True)
class Snapshot:
    """What is learned from, and nothing else.

    Attributes:
        parent: content hash of the model that is learned on from.
        seed: of the roles.
        classes: of the candidate, in the order of its logits.
        base_classes: so many of them, from the first on, are of the original photographs.
        classes_added: those that the parent does not know.
        classes_removed: those of the parent for which nothing is accepted any more.
        rows: the photographs, by id.
        left_out: id -> why it is not among them.
    """

    parent: str
    seed: int
    classes: tuple[str, ...]
    base_classes: int
    classes_added: tuple[str, ...]
    classes_removed: tuple[str, ...]
    rows: tuple[SnapshotRow, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of what decides the candidate: its parent, and each photograph's class and use."""
        columns = ("id", "photo_sha256", "label", "group", "role")
        values = {
            "version": VERSION,
            "parent": self.parent,
            "seed": self.seed,
            "classes": list(self.classes),
            "base_classes": self.base_classes,
            "rows": [[getattr(row, column) for column in columns] for row in self.rows],
        }
        return hashlib.sha256(canonical_json(values).encode()).hexdigest()

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Class -> role -> how many photographs; only classes and roles with some."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self.rows:
            found[row.label][row.role] += 1
        return {label: dict(sorted(found[label].items())) for label in sorted(found)}

    def of_role(self, role: str) -> tuple[SnapshotRow, ...]:
        """The photographs with this use."""
        return tuple(row for row in self.rows if row.role == role)

    @property
    def roles_against_chance(self) -> dict[str, str]:
        """Group -> role, where the hash alone says another one; kept in the candidate's provenance."""
        return against_chance({row.group: row.role for row in self.rows}, self.seed)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the hash among them."""
        return {
            "version": VERSION,
            "hash": self.hash,
            "parent": self.parent,
            "seed": self.seed,
            "classes": list(self.classes),
            "base_classes": self.base_classes,
            "classes_added": list(self.classes_added),
            "classes_removed": list(self.classes_removed),
            "counts": self.counts,
            "left_out": dict(self.left_out),
            "rows": [asdict(row) for row in self.rows],
        }

    def summary(self) -> dict[str, Any]:
        """As ``to_dict``, with how many where thousands are named: for those who only look."""
        return {name: _short(value) for name, value in self.to_dict().items()}

    @classmethod
    def from_dict(cls, values: Any) -> Snapshot:
        """The snapshot in the plain values of ``to_dict``.

        Raises:
            TrainingError: they are not one, or were altered: the hash is not theirs.
        """
        try:
            if values["version"] != VERSION:
                raise ValueError(f"version {values['version']!r}")
            snapshot = cls(
                parent=str(values["parent"]),
                seed=int(values["seed"]),
                classes=tuple(str(name) for name in values["classes"]),
                base_classes=int(values["base_classes"]),
                classes_added=tuple(str(name) for name in values["classes_added"]),
                classes_removed=tuple(str(name) for name in values["classes_removed"]),
                rows=tuple(_row(one) for one in values["rows"]),
                left_out={str(key): str(why) for key, why in values["left_out"].items()},
            )
            if snapshot.hash != values["hash"]:
                raise ValueError("its hash is that of another one")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TrainingError(
                f"this is no snapshot of a training set: {error!r}", hint="begin the retraining again"
            ) from error
        return snapshot


def freeze(parent: Bundle, contributions: Iterable[ContributionRecord], *, seed: int = 0) -> Snapshot:
    """Freeze the training set.

    The classes are those of the original photographs, then those that the parent was taught and that still
    have accepted photographs, then the new ones by name. A new class needs ``LEAST_GROUPS`` photographs that
    differ.

    Args:
        parent: the model to learn on from.
        contributions: those that were accepted; others are passed over.
        seed: of the roles. The same group has the same role under the same seed, for ever.

    Raises:
        TrainingError: nothing is left to learn from.
        BundleCorruptError: the parent's memory cannot be read.
    """
    memory = parent.memory()
    records = sorted((one for one in contributions if one.state == "accepted"), key=lambda one: one.id)
    left_out: dict[str, str] = {}
    records = _without_faults(records, memory, left_out)
    base = parent.classes if memory is None else parent.classes[: memory.base_classes]
    groups = _groups(records)
    known = _enough(groups, base)
    for record in records:
        if record.label not in known:
            left_out[record.id] = TOO_FEW
    records = [one for one in records if one.id not in left_out]
    _require_some(records, left_out)
    groups = _groups(records)
    roles = deal_roles(groups, seed, _handed_on(parent))
    taught = tuple(name for name in parent.classes[len(base) :] if name in groups)
    added = tuple(sorted(name for name in groups if name not in parent.classes))
    classes = (*base, *taught, *added)
    return Snapshot(
        parent=parent.content_hash,
        seed=seed,
        classes=classes,
        base_classes=len(base),
        classes_added=added,
        classes_removed=tuple(name for name in parent.classes if name not in classes),
        rows=tuple(_frozen(record, roles[record.group_id]) for record in records),
        left_out=dict(sorted(left_out.items())),
    )


def _without_faults(
    records: Sequence[ContributionRecord], memory: Memory | None, left_out: dict[str, str]
) -> list[ContributionRecord]:
    """Without what must not be learned from; quarantine refuses these too, so this is the second lock."""
    locked = set() if memory is None else {int(one) for one in memory.pixel_hash[memory.rows("test")]} - {0}
    labels: dict[str, set[str]] = defaultdict(set)
    for record in records:
        labels[_pixels(record)].add(record.label)
    seen: set[str] = set()
    for record in records:
        pixels = _pixels(record)
        if not record.label:
            left_out[record.id] = NO_CLASS
        elif short_hash(record.pixel_hash) in locked:
            left_out[record.id] = LOCKED
        elif len(labels[pixels]) > 1:
            left_out[record.id] = TWO_CLASSES
        elif pixels in seen:
            left_out[record.id] = TWICE
        seen.add(pixels)
    return [record for record in records if record.id not in left_out]


def _pixels(record: ContributionRecord) -> str:
    return record.pixel_hash or record.id


def short_hash(pixel_hash: str) -> int:
    """The first 64 bits of a pixel hash, as a memory has them; 0 when it is not known."""
    try:
        return int(pixel_hash[:16], 16)
    except ValueError:
        return 0


def _groups(records: Sequence[ContributionRecord]) -> dict[str, list[str]]:
    """Class -> names of its groups; a group is of the class of its first photograph."""
    found: dict[str, list[str]] = defaultdict(list)
    seen: set[str] = set()
    for record in records:
        if record.group_id not in seen:
            seen.add(record.group_id)
            found[record.label].append(record.group_id)
    return dict(found)


def _enough(groups: Mapping[str, Sequence[str]], base: Sequence[str]) -> set[str]:
    return set(base) | {label for label, own in groups.items() if len(own) >= LEAST_GROUPS}


def _require_some(records: Sequence[ContributionRecord], left_out: Mapping[str, str]) -> None:
    if records:
        return
    reasons = Counter(left_out.values()).most_common()
    said = "; ".join(f"{count} left out: {why}" for why, count in reasons)
    raise TrainingError(
        "there is nothing to learn from: " + (said or "no contribution is accepted"),
        hint="accept contributions first; a new class needs " + f"{LEAST_GROUPS} photographs that differ",
    )


def _handed_on(parent: Bundle) -> dict[str, str]:
    """Roles that were dealt against the hash when the parent was made."""
    made = parent.provenance.get(PROVENANCE)
    roles = made.get("roles_against_chance") if isinstance(made, Mapping) else None
    return {str(group): str(role) for group, role in roles.items()} if isinstance(roles, Mapping) else {}


def _frozen(record: ContributionRecord, role: str) -> SnapshotRow:
    return SnapshotRow(
        id=record.id,
        photo_sha256=record.photo_sha256,
        pixel_hash=record.pixel_hash,
        look_hash=record.look_hash,
        blob=record.blob,
        label=record.label,
        group=record.group_id,
        role=role,
    )


def _short(value: Any) -> Any:
    return len(value) if isinstance(value, list | Mapping) and len(value) > LONGEST_LIST else value


def _row(values: Mapping[str, Any]) -> SnapshotRow:
    row = SnapshotRow(**{one.name: values[one.name] for one in fields(SnapshotRow)})
    texts = (row.id, row.photo_sha256, row.pixel_hash, row.blob, row.label, row.group, row.role)
    if not all(isinstance(text, str) for text in texts) or row.role not in ROLES:
        raise ValueError(f"a row cannot be: {row}")
    return row
