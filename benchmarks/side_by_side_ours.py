"""leafsight as a contender: packs, trains and answers, and tells when each epoch was done.

Enters: a job. Leaves: JSON lines and the run with its answers about the test photographs. The same calls as
``leafsight train``: ``python -m benchmarks.side_by_side_ours JOB``.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from benchmarks.side_by_side_work import Diary, asked

from leafsight import __version__
from leafsight.experiments.run_scores import judge_run
from leafsight.training import load_recipe, prepare_data, train

RUN, SCORES = "run", "scores-test.npz"


def main() -> None:
    job, diary = asked(), Diary()
    recipe = load_recipe(job["recipe"], job["overrides"])
    folder, threads = Path(job["folder"]), int(job["threads"])
    # Packing belongs to the time, so what an earlier attempt has packed must go.
    shutil.rmtree(folder, ignore_errors=True)
    diary.tell("versions", leafsight=__version__, torch=torch.__version__)
    diary.begin()
    prepared = prepare_data(recipe, [Path(job["index"])], folder / "data", workers=threads)
    speed = 0.0

    def listen(event: dict[str, Any]) -> None:
        nonlocal speed
        if event["kind"] == "step":
            speed = event["images_per_s"]
        if event["kind"] == "epoch":
            diary.tell_time(
                "epoch",
                stage=event["stage_name"],
                epoch=event["epoch"],
                valid=event["valid"]["accuracy"],
                images_per_s=speed,
            )

    run = train(
        recipe, prepared.data, folder / RUN, device="cpu", pretrained=Path(job["weights"]), on_event=[listen]
    )
    diary.tell_time(
        "end", kept=len(run.history) - 1 - [one["is_best"] for one in run.history][::-1].index(True)
    )
    judge_run(run, prepared.index, folder / "exam", split="test", device="cpu", workers=threads)
    shutil.rmtree(folder / "data")
    shutil.rmtree(folder / "exam")
    diary.tell("done")


if __name__ == "__main__":
    main()
