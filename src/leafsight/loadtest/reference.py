"""The answers that photographs must get: asked one at a time before the load, and held against the model.

Two references are better than one. The service is asked alone, without load; and where the model in service
is at hand as a file, its answers are computed here as well, without any service. Both must agree before a
load begins.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leafsight.errors import RemoteError
from leafsight.loadtest.asking import Address, ask
from leafsight.loadtest.judging import answer_marks, read_object, same_marks
from leafsight.loadtest.orders import multipart
from leafsight.loadtest.photographs import Photograph
from leafsight.loadtest.setups import BUILT_IN

TRIES, TIMEOUT_S = 8, 60.0


def ask_alone(address: Address, key: str, photographs: Sequence[Photograph]) -> tuple[str, dict[str, Any]]:
    """Ask about each photograph, one after the other.

    Returns:
        The hash of the model in service, and the marks of each answer by the name of the photograph.

    Raises:
        RemoteError: no answer, or an answer that two photographs share.
    """
    found, model = {}, ""
    for photograph in photographs:
        answer = _asked(address, key, photograph)
        model = answer["model"]["hash"]
        found[photograph.name] = answer_marks(answer["predictions"][0])
    _require_distinct(found)
    return model, found


def _asked(address: Address, key: str, photograph: Photograph) -> dict[str, Any]:
    kind, body = multipart([(photograph.name, photograph.read())])
    status = 0
    for _ in range(TRIES):
        status, said = ask(address, "POST", "/v1/predict", key=key, body=body, kind=kind, timeout_s=TIMEOUT_S)
        answer = read_object(said) if status == 200 else None
        if answer is not None:
            return answer
        time.sleep(1.0)
    raise RemoteError(
        f"{address} answers the photograph {photograph.name} with status {status} without any load",
        hint="give each replica more time (LEAFSIGHT_DEADLINE_MS) or more processors (--cpus)",
    )


def _require_distinct(marks: Mapping[str, Mapping[str, Any]]) -> None:
    names = sorted(marks)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            if same_marks(marks[one], marks[other]):
                raise RemoteError(
                    f"the photographs {one} and {other} have the same answer, so a mix-up would not be seen",
                    hint="take one of them out of --photos",
                )


def compute_here(model: str, photographs: Sequence[Photograph]) -> tuple[str, dict[str, Any]]:
    """The same by the model file itself, without a service.

    Args:
        model: a model file, or ``built-in``.
        photographs: what is judged.

    Raises:
        LeafsightError: the model cannot be used.
    """
    from leafsight.bundle import builtin_bundle_path
    from leafsight.inference import BundlePredictor

    path = builtin_bundle_path() if model == BUILT_IN else Path(model)
    predictor = BundlePredictor(path, threads=1)
    found, name = {}, ""
    for photograph in photographs:
        said = predictor.predict([photograph.read()])[0].to_dict()
        name = said["model_hash"]
        found[photograph.name] = answer_marks(said)
    return name, found


def disagreements(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Photographs whose answers differ."""
    return [name for name in sorted(one) if name not in other or not same_marks(one[name], other[name])]


def keep_expected(path: Path, marks: Mapping[str, Any]) -> None:
    """Write the reference answers for the generators."""
    path.write_text(json.dumps(marks), encoding="utf-8")
