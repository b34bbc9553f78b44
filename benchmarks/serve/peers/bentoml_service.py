"""BentoML with the same network: one worker a core, with and without its adaptive batching.

    bentoml serve bentoml_service:Leaf --port 8000

From its documentation, and where:
- ``workers="cpu_count"``: "set the number of worker processes based on the available CPU cores by setting
  workers to cpu_count" (Parallelize requests handling, CPU workloads).
- a picture is an argument annotated with ``PIL.Image.Image`` (Input and output types, Images).
- ``traffic``: the time-out as in its examples, 60 s is the default (Configurations); ``concurrency`` is for
  autoscaling in its cloud and refuses nothing on one machine; ``max_concurrency`` would refuse with 429 and
  is off by default.
- batching is off by default ("By default, adaptive batching is disabled", Adaptive batching); PEER_BATCH=8
  turns it on with ``max_latency_ms`` as in that page's examples (1000).
It says nothing about threads of ONNX Runtime; its maintainers warn of as many threads as cores in each of as
many processes (github.com/bentoml/BentoML/discussions/2599), so each has one (PEER_THREADS=0 leaves it to
ONNX Runtime). A plain ``def`` endpoint takes one request at a time in each worker, which suits one thread.
"""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import bentoml
import numpy as np
import onnxruntime as ort
from PIL.Image import Image, Resampling

SIDE = int(os.environ["PEER_SIDE_PX"])
CLASSES = json.loads(Path(os.environ["PEER_CLASSES"]).read_text())
BATCH = int(os.environ.get("PEER_BATCH", "1"))


class Network:
    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("PEER_THREADS", "1"))
        self.session = ort.InferenceSession(
            os.environ["PEER_NETWORK"], options, providers=["CPUExecutionProvider"]
        )

    def answers(self, pictures: list[Image]) -> list[dict[str, t.Any]]:
        squares = [one.convert("RGB").resize((SIDE, SIDE), Resampling.BILINEAR) for one in pictures]
        batch = np.stack([np.asarray(one, dtype=np.uint8) for one in squares])
        (logits,) = self.session.run(["logits"], {"image": batch})
        probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        best = probabilities.argmax(axis=1)
        return [
            {"class_name": CLASSES[at], "probability": float(row[at])}
            for at, row in zip(best, probabilities, strict=True)
        ]


if BATCH > 1:

    @bentoml.service(workers="cpu_count", traffic={"timeout": 60})
    class Leaf:
        def __init__(self) -> None:
            self.network = Network()

        @bentoml.api(batchable=True, max_batch_size=BATCH, max_latency_ms=1000, route="/predict")
        def predict(self, image: t.List[Image]) -> t.List[t.Dict[str, t.Any]]:  # noqa: UP006
            return self.network.answers(image)

else:

    @bentoml.service(workers="cpu_count", traffic={"timeout": 60})
    class Leaf:  # type: ignore[no-redef]
        def __init__(self) -> None:
            self.network = Network()

        @bentoml.api(route="/predict")
        def predict(self, image: Image) -> t.Dict[str, t.Any]:  # noqa: UP006
            return self.network.answers([image])[0]
