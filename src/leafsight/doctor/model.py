"""Whether the model that would serve opens whole, answers, and answers the same again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from leafsight.doctor.findings import Finding, of_error
from leafsight.errors import LeafsightError
from leafsight.storage import os_errors_translated

if TYPE_CHECKING:
    from leafsight.bundle import Bundle
    from leafsight.inference import BundlePredictor, Prediction

SHORT_DIGITS = 12


def check_model(
    model: Path | None, registry_dir: Path, registry_url: str, *, timeout_s: float
) -> Iterator[Finding]:
    """Open the model and diagnose a drawn leaf twice.

    Args:
        model: one file that is served whatever the registry says, or None.
        registry_dir: folder of models.
        registry_url: bucket with models, or empty; its model is fetched into a temporary folder.
        timeout_s: how long the bucket may be silent.
    """
    from leafsight.inference import BundlePredictor  # loading the library is not the model's time

    with ExitStack() as stack:
        started = perf_counter()
        try:
            bundle, whence = _opened(stack, model, registry_dir, registry_url, timeout_s)
        except LeafsightError as error:
            yield of_error("model.opens", error)
            return
        took_ms = (perf_counter() - started) * 1e3
        named = f"{bundle.name} {bundle.content_hash[:SHORT_DIGITS]} ({whence})"
        yield Finding("model.opens", "ok", f"{named} is whole; opened in {took_ms:.0f} ms")
        yield _answers(bundle, BundlePredictor)


def _opened(
    stack: ExitStack, model: Path | None, registry_dir: Path, registry_url: str, timeout_s: float
) -> tuple[Bundle, str]:
    from leafsight.bundle import open_bundle
    from leafsight.registry import SERVING, open_registry

    if model is not None:
        return open_bundle(model.expanduser(), keep_network=True), "the file that is set"
    if not registry_url:
        registry = open_registry(registry_dir, tidy=False)
    else:
        from leafsight.state import open_objects

        with os_errors_translated(Path("the temporary folder")):
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="leafsight-doctor-")))
        registry = open_registry(folder, mirror=open_objects(registry_url, timeout_s=timeout_s), tidy=False)
    entry = registry.get(SERVING)
    whence = "built in" if entry.builtin else "serving in the bucket" if registry_url else "serving"
    return registry.bundle(entry, keep_network=True), whence


def _answers(bundle: Bundle, make: type[BundlePredictor]) -> Finding:
    from leafsight.doctor.drawing import drawn_leaf

    name, photo = "model.answers", drawn_leaf()
    try:
        predictor = make(bundle)
        predictor.warm_up()
        started = perf_counter()
        first = predictor.predict([photo])[0]
        took_ms = (perf_counter() - started) * 1e3
        again = predictor.predict([photo])[0]
    except LeafsightError as error:
        return of_error(name, error)
    if first.error is not None:
        said = f"a drawn leaf cannot be read: {first.error.get('message', '')}"
        return Finding(name, "fail", said, "install the base again: pip install --force-reinstall leafsight")
    if _plain(first) != _plain(again):
        return Finding(
            name, "fail", "the same picture gives two answers",
            "look for a damaged processor or memory, and install onnxruntime again",
        )  # fmt: skip
    return Finding(
        name, "ok", f"a drawn leaf is answered ({first.verdict}) in {took_ms:.0f} ms, twice the same"
    )


def _plain(prediction: Prediction) -> tuple[object, ...]:
    return prediction.verdict, prediction.probability, prediction.top, prediction.possible
