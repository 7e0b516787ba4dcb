"""What a Flow runs, in its run directory: whoever compares it with its YAML reads it there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from jina.graph.plan import Plan
from jina.runtime.structs import decode_json, encode_json

_NAME = "plan.json"
_DECODER = msgspec.json.Decoder(Plan)


def write_plan(directory: Path, plan: Plan) -> None:
    """Keep what a Flow that was made from files runs now; a full disk is no reason to fail."""
    if plan.origins is None:
        return
    new = directory / f"{_NAME}.new"
    with contextlib.suppress(OSError):
        # Its arguments may be secrets.
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(encode_json(plan))
        os.replace(new, directory / _NAME)


def read_plan(directory: Path) -> Plan | None:
    """What a Flow runs; None where nobody has written it."""
    try:
        return decode_json((directory / _NAME).read_bytes(), _DECODER)
    except (OSError, msgspec.DecodeError):
        return None
