"""The executors of a Flow's YAML: each entry checked, and the graph that they make."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jina.config import devices
from jina.config.drafts import ExecutorClass, ExecutorDraft, executor_draft, uncertain_sections
from jina.config.load_state import LoadState
from jina.config.needs import DUPLICATE_NEED, Fault, Node, faults
from jina.config.problems import Problem
from jina.config.schema import (
    IGNORED_EXECUTOR,
    IGNORED_NODE,
    MEANS_NOTHING,
    REFUSED_NODE,
    FlowOptions,
    NodeModel,
)
from jina.config.specs import spec_of
from jina.config.tree import DataPath, Span, Tree
from jina.config.uses import draft_of_uses
from jina.config.validation import known_keys, usable
from jina.config.variables import Unresolved
from jina.defaults import TIMEOUT_READY_S
from jina.executors.spec import ExecutorSpec
from jina.names import GATEWAY


@dataclass(frozen=True)
class NodeConfig:
    """One executor of a Flow, fully resolved.

    Args:
        name: unique within the Flow.
        needs: names of nodes, or "gateway"; None takes the results of the one before it.
        replicas: processes that share its requests.
        executor: what a worker builds.
        shards: always 1 for now.
        polling: always "ANY" for now.
        workspace: absolute folder: its own, else the Flow's.
        env: environment of its processes: the Flow's, its own laid over.
        timeout_ready_s: seconds without a sign of life after which a start failed; infinite is -1.
        mark: file, line and column of its entry; line 0 when it came from Python.
        marks: the same for each key of the entry.
        is_join: made by `method: needs`.
        origin: where its Executor is written, for messages about it.
        method: as it is written.
        runtime_args: laid over those that the Flow gives its Executor.
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
    origin: ExecutorDraft | None = field(default=None, repr=False, compare=False)
    method: str = "add"
    runtime_args: dict[str, Any] = field(default_factory=dict)


def known_entry(
    state: LoadState, tree: Tree, at: DataPath, entry: Mapping[str, Any]
) -> dict[str, Any]:
    """An entry without what is ignored, and without what is refused, which is reported."""
    kept = state.without_ignored(tree, at, entry, IGNORED_NODE)
    _make_yaml_like(kept)
    uses = kept.get("uses")
    if isinstance(uses, Mapping):  # its draft warns of what is ignored in it
        for key in uses.keys() & IGNORED_EXECUTOR:
            state.forgive_unset(tree, (*at, "uses", key))
        kept["uses"] = {key: value for key, value in uses.items() if key not in IGNORED_EXECUTOR}
    state.problems += refused_keys(tree, at, kept, REFUSED_NODE)
    state.problems += _refused_values(tree, at, kept)
    state.problems += devices.problems(tree, (*at, "env"), kept.get("env"))
    return kept


def _make_yaml_like(entry: dict[str, Any]) -> None:
    """Turn paths, tuples and sets, which only Python has, into what YAML has."""
    uses, needs = entry.get("uses"), entry.get("needs")
    if isinstance(uses, os.PathLike):
        entry["uses"] = os.fspath(uses)
    if isinstance(needs, set | frozenset):
        # Nobody chose the order of a set, but it should be the same each time.
        entry["needs"] = sorted(needs, key=str)
    elif isinstance(needs, tuple):
        entry["needs"] = list(needs)


def refused_keys(
    tree: Tree, at: DataPath, entry: dict[str, Any], refused: Mapping[str, str]
) -> Iterator[Problem]:
    """The keys that would change results; they are taken out.

    Args:
        tree: where they are written.
        at: path of the map.
        entry: the map.
        refused: key -> what to do instead.
    """
    for key, instead in refused.items():
        if key in entry and entry.pop(key) not in MEANS_NOTHING:
            yield tree.problem(
                (*at, key), "not-supported", f"`{key}` is not supported", at="key", hint=instead
            )


