"""What a student writes in Keras: a pretrained MobileNetV2, frozen first, then fine-tuned.

Enters: a job. Leaves: JSON lines and answers about the test photographs. Runs in an environment of its own,
which ``--setup`` makes, and knows nothing of leafsight: ``python -m benchmarks.side_by_side_keras JOB``.

Photographs are read and resized by ``tf.image`` as ``keras.utils.image_dataset_from_directory`` does it
(bilinear, no smoothing before), kept in memory, shuffled, batched, augmented in parallel, fetched ahead.
"""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from benchmarks.side_by_side_names import as_keras, layer_parts
from benchmarks.side_by_side_work import Diary, Job, Program, asked, same_start

AUTOTUNE = tf.data.AUTOTUNE
EPSILON = 1e-5  # of batch normalisation, with which these weights were made; Keras would say 1e-3
MOMENTUM = 0.9  # 0.1 in torch's words; Keras would say 0.999, which a thousand steps do not fill
LOSS = "sparse_categorical_crossentropy"


def main() -> None:
    job, diary = Job(**asked()), Diary()
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(job.threads)
    keras.utils.set_random_seed(job.seed)
    diary.tell("versions", tensorflow=tf.__version__, keras=keras.__version__)
    same_start(_difference(job), diary)
    keras.backend.clear_session()
    diary.begin()
    watch = Watch(diary)
    model = train(job, watch)
    diary.tell_time("end", kept=watch.kept)
    model.set_weights(watch.weights)
    answers = model.predict(_pictures(job, "test", learn=False), verbose=0)
    np.savez_compressed(job.answers, test=np.log(np.maximum(answers, 1e-12)).astype(np.float32))
    diary.tell("done")


def train(job: Job, watch: Watch) -> Any:
    """Both stages; the epochs go into ``watch``."""
    program = job.settings()
    model, base = classifier(job, program)
    shown, judged = _pictures(job, "train", learn=True), _pictures(job, "valid", learn=False)
    weights = balanced(job) if program.class_weights else None
    stages = (("head", program.head_epochs, program.head_rate), ("whole", program.epochs, program.rate))
    for name, epochs, rate in stages:
        base.trainable = name == "whole"
        watch.stage = name
        model.compile(keras.optimizers.Adam(rate), LOSS, metrics=["accuracy"])
        model.fit(
            shown, validation_data=judged, epochs=epochs, class_weight=weights, callbacks=[watch], verbose=0
        )
    return model


def classifier(job: Job, program: Program) -> tuple[Any, Any]:
    """The network and its backbone."""
    base = backbone(job)
    inputs = keras.Input((job.side_px, job.side_px, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    # training=False keeps the batch statistics as they are, also when the weights move.
    features = base(scaled) if program.batch_statistics else base(scaled, training=False)
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    dropped = keras.layers.Dropout(job.dropout)(pooled)
    classes = len(job.listing()["classes"])
    return keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(dropped)), base


def backbone(job: Job) -> Any:
    """MobileNetV2 of ``keras.applications`` with the weights of the start."""
    base = keras.applications.MobileNetV2((job.side_px, job.side_px, 3), include_top=False, weights=None)
    with np.load(job.start, allow_pickle=False) as tensors:
        for name, parts in layer_parts():
            layer = base.get_layer(name)
            layer.set_weights([as_keras(tensors[part]) for part in parts])
            if len(parts) > 1:
                layer.epsilon, layer.momentum = EPSILON, MOMENTUM
    return base


def _difference(job: Job) -> float:
    with np.load(job.start, allow_pickle=False) as tensors:
        pixels, wanted = tensors["pixels"].astype(np.float32), tensors["embedding"]
    found = backbone(job)(pixels / 127.5 - 1, training=False)
    return float(np.abs(keras.ops.convert_to_numpy(found).mean(axis=(1, 2)) - wanted).max())


def _pictures(job: Job, split: str, *, learn: bool) -> Any:
    rows = job.listing()[split]

    def decoded(path: Any, label: Any) -> Any:
        picture = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        return tf.image.resize(picture, (job.side_px, job.side_px)), label

    found = tf.data.Dataset.from_tensor_slices(([row[0] for row in rows], [row[1] for row in rows]))
    found = found.map(decoded, num_parallel_calls=AUTOTUNE).cache()
    if not learn:
        return found.batch(job.batch).prefetch(AUTOTUNE)
    change = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(0.1),
            keras.layers.RandomZoom(0.1),
        ]
    )
    found = found.shuffle(len(rows)).batch(job.batch)
    found = found.map(lambda x, y: (change(x, training=True), y), num_parallel_calls=AUTOTUNE)
    return found.prefetch(AUTOTUNE)


def balanced(job: Job) -> dict[int, float]:
    """Class -> photographs over classes times its photographs, as scikit-learn's ``balanced``."""
    listing = job.listing()
    counts = np.bincount([row[1] for row in listing["train"]], minlength=len(listing["classes"]))
    return {label: float(counts.sum() / len(counts) / max(1, count)) for label, count in enumerate(counts)}


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells every epoch and keeps the weights that validation likes best."""

    def __init__(self, diary: Diary) -> None:
        super().__init__()
        self.diary, self.stage, self.best, self.count = diary, "", -1.0, 0
        self.kept = -1
        self.weights: list[np.ndarray] = []
        self._began_s = self._train_s = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began_s, self._train_s = time.perf_counter(), 0.0

    def on_test_begin(self, logs: Any = None) -> None:
        self._train_s = time.perf_counter() - self._began_s

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        found = float(logs["val_accuracy"])
        if found > self.best:
            self.best, self.kept, self.weights = found, self.count, self.model.get_weights()
        self.diary.tell_time("epoch", stage=self.stage, epoch=epoch, valid=found, train_s=self._train_s)
        self.count += 1


if __name__ == "__main__":
    main()
