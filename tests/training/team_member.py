"""One process of a team: team_member.py RANK SIZE MEETING FOLDER RECIPE [DIES_AT_STEP | SHORT_OF_MEMORY].

MEETING is the file by which the processes find each other, RECIPE the JSON of changes to the tiny recipe. The
hash of the last weights that this process holds is printed at the end.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
from tests.training.tiny import tiny_data, tiny_recipe

from leafsight.training import TrainingData, loop
from leafsight.training.session import Session
from leafsight.training.team import Team


def weights_hash(session: Session) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(session.setting.network.state_dict().items()):
        digest.update(name.encode() + tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()


def few_valid(data: TrainingData) -> TrainingData:
    """With no more validation photographs than ``VALID_PHOTOS`` in the environment allows."""
    most = int(os.environ.get("VALID_PHOTOS", "1000"))
    return replace(data, rows={**data.rows, "valid": data.valid_rows[:most]})


def main() -> None:
    rank, size = int(sys.argv[1]), int(sys.argv[2])
    meeting, folder, changes = sys.argv[3], Path(sys.argv[4]), json.loads(sys.argv[5])
    trouble = sys.argv[6] if len(sys.argv) > 6 else ""
    torch.set_num_threads(1)
    if size > 1:
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)
    sessions: list[Session] = []
    real_judge, real_step = loop.judge_epoch, loop.take_step

    def take_step(session: Session, batch: object) -> None:
        if trouble.isdigit() and session.state.step == int(trouble):
            os.kill(os.getpid(), signal.SIGKILL)
        if trouble == "memory" and session.setting.memory.pieces == 1 and session.state.step == 2:

            def without_room(*_: object) -> float:
                raise torch.OutOfMemoryError("no room")

            loop.gradients = without_room
        real_step(session, batch)  # type: ignore[arg-type]

    def judge(session: Session) -> None:
        real_judge(session)
        sessions[:] = [session]

    loop.take_step, loop.judge_epoch = take_step, judge
    loop.train_in_team(
        Team(rank, size), tiny_recipe(**changes), few_valid(tiny_data()), folder, device="cpu", threads=1
    )
    print(weights_hash(sessions[0]))


if __name__ == "__main__":
    main()
