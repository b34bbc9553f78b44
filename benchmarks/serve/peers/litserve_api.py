"""LitServe with the same network: one inference process a core, with and without its batching.

    python litserve_api.py

From its documentation, and where:
- ``workers_per_device``: "For CPU, set to the number of cores available on the machine" (API reference of
  ``LitServer``, argument ``workers_per_device``).
- ``num_api_servers`` left out: "None: Uses same count as inference workers (recommended)"
  (``LitServer.run``).
- ``log_level="warning"``: "good for production" (``LitServer.run``); no client file.
- ``fast_queue``: "Use when serving hundreds of requests per second" (``LitServer``): PEER_FAST_QUEUE=1.
- batching is off unless ``max_batch_size`` is given; the page "Batching" advises it for throughput:
  PEER_BATCH=4 with ``batch_timeout`` 0.05 s, the example of the page "Types of parallelism".
- a multipart form arrives in ``decode_request`` as a mapping.
- ``timeout`` 30 s is its default.
It says nothing about threads of ONNX Runtime: one for each of as many processes as cores, so that they do not
fight for the cores (PEER_THREADS=0 leaves it to ONNX Runtime).
"""

import io
import json
import os
from pathlib import Path

import litserve as ls
import numpy as np
import onnxruntime as ort
from PIL import Image

SIDE = int(os.environ["PEER_SIDE_PX"])
CLASSES = json.loads(Path(os.environ["PEER_CLASSES"]).read_text())
BATCH = int(os.environ.get("PEER_BATCH", "1"))


class LeafAPI(ls.LitAPI):
    def setup(self, device):
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("PEER_THREADS", "1"))
        self.session = ort.InferenceSession(
            os.environ["PEER_NETWORK"], options, providers=["CPUExecutionProvider"]
        )

    def decode_request(self, request):
        file = request["image"].file
        picture = Image.open(io.BytesIO(file.read())).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR)
        return np.asarray(picture, dtype=np.uint8)

    def predict(self, squares):  # [n, side, side, 3] when batched (LitServe stacks arrays itself), else one
        batch = squares if BATCH > 1 else squares[None]
        (logits,) = self.session.run(["logits"], {"image": np.ascontiguousarray(batch)})
        return logits if BATCH > 1 else logits[0]

    def encode_response(self, logits):
        probabilities = np.exp(logits - logits.max())
        probabilities /= probabilities.sum()
        best = int(probabilities.argmax())
        return {"class_name": CLASSES[best], "probability": float(probabilities[best])}


if __name__ == "__main__":
    batching = {"max_batch_size": BATCH, "batch_timeout": 0.05} if BATCH > 1 else {}
    server = ls.LitServer(
        LeafAPI(**batching),
        accelerator="cpu",
        workers_per_device=len(os.sched_getaffinity(0)),
        timeout=30,
        fast_queue=os.environ.get("PEER_FAST_QUEUE") == "1",
    )
    server.run(
        host="127.0.0.1", port=int(os.environ["PEER_PORT"]), log_level="warning", generate_client_file=False
    )
