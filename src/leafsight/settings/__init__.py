"""The only reader of ``leafsight.toml`` and ``LEAFSIGHT_*``.

Enters: a folder, the environment, flags. Leaves: one frozen ``Settings`` object in which
flags win over the environment, the environment over the file, the file over the defaults.
Only entrances import this room; the others receive plain values.
"""

from leafsight.settings.reading import FILE_NAME, PREFIX, load_settings, origins, usable_settings
from leafsight.settings.values import Settings, descriptions

__all__ = ["FILE_NAME", "PREFIX", "Settings", "descriptions", "load_settings", "origins", "usable_settings"]
