"""The machine made ready for training: allocator, threads, determinism, device; and what it was.

Enters: what the recipe asks for. Leaves: a ``Machine`` record for ``run.json``. It does not know networks.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.utils import deterministic

from leafsight.errors import TrainingError
from leafsight.training.seeds import PROCESS_GENERATOR

# mallopt(3) parameter numbers, from glibc's malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
# -1 becomes the largest size_t, "never"; the largest int would still trim a heap of more than 2 GiB.
NEVER_BYTES = -1
TOP_PAD_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Machine:
    """What the run ran on; ``threads`` because another number sums in another order."""

    device: str
    device_name: str
    threads: int
    cores: int
    precision: Literal["fp32", "bf16"]
    allocator_tuned: bool
    platform: str
    python: str
    torch: str

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed blocks instead of giving them back to the kernel after every step.

    A training step frees and takes the same hundreds of megabytes again and again; by default glibc maps
    each large block anew, and the kernel clears every page of it. Keeping them is worth 1.5 to 2.6 times
    (FACTS 2.3). Same as ``MALLOC_MMAP_THRESHOLD_``, ``MALLOC_TRIM_THRESHOLD_`` and ``MALLOC_TOP_PAD_`` in
    the environment, which must stand before Python starts. Nothing is put back afterwards: there is no
    call to read the old values, and a process that trains goes on training or ends.

    Returns:
        Whether it was done: glibc on Linux only, and never over settings that the environment already gives.
    """
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return False
    if any(name.startswith("MALLOC_") and name.endswith("_") for name in os.environ):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = ((M_MMAP_THRESHOLD, NEVER_BYTES), (M_TRIM_THRESHOLD, NEVER_BYTES), (M_TOP_PAD, TOP_PAD_BYTES))
    accepted = [mallopt(ctypes.c_int(name), ctypes.c_int(value)) == 1 for name, value in settings]
    return all(accepted)


def choose_device(wanted: str) -> torch.device:
    """``auto`` is CUDA where there is one, else the CPU.

    Raises:
        TrainingError: a device is asked for that is not there.
    """
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise TrainingError(
            f"device '{wanted}' cannot be used: {error}", hint="use --device auto or cpu"
        ) from error
    return device


def choose_precision(
    wanted: Literal["auto", "fp32", "bf16"], device: torch.device
) -> Literal["fp32", "bf16"]:
    """bf16 on CUDA only: a processor without bf16 units is eleven times slower with it (FACTS 2.3).

    Raises:
        TrainingError: bf16 is asked for elsewhere.
    """
    if wanted == "bf16" and device.type != "cuda":
        raise TrainingError(
            f"precision bf16 needs CUDA, not {device.type}", hint='set precision = "auto" or "fp32"'
        )
    return "bf16" if device.type == "cuda" and wanted != "fp32" else "fp32"


@contextmanager
def prepared_machine(
    device: str, threads: int, precision: Literal["auto", "fp32", "bf16"]
) -> Iterator[tuple[torch.device, Machine]]:
    """Ready the process for training; threads, determinism and random state are put back at the end.

    Args:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        threads: of torch; 0 leaves its choice.
        precision: of matrix products and convolutions.

    Raises:
        TrainingError: a device or precision that is not to be had here.
    """
    chosen = choose_device(device)
    exact = choose_precision(precision, chosen)
    tuned = keep_freed_memory()
    threads_before = torch.get_num_threads()
    if threads:
        torch.set_num_threads(threads)
    try:
        with _process_kept(deterministic_from_here=chosen.type == "cpu"):
            yield chosen, _machine(chosen, exact, tuned)
    finally:
        torch.set_num_threads(threads_before)


# What each training that is at work here found of the settings of the process; the first found it untouched.
_found: list[tuple[Tensor, bool, bool, bool]] = []


@contextmanager
def _process_kept(*, deterministic_from_here: bool) -> Iterator[None]:
    """Random state and determinism are the process's; the last training in it to end puts them back."""
    with PROCESS_GENERATOR:
        _found.append(
            (
                torch.get_rng_state(),
                torch.are_deterministic_algorithms_enabled(),
                torch.is_deterministic_algorithms_warn_only_enabled(),
                deterministic.fill_uninitialized_memory,  # type: ignore[attr-defined]
            )
        )
        if deterministic_from_here:
            torch.use_deterministic_algorithms(True)
            # It would write NaN into every fresh tensor to catch readers of it; we pay for none.
            deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        with PROCESS_GENERATOR:
            state, exact, warn_only, fill = _found[0]
            _found.pop()
            if not _found:
                torch.set_rng_state(state)
                torch.use_deterministic_algorithms(exact, warn_only=warn_only)
                deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]


def _machine(device: torch.device, precision: Literal["fp32", "bf16"], tuned: bool) -> Machine:
    name = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else platform.processor() or platform.machine()
    )
    return Machine(
        device=str(device),
        device_name=name,
        threads=torch.get_num_threads(),
        cores=os.cpu_count() or 1,
        precision=precision,
        allocator_tuned=tuned,
        platform=platform.platform(),
        python=platform.python_version(),
        torch=torch.__version__,
    )
