"""FastAPI + ONNX Runtime + Pillow, as people write it: a session with its defaults and one plain endpoint.

    uvicorn fastapi_onnx:app [--workers 2]

The endpoint is a plain ``def``: FastAPI's documentation (Concurrency and async / await, "Path operation
functions") says that those run in a thread pool, so that work on the processor does not stop the event loop.
Many programs in the wild say ``async def`` here and answer one request after the other. The graph
normalises inside and takes uint8, which spares this program the usual division; only the logits are fetched.
"""

import io
import json
import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from fastapi import FastAPI, UploadFile
from PIL import Image

SIDE = int(os.environ["PEER_SIDE_PX"])
CLASSES = json.loads(Path(os.environ["PEER_CLASSES"]).read_text())

app = FastAPI()
session = ort.InferenceSession(os.environ["PEER_NETWORK"], providers=["CPUExecutionProvider"])


@app.post("/predict")
def predict(image: UploadFile):
    picture = Image.open(io.BytesIO(image.file.read())).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR)
    (logits,) = session.run(["logits"], {"image": np.asarray(picture, dtype=np.uint8)[None]})
    probabilities = np.exp(logits[0] - logits[0].max())
    probabilities /= probabilities.sum()
    best = int(probabilities.argmax())
    return {"class_name": CLASSES[best], "probability": float(probabilities[best])}
