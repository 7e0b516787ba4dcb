"""What a Flow's YAML says of HTTP: in `with`, as Jina 2 has it, and in `http`.

Whether anything listens is decided here; at which address, the command line may decide too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from jina.config.http_schema import HTTP_FILES, OPENS, HttpModel
from jina.config.load_state import LoadState
from jina.config.problems import Problem, Severity
from jina.config.schema import FlowOptions
from jina.config.tree import DataPath, Tree
from jina.config.validation import usable

#: Of `with`; without `protocol: http` they are ignored.
_ADDRESS = ("host", "port", "port_expose")
_ONLY_WITH = ("protocol", "http")
_ADD = "add `protocol: http`, which serves HTTP and WebSockets there"
_HINT = "`protocol: http` serves HTTP and WebSockets; gRPC is not supported"


class HttpConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a Flow says of HTTP.

    Attributes:
        values: what is set, by its key in `http`; paths are absolute.
        is_open: it asks for a port itself, rather than the command that starts it.
        tree: where it is written; None where nothing is.
        places: key -> its path in the tree.
        opener: the path of what asks for a port.
    """

    values: dict[str, Any] = {}
    is_open: bool = False
    tree: Tree | None = None
    places: dict[str, DataPath] = {}
    opener: DataPath = ()

    def problem(
        self, key: str, code: str, message: str, hint: str, *, is_error: bool = False
    ) -> Problem:
        """A problem at one of the keys, or at what opens the port."""
        severity: Severity = "error" if is_error else "warning"
        if self.tree is None:
            return Problem(code, message, hint=hint, severity=severity)
        path = self.places.get(key, self.opener)
        return self.tree.problem(path, code, message, hint=hint, severity=severity)

    def place(self, key: str) -> str:
        """Where a key is written, else what opens the port, as file:line:column; "" if nowhere."""
        path = self.places.get(key, self.opener)
        if self.tree is None or not path:
            return ""
        file, line, column = self.tree.mark(path)
        return f"{file}:{line}:{column}" if file and line else ""


#: Nothing is said.
NO_HTTP = HttpConfig()


def read_http(state: LoadState, tree: Tree, options: FlowOptions) -> HttpConfig:
    """What a Flow says of HTTP, as far as it is right; warns of what has no effect.

    Args:
        state: the warnings go there.
        tree: of the Flow.
        options: its `with`, checked.
    """
    found: dict[str, Any] = {}
    places: dict[str, DataPath] = {}
    sections: list[tuple[DataPath, dict[str, Any]]] = [
        (("with",), _given(options, exclude={*_ONLY_WITH})),
        (("with", "http"), _given(options.http)),
        (("http",), _given(_top(tree))),
    ]
    protocols = [str(each) for each in options.protocol or []]
    opener: DataPath = ("with", "protocol") if set(protocols) & set(OPENS) else ()
    for at, given in sections:
        if at == ("with",) and not opener:
            _ignore_address(state, tree, given, is_known=bool(protocols))
        for key, value in given.items():
            found[key] = {**found.get(key, {}), **value} if key == "expose_endpoints" else value
            places[key] = (*at, key)
        if at != ("with",) and "port" in given:
            opener = (*at, "port")
    if not opener:
        _tell_unopened(state, tree, is_unknown=bool(_written(tree, "protocol")) != bool(protocols))
    if opener:
        _tell_two_ports(state, tree, found, places)
    _settle_port(found, places, protocols)
    for key in HTTP_FILES:
        if found.get(key):
            found[key] = tree.source.absolute(found[key])
    return HttpConfig(values=found, is_open=bool(opener), tree=tree, places=places, opener=opener)


def _top(tree: Tree) -> HttpModel | None:
    given = tree.data.get("http")
    if not isinstance(given, Mapping):
        return None
    model, _ = usable(HttpModel, given)  # what is wrong with it is reported already
    return model if isinstance(model, HttpModel) else None


_KEYS = {*HttpModel.model_fields, "port_expose"}


def _given(
    model: FlowOptions | HttpModel | None, exclude: set[str] | None = None
) -> dict[str, Any]:
    """The keys of HTTP that are set."""
    if model is None:
        return {}
    return model.model_dump(include=_KEYS - (exclude or set()), exclude_none=True)


def _ignore_address(state: LoadState, tree: Tree, given: dict[str, Any], *, is_known: bool) -> None:
    """Leave out of a `with` where to listen, as nothing is to; warn of that.

    Where the protocol is a wrong word, nobody knows what was meant.
    """
    written = tree.data.get("with")
    is_unknown = isinstance(written, Mapping) and bool(written.get("protocol")) != is_known
    for key in ("protocol", *_ADDRESS):
        given.pop(key, None)
        if is_unknown or not isinstance(written, Mapping) or written.get(key) is None:
            continue
        state.forgive_unset(tree, ("with", key))
        state.problems.append(
            tree.problem(
                ("with", key),
                "ignored-key",
                f"`{key}` has no effect here; it is ignored",
                at="key",
                hint=_HINT if written.get("protocol") else _ADD,
                severity="warning",
            )
        )


def _written(tree: Tree, key: str) -> Any:
    """What stands in the `with` of the Flow."""
    given = tree.data.get("with")
    return given.get(key) if isinstance(given, Mapping) else None


def _tell_unopened(state: LoadState, tree: Tree, *, is_unknown: bool) -> None:
    """Warn of settings in `http` where no port is to be opened, neither here nor by a command.

    Args:
        state: the warning goes there.
        tree: of the Flow.
        is_unknown: the protocol is a wrong word, so that nobody knows what was meant.
    """
    if is_unknown or state.options.http is None or "port" in state.options.http:
        return
    within = tree.data.get("with")
    sections: list[DataPath] = [("http",)] if "http" in tree.data else []
    if isinstance(within, Mapping) and "http" in within:
        sections.append(("with", "http"))
    for at in sections:
        given = tree.data[at[0]] if len(at) == 1 else _written(tree, "http")
        if not isinstance(given, Mapping | None) or (given and given.get("port") is not None):
            continue  # it is reported as wrong already
        message = "`http` has no `port`, so nothing is served over HTTP"
        hint = "add `port: 8080` to it, or start the Flow with --http 8080"
        state.problems.append(
            tree.problem(at, "no-port", message, at="key", hint=hint, severity="warning")
        )


def _tell_two_ports(
    state: LoadState, tree: Tree, found: dict[str, Any], places: dict[str, DataPath]
) -> None:
    """Warn of a `port_expose` that another port wins over."""
    if found.get("port_expose") is None or not isinstance(port := found.get("port"), int):
        return
    if port != found["port_expose"]:
        name = ".".join(map(str, places["port"]))
        state.problems.append(
            tree.problem(
                places["port_expose"],
                "ignored-key",
                f"`port_expose` has no effect beside `{name}`, which is {port}",
                at="key",
                hint="remove one of the two",
                severity="warning",
            )
        )


def _settle_port(found: dict[str, Any], places: dict[str, DataPath], protocols: list[str]) -> None:
    """One port of what may be several: `port` is Jina 3's name of `port_expose`, and a list."""
    expose = found.pop("port_expose", None)
    port = found.get("port")
    if isinstance(port, list):
        number = next((n for n, each in enumerate(protocols) if each in OPENS), 0)
        found["port"] = port[min(number, len(port) - 1)] if port else None
    if found.get("port") is None:
        found.pop("port", None)
        if expose is not None:
            found["port"] = expose
            places["port"] = places["port_expose"]
