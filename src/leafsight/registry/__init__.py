"""The shelf of models: bundles by content hash, names that point to them, and the way back.

Enters: bundle files, and who wants which of them to serve and why. Leaves: whole bundles, the one that a name
points to now, and what it pointed to before. Plain files in one folder, or objects in a bucket that is handed
in; safe for several processes. It does not know how a bundle is run, nor who decides that one is better.
"""

from leafsight.registry.changing import Registry
from leafsight.registry.names import SERVING, check_alias
from leafsight.registry.objects import Objects
from leafsight.registry.opening import open_registry
from leafsight.registry.records import Change, Damage, Entry

__all__ = ["Change", "Damage", "Entry", "Objects", "Registry", "SERVING", "check_alias", "open_registry"]
