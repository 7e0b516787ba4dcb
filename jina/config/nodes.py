"""The executors of a Flow's YAML: each entry checked, and the graph that they make."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jina.config.doubts import doubts
from jina.config.messages import known_keys, usable
from jina.config.needs import Fault, Node, faults
from jina.config.pieces import Loading, Piece, executor_piece, modules, without_ignored
from jina.config.schema import (
    IGNORED_NODE,
    MEANS_NOTHING,
    REFUSED_NODE,
    FlowOptions,
    NodeModel,
)
from jina.config.source import current_folder
from jina.config.specs import spec_of
from jina.config.tree import DataPath, Span, Tree
from jina.config.uses import used_piece
from jina.config.variables import Unresolved
from jina.defaults import TIMEOUT_READY_S
from jina.executors import BaseExecutor
from jina.executors.spec import ExecutorSpec
from jina.names import GATEWAY

ExecutorClass = type[BaseExecutor]


@dataclass(frozen=True)
class NodeConfig:
    """One executor of a Flow, fully resolved.

    Args:
        name: unique within the Flow.
        needs: names of nodes, or "gateway"; None takes the results of the one before it.
        replicas: processes that share its requests.
        executor: what a worker builds.
        shards: always 1 yet.
        polling: always "ANY" yet.
        workspace: absolute folder: its own, else the Flow's.
        env: environment of its processes: the Flow's, its own laid over.
        timeout_ready_s: seconds without a sign of life after which a start failed; infinite is -1.
        mark: file, line and column of its entry; line 0 when it came from Python.
        marks: the same for each key of the entry.
        is_join: made by `method: needs`.
        origin: where its Executor is written, for messages about it.
    """

    name: str
    needs: list[str] | None
    replicas: int
    executor: ExecutorSpec
    shards: int = 1
    polling: str = "ANY"
    workspace: str = ""
    env: dict[str, str] = field(default_factory=dict)
    timeout_ready_s: float = TIMEOUT_READY_S
    mark: tuple[str, int, int] = ("", 0, 0)
    marks: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    is_join: bool = False
    origin: Piece | None = field(default=None, repr=False, compare=False)


def known_entry(
    loading: Loading, tree: Tree, at: DataPath, entry: Mapping[str, Any]
) -> dict[str, Any]:
    """An entry without what is ignored, and without what is refused, which is reported."""
    kept = without_ignored(loading, tree, at, entry, IGNORED_NODE)
    if isinstance(kept.get("uses"), os.PathLike):
        kept["uses"] = os.fspath(kept["uses"])
    # From Python, too: the order of a set is nobody's wish, but it should be the same each time.
    if isinstance(kept.get("needs"), set | frozenset):
        kept["needs"] = sorted(kept["needs"], key=str)
    elif isinstance(kept.get("needs"), tuple):
        kept["needs"] = list(kept["needs"])
    for key, instead in REFUSED_NODE.items():
        if key not in kept:
            continue
        value = kept.pop(key)
        if value in MEANS_NOTHING:
            continue
        loading.problems.append(
            tree.problem(
                (*at, key), "not-supported", f"`{key}` is not supported", at="key", hint=instead
            )
        )
    if kept.get("method") in ("inspect", "gather_inspect"):
        loading.problems.append(
            tree.problem(
                (*at, "method"),
                "not-supported",
                f"`method: {kept['method']}` is not supported",
                hint="add the Executor as a step of the Flow",
            )
        )
        del kept["method"]
    for key in ("shards", "parallel"):
        if isinstance(kept.get(key), int) and kept[key] > 1:
            loading.problems.append(
                tree.problem(
                    (*at, key),
                    "not-supported",
                    f"`{key}: {kept[key]}` is not supported yet; only 1 is",
                    hint="`replicas` shares the requests among processes",
                )
            )
    polling = kept.get("polling")
    if isinstance(polling, Mapping) or (isinstance(polling, str) and polling.upper() != "ANY"):
        shown = polling if isinstance(polling, str) else "{…}"
        loading.problems.append(
            tree.problem(
                (*at, "polling"),
                "not-supported",
                f"`polling: {shown}` is not supported yet; only ANY is",
                hint="remove it: each request goes to one process",
            )
        )
        del kept["polling"]
    return kept


def graph_problems(loading: Loading, tree: Tree, key: str, entries: list[Any]) -> None:
    """Check names and needs of all entries, also of those that are wrong in other ways."""
    nodes: list[Node] = []
    for n, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        name = None if isinstance(name, Unresolved) else name
        needs = _needs(entry)
        if needs is None:
            needs = [nodes[-1].name if nodes else GATEWAY]
        nodes.append(Node(name if isinstance(name, str) else f"executor{n}", needs))
    places: dict[int, dict[str, list[int]]] = {}
    for fault in faults(nodes):
        if fault.node not in places:
            places[fault.node] = _need_places(entries[fault.node])
        at, word = _place(key, fault, places[fault.node])
        notes = []
        if fault.other >= 0:
            notes = [tree.note((key, fault.other, "name"), "the first one stands here")]
        loading.problems.append(
            tree.problem(at, fault.kind, fault.message, hint=fault.hint, notes=notes, word=word)
        )


def _needs(entry: Any) -> list[str] | None:
    """The needs of an entry as far as they are text; None when it takes the one before it."""
    needs = entry.get("needs") if isinstance(entry, Mapping) else None
    needs = [needs] if isinstance(needs, str) else needs
    if not isinstance(needs, list) or not needs:
        return None
    return [need for need in needs if isinstance(need, str) and not isinstance(need, Unresolved)]


def _need_places(entry: Any) -> dict[str, list[int]]:
    """At which places of an entry's list each need stands."""
    needs = entry.get("needs") if isinstance(entry, Mapping) else None
    found: dict[str, list[int]] = {}
    for n, need in enumerate(needs if isinstance(needs, list) else []):
        if isinstance(need, str):
            found.setdefault(need, []).append(n)
    return found


