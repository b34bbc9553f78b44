"""leafsight: what is wrong with this leaf, how sure that is, and where in the picture it shows.

The package is a row of rooms (see ``docs/architecture.md``); import from a room, not from its modules.
Nothing is imported here but ``os``, so that ``import leafsight`` costs nothing.

ONNX Runtime 1.31 for Linux tells Microsoft of what it runs, and writes a number of the device into the home
folder, from the moment at which it is loaded; the variable is the only way to say no before that. Photographs
are diagnosed offline: nobody is told. Who sets the variable themselves has decided.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"

__all__ = ["__version__"]
