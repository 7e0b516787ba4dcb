"""What an Executor's YAML may say; see `schema.py`, where the rest is.

It is a file of its own because a command for one Executor needs no other models, and those of a
Flow take time to make.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticKnownError

from jina.config.batching_schema import BatchingSection
from jina.config.schema_parts import Text, empty_is_map, one_or_many

Number = Annotated[int, Field(strict=True)]
Real = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
_NO_NUL = r"^[^\x00]*$"


def _without_nul(value: Any) -> Any:
    """No process takes a NUL in its environment."""
    if isinstance(value, str) and "\0" in value:
        raise PydanticKnownError("string_pattern_mismatch", {"pattern": _NO_NUL})
    return value


#: A section that may be empty: `with:` and nothing after it.
Section = Annotated[
    dict[str, Any],
    BeforeValidator(empty_is_map, json_schema_input_type=dict[str, Any] | None),
]
Bindings = Annotated[
    dict[str, Text],
    BeforeValidator(empty_is_map, json_schema_input_type=dict[str, Text] | None),
]
Names = Annotated[
    list[Text],
    BeforeValidator(one_or_many, json_schema_input_type=Text | list[Text] | None),
]
_Variable = Annotated[str, Field(strict=True, pattern=r"^[^=\x00]+$")]
# Not a pattern of pydantic's own: it refuses text that is not Unicode, and values may be that.
_Words = Annotated[str, Field(strict=True, json_schema_extra={"pattern": _NO_NUL})]
_Setting = Annotated[_Words | Flag | Number | Real, AfterValidator(_without_nul)]
PathText = Annotated[_Words, AfterValidator(_without_nul)]
_Environment = dict[_Variable, _Setting]
Environment = Annotated[
    _Environment, BeforeValidator(empty_is_map, json_schema_input_type=_Environment | None)
]


class Strict(BaseModel):
    """A map without other keys."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), defer_build=True)


class Metas(BaseModel):
    """What is known before it runs; other keys become attributes of `self.metas`."""

    model_config = ConfigDict(extra="allow", protected_namespaces=(), defer_build=True)

    name: Text | None = Field(
        None,
        description=(
            "Name of the Executor; also the name of its workspace folder and of its own "
            "parameters. The default is the class name."
        ),
    )
    description: Text | None = Field(None, description="One sentence about what the Executor does.")
    workspace: Text | None = Field(
        None,
        description=(
            "Folder that the Executor can write to, relative to this file. The default is the "
            "Flow's."
        ),
    )
    py_modules: Names = Field(
        default_factory=list,
        description=(
            "Python files, folders with an __init__.py, or dotted names to import for the "
            "class. Paths are relative to this file."
        ),
    )


class ExecutorModel(Strict):
    """An Executor: which class, constructed how, serving what."""

    jtype: Text | None = Field(
        None,
        description="Class name, or module:Class. The tag `!Class` before the map means the same.",
    )
    with_: Section = Field(default_factory=dict, alias="with", description="Constructor arguments.")
    metas: Annotated[Metas, BeforeValidator(empty_is_map, json_schema_input_type=Metas | None)] = (
        Field(
            default_factory=lambda: Metas.model_validate({}),
            description="Name, description, workspace, py_modules.",
        )
    )
    requests: Bindings = Field(
        default_factory=dict,
        description="Map from endpoint to the name of the method that serves it. Takes precedence "
        "over @requests.",
    )
    py_modules: Names = Field(
        default_factory=list, description="Same as metas.py_modules; imported before those."
    )
    dynamic_batching: BatchingSection = Field(
        default_factory=dict,
        description=(
            "Map from endpoint or method name to how its requests are batched. Overrides "
            "@dynamic_batching."
        ),
    )
    uses_dynamic_batching: BatchingSection = Field(
        default_factory=dict, description="Overrides dynamic_batching."
    )
    env: Environment = Field(
        default_factory=dict,
        description=(
            "Environment variables of its processes, set before anything is imported. Those of the "
            "Flow and of its entry in the Flow win."
        ),
    )
