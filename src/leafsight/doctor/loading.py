"""The rooms and libraries that checks want, loaded one after the other before the checks begin.

Loading is most of the time of a quick check, and two threads that load one library at once may see half of
it. What is not installed raises here, and is a finding of the check that wants it.
"""

from __future__ import annotations

from leafsight.errors import require

EXTRA = "serve"


def load_inference() -> None:
    """What runs a model."""
    import leafsight.bundle
    import leafsight.doctor.drawing
    import leafsight.inference
    import leafsight.registry  # noqa: F401


def load_requirements() -> None:
    """What compares versions, and a session."""
    import leafsight.doctor.requirements  # noqa: F401

    load_inference()


def load_database(url: str) -> None:
    """What asks the database of this address."""
    from leafsight.state import look_at_database  # noqa: F401

    if url.startswith("postgres"):
        require("psycopg", EXTRA)


def load_store(url: str) -> None:
    """What asks the store, or the bucket of models, of this address; an empty one is a folder."""
    from leafsight.state import look_at_store, open_objects  # noqa: F401

    if url[:5].lower() == "s3://":
        require("obstore.store", EXTRA)
        require("obstore.exceptions", EXTRA)
