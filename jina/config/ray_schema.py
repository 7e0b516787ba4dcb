"""How `ray` of an executor is described: what each of its places in a cluster asks for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from jina.config.schema_parts import empty_is_map

_Amount = Annotated[float, Field(strict=True, ge=0, le=10**6)]
_Resource = Annotated[str, Field(strict=True, min_length=1)]
_Amounts = dict[_Resource, _Amount]


class RayModel(BaseModel):
    """What a replica asks for of a node of a cluster of Ray, see `jina flow up --on ray`."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), defer_build=True)

    num_cpus: _Amount | None = Field(
        None,
        description=(
            "Cores that each replica keeps for itself. The default is `threads` of the executor, "
            "or 1."
        ),
    )
    num_gpus: _Amount | None = Field(
        None,
        description=(
            "GPUs that each replica keeps for itself; with 0.5, two share one. Ray sets "
            "CUDA_VISIBLE_DEVICES. The default is 0."
        ),
    )
    resources: Annotated[
        _Amounts, BeforeValidator(empty_is_map, json_schema_input_type=_Amounts | None)
    ] = Field(
        default_factory=dict,
        description=(
            "Map from a resource that the nodes of the cluster declare "
            "(`ray start --resources`) to how much of it each replica keeps for itself."
        ),
    )


RaySection = Annotated[
    RayModel | None,
    Field(
        description=(
            "What each replica asks for of a cluster with `jina flow up --on ray`; has no effect "
            "elsewhere."
        )
    ),
]
