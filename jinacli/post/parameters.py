"""The parameters of a post, as they are given at a shell: `-p top_k=3 -p @more.yml`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer

from jina.config.scalars import plain_value
from jina.excepts import WireError
from jina.names import DEFAULT_ENDPOINT
from jina.suggest import nearest
from jina.wire.header import REQUEST, pack_message
from jina.wire.maps import Call, pack_map
from jinacli.screens.errors import say

_OPTION = "-p"
_NEAR = 0.85  # how much of a name must be alike: `min_length` is no misspelt `max_length`
_JSON = ("[", "{", '"')  # what a value in JSON begins with


def parameters_of(given: Sequence[str], *, quiet: bool = False) -> dict[str, Any]:
    """Read what was given, and say on standard error what may have been meant otherwise.

    Args:
        given: `key=value`, a JSON map, or `@FILE`, a map in YAML or JSON. A value is read as YAML
            reads an unquoted one, or as JSON if it begins with a bracket, a brace or a quote.
            `a.b=1` sets `b` in the map `a`. What comes later wins.
        quiet: say nothing.

    Raises:
        typer.BadParameter: one is none of these, or together they are more than a request holds.
        ConfigError: the file of one cannot be used.
    """
    parameters: dict[str, Any] = {}
    for text in given:
        if text.startswith("@"):
            _merge(parameters, _read_file(text[1:]))
        elif text.lstrip().startswith("{"):
            _merge(parameters, _read_map(text))
        else:
            _set(parameters, text, quiet)
    try:
        pack_message(REQUEST, call=pack_map(Call(parameters)))  # before anything is started
    except WireError as error:
        raise typer.BadParameter(str(error), param_hint=_OPTION) from error
    return parameters


def _read_file(path: str) -> dict[str, Any]:
    # Late: only this needs the YAML loader.
    from jina.config.maps import load_map

    return load_map(Path(path), what="parameters")


def _read_map(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise typer.BadParameter(f"not a JSON map: {error}", param_hint=_OPTION) from error


def _set(parameters: dict[str, Any], text: str, quiet: bool) -> None:
    """Take in one `key=value`."""
    key, equals, value = text.partition("=")
    *outer, last = key.split(".")
    if not equals or not all((*outer, last)):
        raise typer.BadParameter(
            f"{text!r} is neither key=value nor a map such as '{{\"top_k\": 3}}'",
            param_hint=_OPTION,
        )
    into = parameters
    for name in outer:
        into = into.setdefault(name, {})
        if not isinstance(into, dict):
            raise typer.BadParameter(
                f"{key} sets a key of {name}, which is not a map but {into!r}", param_hint=_OPTION
            )
    into[last] = _value(value)
    if (note := _note(value)) and not quiet:
        say(f"note: {_OPTION} {key}={value} is {note}")


def _value(text: str) -> Any:
    if text[:1] in _JSON:
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError):
            return text
    return plain_value(text) if text else ""  # `q="$QUERY"` is meant as text, also when it is empty


def _note(text: str) -> str:
    """Why a value may have been meant otherwise; "" if it may not."""
    if text[:1] in _JSON and _value(text) is text:
        return "text, because it is not valid JSON"
    if text in ("None", "none", "NONE"):
        return f"the text {text!r}; write null for no value"
    if isinstance(plain_value(text or "x"), bool) and text.lower() in ("yes", "no"):
        return f"{str(plain_value(text)).lower()}; for the text write '\"{text}\"'"
    return ""


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    """Lay a map over another one, key by key; maps in both are merged."""
    for key, value in more.items():
        old = into.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            _merge(old, value)
        else:
            into[key] = value


def say_misspelt(
    parameters: Mapping[str, Any],
    endpoint: str,
    nodes: Sequence[Mapping[str, Any]],
    taking_part: Collection[str],
) -> None:
    """Say which parameters look like misspelt ones, on standard error.

    That nobody reads a parameter is no mistake by itself: parameters are for all Executors, and not
    everything that their code does can be told from its text. If it is nearly the name of one that
    is read, it probably is one.

    Args:
        parameters: of the post.
        endpoint: that is posted to.
        nodes: the Executors, each with `name`, `title` and what it says of its `endpoints`.
        taking_part: names of those that get the Documents.
    """
    read: dict[str, set[str]] = {}  # by the name under which an Executor has parameters of its own
    titles: dict[str, str] = {}  # by its name in the Flow
    known: set[str] = set()
    for node in nodes:
        at = {
            each["path"]: [parameter["name"] for parameter in each["parameters"]]
            for each in node["endpoints"]
        }
        known.update(*at.values())
        if node["name"] in taking_part:
            title = titles[node["name"]] = node["title"] or node["name"]
            own = read.setdefault(title, set())
            own.update(at.get(endpoint, at.get(DEFAULT_ENDPOINT, ())))
    for key, value in parameters.items():
        if not isinstance(value, dict):
            _say_near([key], set().union(*read.values()), known | set(read))
        elif key in read:
            _say_near(value, read[key], known, f"{key}.")
        elif key in titles and key not in known:
            say(
                f'note: "{key}" is a name in the Flow; parameters for that Executor alone go under '
                f'the name in its metas, "{titles[key]}"'
            )
        else:
            _say_near([key], set(read).union(*read.values()), known)


def _say_near(
    given: Iterable[str], read: Collection[str], known: Collection[str], before: str = ""
) -> None:
    for name in given:
        near = "" if name in known else nearest(name, sorted(read), cutoff=_NEAR)
        if near:
            say(
                f'note: no Executor seems to read the parameter "{before}{name}"; '
                f'did you mean "{before}{near}"?'
            )
