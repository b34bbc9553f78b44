"""pydantic's complaints turned into our faults: file, key, got, wanted, nearest valid key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from leafsight.errors.tree import ConfigError, Fault

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    Model = TypeVar("Model", bound=BaseModel)
else:
    Model = TypeVar("Model")

LONGEST_SHOWN_CHARACTERS = 80


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word closest to a misspelt one, or an empty string when none is close."""
    import difflib  # on the way of an error only

    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def validated(model: type[Model], values: Mapping[str, Any], where: str) -> Model:
    """Build ``model`` from plain values.

    Args:
        model: a pydantic model class.
        values: what a file, the environment or flags gave.
        where: the name of that source, shown in every fault.

    Raises:
        ConfigError: with every fault, not only the first.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = faults_from_validation(error, model, where)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise ConfigError(f"{where}: {count}", faults=faults) from error


def faults_from_validation(error: ValidationError, model: type[BaseModel], where: str) -> list[Fault]:
    """Every complaint of one validation as a fault, in the order of the file."""
    return [_fault(complaint, model, where) for complaint in error.errors(include_url=False)]


def _fault(complaint: Mapping[str, Any], model: type[BaseModel], where: str) -> Fault:
    location = tuple(complaint["loc"])
    key = ".".join(str(part) for part in location) or "(whole)"
    if complaint["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        close = nearest(str(location[-1]), known)
        return Fault(where, key, "an unknown key", f"one of {', '.join(known)}", close)
    if complaint["type"] == "missing":
        return Fault(where, key, "nothing", "a value")
    got = repr(complaint.get("input"))
    if len(got) > LONGEST_SHOWN_CHARACTERS:
        got = got[: LONGEST_SHOWN_CHARACTERS - 1] + "…"
    wanted = str(complaint["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    choices = str(complaint.get("ctx", {}).get("expected", ""))
    close = nearest(str(complaint.get("input")), choices.replace("'", "").replace(" or ", ", ").split(", "))
    return Fault(where, key, got, wanted, close)


def _keys_at(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """The valid keys of the table at ``location``, found by walking the annotations."""
    from pydantic import BaseModel

    here: Any = model
    for part in location:
        if isinstance(here, type) and issubclass(here, BaseModel) and part in here.model_fields:
            here = _inner_model(here.model_fields[part].annotation) or here
    return sorted(here.model_fields)


def _inner_model(annotation: Any) -> Any:
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None
