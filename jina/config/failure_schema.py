"""The part of the Flow YAML about calls that fail or hang; the rest is in `schema`."""

from __future__ import annotations

import builtins
import keyword
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)
from pydantic_core import PydanticCustomError

_Text = Annotated[str, Field(strict=True)]


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else [] if value is None else value


def _kind(value: Any) -> str:
    return "map" if isinstance(value, dict | BaseModel) else "int"


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _not_zero(value: int) -> int:
    if value == 0:
        raise PydanticCustomError(
            "no_time", "it must be at least 1 millisecond", {"hint": "use -1 for no limit"}
        )
    return value


def _exception(value: str) -> str:
    """Refuse what no class of exceptions can be called."""
    name = value.removeprefix("builtins.")
    for part in name.split("."):
        if not part.isidentifier() or keyword.iskeyword(part):
            raise PydanticCustomError("no_exception", "that is not a valid class name")
    thing = getattr(builtins, name, None)
    if thing is None:
        return name
    if not (isinstance(thing, type) and issubclass(thing, BaseException)):
        raise PydanticCustomError("no_exception", "that is not an exception class")
    return thing.__name__  # IOError is OSError


#: Milliseconds that a call may take; 0 would let nothing be done.
_Limit = Annotated[
    int,
    Field(strict=True, ge=-1, le=10**12, json_schema_extra={"not": {"enum": [0]}}),
    AfterValidator(_not_zero),
]
#: One for all endpoints, or a map.
Limits = Annotated[
    Annotated[_Limit, Tag("int")] | Annotated[dict[_Text, _Limit], Tag("map")],
    Discriminator(_kind),
]
_Exception = Annotated[_Text, AfterValidator(_exception)]
OnError = Literal["stop", "split", "continue"]
_Strategy = Literal["IGNORE", "SKIP_EXECUTOR", "SKIP_HANDLE", "THROW_EARLY"]
STRATEGIES = get_args(_Strategy)
Strategy = Annotated[_Strategy, BeforeValidator(_upper, json_schema_input_type=str)]


class RetriesModel(BaseModel):
    """Which failed calls of the Executor are retried, and how."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), defer_build=True)

    times: Annotated[int, Field(strict=True, ge=0, le=1000)] = Field(
        3, description="Number of retries after the first attempt."
    )
    on: Annotated[
        list[_Exception],
        BeforeValidator(_one_or_many, json_schema_input_type=_Exception | list[_Exception] | None),
    ] = Field(
        default_factory=list,
        description=(
            "Exception classes to retry on, or their base classes: ConnectionError, "
            "my.module.Error. The default is all exceptions."
        ),
    )
    backoff: Annotated[int, Field(strict=True, ge=0, le=10**9)] = Field(
        100,
        description=(
            "Milliseconds to wait before the first retry; doubled for each further retry, up to "
            "60000."
        ),
    )


Retries = Annotated[
    Annotated[int, Field(strict=True, ge=-1, le=1000), Tag("int")]
    | Annotated[RetriesModel, Tag("map")],
    Discriminator(_kind),
]
