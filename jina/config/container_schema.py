"""How the keys of an executor in a container are described."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from jina.config.schema_parts import Text, empty_is_map, one_or_many


def _text_of_number(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Texts = Annotated[
    list[Text], BeforeValidator(one_or_many, json_schema_input_type=Text | list[Text] | None)
]
Volumes = Annotated[
    _Texts,
    Field(
        description=(
            "Folders of this machine that its container sees: HOST, HOST:CONTAINER or "
            "HOST:CONTAINER:ro, relative to this file. HOST alone is mounted at /NAME."
        )
    ),
]
Entrypoint = Annotated[
    _Texts,
    Field(
        description=(
            "Overrides the ENTRYPOINT of its image, from which the interpreter and `--uses FILE` "
            "are read. The default of the file is config.yml, in the working directory."
        )
    ),
]
Gpus = Annotated[
    Annotated[
        str, Field(strict=True), BeforeValidator(_text_of_number, json_schema_input_type=str | int)
    ]
    | None,
    Field(description="GPUs that its container sees: all, a number, or device=0,1."),
]
PullLatest = Annotated[
    bool, Field(strict=True, description="Pull its image at each start, even if it is here.")
]
DockerKwargs = Annotated[
    dict[str, Any],
    BeforeValidator(empty_is_map, json_schema_input_type=dict[str, Any] | None),
    Field(
        description=(
            "More about its container, in the words of docker's Python library, such as "
            "shm_size, mem_limit and network."
        )
    ),
]
