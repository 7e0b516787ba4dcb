"""What `--parameters` means, for `jina post` and for trial runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import typer

from jina.excepts import WireError
from jina.wire.header import REQUEST, pack_message
from jina.wire.maps import Call, pack_map


def parameters_of(given: Sequence[str]) -> dict[str, Any]:
    """One map from `key=value` pairs and JSON maps; later ones win.

    Args:
        given: in their order; a value is JSON where it can be read so, else text.

    Raises:
        typer.BadParameter: one is neither, or together they are more than a request holds.
    """
    parameters: dict[str, Any] = {}
    for text in given:
        if text.lstrip().startswith("{"):
            try:
                parameters.update(msgspec.json.decode(text, type=dict[str, Any]))
            except (msgspec.DecodeError, UnicodeEncodeError) as error:
                raise typer.BadParameter(f"no JSON map: {error}", param_hint="-p") from error
            continue
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise typer.BadParameter(
                f"{text!r} is neither key=value nor a map such as '{{\"top_k\": 3}}'",
                param_hint="-p",
            )
        try:
            parameters[key] = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeEncodeError):
            parameters[key] = value
    try:
        pack_message(REQUEST, call=pack_map(Call(parameters)))  # said before anything is started
    except WireError as error:
        raise typer.BadParameter(str(error), param_hint="-p") from error
    return parameters