def _refused_values(tree: Tree, at: DataPath, entry: dict[str, Any]) -> Iterator[Problem]:
    """The values of known keys that are not supported (yet)."""
    polling = entry.get("polling")
    for key in ("shards", "parallel"):
        if isinstance(entry.get(key), int) and entry[key] > 1:
            message = f"`{key}: {entry[key]}` is not supported yet; only 1 is"
            hint = "`replicas` shares the requests among processes"
            yield _unsupported(tree, (*at, key), message, hint)
    if isinstance(polling, Mapping) or (isinstance(polling, str) and polling.upper() != "ANY"):
        del entry["polling"]
        written = polling if isinstance(polling, str) else "{…}"
        message = f"`polling: {written}` is not supported yet; only ANY is"
        hint = "remove it: each request goes to one process"
        yield _unsupported(tree, (*at, "polling"), message, hint)


def _unsupported(tree: Tree, path: DataPath, message: str, hint: str) -> Problem:
    return tree.problem(path, "not-supported", message, hint=hint)


def graph_problems(state: LoadState, tree: Tree, key: str, entries: list[Any]) -> None:
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
        problem = tree.problem(
            at, fault.kind, fault.message, hint=fault.hint, notes=notes, word=word
        )
        is_harmless = fault.kind == DUPLICATE_NEED
        state.problems.append(replace(problem, severity="warning") if is_harmless else problem)


def _needs(entry: Any) -> list[str] | None:
    """The needs of an entry as far as they are text; None when it takes the one before it."""
    needs = entry.get("needs") if isinstance(entry, Mapping) else None
    needs = [needs] if isinstance(needs, str) else needs
    if not isinstance(needs, list) or not needs:
        return None
    return [need for need in needs if isinstance(need, str) and not isinstance(need, Unresolved)]


def _need_places(entry: Any) -> dict[str, list[int]]:
    """The indices of each need in the list of an entry."""
    needs = entry.get("needs") if isinstance(entry, Mapping) else None
    found: dict[str, list[int]] = {}
    for n, need in enumerate(needs if isinstance(needs, list) else []):
        if isinstance(need, str):
            found.setdefault(need, []).append(n)
    return found


