"""How `external` of an executor is described."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

External = Annotated[
    bool,
    Field(
        strict=True,
        description=(
            "Served from other machines by `jina executor serve`; the Flow starts no process for "
            "it and waits until it is served. `uses` and the like belong there."
        ),
    ),
]
