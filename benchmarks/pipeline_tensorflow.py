"""The peers that are made of TensorFlow's parts: ``tf.data`` and the preprocessing layers of Keras.

Enters: a setting. Leaves: the contenders of ``TENSORFLOW_PEERS``. Runs in an environment of its own, which
``--setup`` makes, and needs nothing of ours but ``pipeline_work``:
``python -m benchmarks.pipeline_tensorflow NAME SETTING``.

It is written as the guides of TensorFlow advise: decode and resize in parallel, cache, shuffle, batch, layers
on the batch in parallel, prefetch. Pictures leave as ``[n, side, side, 3]``, which is what Keras wants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import keras
import tensorflow as tf
from benchmarks.pipeline_work import (
    BRIGHTNESS,
    CONTRAST,
    CROP_AREA,
    ROTATION_DEGREES,
    SATURATION,
    TENSORFLOW_PEERS,
    Batch,
    Setting,
    Step,
    asked,
    serve_turns,
)

AUTOTUNE = tf.data.AUTOTUNE
CHANNELS = (32, 64, 128, 256)  # of leafsight's simple_cnn


class Pipeline:
    """``tf.data`` with the layers of Keras, with and without ``cache()`` in memory."""

    def __init__(self, setting: Setting, cached: bool) -> None:
        if setting.threads:  # tf.data has a pool of its own, which this leaves alone
            tf.config.threading.set_intra_op_parallelism_threads(setting.threads)
        keras.utils.set_random_seed(setting.seed)
        self.setting = setting
        self.paths, self.labels = setting.photographs()
        self.versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
        self.step = cache(self._step)
        self._dataset = self._built(cached)

    def _built(self, cached: bool) -> Any:
        side_px = self.setting.side_px

        def decoded(path: Any, label: Any) -> Any:
            picture = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
            return tf.image.resize(picture, (side_px, side_px)), label

        change = layers()
        found = tf.data.Dataset.from_tensor_slices((self.paths, self.labels))
        if cached:
            found = found.map(decoded, num_parallel_calls=AUTOTUNE).cache().shuffle(len(self.paths))
        else:
            found = found.shuffle(len(self.paths)).map(decoded, num_parallel_calls=AUTOTUNE)
        found = found.batch(self.setting.batch)
        found = found.map(lambda x, y: (change(x, training=True), y), num_parallel_calls=AUTOTUNE)
        return found.prefetch(AUTOTUNE)

    def epoch(self, number: int) -> Iterator[Batch]:
        return iter(self._dataset)

    def _step(self, network: str) -> Step:
        shape = (self.setting.side_px, self.setting.side_px, 3)
        model = networks()[network](shape, self.setting.classes)
        optimizer = keras.optimizers.AdamW(1e-3)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

        @tf.function  # type: ignore[untyped-decorator]
        def step(inputs: Any, labels: Any) -> None:
            with tf.GradientTape() as tape:
                found = loss(labels, model(inputs / 127.5 - 1.0, training=True))
            gradients = tape.gradient(found, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

        return lambda inputs, labels: step(inputs, labels)


def layers() -> Any:
    """The nearest to our augmentation; colours change in every picture, for there is no probability."""
    smallest = 1 - CROP_AREA[0] ** 0.5
    around = {"value_range": (0, 255)}
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal_and_vertical"),
            keras.layers.RandomRotation(ROTATION_DEGREES / 360),
            keras.layers.RandomZoom((-smallest, 0.0), (-smallest, 0.0)),
            keras.layers.RandomBrightness([gain - 1 for gain in BRIGHTNESS], **around),
            keras.layers.RandomContrast(CONTRAST[1] - 1, **around),
            # Keras counts saturation from 0 to 1: s becomes s / (1 + s), and 0.5 changes nothing.
            keras.layers.RandomSaturation([gain / (1 + gain) for gain in SATURATION], **around),
        ]
    )


def networks() -> dict[str, Callable[[tuple[int, int, int], int], Any]]:
    """The same two networks, as Keras has them."""
    return {"simple_cnn": simple_cnn, "mobilenet_v2": mobilenet_v2}


def simple_cnn(shape: tuple[int, int, int], classes: int) -> Any:
    """Four blocks of convolution, normalisation, ReLU and maximum."""
    parts: list[Any] = [keras.Input(shape)]
    for channels in CHANNELS:
        parts += [
            keras.layers.Conv2D(channels, 3, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.MaxPooling2D(),
        ]
    return keras.Sequential([*parts, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(classes)])


def mobilenet_v2(shape: tuple[int, int, int], classes: int) -> Any:
    """Without trained weights."""
    return keras.applications.MobileNetV2(shape, weights=None, classes=classes, classifier_activation=None)


def main() -> None:
    name, setting = asked()
    serve_turns(Pipeline(setting, TENSORFLOW_PEERS[name]))


if __name__ == "__main__":
    main()
