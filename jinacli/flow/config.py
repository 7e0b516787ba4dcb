"""`jina flow config`: a Flow as it is understood, and where each value comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from jina.config.resolved import Resolved, as_yaml, resolved, written
from jina.config.secrets import MASK, looks_secret, masked, masked_text
from jina.config.tree import DataPath
from jina.config.variable_uses import secret_places, variable_uses
from jina.terminal_text import escaped
from jinacli import exits
from jinacli.flow.given import Given
from jinacli.screens.columns import in_columns

#: Of the JSON forms; a field that changes its meaning makes it v2, a new field does not.
SCHEMA = "jina/config/v1"
VARIABLES_SCHEMA = "jina/variables/v1"


@dataclass(frozen=True)
class Shown:
    """The options of `jina flow config`.

    Attributes:
        as_json: JSON, not YAML.
        sources: say where each value comes from.
        interpolates: replace variables, and fill in what they and defaults stand for.
        variables: list the variables instead.
        secrets: show values that look secret.
        quiet: print nothing, only check.
    """

    as_json: bool = False
    sources: bool = False
    interpolates: bool = True
    variables: bool = False
    secrets: bool = False
    quiet: bool = False


def show_config(given: Given, how: Shown) -> int:
    """Print a Flow as it is understood.

    Raises:
        ConfigError: with everything that is wrong.
    """
    options = structs.replace(given.options, substitute=how.interpolates)
    found = (resolved if how.interpolates else written)(given.source, options)
    if how.quiet:
        return exits.OK
    if how.variables:
        print(_variables(given, found, how), flush=True)
        return exits.OK
    if not how.secrets:
        places = set(secret_places(found.trees))
        secret = {path for path, place in found.sources.items() if place in places}
        found.data = masked(found.data, secret)
    if how.as_json:
        print(json.dumps(_as_json(found, how), indent=2, ensure_ascii=False), flush=True)
    else:
        text = as_yaml(found, shows_sources=how.sources)
        # Nothing was replaced, so a variable is to stay one.
        text = text if how.interpolates else text.replace("$$", "$")
        print(escaped(text), end="", flush=True)
    return exits.OK


def _as_json(found: Resolved, how: Shown) -> dict[str, Any]:
    answer: dict[str, Any] = {"schema": SCHEMA, "config": found.data}
    if how.sources:
        answer["sources"] = {
            _pointer(path): place for path, place in found.sources.items() if path and place
        }
    return answer


def _pointer(path: DataPath) -> str:
    """A path as a JSON pointer: `/executors/0/name`."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _variables(given: Given, found: Resolved, how: Shown) -> str:
    uses = variable_uses(found.trees, given.options)
    shown = [use._replace(value=_shown(use.name, use.value, how)) for use in uses]
    if how.as_json:
        listed = [use._asdict() for use in shown]
        return json.dumps({"schema": VARIABLES_SCHEMA, "variables": listed}, indent=2)
    if not shown:
        return "no variables"
    rows = [("NAME", "VALUE", "FROM", "USED AT")]
    rows += [(use.name, use.value, use.source or "not set", use.place) for use in shown]
    return escaped(in_columns([tuple(map(escaped, row)) for row in rows]))


def _shown(name: str, value: str, how: Shown) -> str:
    if how.secrets or not value:
        return value
    return MASK if looks_secret(name) else masked_text(value)
