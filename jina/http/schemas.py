"""The schemas of /openapi.json: Documents, answers, errors, and parameters by their Python types.

JSON Schema as plain dicts. The paths are in `openapi`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from jina.http.description import Parameter

Schema = dict[str, Any]

_SIMPLE: dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
}
_LISTS = frozenset({"list", "tuple", "set", "frozenset", "sequence", "iterable", "collection"})
_MAPS = frozenset({"dict", "mapping", "mutablemapping"})
_GENERIC = re.compile(r"(?:typing\.|t\.|collections\.abc\.)?(\w+)(?:\[(.*)\])?", re.DOTALL)


def ref(name: str, kind: str = "schemas") -> Schema:
    """A reference to one of the components."""
    return {"$ref": f"#/components/{kind}/{name}"}


def of_type(text: str) -> Schema:
    """The JSON Schema of a type as Python writes it, such as "list[int] | None"; {} if unknown."""
    text = text.strip().strip("\"'")
    if text in _SIMPLE:
        return dict(_SIMPLE[text])
    parts = _split(text, "|")
    if len(parts) > 1:
        return _any_of(parts)
    found = _GENERIC.fullmatch(text)
    if not found:
        return {}
    name, inner = found[1].lower(), _split(found[2] or "", ",")
    if name == "optional":
        return _any_of([*inner, "None"])
    if name == "union":
        return _any_of(inner)
    if name == "annotated":
        return of_type(inner[0]) if inner else {}
    if name == "literal":
        return _literal(inner)
    if name in _LISTS:
        items = of_type(inner[0]) if inner else {}
        return {"type": "array", **({"items": items} if items else {})}
    if name in _MAPS:
        values = of_type(inner[1]) if len(inner) == 2 else {}
        return {"type": "object", **({"additionalProperties": values} if values else {})}
    return {}


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators that are in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"[": 1, "]": -1}.get(character, 0)
        if character == separator and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _any_of(parts: list[str]) -> Schema:
    found = [of_type(part) for part in parts]
    if not all(found):
        return {}
    names = [each["type"] for each in found if each.keys() == {"type"}]
    return {"type": names} if len(names) == len(found) else {"anyOf": found}


def _literal(values: list[str]) -> Schema:
    try:
        return {"enum": [msgspec.json.decode(value.replace("'", '"')) for value in values]}
    except msgspec.DecodeError:
        return {}


def of_parameters(parameters: Iterable[Parameter]) -> Schema:
    """The schema of `parameters` for an endpoint; Executors ignore keys that they do not read."""
    properties: Schema = {}
    for each in parameters:
        schema = of_type(each.type)
        if each.default is not msgspec.UNSET:
            schema["default"] = each.default
        properties[each.name] = schema
    required = [each.name for each in parameters if each.is_required]
    return {
        "type": "object" if required else ["object", "null"],
        **({"properties": properties} if properties else {}),
        **({"required": required} if required else {}),
        "additionalProperties": True,
    }


def _object(properties: Schema, *required: str, **more: Any) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        **({"required": list(required)} if required else {}),
        **more,
    }


def _tensor(text: str) -> Schema:
    return {
        "description": f"{text}: nested lists of numbers, or `{{dtype, shape, data}}` with base64",
    }


_TEXT: Schema = {"type": "string"}
_NULLABLE_TEXT: Schema = {"type": ["string", "null"]}
_NULLABLE_OBJECT: Schema = {"type": ["object", "null"]}
_CHILDREN: Schema = {"type": ["array", "null"], "items": ref("Document")}

DOCUMENT = _object(
    {
        "id": {
            "type": ["string", "number", "null"],
            "description": "One is made if it is left out.",
        },
        "text": _NULLABLE_TEXT,
        "uri": {
            **_NULLABLE_TEXT,
            "description": "Where the content is; a picture may be a `data:` URI.",
        },
        "buffer": {
            **_NULLABLE_TEXT,
            "contentEncoding": "base64",
            "description": "The content as bytes.",
        },
        "mime_type": _NULLABLE_TEXT,
        "blob": _tensor("The content as an array"),
        "embedding": _tensor("A vector"),
        "tags": {**_NULLABLE_OBJECT, "description": "Any further data."},
        "weight": {"type": ["number", "null"]},
        "modality": _NULLABLE_TEXT,
        "scores": {**_NULLABLE_OBJECT, "description": "By name: `{value, …}`."},
        "chunks": _CHILDREN,
        "matches": _CHILDREN,
    },
    description="A Document: of `text`, `buffer` and `blob`, it has one. A field that is null is"
    " unset. Names may be in camelCase too; other keys become tags.",
    additionalProperties=True,
)

_ERROR = _object(
    {
        "error": _object(
            {
                "type": {**_TEXT, "description": "Class of the error, for programs."},
                "message": {**_TEXT, "description": "What is wrong, and where."},
                "hint": {**_TEXT, "description": "What to do about it."},
            },
            "type",
            "message",
        )
    },
    "error",
)

_INVALID = _object(
    {
        "detail": {
            "type": "array",
            "items": _object(
                {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": _TEXT,
                    "type": _TEXT,
                },
                *("loc", "msg", "type"),
            ),
        }
    },
    "detail",
    description="Where in the body the mistake is, as Jina says it.",
)

_STATUS = {
    "type": ["object", "null"],
    "properties": {
        "code": {"description": "0 is success."},
        "description": _NULLABLE_TEXT,
        "exception": _NULLABLE_OBJECT,
    },
}
_ROUTES = {"type": ["array", "null"], "items": {"type": "object"}}
_FAILED = {
    "type": "array",
    "description": "Documents that failed; each has `{id, error}` in its place among the others.",
    "items": _object({"index": {"type": "integer"}, "id": _TEXT, "type": _TEXT, "message": _TEXT}),
}
_DOCUMENTS = {"type": ["array", "null"], "items": {"type": "object"}}

_ANSWER_2 = _object(
    {
        "requestId": _TEXT,
        "data": {"type": ["object", "null"], "properties": {"docs": _DOCUMENTS}},
        "header": _NULLABLE_OBJECT,
        "parameters": _NULLABLE_OBJECT,
        "routes": _ROUTES,
        "status": _STATUS,
        "errors": _FAILED,
    },
    "requestId",
    description="An answer as Jina 2 gives it, with names in camelCase.",
)
_ANSWER_3 = _object(
    {
        "header": _NULLABLE_OBJECT,
        "data": _DOCUMENTS,
        "parameters": _NULLABLE_OBJECT,
        "routes": _ROUTES,
        "errors": _FAILED,
    },
    "header",
    description="An answer as Jina 3 gives it: by the setting `api`, or with `targetExecutor`.",
)

SCHEMAS: Schema = {
    "Document": DOCUMENT,
    "AnswerOfJina2": _ANSWER_2,
    "AnswerOfJina3": _ANSWER_3,
    "Error": _ERROR,
    "Invalid": _INVALID,
}


def answer_schema(api: int) -> Schema:
    """The schema of an answer, that of those who do not tell their release first."""
    both = [ref("AnswerOfJina2"), ref("AnswerOfJina3")]
    return {"anyOf": both[::-1] if api == 3 else both}
