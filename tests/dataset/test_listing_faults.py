from __future__ import annotations

import pytest

from leafsight.dataset.listing_faults import MOST_FAULTS_SHOWN, ListingFaults
from leafsight.errors import DatasetError


def test_none_is_no_error_and_many_are_counted() -> None:
    faults = ListingFaults()
    faults.raise_if_any("list.csv", "mend it")
    for number in range(1000):
        faults.add(f"line {number}", "no label " + "x" * 1000)
    assert len(faults) == 1000
    with pytest.raises(DatasetError, match=r"list\.csv: 1000 faults") as caught:
        faults.raise_if_any("list.csv", "mend it")
    lines = caught.value.message.splitlines()
    assert len(lines) == MOST_FAULTS_SHOWN + 2
    assert lines[1].startswith("  line 0: no label")
    assert max(map(len, lines)) < 400
    assert lines[-1] == f"  and {1000 - MOST_FAULTS_SHOWN} more"
    assert caught.value.hint == "mend it"


def test_one_fault_is_one() -> None:
    faults = ListingFaults()
    faults.add("entry 3", "no name")
    with pytest.raises(DatasetError, match=r"^x: 1 fault\n  entry 3: no name$"):
        faults.raise_if_any("x", "")
