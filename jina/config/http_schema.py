"""The part of the Flow YAML about HTTP; the rest is in `schema`.

The keys of Jina 2 stand in `with`, where Jina 2 has them. All of them may stand in `http` too, with
those that Jina 2 does not have.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from jina.defaults import MAX_REPLICAS, MIB
from jina.suggest import near_name

#: Those that serve HTTP; gRPC is accepted, and nothing listens for it.
OPENS = ("http", "websocket")
#: Keys whose values are paths.
HTTP_FILES = ("ssl_certfile", "ssl_keyfile", "api_key_file")
_UNITS = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3}
_UNITS |= {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_Method = Literal["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
_Text = Annotated[str, Field(strict=True)]
_Flag = Annotated[bool, Field(strict=True)]
_Whole = Annotated[int, Field(strict=True, ge=1, le=10**9)]


def _with_unit(value: Any, units: dict[str, float], hint: str) -> float | None:
    """The number of a text such as `64MiB`; None for what is no text.

    Raises:
        PydanticCustomError: it has no unit that is known.
    """
    if not isinstance(value, str):
        return None
    found = re.fullmatch(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([A-Za-z]+)\s*", value)
    if found is None or found[2].lower() not in units:
        raise PydanticCustomError(
            "no_unit", "expected a number with a unit", {"hint": f"write it as in `{hint}`"}
        )
    number = float(found[1]) * units[found[2].lower()]
    if not number:
        raise PydanticCustomError("no_unit", "expected more than zero", {"hint": ""})
    return number


def _bytes(value: Any) -> Any:
    number = _with_unit(value, dict(_UNITS), "64MiB")
    return value if number is None else int(number)


def _seconds(value: Any) -> Any:
    number = _with_unit(value, _SECONDS, "60s")
    if number is None and isinstance(value, int | float) and not isinstance(value, bool):
        raise PydanticCustomError(
            "no_unit",
            "expected a time with a unit",
            {"hint": f"write `{value}s` for seconds" if value > 0 else "write it as in `60s`"},
        )
    return value if number is None else number


def _protocol(value: Any) -> Any:
    """Refuse what is no protocol, in the words of those that have an effect."""
    if not isinstance(value, str) or value in (*OPENS, "grpc"):
        return value
    close = near_name(value, OPENS)
    raise PydanticCustomError(
        "no_unit",
        "expected http or websocket",
        {"hint": f"did you mean '{close}'?" if close else ""},
    )


def _lower(value: Any) -> Any:
    if isinstance(value, list):
        return [_lower(item) for item in value]
    return value.lower() if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [] if value is None else [value]


def _upper_methods(value: Any) -> Any:
    return [each.upper() if isinstance(each, str) else each for each in _as_list(value)]


def _of_json(value: Any) -> Any:
    """A map, or its JSON text, as the command line of Jina 2 wants it."""
    if value is None:
        return {}
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise PydanticCustomError(
            "no_unit", "expected a map", {"hint": f"as JSON text, it is wrong: {str(error)[:80]}"}
        ) from None


def _path(value: str) -> str:
    if value and not value.startswith("/"):
        raise PydanticCustomError(
            "no_unit", "expected a path that begins with /", {"hint": f"write `/{value}`"}
        )
    return value


def _empty_is_map(value: Any) -> Any:
    return {} if value is None else value


Size = Annotated[
    int, BeforeValidator(_bytes, json_schema_input_type=int | str), Field(ge=1, le=1 << 40)
]
Duration = Annotated[
    float, BeforeValidator(_seconds, json_schema_input_type=str), Field(gt=0, le=10**6)
]
_UrlPath = Annotated[_Text, AfterValidator(_path)]
_Port = Annotated[int, Field(strict=True, ge=0, le=65535)]
_Ports = Annotated[list[_Port], BeforeValidator(_as_list, json_schema_input_type=_Port | list[int])]
_Protocol = Annotated[Literal["http", "websocket", "grpc"], BeforeValidator(_protocol)]
_Protocols = Annotated[
    list[_Protocol],
    BeforeValidator(
        lambda value: _as_list(_lower(value)), json_schema_input_type=_Text | list[_Text]
    ),
]
_Names = Annotated[
    list[_Text], BeforeValidator(_as_list, json_schema_input_type=_Text | list[_Text] | None)
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=(), defer_build=True)


class ExposedModel(BaseModel):
    """How one endpoint is shown over HTTP; other keys of Jina 2 go into the description."""

    model_config = ConfigDict(extra="allow", protected_namespaces=(), defer_build=True)

    path: _UrlPath | None = Field(
        None, description="Path of its URL. The default is the endpoint itself."
    )
    methods: Annotated[
        list[_Method],
        BeforeValidator(_upper_methods, json_schema_input_type=_Text | list[_Text]),
    ] = Field(default=["POST"], description="HTTP methods. The default is POST.")
    summary: _Text | None = Field(None, description="A few words for the documentation page.")
    description: _Text | None = Field(None, description="More words for the documentation page.")
    tags: _Names = Field(default_factory=list, description="Groups on the documentation page.")


Exposed = Annotated[
    dict[_Text, ExposedModel],
    BeforeValidator(
        _of_json, json_schema_input_type=Annotated[dict[_Text, ExposedModel], Field()] | _Text
    ),
]


class _Shared(_Strict):
    """The keys that `with` and `http` have."""

    host: _Text | None = Field(
        None,
        description=(
            "Address that HTTP listens on. The default is 127.0.0.1. One that other machines can "
            "reach needs api_key_file or insecure_no_auth in `http`."
        ),
    )
    cors: _Flag | None = Field(
        None, description="Let pages of other sites read the answers. The default is false."
    )
    title: _Text | None = Field(
        None, description="Title of the documentation page. The default is the Flow's name."
    )
    description: _Text | None = Field(None, description="Text on the documentation page.")
    no_crud_endpoints: _Flag | None = Field(
        None, description="Take /index, /search, /update and /delete away."
    )
    no_debug_endpoints: _Flag | None = Field(
        None, description="Take /post, /status and /dry_run away."
    )
    expose_endpoints: Exposed | None = Field(
        None,
        description=(
            "Map from endpoint to how it is shown: path, methods, summary, description, tags; or "
            "the same as JSON text."
        ),
    )
    ssl_certfile: _Text | None = Field(
        None, description="Certificates in PEM, for HTTPS; relative to this file."
    )
    ssl_keyfile: _Text | None = Field(
        None, description="Their private key in PEM, relative to this file."
    )


class HttpModel(_Shared):
    """How the Flow is reached over HTTP."""

    port: _Port | None = Field(
        None, description="Port to listen on, 0 for a free one. Opens it, as `protocol: http` does."
    )
    workers: Annotated[int, Field(strict=True, ge=1, le=MAX_REPLICAS)] | None = Field(
        None, description="Number of processes that share the port. The default is 1."
    )
    api: Annotated[int, Field(strict=True, ge=2, le=3)] | None = Field(
        None,
        description=(
            "Format of the answers for clients that are not from Jina, as in Jina 2 or 3. The "
            "default is 2."
        ),
    )
    api_key_file: _Text | None = Field(
        None,
        description=(
            "File with a key in each line, relative to this file; requests need one of them."
        ),
    )
    insecure_no_auth: _Flag | None = Field(
        None, description="Let other machines in without a key. The default is false."
    )
    hosts: _Names | None = Field(
        None,
        description=(
            "Host names under which it is reached; others are refused. The default is localhost "
            "and the address on loopback, and any name elsewhere."
        ),
    )
    docs: _Flag | None = Field(
        None, description="Serve the documentation page at /docs. The default is true."
    )
    root_path: _UrlPath | None = Field(
        None, description="Path under which a proxy shows it, such as /search."
    )
    max_body: Size | None = Field(
        None, description="Largest request, such as 64MiB, which is the default."
    )
    max_docs: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = Field(
        None, description="Most Documents in a request. The default is 10000."
    )
    max_waiting: _Whole | None = Field(
        None,
        description=(
            "Requests that wait in each of its processes, beyond which clients get 503. The "
            "default is 1000."
        ),
    )
    max_waiting_bytes: Size | None = Field(
        None, description=f"Bytes of these together. The default is {256 * MIB >> 20}MiB."
    )
    max_connections: _Whole | None = Field(
        None, description="Connections of each of its processes. The default is 20000."
    )
    timeout: Duration | None = Field(
        None,
        description="How long an answer may take, such as 60s, which is the default; then 504.",
    )
    coalesce_ms: Annotated[float, Field(strict=True, ge=0, le=10_000)] | None = Field(
        None,
        description=(
            "Milliseconds that a small request may wait for others, to be sent together with "
            "them. The default is 0, which is never."
        ),
    )
    access_log: _Flag | None = Field(
        None, description="Write a line for each request to the Flow's log. The default is false."
    )
    log_format: Literal["text", "json"] | None = Field(
        None, description="How these lines are written. The default is text."
    )


#: A section that may be empty: `http:` and nothing after it.
HttpSection = Annotated[
    HttpModel, BeforeValidator(_empty_is_map, json_schema_input_type=HttpModel | None)
]


class HttpOptions(_Shared):
    """What a Flow's `with` says of HTTP."""

    protocol: _Protocols | None = Field(
        None,
        description=(
            "http or websocket: serve HTTP and WebSockets, both at the same port. grpc has no "
            "effect."
        ),
    )
    port_expose: _Port | None = Field(None, description="Port of HTTP. The default is a free one.")
    port: _Ports | None = Field(None, description="Same as port_expose.")
    http: HttpSection | None = Field(None, description="Same as the top-level `http`.")
