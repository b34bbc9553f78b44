"""FastAPI + eager torch, as people write it: the network of the bundle before its export, at the same side.

    uvicorn fastapi_torch:app

Runs in the environment of leafsight with ``[train,serve]``, which has torch. The weights are those of the
bundle where it has them, so the answers can be compared as well. Threads are torch's own default.
"""

import io
import json
import os
import tomllib
from pathlib import Path

import numpy as np
import torch
from fastapi import FastAPI, UploadFile
from PIL import Image
from safetensors.torch import load as load_tensors

from leafsight.bundle import open_bundle
from leafsight.models import ModelOptions, build_network

SIDE = int(os.environ["PEER_SIDE_PX"])
CLASSES = json.loads(Path(os.environ["PEER_CLASSES"]).read_text())


def load_network():
    bundle = open_bundle(os.environ["PEER_BUNDLE"])
    network = build_network(ModelOptions(**tomllib.loads(bundle.recipe)["model"]), len(CLASSES))
    weights = bundle.weights()
    if weights is not None:
        network.load_state_dict(load_tensors(weights))
    return network.eval()


app = FastAPI()
network = load_network()


@app.post("/predict")
def predict(image: UploadFile):
    picture = Image.open(io.BytesIO(image.file.read())).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR)
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float()[None]  # normalised by the network
    with torch.inference_mode():
        probabilities = network(pixels)[0].softmax(-1)
    best = int(probabilities.argmax())
    return {"class_name": CLASSES[best], "probability": float(probabilities[best])}