def _place(key: str, fault: Fault, places: dict[str, list[int]]) -> tuple[DataPath, str]:
    """Where a fault is, and the offending word there."""
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
        state: collects problems.
        tree: the Flow's.
        options: what holds for the whole Flow.
        workspace: the Flow's, absolute.
        py_modules: of the Flow's options, located.
        lacks_modules: some of those could not be found or read.
    """

    state: LoadState
    tree: Tree
    options: FlowOptions
    workspace: str
    py_modules: list[str]
    lacks_modules: bool

    def node(self, at: DataPath, entry: Any, cls: ExecutorClass | None) -> NodeConfig | None:
        """One node, as far as it is right; None when there is no Executor to look at.

        Args:
            at: path of the entry.
            entry: its data, without ignored keys; what is wrong with those is reported already.
            cls: a class of this process that stands for its `uses`.
        """
        entry = {} if entry is None else entry
        model, wrong = usable(NodeModel, entry)
        if not isinstance(model, NodeModel):
            return None
        if self.state.options.only_graph:
            spec = ExecutorSpec(jtype=_named_by(entry, model, cls))
            return self._config(at, entry, model, None, spec)
        return self._for(at, model).resolved(at, entry, model, wrong, cls)

    def _for(self, at: DataPath, model: NodeModel) -> NodeReader:
        """A reader that looks where this entry says, too."""
        # An executor of a Flow stands in a list: its path ends in its position.
        fallbacks = self.state.options.fallbacks_of(int(at[-1]))
        extra = self.tree.source.folders(model.extra_search_paths)
        if not extra and not fallbacks:
            return self
        return replace(self, state=self.state.with_folders(extra, fallbacks))

    def resolved(
        self,
        at: DataPath,
        entry: Mapping[str, Any],
        model: NodeModel,
        wrong: list[DataPath],
        cls: ExecutorClass | None,
    ) -> NodeConfig | None:
        """One node with its Executor, see `node`; `wrong` are the keys that cannot be used."""
        uncertain = uncertain_sections(self.tree, wrong, known_keys(NodeModel))
        metas = {**model.override_metas, **model.uses_metas}
        py_modules, is_short = self._modules(at, metas.pop("py_modules", []), model.py_modules)
        draft = None if "class" in uncertain else self._draft(at, entry, model, cls)
        if draft is None:
            return None
        draft.uncertain |= uncertain | ({"modules"} if is_short else set())
        draft.py_modules += py_modules
        self._lay_over(draft, at, model, metas)
        is_ours = draft.tree is self.tree
        if is_ours and cls is None and "uses" in entry:
            draft.py_modules = [*self.py_modules, *draft.py_modules]
            draft.uncertain |= {"modules"} if self.lacks_modules else set()
        draft.py_modules = list(dict.fromkeys(draft.py_modules))
        named_at = (self.tree, (*at, "uses")) if is_ours else None
        spec = spec_of(self.state, draft, named_at=named_at)
        return None if spec is None else self._config(at, entry, model, draft, spec)

    def _modules(
        self, at: DataPath, of_metas: str | list[str], own: list[str]
    ) -> tuple[list[str], bool]:
        """The modules that an entry names, and whether some of them are missing."""
        more = [of_metas] if isinstance(of_metas, str) else list(of_metas)
        folder = self.tree.source.folder
        path = (*at, "uses_metas", "py_modules")
        found = self.state.located_modules(self.tree, path, more, folder)
        found += self.state.located_modules(self.tree, (*at, "py_modules"), own, folder)
        return found, len(found) < len(more) + len(own)

    def _draft(
        self,
        at: DataPath,
        entry: Mapping[str, Any],
        model: NodeModel,
        cls: ExecutorClass | None,
    ) -> ExecutorDraft | None:
        """The Executor of an entry, before the entry's own settings are laid over it."""
        folder = self.tree.source.folder
        place = (*at, "uses")
        if cls is not None:
            return ExecutorDraft(self.tree, place, jtype=cls.__name__, folder=folder, cls=cls)
        if model.uses is None:
            return ExecutorDraft(self.tree, at, jtype="BaseExecutor", folder=folder)
        if isinstance(model.uses, str):
            return draft_of_uses(self.state, self.tree, place, entry["uses"])
        return executor_draft(self.state, self.tree, place)

    def _lay_over(
        self, draft: ExecutorDraft, at: DataPath, model: NodeModel, metas: dict[str, Any]
    ) -> None:
        """Let the settings of an entry win over those of its Executor."""
        if isinstance(metas.get("workspace"), str):
            metas["workspace"] = self.tree.source.absolute(metas["workspace"])
        draft.overlays.append((self.tree, at))
        draft.lay_over(
            {**model.override_with, **model.uses_with},
            metas,
            {**model.override_requests, **model.uses_requests},
        )

    def _config(
        self,
        at: DataPath,
        entry: Mapping[str, Any],
        model: NodeModel,
        draft: ExecutorDraft | None,
        spec: ExecutorSpec,
    ) -> NodeConfig:
        own, general = model.timeout_ready, self.options.timeout_ready
        return NodeConfig(
            name=model.name or f"executor{at[-1]}",
            needs=list(dict.fromkeys(model.needs)) or None,
            replicas=model.replicas,
            executor=spec,
            workspace=self.tree.source.absolute(model.workspace) or self.workspace,
            env={key: _env_text(value) for key, value in {**self.options.env, **model.env}.items()},
            timeout_ready_s=_seconds(general if own is None else own),
            mark=_mark(self.tree, self.tree.span(at)),
            marks={key: _mark(self.tree, self.tree.span((*at, key))) for key in entry},
            is_join=model.method == "needs",
            origin=draft,
            method=model.method,
            runtime_args=_runtime_args(model),
        )


def _named_by(entry: Mapping[str, Any], model: NodeModel, cls: ExecutorClass | None) -> str:
    """How a drawing names an Executor that nobody has looked for."""
    if cls is not None:
        return cls.__name__
    uses = entry.get("uses")
    if isinstance(uses, Mapping):
        uses = uses.get("jtype")
    text = uses.strip() if isinstance(uses, str) else ""
    return text.splitlines()[0] if text else "BaseExecutor"


def _runtime_args(model: NodeModel) -> dict[str, Any]:
    of_dump = {} if model.dump_path is None else {"dump_path": model.dump_path}
    return {**of_dump, **model.runtime_args}


def _seconds(timeout_ms: int | None) -> float:
    if timeout_ms is None:
        return TIMEOUT_READY_S
    return -1.0 if timeout_ms < 0 else timeout_ms / 1000


def _env_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _mark(tree: Tree, span: Span) -> tuple[str, int, int]:
    return (tree.source.file, span.line, span.column)
