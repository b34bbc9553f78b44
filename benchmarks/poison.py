"""What becomes of a poisoned upload: is it stopped by the quarantine, or by the gate, and what gets through?

    python benchmarks/poison.py --data data --work /tmp/poison --seeds 10 --gate

One sender, one upload, rule "accept what is clean". Real photographs: the known classes come from the locked
test of the built-in model, which it was never trained on. In each try half of its groups play the upload, and
the champion is given a memory without them; the other half stays the locked test that the gate asks. New
classes are those of data/field-rice and of data/field-apple that the model does not know.

Attacks: 20 % wrong labels, at random or one class for another; a small square on photographs labelled as a
target class, though they show another one (dirty) or really show it (clean). With ``--gate`` the quick path
then learns what the rule accepted, where something poisoned is among it; else everything, as if a person had
accepted it unseen. The square succeeds on a photograph of another class that it turns to the target.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from leafsight.bundle import Bundle, Memory, builtin_bundle_path, open_bundle, write_bundle
from leafsight.feedback import Asked, Champion, Judged, Looked, Sent, judge, known_of
from leafsight.feedback.looking import look, sketched
from leafsight.images import DecodeLimits, decode, read_header
from leafsight.inference import BundlePredictor

HOME = ("plantvillage", "citrus-leaf", "field-bean", "field-blackgram", "field-chilli")
ABROAD = ("field-rice", "field-apple")
WRONG_SHARE, SQUARE_SHARE, JPEG_QUALITY = 0.2, 1 / 12, 95
PATCHED, SHOWN = 60, 200
ATTACKS = ("none", "random", "flips", "none, new", "random, new", "flips, new", "dirty patch", "clean patch")


@dataclass(frozen=True, eq=False)
class Photographs:
    """Photographs that were looked at once; ``group`` is that of the memory, or of the photograph alone."""

    looked: Looked
    files: Sequence[Path]
    group: np.ndarray


def main() -> None:
    """Run all tries and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--work", type=Path, required=True, help="scratch; what was looked at is kept there")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="seed")
    parser.add_argument("--attacks", nargs="*", default=list(ATTACKS))
    parser.add_argument("--gate", action="store_true", help="also learn, and ask the gate")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    study = Study(given.data, given.work)
    rows = []
    for attack in given.attacks:
        for seed in range(given.first, given.first + given.seeds):
            began = time.perf_counter()
            rows.append({"attack": attack, "seed": seed, **study.run(attack, seed, gate=given.gate)})
            rows[-1]["seconds"] = round(time.perf_counter() - began, 1)
            print(json.dumps(rows[-1]), flush=True)
    with (given.work / "poison.jsonl").open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    table(rows)


