"""leafsight and what a student would write instead: the same split, photographs, start, cores and threads.

    python -m benchmarks.side_by_side --setup --venv FOLDER        # once: installs the peers
    python -m benchmarks.side_by_side --venv FOLDER --pretrained WEIGHTS [--recipes plant-disease-64 flowers]
        [--threads 1] [--seeds 0] [--work runs/side-by-side] [--clock wall|cpu]
    python -m benchmarks.side_by_side --venv FOLDER --pretrained WEIGHTS --epochs-scale 0.1 \\
        --set data.train_fraction=0.1                                                # a small trial

WEIGHTS are ImageNet weights of MobileNetV2 (docs/models.md). Every contender begins from them after
leafsight has measured their batch statistics on the training photographs; a peer whose network gives another
embedding of the same pixels is refused. Every contender decodes and resizes by itself and trains in a process
of its own, one at a time, on the same cores, with as many threads. Time counts from loaded libraries to the
end of training: decoding (leafsight: packing), starting, tracing and validation are in it; indexing,
splitting and the test photographs are not. The files were read before.

A peer keeps the epoch that is best in validation; leafsight keeps what the recipe says. Equal time: of every
peer the end is taken, and leafsight trains a whole schedule with as many epochs as end before that; one that
was trained for a quicker peer and takes three fifths of the time is taken for the slower one as well. Time to
equal accuracy: when validation first reached the other's best.

``--work`` holds ``results.json``, ``results.md`` and every part; the same command goes on where it was
stopped. ``--clock cpu`` counts processor time, for a machine that others use. Linux only.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.pipeline_processes import Place
from benchmarks.serve.run import machine
from benchmarks.side_by_side_curves import epochs_that_fit
from benchmarks.side_by_side_parts import OURS, part, peers
from benchmarks.side_by_side_report import text
from benchmarks.side_by_side_setup import set_up_peers
from benchmarks.side_by_side_start import Common, shared, start_key, write_start
from benchmarks.side_by_side_work import PROGRAMS, Job

from benchmarks import side_by_side_judging as judging
from leafsight.storage import write_json, write_text
from leafsight.training import load_recipe

DATA = {"plant-disease-64": "plantvillage", "flowers": "flowers"}
REPOSITORY = Path(__file__).resolve().parents[1]
TRIES = 3
NEAR = 0.6  # of a peer's time; the rest is a gift to the peer


def main() -> int:
    options = _options()
    if options.setup:
        set_up_peers(options.venv.resolve(), options.tensorflow)
        return 0
    # One by one on the same cores: what a library's pools would do with more is no part of the question.
    cores = options.cores or sorted(os.sched_getaffinity(0))[: options.threads]
    os.sched_setaffinity(0, cores)
    where = peers(options.venv.resolve(), options.programs)
    results: dict[str, Any] = {
        "machine": machine(),
        "clock": f"{options.clock}_s",
        "threads": options.threads,
        "seeds": options.seeds,
        "left_out": [name for name in options.programs if name not in where],
        "changed": options.changes,
        "epochs_scale": options.epochs_scale,
        "recipes": {},
    }
    for recipe in options.recipes:
        bench = Bench(recipe, options, options.work.resolve() / recipe, where)
        results["recipes"][recipe] = bench.results()
        write_json(options.work / "results.json", results)
        write_text(options.work / "results.md", text(results))
    print(text(results))
    return 0


@dataclass
class Bench:
    """One recipe against all peers."""

    recipe: str
    options: argparse.Namespace
    folder: Path
    where: dict[str, Place]

    def results(self) -> dict[str, Any]:
        """Everything measured of this recipe."""
        first = load_recipe(self.recipe, self._overrides(self.options.seeds[0]))
        data = self.options.data or REPOSITORY / "data" / DATA[self.recipe]
        common = shared(first, data.resolve(), self.folder)
        records: dict[str, list[dict[str, Any] | None]] = {}
        judged: dict[str, list[Any]] = {}
        for seed in self.options.seeds:
            for name, record in self._seed(seed, common).items():
                records.setdefault(name, []).append(record)
                judged.setdefault(name, []).append(self._judge(record, common))
        whole = {name: runs for name, runs in judged.items() if all(run is not None for run in runs)}
        first_run = whole["leafsight"][0]
        return {
            "photographs": common.counts(),
            "test_groups": first_run.overall.groups,
            "records": records,
            "test": {name: judging.shares(runs) for name, runs in whole.items()},
            "differences": {
                peer: {
                    name: judging.differences(whole[name], whole[peer])
                    for name in (f"leafsight, time of {peer}", "leafsight")
                    if name in whole
                }
                for peer in self.where
            },
        }

    def _seed(self, seed: int, common: Common) -> dict[str, dict[str, Any] | None]:
        folder, options = self.folder / f"seed-{seed}", self.options
        recipe = load_recipe(self.recipe, self._overrides(seed))
        # A recipe, photographs or weights that were changed since are another start and so other parts.
        start = folder / f"start-{start_key(recipe, common, options.pretrained)}.npz"
        if not start.exists():
            write_start(recipe, common.prepared, options.pretrained.resolve(), options.threads, start)
        found: dict[str, dict[str, Any]] = {}
        for name, place in self.where.items():
            program = PROGRAMS[name].scaled(options.epochs_scale)
            job = Job(
                program=asdict(program),
                photographs=str(common.photographs),
                start=str(start),
                answers=str(folder / f"{name}.npz"),
                side_px=recipe.preprocessing.side_px,
                batch=recipe.batch_size,
                dropout=recipe.model.dropout,
                threads=options.threads,
                seed=seed,
            )
            found[name] = self._part(
                f"{name}, seed {seed}", place, asdict(job), folder / f"{name}.json", common
            )
        full = self._ours(seed, recipe.stages[-1].epochs, common)
        in_time = self._in_times(seed, found, full, common)
        return {**found, **in_time, "leafsight": full}

    def _in_times(
        self, seed: int, peers: dict[str, dict[str, Any]], full: dict[str, Any], common: Common
    ) -> dict[str, dict[str, Any] | None]:
        """``_in_time`` of every peer, the quickest first: its schedule may do for the others."""
        runs = [full]
        quickest_first = sorted(peers, key=lambda name: peers[name]["end"][f"{self.options.clock}_s"])
        return {
            f"leafsight, time of {name}": self._in_time(seed, peers[name], runs, common)
            for name in quickest_first
        }

    def _in_time(
        self, seed: int, peer: dict[str, Any], runs: list[dict[str, Any]], common: Common
    ) -> dict[str, Any] | None:
        """A run whose whole schedule ends when the peer does; ``None`` where even one epoch takes longer.

        Args:
            seed: of the run.
            peer: its record.
            runs: ours so far, the whole recipe first; what is trained here is added.
            common: what all contenders share.
        """
        clock = f"{self.options.clock}_s"
        budget_s, full = peer["end"][clock], runs[0]
        if full["end"][clock] <= budget_s:
            return full
        near = [run for run in runs if NEAR * budget_s <= run["end"][clock] <= budget_s]
        if near:
            return max(near, key=lambda run: int(run["last_epochs"]))
        run, most = full, full["last_epochs"]
        for _ in range(TRIES):
            most = min(most - 1, epochs_that_fit(run["epochs"], run["end"][clock], budget_s, clock))
            if most < 1:
                return None
            run = self._ours(seed, most, common)
            if run["end"][clock] <= budget_s:
                runs.append(run)
                return run
        return None

    def _ours(self, seed: int, epochs: int, common: Common) -> dict[str, Any]:
        folder = self.folder / f"seed-{seed}" / f"leafsight-{epochs}"
        last = load_recipe(self.recipe, self._overrides(seed)).stages[-1].name
        overrides = [*self._overrides(seed), f"stages.{last}.epochs={epochs}"]
        job = {
            "recipe": self.recipe,
            "overrides": overrides,
            "key": start_key(load_recipe(self.recipe, overrides), common, self.options.pretrained),
            "index": str(common.prepared.index_path),
            "weights": str(self.options.pretrained.resolve()),
            "folder": str(folder),
            "threads": self.options.threads,
        }
        name = f"leafsight ({last} {epochs}), seed {seed}"
        record = self._part(name, OURS, job, folder.with_suffix(".json"), common)
        return {**record, "last_epochs": epochs}

    def _overrides(self, seed: int) -> list[str]:
        options = self.options
        plain = load_recipe(self.recipe, options.changes)
        scaled = [
            f"stages.{stage.name}.epochs={max(1, round(stage.epochs * options.epochs_scale))}"
            for stage in plain.stages
            if options.epochs_scale != 1.0
        ]
        return [*options.changes, *scaled, f"seed={seed}", f"threads={options.threads}"]

    def _part(
        self, name: str, place: Place, job: dict[str, Any], path: Path, common: Common
    ) -> dict[str, Any]:
        files = [str(file) for file in common.prepared.index.files()]
        return part(name, place, job, path, files, self.options.threads)

    def _judge(self, record: dict[str, Any] | None, common: Common) -> Any:
        if record is None:
            return None
        if "program" in record["job"]:
            return judging.of_peer(Job(**record["job"]), common.test)
        return judging.of_ours(Path(record["job"]["folder"]), common.test)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--setup", action="store_true", help="install the peers and end")
    parser.add_argument("--venv", type=Path, required=True, help="folder of the peers")
    parser.add_argument("--tensorflow", default="tensorflow-cpu==2.21.0", help="what pip is asked for")
    parser.add_argument("--pretrained", type=Path, help="ImageNet weights of MobileNetV2")
    parser.add_argument("--recipes", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--data", type=Path, help="class folders, for one recipe; else data/<collection>")
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=list(PROGRAMS), help="the peers")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cores", nargs="+", type=int, help="which; else as many as threads, the first ones")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--work", type=Path, default=Path("runs/side-by-side"))
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--epochs-scale", type=float, default=1.0, help="of all contenders, for a trial")
    parser.add_argument(
        "--set", dest="changes", action="append", default=[], metavar="KEY=VALUE", help="of the recipe"
    )
    options = parser.parse_args()
    if not options.setup and options.pretrained is None:
        parser.error("--pretrained WEIGHTS says what to begin from")
    if options.data and len(options.recipes) > 1:
        parser.error("--data goes with one recipe")
    return options


if __name__ == "__main__":
    sys.exit(main())
