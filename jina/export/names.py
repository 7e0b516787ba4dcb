"""Which names other programs take, and which one to use instead."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from jina.config.flows import FlowConfig
from jina.config.problems import Problem
from jina.export.units import has_containers, problem_of

MAX_LABEL = 63  # characters, RFC 1123
#: Kubernetes appends `-` and a hash of ten digits to the name of a StatefulSet, in a label.
MAX_NAME = MAX_LABEL - 11
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
#: Of a Service, whose name begins with that of the Flow.
_FLOW = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_PROJECT = re.compile(r"[a-z0-9][-_a-z0-9]*")
_RULE = "small letters, digits and `-`, with a letter or digit at both ends"


def refused_by_kubernetes(config: FlowConfig) -> Iterator[Problem]:
    """The names that Kubernetes does not take (RFC 1123), each with one that it takes."""
    if not _FLOW.fullmatch(config.name) or len(config.name) > MAX_NAME - len("-gateway"):
        rule = f"at most {MAX_NAME - len('-gateway')} {_RULE}, and a letter first"
        yield _flow_problem(config, "Kubernetes", rule, suggested(config.name, is_flow=True))
    taken = {node.name for node in config.executors}
    for node in config.executors:
        room = MAX_NAME - len(config.name) - 1
        if not has_containers(node) or (
            _LABEL.fullmatch(node.name) and len(node.name) <= max(room, 1)
        ):
            continue
        instead = suggested(node.name, room=max(room, 1), taken=taken)
        yield problem_of(
            node,
            "name",
            "bad-name",
            f"Kubernetes does not take {node.name!r} as a name: it has at most {room} {_RULE}",
            f"use {instead!r}, here and in `needs`",
        )


def refused_by_compose(config: FlowConfig) -> Iterator[Problem]:
    """The name of a Flow that compose does not take as that of a project."""
    if not _PROJECT.fullmatch(config.name):
        rule = "small letters, digits, `-` and `_`, with a letter or digit first"
        yield _flow_problem(config, "compose", rule, suggested(config.name))


def suggested(
    name: str,
    *,
    room: int = MAX_NAME - len("-gateway"),
    taken: Collection[str] = (),
    is_flow: bool = False,
) -> str:
    """A name close to this one that Kubernetes takes.

    Args:
        name: that it refuses.
        room: characters at most, at least 1.
        taken: names that others have.
        is_flow: it has to begin with a letter.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", _split(name).lower()).strip("-")
    if is_flow:
        plain = plain.lstrip("0123456789-")
    plain = plain[:room].rstrip("-") or ("flow" if is_flow else "executor")[:room]
    number, found = 2, plain
    while found in taken:
        suffix = f"-{number}"
        found = f"{plain[: max(0, room - len(suffix))]}{suffix}"
        number += 1
    return found


def _split(name: str) -> str:
    """`MyEncoder` as `My-Encoder`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)


def _flow_problem(config: FlowConfig, program: str, rule: str, instead: str) -> Problem:
    message = f"{program} does not take {config.name!r} as the name of a Flow: it has {rule}"
    hint = f"set `name: {instead}` in the YAML, or use --set name={instead}"
    found = Problem("bad-name", message, file=str(config.file or ""), hint=hint)
    origin = next((node.origin for node in config.executors if node.origin), None)
    if origin is None or not origin.overlays:
        return found
    tree = origin.overlays[0][0]
    for at in (("name",), ("with", "name")):
        if at in tree.values:
            return tree.problem(at, "bad-name", message, hint=hint)
    return tree.problem((), "bad-name", message, hint=hint)
