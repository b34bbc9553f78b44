"""leafsight: what is wrong with this leaf, how sure that is, and where in the picture it shows.

The package is a row of rooms (see ``docs/architecture.md``); import from a room, not from its modules.
Nothing is imported here, so that ``import leafsight`` costs nothing.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
