"""What is wrong with the body of a request, in the shape in which Jina's gateways say it: 422."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from jina.defaults import KIB
from jina.http.answers import Answered
from jina.records.bad_lines import why

Place = list[str | int]

_WRONG = re.compile(r"^Expected `([^`]*)`, got `[^`]*`(?: - at `\$\.?(.*)`)?$")
_AT_BYTE = re.compile(r" at byte (\d+)")
_STEP = re.compile(r"[^.\[\]]+")
_KINDS = {
    "object": ("value is not a valid dict", "type_error.dict"),
    "array": ("value is not a valid list", "type_error.list"),
    "str": ("str type expected", "type_error.str"),
}
_ECHOED_BYTES = 1 * KIB  # of a body that is not JSON, in the answer
_LOOKED_AT_BYTES = 1024 * KIB  # of one, to say more exactly where it breaks


class Problem(msgspec.Struct, omit_defaults=True, frozen=True):
    """One thing that is wrong.

    Attributes:
        loc: where: "body", then keys and indices.
        msg: what.
        type: for programs, such as "type_error.list".
        ctx: more of it.
    """

    loc: Place
    msg: str
    type: str
    ctx: dict[str, Any] = {}


class BadBody(Exception):
    """A body that cannot be read.

    Args:
        *problems: at least one.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].msg)
        self.problems = problems


MISSING = "value_error.missing"


def refusal(*problems: Problem) -> Answered:
    """The answer to a request that cannot be done as it is."""
    return Answered(422, [], msgspec.json.encode({"detail": problems}))


def missing(*place: str | int) -> Problem:
    """Something that has to be there and is not."""
    return Problem(["body", *place], "field required", MISSING)


def wrong_type(message: str, *under: str) -> Problem:
    """What msgspec says of a value of the wrong type.

    Args:
        message: of its error.
        *under: keys of the part of the body that was read.
    """
    found = _WRONG.match(message)
    if found is None:
        return Problem(["body", *under], message, "type_error")
    kinds = found[1].split(" | ")
    kind = next((each for each in ("array", "str", "object") if each in kinds), kinds[0])
    steps = [int(step) if step.isdigit() else step for step in _STEP.findall(found[2] or "")]
    what, name = _KINDS.get(kind, (message, "type_error"))
    return Problem(["body", *under, *steps], what, name)


def not_json(body: bytes, error: Exception, place: Place | None = None) -> Problem:
    """Why a body, or a part of it, is not JSON, and where it breaks.

    Args:
        body: or the part.
        error: that reading it raised.
        place: of the part in the body; None for the whole.
    """
    if place is None and not body.strip():
        return missing()
    if place is None and len(body) <= _LOOKED_AT_BYTES:
        try:
            json.loads(body, parse_constant=_no_constant)
        except json.JSONDecodeError as found:
            ctx: dict[str, Any] = {"msg": found.msg, "pos": found.pos}
            if len(body) <= _ECHOED_BYTES:
                ctx["doc"] = found.doc
            ctx |= {"lineno": found.lineno, "colno": found.colno}
            return Problem(["body", found.pos], str(found), "value_error.jsondecode", ctx)
        except (ValueError, RecursionError):
            pass  # said below
    try:
        body.decode()
    except UnicodeDecodeError as found:
        error = found
    text = why(body, error)
    at = _AT_BYTE.search(text)
    whole: Place = ["body", int(at[1]) - 1] if at else ["body"]
    return Problem(whole if place is None else place, text, "value_error.jsondecode")


def _no_constant(name: str) -> None:
    raise ValueError(name)


_PYTHON = re.compile(r" (is|not of|holds) (?:an? )?(int|float|str|dict|bool|NoneType)(?=,|$)")
_OF_JSON = {
    "int": ("a number", "numbers"),
    "float": ("a number", "numbers"),
    "str": ("text", "text"),
    "dict": ("an object", "objects"),
    "bool": ("a boolean", "booleans"),
    "NoneType": ("null", "null"),
}


def in_words_of_json(message: str) -> str:
    """What is wrong with a Document, for whoever wrote it in JSON and not in Python."""

    def named(found: re.Match[str]) -> str:
        one, many = _OF_JSON[found[2]]
        return f" {found[1]} {many if found[1] == 'not of' else one}"

    return _PYTHON.sub(named, message.replace("\nhelp: ", "; "))
