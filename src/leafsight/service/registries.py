"""The registry that the options name: a folder, or a bucket with a folder that follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leafsight.service.options import ServiceOptions

if TYPE_CHECKING:
    from leafsight.registry import Registry


def registry_of(options: ServiceOptions) -> Registry:
    """The registry of a service.

    Raises:
        ConfigError: the address of the bucket cannot be understood.
        StorageError: there is something else in place of the folder.
    """
    from leafsight.registry import open_registry

    if not options.registry_url:
        return open_registry(options.registry_dir)
    from leafsight.state import open_objects

    return open_registry(options.registry_dir, mirror=open_objects(options.registry_url))
