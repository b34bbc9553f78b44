from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from leafsight.errors import TrainingError
from leafsight.training.machine import choose_device, choose_precision, keep_freed_memory, prepared_machine


def test_everything_is_put_back() -> None:
    threads, random = torch.get_num_threads(), torch.get_rng_state()
    with prepared_machine("cpu", 1, "auto") as (device, machine):
        assert device.type == "cpu"
        assert torch.get_num_threads() == machine.threads == 1
        assert torch.are_deterministic_algorithms_enabled()
        assert machine.precision == "fp32"
        assert machine.to_dict()["torch"] == torch.__version__
        torch.rand(3)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.get_rng_state(), random)


def test_bf16_is_for_cuda_only() -> None:
    assert choose_precision("auto", torch.device("cuda")) == "bf16"
    assert choose_precision("fp32", torch.device("cuda")) == "fp32"
    with pytest.raises(TrainingError, match="needs CUDA, not cpu"):
        choose_precision("bf16", torch.device("cpu"))


@pytest.mark.parametrize("name", ["nonsense", "cuda:99"])
def test_a_device_that_is_not_there(name: str) -> None:
    with pytest.raises(TrainingError, match=f"device '{name}' cannot be used") as caught:
        choose_device(name)
    assert "--device auto" in caught.value.hint


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the allocator is glibc's")
def test_large_blocks_come_from_the_heap_afterwards() -> None:
    # mallinfo2().hblkhd: bytes in blocks that were mapped on their own.
    script = """
import ctypes, sys
class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
libc.malloc.restype = ctypes.c_void_p
from leafsight.training.machine import keep_freed_memory
def mapped():
    before = libc.mallinfo2().hblkhd
    libc.malloc(ctypes.c_size_t(100 << 20))
    return libc.mallinfo2().hblkhd - before
print(mapped(), keep_freed_memory(), mapped())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env={"OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    mapped_before, tuned, mapped_after = done.stdout.split()
    assert int(mapped_before) >= 100 << 20
    assert tuned == "True"
    assert int(mapped_after) == 0


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1")
    assert not keep_freed_memory()
