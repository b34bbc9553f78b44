"""The built-in model with its network in fp32, to compare with the INT8 one that ships.

    python loadtest/full_precision.py fp32.leafsight

Needs leafsight[train]. The weights keep their 8-bit values as fp32 numbers: it answers as the one that ships
does, but for rounding, and takes the time of fp32.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from leafsight.bundle import builtin_bundle_path, open_bundle, write_bundle
from leafsight.export import source_of_bundle


def main(words: list[str]) -> int:
    """Write the model file named first."""
    bundle = open_bundle(builtin_bundle_path(), keep_network=True)
    source = source_of_bundle(bundle)
    name = f"{bundle.name}-fp32"
    write_bundle(
        Path(words[0]),
        replace(bundle.contents(), name=name, network=source.graph, network_spec=source.spec, weights=None),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
