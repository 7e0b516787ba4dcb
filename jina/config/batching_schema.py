"""The part of the YAML about requests that become one call; the rest is in `schema`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from jina.defaults import BATCH_DOCS, BATCH_TIMEOUT_MS

_Text = Annotated[str, Field(strict=True)]
_Flag = Annotated[bool, Field(strict=True)]


def _empty_is_map(value: Any) -> Any:
    return {} if value is None else value


class BatchingModel(BaseModel):
    """How requests become one call; what is left out is as the decorator says."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), defer_build=True)

    preferred_batch_size: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = Field(
        None,
        description=(
            f"Target and maximum number of Documents per call. The default is {BATCH_DOCS}."
        ),
    )
    timeout: Annotated[float, Field(strict=True, ge=0, le=10**9)] | None = Field(
        None,
        description=(
            "Milliseconds that the oldest request waits for others to join it. The default is "
            f"{BATCH_TIMEOUT_MS}."
        ),
    )
    flush_all: _Flag | None = Field(
        None, description="Pass all waiting Documents in one call, however many there are."
    )
    use_dynamic_batching: _Flag | None = Field(
        None, description="false turns batching off, even if the decorator turns it on."
    )
    custom_metric: Any = Field(None, description="Ignored: batches are sized by Documents.")
    use_custom_metric: Any = Field(None, description="Ignored, like custom_metric.")


_Batching = Annotated[
    BatchingModel, BeforeValidator(_empty_is_map, json_schema_input_type=BatchingModel | None)
]
BatchingSection = Annotated[
    dict[_Text, _Batching],
    BeforeValidator(_empty_is_map, json_schema_input_type=dict[_Text, _Batching] | None),
]