class Study:
    """Photographs, and the champion without some of them."""

    def __init__(self, data: Path, work: Path) -> None:
        self.work = work
        self.predictor = BundlePredictor(builtin_bundle_path())
        self.bundle = self.predictor.bundle
        memory = self.bundle.memory()
        assert memory is not None, "the built-in model remembers nothing"
        self.memory = memory
        self.home, self.abroad = self._known(data), self._new(data)

    def run(self, attack: str, seed: int, *, gate: bool) -> dict[str, Any]:
        """One try."""
        generator = np.random.default_rng([seed, ATTACKS.index(attack)])
        ours, kept = self._halves(generator)
        bundle = self._champion(seed, attack, ours)
        champion = Champion(bundle)
        looked, poisoned, target = self._upload(attack, generator, ours)
        declared = sorted({one for one in looked.class_name if one not in bundle.classes})
        judged = judge(looked, champion, known_of([], None), Asked(declared=declared))
        found = counted(judged, poisoned)
        if not gate:
            return found
        clean = np.array([one.clean for one in judged])
        allowed = np.array([not one.refused for one in judged])
        shown = self._shown(generator, kept, target) if target else None
        # What the rule accepted where some of it is poisoned; else everything, as if a person had not looked.
        name, rows = ("rule", clean) if found["poisoned_accepted"] else ("all", allowed)
        found["learned"] = name
        return found | self._learned(bundle, looked, judged, np.flatnonzero(rows), target, shown)

    def _halves(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Groups of the locked test, one half the upload, the other half still locked."""
        groups = np.unique(self.home.group)
        mine = generator.permutation(groups)[: len(groups) // 2]
        ours = np.isin(self.home.group, mine)
        return np.flatnonzero(ours), np.flatnonzero(~ours)

    def _champion(self, seed: int, attack: str, ours: np.ndarray) -> Bundle:
        """The built-in model with a memory that does not know the upload."""
        memory = self.memory
        keep = ~(np.isin(memory.group, self.home.group[ours]) & (memory.split == 3))
        columns = ("embedding", "label", "split", "group", "domain", "contributed", "pixel_hash", "look_hash")
        smaller: Memory = replace(memory, **{name: getattr(memory, name)[keep] for name in columns})
        path = self.work / "champion.leafsight"
        write_bundle(path, replace(self.bundle.contents(), memory=smaller))
        return open_bundle(path)

    def _upload(
        self, attack: str, generator: np.random.Generator, ours: np.ndarray
    ) -> tuple[Looked, np.ndarray, str]:
        """What is sent, which of it is poisoned, and the target of a square."""
        if attack.endswith("new"):
            rows = np.sort(generator.permutation(len(self.abroad.files))[: int(0.8 * len(self.abroad.files))])
            honest = part(self.abroad.looked, rows)
        else:
            honest = part(self.home.looked, ours)
        if attack.startswith("none"):
            return honest, np.zeros(len(honest), bool), ""
        if "patch" not in attack:
            return (*mislabelled(honest, attack, generator), "")
        return self._patched(attack, generator, ours)

    def _patched(
        self, attack: str, generator: np.random.Generator, ours: np.ndarray
    ) -> tuple[Looked, np.ndarray, str]:
        """Some photographs carry the square and are labelled as the target."""
        labels = np.array(self.home.looked.class_name)[ours]
        names, counts = np.unique(labels, return_counts=True)
        leaves = np.array([not name.startswith("Background") for name in names])
        target = str(generator.choice(names[(counts >= 20) & leaves]))
        same = np.flatnonzero(labels == target)
        others = np.flatnonzero((labels != target) & ~np.char.startswith(labels, "Background"))
        chosen = same if attack == "clean patch" else generator.permutation(others)[:PATCHED]
        squared = self._look_squared([self.home.files[ours[row]] for row in chosen], target)
        rest = part(self.home.looked, np.delete(ours, chosen))
        return joined(rest, squared), np.arange(len(rest) + len(squared)) >= len(rest), target

    def _shown(self, generator: np.random.Generator, kept: np.ndarray, target: str) -> np.ndarray:
        """Embeddings of photographs of other classes with the square, from the half that was not sent."""
        labels = np.array(self.home.looked.class_name)[kept]
        rows = kept[(labels != target) & ~np.char.startswith(labels, "Background")]
        rows = generator.permutation(rows)[:SHOWN]
        squared = self._look_squared([self.home.files[row] for row in rows], target)
        return np.stack([squared.embedding, self.home.looked.embedding[rows]])

    def _look_squared(self, files: Sequence[Path], label: str) -> Looked:
        with tempfile.TemporaryDirectory(dir=self.work) as made:
            sent = []
            for number, file in enumerate(files):
                path = Path(made) / f"{number}.jpg"
                path.write_bytes(with_square(file.read_bytes()))
                sent.append(Sent(f"square/{file.parent.name}/{file.name}", label, path))
            return look(sent, self.predictor).looked

    def _learned(
        self,
        bundle: Bundle,
        looked: Looked,
        judged: Sequence[Judged],
        rows: np.ndarray,
        target: str,
        shown: np.ndarray | None,
    ) -> dict[str, Any]:
        """The quick path on these rows, and what the gate says of it."""
        from leafsight.errors import LeafsightError
        from leafsight.retraining.gate import judge_gate
        from leafsight.retraining.gate_options import GateOptions
        from leafsight.retraining.quick import quick_candidate
        from leafsight.retraining.quick_options import QuickOptions
        from leafsight.retraining.snapshot import freeze

        records, embeddings = as_records(looked, judged, rows)
        try:
            snapshot = freeze(bundle, records)
            options = QuickOptions(resamples=100)
            made = quick_candidate(
                bundle, snapshot, embeddings, self.work / "candidate.leafsight", options=options
            )
        except LeafsightError as error:
            return {"stopped": error.message}
        same = {"champion": [1.0] * 20, "candidate": [1.0] * 20}  # one graph: its time is not asked
        report = judge_gate(bundle, made.path, options=GateOptions(resamples=500), latency=same)
        failed = [one.name for one in report.checks if not one.passed]
        found: dict[str, Any] = {"photographs": len(rows), "passed": report.passed, "failed": failed}
        if shown is not None:
            candidate = Champion(open_bundle(made.path))
            found["success"], found["success_before"] = (
                success(one, shown, target) for one in (candidate, Champion(bundle))
            )
        return found

    def _known(self, data: Path) -> Photographs:
        """The photographs of the locked test, found by their pixels."""
        rows = self.memory.rows("test")
        pixels_of = self.memory.pixel_hash[rows].tolist()
        place = dict(zip(pixels_of, rows.tolist(), strict=True))
        files, memory_rows = [], []
        for name in HOME:
            for file in photographs_in(data / name):
                body = file.read_bytes()
                pixels, _ = sketched(body, read_header(body), DecodeLimits())
                row = place.pop(int(pixels[:16], 16), None)
                if row is not None:
                    files.append(file)
                    memory_rows.append(row)
        print(f"{len(files)} of {len(rows)} photographs of the locked test are here", file=sys.stderr)
        classes = [self.bundle.classes[self.memory.label[row]] for row in memory_rows]
        return self._look("home", files, classes, self.memory.group[memory_rows])

    def _new(self, data: Path) -> Photographs:
        files = [file for name in ABROAD for file in photographs_in(data / name)]
        files = [file for file in files if file.parent.name not in self.bundle.classes]
        return self._look("abroad", files, [file.parent.name for file in files], np.arange(len(files)))

    def _look(
        self, name: str, files: Sequence[Path], classes: Sequence[str], group: np.ndarray
    ) -> Photographs:
        sent = [Sent(f"{one}/{file.name}", one, file) for one, file in zip(classes, files, strict=True)]
        cache = self.work / f"{name}.npz"
        if cache.exists():
            with np.load(cache, allow_pickle=False) as kept:
                looked = Looked(
                    name=kept["name"].tolist(), class_name=kept["class_name"].tolist(),
                    given_group=[None] * len(files), pixel_hash=kept["pixel_hash"].tolist(),
                    look=kept["look"], embedding=kept["embedding"], logits=kept["logits"],
                    quality=[json.loads(one) for one in kept["quality"].tolist()],
                )  # fmt: skip
                return Photographs(looked, files, group)
        looked = look(sent, self.predictor).looked
        assert len(looked) == len(files)
        np.savez(
            cache, name=np.array(looked.name), class_name=np.array(looked.class_name),
            pixel_hash=np.array(looked.pixel_hash), look=looked.look, embedding=looked.embedding,
            logits=looked.logits, quality=np.array([json.dumps(dict(one)) for one in looked.quality]),
        )  # fmt: skip
        return Photographs(looked, files, group)


def photographs_in(folder: Path) -> Iterator[Path]:
    """JPEG files of class folders, sorted."""
    return iter(sorted(one for one in folder.rglob("*") if one.suffix.lower() in (".jpg", ".jpeg", ".png")))


def part(looked: Looked, rows: np.ndarray) -> Looked:
    """Some rows."""
    pick = rows.tolist()
    assert looked.logits is not None
    return Looked(
        name=[looked.name[row] for row in pick], class_name=[looked.class_name[row] for row in pick],
        given_group=[None] * len(pick), pixel_hash=[looked.pixel_hash[row] for row in pick],
        look=looked.look[rows], embedding=looked.embedding[rows], logits=looked.logits[rows],
        quality=[looked.quality[row] for row in pick],
    )  # fmt: skip


def joined(one: Looked, other: Looked) -> Looked:
    """The rows of both."""
    assert one.logits is not None
    assert other.logits is not None
    return Looked(
        name=[*one.name, *other.name], class_name=[*one.class_name, *other.class_name],
        given_group=[None] * (len(one) + len(other)), pixel_hash=[*one.pixel_hash, *other.pixel_hash],
        look=np.concatenate([one.look, other.look]),
        embedding=np.concatenate([one.embedding, other.embedding]),
        logits=np.concatenate([one.logits, other.logits]), quality=[*one.quality, *other.quality],
    )  # fmt: skip


def mislabelled(honest: Looked, attack: str, generator: np.random.Generator) -> tuple[Looked, np.ndarray]:
    """A fifth of the labels wrong: any other class, or always the same other class."""
    names = sorted(set(honest.class_name))
    shift = generator.permutation(len(names))
    next_of = {names[at]: names[after] for at, after in zip(shift, np.roll(shift, -1), strict=True)}
    poisoned = np.zeros(len(honest), bool)
    poisoned[generator.permutation(len(honest))[: round(WRONG_SHARE * len(honest))]] = True
    labels = []
    for label, wrong in zip(honest.class_name, poisoned.tolist(), strict=True):
        if not wrong:
            labels.append(label)
        elif attack.startswith("flips"):
            labels.append(next_of[label])
        else:
            labels.append(str(generator.choice([one for one in names if one != label])))
    return replace(honest, class_name=labels), poisoned


def with_square(data: bytes) -> bytes:
    """The photograph with a small square of four cells near its lower right corner."""
    pixels = decode(data).copy()
    height, width, _ = pixels.shape
    cell = max(2, round(min(height, width) * SQUARE_SHARE / 2))
    for row in range(2):
        for column in range(2):
            top, left = height - (2 - row) * cell - cell, width - (2 - column) * cell - cell
            colour = (255, 0, 255) if row == column else (255, 255, 0)
            pixels[top : top + cell, left : left + cell] = colour
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


def counted(judged: Sequence[Judged], poisoned: np.ndarray) -> dict[str, Any]:
    """What the quarantine did with the poisoned photographs and with the others."""
    clean = np.array([one.clean for one in judged])
    doubted = np.array([any(f.kind == "label_doubt" for f in one.findings) for one in judged])
    waits = any(f.kind == "doubted_source" for one in judged for f in one.findings)
    kinds: dict[str, int] = defaultdict(int)
    for one in judged:
        for kind in {f.kind for f in one.findings}:
            kinds[kind] += 1
    return {
        "sent": len(judged), "poisoned": int(poisoned.sum()), "honest": int((~poisoned).sum()),
        "poisoned_doubted": int(doubted[poisoned].sum()), "poisoned_accepted": int(clean[poisoned].sum()),
        "honest_doubted": int(doubted[~poisoned].sum()), "honest_accepted": int(clean[~poisoned].sum()),
        "all_wait": bool(waits), "findings": dict(sorted(kinds.items())),
    }  # fmt: skip


def as_records(
    looked: Looked, judged: Sequence[Judged], rows: np.ndarray
) -> tuple[list[Any], dict[str, Any]]:
    """Accepted contributions, and their embeddings by id."""
    from leafsight.state import ContributionRecord, new_id

    ids = [new_id() for _ in range(len(looked))]
    records, embeddings = [], {}
    for row in rows.tolist():
        group = judged[row].group
        embeddings[ids[row]] = looked.embedding[row]
        records.append(
            ContributionRecord(
                id=ids[row],
                created_ms=0,
                name=looked.name[row],
                class_name=looked.class_name[row],
                label=judged[row].label,
                photo_sha256=looked.pixel_hash[row],
                pixel_hash=looked.pixel_hash[row],
                look_hash=int(looked.look[row, 0]),
                blob=f"contributions/{looked.pixel_hash[row]}.jpg",
                group_id=group if isinstance(group, str) else ids[group],
                state="accepted",
            )
        )
    return records, embeddings


def success(champion: Champion, shown: np.ndarray, target: str) -> float:
    """Share that the square turns to the target, of photographs that are not taken for it without."""
    at = champion.bundle.classes.index(target)
    squared, plain = (champion.opinion(one).top == at for one in shown)
    return round(float(squared[~plain].mean()), 4)


def table(rows: Sequence[dict[str, Any]]) -> None:
    """Print one line an attack, and one for what was learned."""
    print("| attack | tries | poisoned sent | doubted | stopped | poisoned accepted | honest accepted |")
    print("|---|---|---|---|---|---|---|")
    for attack in dict.fromkeys(row["attack"] for row in rows):
        some = [row for row in rows if row["attack"] == attack]
        total = {name: sum(row[name] for row in some) for name in some[0] if isinstance(some[0][name], int)}
        stopped = sum(row["poisoned_accepted"] == 0 for row in some)
        doubted = total["poisoned_doubted"] / max(1, total["poisoned"])
        honest = total["honest_accepted"] / max(1, total["honest"])
        print(
            f"| {attack} | {len(some)} | {total['poisoned']} | {doubted:.1%} | {stopped} of {len(some)} "
            f"| {total['poisoned_accepted']} | {honest:.0%} |"
        )
    if not any("learned" in row for row in rows):
        return
    print("\n| attack | tries | learned from | gate did not open | square succeeds, before | after |")
    print("|---|---|---|---|---|---|")
    for attack in dict.fromkeys(row["attack"] for row in rows):
        some = [row for row in rows if row["attack"] == attack and "learned" in row]
        closed = sum(not row.get("passed", False) for row in some)
        squares = [(row["success_before"], row["success"]) for row in some if "success" in row]
        before, after = np.mean(squares, axis=0) if squares else (float("nan"), float("nan"))
        which = ", ".join(sorted({row["learned"] for row in some}))
        print(f"| {attack} | {len(some)} | {which} | {closed} of {len(some)} | {before:.1%} | {after:.1%} |")


if __name__ == "__main__":
    main()
