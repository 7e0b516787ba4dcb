"""`jina executor list`: the catalogue."""

from __future__ import annotations

import sys

import msgspec

from jina.config import load_executor
from jina.config.catalogue import names
from jina.excepts import ConfigError
from jinacli import exits
from jinacli.screens.catalogue import show_catalogue

#: Of the JSON form; a field that changes its meaning makes it v2, a new field does not.
SCHEMA = "jina/executors/v1"


def list_executors(*, as_json: bool, names_only: bool) -> int:
    """Show what `uses: catalogue://NAME` may name."""
    if names_only and not as_json:
        sys.stdout.write("".join(f"{name}\n" for name in names()))
        return exits.OK
    found = {name: _description(name) for name in names()}
    if as_json:
        entries = [{"name": name, "description": text} for name, text in found.items()]
        answer = {"schema": SCHEMA, "executors": entries}
        sys.stdout.write(f"{msgspec.json.encode(answer).decode()}\n")
    else:
        show_catalogue(found)
    return exits.OK


def _description(name: str) -> str:
    try:
        return str(load_executor(f"catalogue://{name}").spec.metas.get("description") or "")
    except ConfigError as error:  # one that somebody added
        return f"cannot be used: {error}".partition("\n")[0]