def _place(key: str, fault: Fault, places: dict[str, list[int]]) -> tuple[DataPath, str]:
    """Where a fault stands, and the offending word there."""
    if not fault.need:
        return (key, fault.node, "name"), ""
    at: DataPath = (key, fault.node, "needs")
    if fault.need not in places:
        return at, fault.need
    return (*at, places[fault.need][fault.kind == "duplicate-need"]), ""


@dataclass
class NodeReader:
    """Turns the entries of one Flow into nodes.

    Args:
        loading: collects problems.
        tree: the Flow's.
        options: what holds for the whole Flow.
        workspace: the Flow's, absolute.
        py_modules: of the Flow's options, located.
        lacks_modules: there should be more of those.
    """

    loading: Loading
    tree: Tree
    options: FlowOptions
    workspace: str
    py_modules: list[str]
    lacks_modules: bool

    def node(self, at: DataPath, entry: Any, cls: ExecutorClass | None) -> NodeConfig | None:
        """One node, as far as it is right; None when there is no Executor to look at.

        Args:
            at: path of the entry.
            entry: its data, without ignored keys; what is wrong with them is said already.
            cls: a class of this process that stands for its `uses`.
        """
        entry = {} if entry is None else entry
        model, wrong = usable(NodeModel, entry)
        if not isinstance(model, NodeModel):
            return None
        doubtful = doubts(self.tree, wrong, known_keys(NodeModel))
        metas = {**model.override_metas, **model.uses_metas}
        folder = self.tree.source.folder
        more = metas.pop("py_modules", [])
        entries = [
            ((*at, "uses_metas", "py_modules"), [more] if isinstance(more, str) else list(more))
        ]
        entries.append(((*at, "py_modules"), model.py_modules))
        found: list[str] = []
        for path, names in entries:
            located = modules(self.loading, self.tree, path, names, folder)
            if len(located) < len(names):
                doubtful.add("modules")
            found += located
        piece = None if "class" in doubtful else self.piece(at, entry, model, cls)
        if piece is None:
            return None
        piece.doubts |= doubtful
        piece.overlays.append((self.tree, at))
        piece.with_ = {**piece.with_, **model.override_with, **model.uses_with}
        piece.requests = {**piece.requests, **model.override_requests, **model.uses_requests}
        piece.py_modules = list(dict.fromkeys([*piece.py_modules, *found]))
        if isinstance(metas.get("workspace"), str):
            metas["workspace"] = absolute_folder(self.tree, metas["workspace"])
        piece.metas = {**piece.metas, **metas}
        is_ours = piece.tree is self.tree
        if is_ours and cls is None and "uses" in entry:
            piece.py_modules = list(dict.fromkeys([*self.py_modules, *piece.py_modules]))
            piece.doubts |= {"modules"} if self.lacks_modules else set()
        spec = spec_of(
            self.loading, piece, named_at=(self.tree, (*at, "uses")) if is_ours else None
        )
        if spec is None:
            return None
        timeout_ms = (
            model.timeout_ready if model.timeout_ready is not None else self.options.timeout_ready
        )
        return NodeConfig(
            name=model.name or f"executor{at[-1]}",
            needs=list(model.needs) or None,
            replicas=model.replicas,
            executor=spec,
            workspace=absolute_folder(self.tree, model.workspace) or self.workspace,
            env={key: _env_text(value) for key, value in {**self.options.env, **model.env}.items()},
            timeout_ready_s=_seconds(timeout_ms),
            mark=_mark(self.tree, self.tree.span(at)),
            marks={key: _mark(self.tree, self.tree.span((*at, key))) for key in entry},
            is_join=model.method == "needs",
            origin=piece,
        )

    def piece(
        self,
        at: DataPath,
        entry: Mapping[str, Any],
        model: NodeModel,
        cls: ExecutorClass | None,
    ) -> Piece | None:
        """The Executor of an entry, before the entry's own settings are laid over it."""
        folder = self.tree.source.folder
        place = (*at, "uses")
        if cls is not None:
            return Piece(self.tree, place, jtype=cls.__name__, folder=folder, cls=cls)
        if model.uses is None:
            return Piece(self.tree, at, jtype="BaseExecutor", folder=folder)
        if isinstance(model.uses, str):
            return used_piece(self.loading, self.tree, place, entry["uses"])
        return executor_piece(self.loading, self.tree, place)


def absolute_folder(tree: Tree, path: str | None) -> str:
    """A folder named in the YAML, absolute; empty when it is not given."""
    if not path:
        return ""
    return os.path.normpath(current_folder() / tree.source.folder / os.path.expanduser(path))


def _seconds(timeout_ms: int | None) -> float:
    if timeout_ms is None:
        return TIMEOUT_READY_S
    return -1.0 if timeout_ms < 0 else timeout_ms / 1000


def _env_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _mark(tree: Tree, span: Span) -> tuple[str, int, int]:
    return (tree.source.file, span.line, span.column)
