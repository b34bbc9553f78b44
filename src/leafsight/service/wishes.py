"""What is asked about photographs: the query of ``POST /v1/predict``.

Enters: a request. Leaves: a ``Wish``, or a list of what is wrong with it; and the description of its
parameters for the contract. One model is checked at once: the framework checks each parameter by itself,
which took a third of a millisecond a request.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leafsight.service.answers import HeatmapKind
from leafsight.service.pages import PLAIN


class Wish(BaseModel):
    """What is asked about photographs."""

    model_config = ConfigDict(frozen=True)

    crop: Annotated[
        str | None, Field(max_length=100, description="The plant, if you know it.", examples=["tomato"])
    ] = None
    top: Annotated[int, Field(ge=1, le=100, description="Classes to list.")] = 5
    heatmap: Annotated[HeatmapKind | None, Field(description="Add a picture of the evidence.")] = None
    combine: Annotated[bool, Field(description="All photographs show one plant.")] = False
    plant_id: Annotated[
        str | None,
        Field(max_length=100, pattern=PLAIN, description="The same, and its name.", examples=["row-7"]),
    ] = None
    store: Annotated[bool, Field(description="You agree that the photographs are kept.")] = False

    @property
    def of_one_plant(self) -> bool:
        """Whether one diagnosis for all photographs together is wanted."""
        return self.combine or self.plant_id is not None


NO_WISH = Wish()


def wish_of(request: Request) -> Wish:
    """The wish in the query of a request; of a parameter that comes twice the last one counts.

    Raises:
        RequestValidationError: with every parameter that cannot be used.
    """
    if not request.query_params:
        return NO_WISH
    try:
        return Wish.model_validate(dict(request.query_params))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise RequestValidationError(
            [{**fault, "loc": ("query", *fault["loc"])} for fault in faults]
        ) from error


def parameters() -> list[dict[str, Any]]:
    """The same for the contract, as the framework would say it."""
    return [
        {"name": name, "in": "query", "required": False, "description": said["description"], "schema": schema}
        for name, said in Wish.model_json_schema()["properties"].items()
        for schema in [{word: value for word, value in said.items() if (word, value) != ("default", None)}]
    ]
