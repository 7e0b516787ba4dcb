"""The models of the YAML as a JSON Schema for editors and as tables for people.

Both come from `schema.py` alone, so they say what the checker does.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from jina.config.batching_schema import BatchingModel
from jina.config.executor_schema import ExecutorModel, Metas
from jina.config.failure_schema import RetriesModel
from jina.config.http_schema import ExposedModel, HttpModel
from jina.config.older_keys import (
    IGNORED_EXECUTOR,
    IGNORED_FLOW,
    IGNORED_NODE,
    IGNORED_OPTIONS,
    MEANS_NOTHING,
    REFUSED_NODE,
    REFUSED_OPTIONS,
)
from jina.config.ray_schema import RayModel
from jina.config.schema import FlowModel, FlowOptions, NodeModel
from jina.names import NAME_HINT, SAFE_NAME

DRAFT_07 = "http://json-schema.org/draft-07/schema#"
_IGNORED: dict[str, frozenset[str]] = {
    "FlowModel": IGNORED_FLOW,
    "FlowOptions": IGNORED_OPTIONS,
    "NodeModel": IGNORED_NODE,
    "ExecutorModel": IGNORED_EXECUTOR,
}
_WITH_NOTES = ("FlowModel", "ExecutorModel")
_REFUSED: dict[str, dict[str, str]] = {"NodeModel": REFUSED_NODE, "FlowOptions": REFUSED_OPTIONS}
_TITLES = {
    "FlowModel": "a Flow",
    "FlowOptions": "a Flow's `with`",
    "NodeModel": "an executor of a Flow",
    "ExecutorModel": "an Executor",
    "Metas": "an Executor's `metas`",
    "RetriesModel": "`retries` of an executor",
    "RayModel": "`ray` of an executor",
    "BatchingModel": "dynamic batching of an endpoint",
    "HttpModel": "`http` of a Flow",
    "ExposedModel": "an endpoint in `expose_endpoints`",
}
_NAMES = {"name": (rf"^{SAFE_NAME.pattern}$|\$", NAME_HINT[0].upper() + NAME_HINT[1:])}
_PATTERNS: dict[str, dict[str, tuple[str, str]]] = {
    "FlowModel": {**_NAMES, "version": (r"^1(\.[0-9]+)?$|\$", "Write `version: '1'`")},
    "FlowOptions": _NAMES,
    "NodeModel": _NAMES,
}
# A value may be a variable instead: `replicas: ${REPLICAS}`.
_VARIABLE = {"type": "string", "pattern": r"\$"}


def json_schema(what: Literal["flow", "executor"]) -> dict[str, Any]:
    """The JSON Schema (draft-07) of a Flow's or an Executor's YAML.

    It accepts what the checker accepts; whether names, needs, files and classes exist is for the
    checker alone.
    """
    model = FlowModel if what == "flow" else ExecutorModel
    raw = model.model_json_schema(by_alias=True, mode="validation")
    definitions = raw.pop("$defs", {})
    schema = _adapted(raw, model.__name__)
    found = {"$schema": DRAFT_07, **schema, "title": f"Jina {what.capitalize()}"}
    if definitions:
        found["definitions"] = {name: _adapted(part, name) for name, part in definitions.items()}
    return found


def _adapted(part: Any, name: str = "") -> Any:
    """A part of pydantic's schema (2020-12) as draft-07, with variables and ignored keys."""
    if isinstance(part, list):
        return [_adapted(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = _translated(part)
    if name:
        _complete(found, name)
    if found.get("type") in ("integer", "number", "boolean") or "const" in found:
        return _or_variable(found)
    if "$ref" in found and len(found) > 1:
        # Draft-07 ignores everything next to a reference.
        return {"allOf": [{"$ref": found.pop("$ref")}], **found}
    return found


def _translated(part: dict[str, Any]) -> dict[str, Any]:
    """The same keys in draft-07; titles that pydantic made up are left out."""
    found: dict[str, Any] = {}
    for key, value in part.items():
        if key == "properties":
            found[key] = {field: _adapted(inner) for field, inner in value.items()}
        elif key == "$ref":
            found[key] = value.replace("#/$defs/", "#/definitions/")
        elif key == "default" and not isinstance(value, str | int | bool):
            continue
        elif key != "title" or not isinstance(value, str):
            found[key] = _adapted(value)
    return found


def _complete(found: dict[str, Any], name: str) -> None:
    """Add to the schema of a model what pydantic does not know."""
    found["title"] = _TITLES[name]
    if name in _IGNORED:
        found["patternProperties"] = _other_keys(name)
    for key, (pattern, message) in _PATTERNS.get(name, {}).items():
        field = found["properties"][key]
        for option in field.get("anyOf", [field]):
            if option.get("type") == "string":
                option.update(pattern=pattern, patternErrorMessage=message)
    if name == "NodeModel":
        found["properties"]["uses"] = _by_kind(found["properties"]["uses"])


def _other_keys(name: str) -> dict[str, Any]:
    """The keys of Jina 2 and 3. As patterns, they are accepted, but no editor suggests them."""
    ignored: dict[str, Any] = {
        "description": "Ignored: it has no effect here.",
        "deprecationMessage": "It has no effect here; it is ignored",
    }
    keys = {f"^({'|'.join(sorted(_IGNORED[name]))})$": ignored}
    if name in _WITH_NOTES:
        keys["^x-"] = {"description": "No effect of its own: a place to define anchors."}
    for key, instead in _REFUSED.get(name, {}).items():
        keys[f"^{key}$"] = {
            "description": f"Not supported: {instead}.",
            "enum": list(MEANS_NOTHING),
            "errorMessage": f"Not supported: {instead}",
        }
    return keys


def _by_kind(part: dict[str, Any]) -> dict[str, Any]:
    """Text or a map; `if` chooses first, so that editors show the mistake inside a map."""
    return {
        "description": part["description"],
        "if": {"type": "object"},
        "then": {"$ref": "#/definitions/ExecutorModel"},
        "else": {"type": ["string", "null"]},
    }


def _or_variable(schema: dict[str, Any]) -> dict[str, Any]:
    """A number or similar, or a variable for one."""
    outside: dict[str, Any] = {
        key: schema.pop(key) for key in ("description", "default") if key in schema
    }
    return {**outside, "anyOf": [schema, _VARIABLE]}


_SECTIONS: list[tuple[str, str, type[BaseModel]]] = [
    ("A Flow", "The top level of a Flow's YAML.", FlowModel),
    ("`with` of a Flow", "Settings for the whole Flow.", FlowOptions),
    (
        "`http` of a Flow",
        "How the Flow is reached over HTTP; see docs/running.md. These keys win over those of "
        "`with`. Sizes and times have units: `64MiB`, `60s`, `500ms`.",
        HttpModel,
    ),
    (
        "An endpoint in `expose_endpoints`",
        "Other keys of Jina 2 are kept, and have no effect.",
        ExposedModel,
    ),
    ("An executor of a Flow", "Each item of `executors`.", NodeModel),
    ("`retries` of an executor", "Which calls are retried when they raise.", RetriesModel),
    (
        "`ray` of an executor",
        "What each replica asks for of a cluster of Ray; see docs/scaling.md.",
        RayModel,
    ),
    ("An Executor", "The top level of an Executor's YAML, or an inline `uses`.", ExecutorModel),
    ("`metas` of an Executor", "Other keys are kept: they become `self.metas.<key>`.", Metas),
    (
        "Dynamic batching of an endpoint",
        "Each value of `dynamic_batching` and `uses_dynamic_batching`; see docs/running.md.",
        BatchingModel,
    ),
]

_HEAD = """\
# The YAML of Flows and Executors

`python -m jina.config.reference` writes this page from the models that `jina flow check` and
`jina executor check` use; a test checks that it is up to date.

An unknown key is an error, and the message suggests the closest known one. Keys are always text,
even `on:`. `true` and `false` are booleans, and so are unquoted `yes` and `no`; `12:30:00`, `1_000`
and `017` are text. A map must not repeat a key. Anchors and `<<` work; top-level keys that start
with `x-` have no effect of their own and are a place to define anchors. `!Name` before a map is the
same as `jtype: Name` in it. Relative paths are relative to the file that contains them.

The YAML of a Flow or an Executor refers to code that runs with your permissions, so read files from
other people before you run them. `jina flow check` and `jina executor check` import that code too;
with `--no-import` they only read the YAML.

Editors can complete and check the YAML with a JSON Schema. Create the schema with
`jina schema flow > flow.schema.json`, and start the YAML with the line
`# yaml-language-server: $schema=flow.schema.json`. `jina flow new` and `jina executor new` do both
for you. With yaml-language-server (VS Code, Neovim, Emacs …), the editor completes and explains
keys and values and underlines mistakes. It does not know our tags and reads unquoted `yes` and `no`
as text, so write `jtype: Name` and `true` in files that you edit with it.
"""

_VARIABLES = """\
## Variables

| syntax | value |
|---|---|
| `$VAR`, `${VAR}` | the environment variable; an error that shows the place if it is not set |
| `${VAR:-default}`, `${VAR-default}` | a default if it is unset or empty; if it is unset |
| `${VAR:?message}`, `${VAR?message}` | this error if it is unset or empty; if it is unset |
| `${VAR:+text}`, `${VAR+text}` | this text if it is set and not empty; if it is set |
| `$$` | one `$` |
| `${{ ENV.VAR }}`, `${{ ENV.VAR \\| default }}` | the environment variable, in Jina's notation |
| `${{ VAR }}` | the environment variable, or else the value from the context given in Python |
| `${{ CONTEXT.name }}` | the value from the context given in Python |
| `${{ root.a.b }}`, `${{ root.executors[0].name }}` | another value of this file |
| `${{ this.name }}` | another value of the same map |

An unquoted value that consists of a single variable gets the type that YAML gives to its text:
`size: $SIZE` can be a number, and `fields: $FIELDS` with `[a, b]` is a list. A quoted value, or one
with text around the variable, stays text. A `.env` file next to the YAML is read too; variables set
in the shell take precedence.
"""


def markdown() -> str:
    """The page docs/yaml.md."""
    parts = [_HEAD]
    for title, text, model in _SECTIONS:
        parts.append(f"## {title}\n\n{text}\n\n{_table(model)}")
    refused = "\n".join(
        f"| `{key}` of {_TITLES[name]} | {instead} |"
        for name, keys in _REFUSED.items()
        for key, instead in keys.items()
    )
    parts.append(
        "## Keys of Jina 2 and 3 that are refused\n\n"
        "They are refused because ignoring them would change results.\n\n"
        f"| key | instead |\n|---|---|\n{refused}\n"
    )
    parts.append(
        "## Keys of Jina 2 and 3 that are ignored\n\n"
        "They are accepted without effect, and `check` lists them.\n\n"
        + "\n".join(
            f"- {title}: {', '.join(f'`{key}`' for key in sorted(_IGNORED[model.__name__]))}"
            for title, _, model in _SECTIONS
            if model.__name__ in _IGNORED
        )
        + "\n"
    )
    parts.append(_VARIABLES)
    return "\n".join(parts)


def _table(model: type[BaseModel]) -> str:
    schema = model.model_json_schema(by_alias=True, mode="validation")
    lines = ["| key | type | meaning |", "|---|---|---|"]
    fields = {info.alias or name: name for name, info in model.model_fields.items()}
    # Those of a base class last.
    in_order = sorted(
        schema["properties"], key=lambda key: fields[key] not in model.__annotations__
    )
    for key in in_order:
        part = schema["properties"][key]
        text = part.get("description", "")
        default = part.get("default")
        if isinstance(default, str | int) and not isinstance(default, bool):
            text += f" Default: `{default}`."
        lines.append(f"| `{key}` | {_kind(part)} | {text} |")
    return "\n".join(lines) + "\n"


_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "map",
    "null": "",
}


def _kind(part: dict[str, Any]) -> str:
    """The type of a key in words."""
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in part:
            words = [_kind(option) for option in part[choice]]
            return " or ".join(dict.fromkeys(word for word in words if word))
    if "$ref" in part:
        return "map"
    if "enum" in part:
        return " or ".join(f"`{value}`" for value in part["enum"])
    if part.get("type") == "array":
        items = _kind(part.get("items", {}))
        return f"list of {items}s" if items in ("text", "map") else "list"
    return _WORDS.get(part.get("type", ""), "anything")


if __name__ == "__main__":
    print(markdown(), end="")
