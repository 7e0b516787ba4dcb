"""`jina flow diff`: what the YAML says against what a running Flow runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from jina.config.secrets import MASK, looks_secret, masked_text
from jina.excepts import FlowNotFound, JinaError
from jina.graph.plan import Plan
from jina.launch.asking import directory_of
from jina.launch.find import find_flow, shortest
from jina.launch.plan_file import read_plan
from jina.launch.started_as import started_as
from jina.terminal_text import escaped
from jinacli import exits
from jinacli.flow.given import Given
from jinacli.flow.here import chosen_flow
from jinacli.screens.errors import say, text_of

#: Of the JSON form; a field that changes its meaning makes it v2, a new field does not.
SCHEMA = "jina/diff/v1"

# Of a worker; what its replicas share.
_IGNORED = frozenset(
    {"file", "line", "column", "entry", "place", "python_place", "replica", "shard", "live"}
    | {"search_paths", "path"}
)


def show_diff(given: Given | None, wanted: str, *, as_json: bool) -> int:
    """Print the differences.

    Args:
        given: the YAML; None for that of the running Flow.
        wanted: name or file of the running Flow; "" for the one of the YAML.
        as_json: print JSON.

    Returns:
        0 where there is none, 1 where there are some, 2 where that cannot be told.
    """
    try:
        record = _record(given, wanted)
        if given is None:
            with started_as(record.pid):
                _, plan = Given.of_running(Path(record.file), record.origins).load()
        else:
            _, plan = given.load()
        runs = read_plan(directory_of(record))
        if runs is None:
            raise FlowNotFound(f'cannot compare the Flow "{record.name}": it has no YAML')
        found = list(differences(runs, plan))
        modules = record.origins.changed() if record.origins is not None else []
        code = [file for file in modules if file.endswith(".py")]
    except JinaError as error:
        say(text_of(error))
        return exits.USAGE
    found += [_difference("~", f"code {shortest(file)}") for file in code]
    _show(found, record.name, as_json=as_json)
    return exits.FAILED if found else exits.OK


def _record(given: Given | None, wanted: str) -> Any:
    if wanted or given is None or not isinstance(given.source, Path):
        return chosen_flow(wanted, quiet=True)
    return find_flow(str(given.source))


def differences(runs: Plan, wanted: Plan) -> Iterator[dict[str, str]]:
    """What is different: "+" what would come, "-" what would go, "~" what would change."""
    old, new = _described(runs), _described(wanted)
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield _difference("-", name)
        elif name not in old:
            yield _difference("+", name)
        else:
            before, after = _flat(old[name]), _flat(new[name])
            for key in [*before, *(key for key in after if key not in before)]:
                if before.get(key, "") != after.get(key, ""):
                    old_text, new_text = (
                        _shown(key, each.get(key, "")) for each in (before, after)
                    )
                    yield _difference("~", f"{name}: {key}", old_text, new_text)


def _difference(change: str, what: str, old: str = "", new: str = "") -> dict[str, str]:
    return {"change": change, "what": what, "from": old, "to": new}


def _described(plan: Plan) -> dict[str, Any]:
    """Of each node, what can be compared."""
    found: dict[str, Any] = {}
    for node in plan.nodes:
        spec = next((spec for spec in plan.workers if spec.node == node.name), None)
        described = msgspec.to_builtins(node)
        if spec is not None:
            worker = _without(msgspec.to_builtins(spec))
            executor = worker.pop("executor")
            executor["with"] = executor.pop("with_", {})
            worker["env"] = worker.get("env", {})
            args = worker.pop("runtime_args", {})
            described |= worker | executor | {"workspace": args.get("workspace", "")}
        found[node.name] = _without(described)
    return found


def _without(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without(value) if isinstance(value, Mapping) else value
        for key, value in data.items()
        if key not in _IGNORED and value not in (None, {}, [])
    }


def _flat(data: Mapping[str, Any], at: str = "") -> dict[str, str]:
    """Dotted keys, and values as JSON."""
    found: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{at}{key}.")
        else:
            found[f"{at}{key}"] = json.dumps(value, ensure_ascii=False, default=str)
    return found


def _shown(key: str, value: str) -> str:
    """A value, unless its key says that it is a secret."""
    if value and any(looks_secret(part) for part in key.split(".")):
        return MASK
    return masked_text(value)


def _show(found: list[dict[str, str]], flow: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"schema": SCHEMA, "flow": flow, "differences": found}, indent=2))
        return
    for each in found:
        change = f": {each['from'] or 'not set'} -> {each['to'] or 'not set'}"
        values = change if each["from"] or each["to"] else ""
        print(escaped(f"{each['change']} {each['what']}{values}"))
    if not found:
        say(f'the Flow "{flow}" runs what its YAML says')
