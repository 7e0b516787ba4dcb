"""The executors of a Flow's YAML: each entry checked, and the graph that they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from jina.config import containers, devices
from jina.config.batching import laid_over, settings_in, warn_of_ignored
from jina.config.drafts import ExecutorClass, ExecutorDraft, executor_draft, uncertain_sections
from jina.config.environment import environment_of
from jina.config.external import external_notes
from jina.config.failures import Failures, failures_around, failures_of, retry_notes, strategy_notes
from jina.config.interpreters import interpreter_of, interpreter_problems, refuses_live
from jina.config.load_state import LoadState
from jina.config.needs import DUPLICATE_NEED, Fault, Node, faults
from jina.config.older_keys import IGNORED_EXECUTOR, IGNORED_NODE, MEANS_NOTHING, REFUSED_NODE
from jina.config.problems import Problem
from jina.config.python_values import make_yaml_like
from jina.config.ray_schema import RayModel
from jina.config.schema import FlowOptions, NodeModel
from jina.config.shards import Neighbour, polling_of, polling_problems, two_numbers
from jina.config.specs import spec_of
from jina.config.tree import DataPath, Tree
from jina.config.uses import draft_of_uses
from jina.config.validation import known_keys, usable
from jina.config.variables import Unresolved
from jina.defaults import CLOSE_GRACE_S, TIMEOUT_READY_S
from jina.executors.container import ContainerSpec
from jina.executors.spec import ExecutorSpec
from jina.names import GATEWAY

#: Key of an entry -> the class of this process that was given for it.
Classes: TypeAlias = Mapping[str, ExecutorClass]


@dataclass(frozen=True)
class NodeConfig:
    """One executor of a Flow, fully resolved.

    Args:
        name: unique within the Flow.
        needs: names of nodes, or "gateway"; None takes the results of the one before it.
        replicas: processes that share its requests; of each shard.
        executor: what a worker builds.
        shards: into how many parts it is divided.
        polling: see `jina.config.shards.polling_of`; empty when nothing is said.
        before: the Executor in front of its shards; None for none.
        after: the Executor behind them; None for none.
        disable_reduce: the results of the shards are concatenated.
        is_floating: nobody waits for its results.
        workspace: absolute folder: its own, else the Flow's.
        env: environment of its processes: its Executor's, overridden by the Flow's and its own.
        outer_env: the Flow's alone: it overrides the Executors' of its head and tail.
        timeout_ready_s: seconds without a sign of life after which a start failed; infinite is -1.
        stop_grace_s: seconds that its processes may take to close.
        mark: file, line and column of its entry; line 0 when it came from Python.
        marks: the same for each key of the entry.
        is_join: made by `method: needs`.
        failures: what becomes of calls that fail or hang.
        outer_failures: the same for its head and tail.
        origin: where its Executor is written, for messages about it.
        method: as it is written.
        runtime_args: overrides those that the Flow gives its Executor.
        threads: of each numerical library in a process: its own, else the Flow's; None is a share
            of the cores.
        outer_threads: the Flow's alone, as `outer_env`.
        python: absolute path of the interpreter of its processes; "" is that of the Flow.
        is_external: it is served from other machines.
        ray: what each of its places in a cluster of Ray asks for; None if it says nothing.
        container: in which its processes run; None for none.
    """

    name: str
    needs: list[str] | None
    replicas: int
    executor: ExecutorSpec
    shards: int = 1
    polling: dict[str, str] = field(default_factory=dict)
    before: Neighbour | None = None
    after: Neighbour | None = None
    disable_reduce: bool = False
    is_floating: bool = False
    workspace: str = ""
    env: dict[str, str] = field(default_factory=dict)
    outer_env: dict[str, str] = field(default_factory=dict)
    timeout_ready_s: float = TIMEOUT_READY_S
    stop_grace_s: float = CLOSE_GRACE_S
    mark: tuple[str, int, int] = ("", 0, 0)
    marks: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    is_join: bool = False
    failures: Failures = field(default_factory=Failures)
    outer_failures: Failures = field(default_factory=Failures)
    origin: ExecutorDraft | None = field(default=None, repr=False, compare=False)
    method: str = "add"
    runtime_args: dict[str, Any] = field(default_factory=dict)
    threads: int | None = None
    outer_threads: int | None = None
    python: str = ""
    is_external: bool = False
    ray: RayModel | None = None
    container: ContainerSpec | None = None

    def parts(self) -> Iterator[tuple[str, ExecutorSpec, ExecutorDraft]]:
        """The Executors that it consists of: names of their nodes, what they are, where written."""
        own = Neighbour(self.executor, self.origin)
        for suffix, part in (("/head", self.before), ("", own), ("/tail", self.after)):
            if part is not None and part.origin is not None:
                yield f"{self.name}{suffix}", part.executor, part.origin

    def env_around(self, origin: ExecutorDraft | None) -> dict[str, str]:
        """Environment of its head or tail, written there: nothing that is said of it alone."""
        return {**({} if origin is None else origin.env), **self.outer_env}


def known_entry(
    state: LoadState, tree: Tree, at: DataPath, entry: Mapping[str, Any]
) -> dict[str, Any]:
    """An entry without what is ignored, and without what is refused, which is reported."""
    kept = state.without_ignored(tree, at, entry, IGNORED_NODE | containers.ignored_keys(entry))
    warn_of_ignored(state, tree, at, kept)
    make_yaml_like(kept)
    uses = kept.get("uses")
    if isinstance(uses, Mapping):  # its draft warns of what is ignored in it
        for key in uses.keys() & IGNORED_EXECUTOR:
            state.forgive_unset(tree, (*at, "uses", key))
        kept["uses"] = {key: value for key, value in uses.items() if key not in IGNORED_EXECUTOR}
    state.problems += external_notes(tree, at, kept)
    state.problems += refused_keys(tree, at, kept, REFUSED_NODE)
    state.problems += polling_problems(tree, (*at, "polling"), kept.get("polling"))
    state.problems += two_numbers(tree, at, kept)
    state.problems += strategy_notes(tree, at, kept)
    state.problems += devices.problems(tree, (*at, "env"), kept.get("env"))
    if not state.options.only_graph:
        state.problems += containers.container_problems(tree, at, kept)
        state.problems += interpreter_problems(tree, at, kept)
    return kept


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


def graph_problems(state: LoadState, tree: Tree, key: str, entries: list[Any]) -> None:
    """Check names and needs of all entries, also of those that are wrong in other ways."""
    nodes: list[Node] = []
    before = GATEWAY
    for n, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        name = None if isinstance(name, Unresolved) else name
        needs = _needs(entry)
        if needs is None:
            needs = [before]
        is_floating = isinstance(entry, Mapping) and entry.get("floating") is True
        name = name if isinstance(name, str) else f"executor{n}"
        nodes.append(Node(name, needs, is_floating))
        before = before if is_floating else name
    places: dict[int, dict[str, list[int]]] = {}
    for fault in faults(nodes):
        if fault.node not in places:
            places[fault.node] = _need_places(entries[fault.node])
        at, word = _place(key, fault, places[fault.node])
        notes = []
        if fault.other >= 0:
            notes = [tree.note((key, fault.other, "name"), "the first one is here")]
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

    def node(self, at: DataPath, entry: Any, classes: Classes) -> NodeConfig | None:
        """One node, as far as it is right; None when there is no Executor to look at.

        Args:
            at: path of the entry.
            entry: its data, without ignored keys; what is wrong with those is reported already.
            classes: of this process, by key: "uses", "uses_before", …
        """
        entry = {} if entry is None else entry
        model, wrong = usable(NodeModel, entry)
        if not isinstance(model, NodeModel):
            return None
        if self.state.options.only_graph:
            named = {
                key: Neighbour(ExecutorSpec(jtype=_named_by(entry, key, classes)), None)
                for key in ("uses", "uses_before", "uses_after")
                if key == "uses" or key in classes or getattr(model, key) is not None
            }
            return self._config(at, entry, model, named, named["uses"])
        return self._for(at, model).resolved(at, entry, model, wrong, classes)

    def _for(self, at: DataPath, model: NodeModel) -> NodeReader:
        """A reader that looks where this entry says, too."""
        # An executor of a Flow is in a list: its path ends in its position.
        fallbacks = self.state.options.fallbacks_of(int(at[-1]))
        extra = self.tree.source.folders(model.extra_search_paths)
        state = self.state.with_folders(extra, fallbacks) if extra or fallbacks else self.state
        if model.python or model.venv:
            state = state.of_other_interpreter()
        return replace(self, state=state)

    def resolved(
        self,
        at: DataPath,
        entry: Mapping[str, Any],
        model: NodeModel,
        wrong: list[DataPath],
        classes: Classes,
    ) -> NodeConfig | None:
        """One node with its Executor, see `node`; `wrong` are the keys that cannot be used."""
        cls = classes.get("uses")
        uncertain = uncertain_sections(self.tree, wrong, known_keys(NodeModel))
        metas = {**model.override_metas, **model.uses_metas}
        py_modules, is_short = self._modules(at, metas.pop("py_modules", []), model.py_modules)
        neighbours = self._neighbours(at, entry, classes, model)
        draft = None if "class" in uncertain else self._draft(at, entry, "uses", cls)
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
        if spec is None or refuses_live(self.state, self.tree, at, entry, spec):
            return None
        return self._config(at, entry, model, neighbours, Neighbour(spec, draft))

    def _neighbours(
        self, at: DataPath, entry: Mapping[str, Any], classes: Classes, model: NodeModel
    ) -> dict[str, Neighbour]:
        """The Executors in front of a node and behind it, as far as they can be looked at."""
        found: dict[str, Neighbour] = {}
        for key in ("uses_before", "uses_after"):
            cls = classes.get(key)
            if cls is None and getattr(model, key) is None:
                continue
            draft = self._draft(at, entry, key, cls)
            if draft is None:
                continue
            place = (*at, key)
            if draft.tree is self.tree and cls is None:
                own = self.state.located_modules(
                    self.tree, (*at, "py_modules"), model.py_modules, self.tree.source.folder
                )
                modules = [*self.py_modules, *own, *draft.py_modules]
                draft.py_modules = list(dict.fromkeys(modules))
                draft.uncertain |= {"modules"} if self.lacks_modules else set()
            named_at = (self.tree, place) if draft.tree is self.tree else None
            spec = spec_of(self.state, draft, named_at=named_at)
            if spec is not None:
                found[key] = Neighbour(spec, draft)
        return found

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
        key: str,
        cls: ExecutorClass | None,
    ) -> ExecutorDraft | None:
        """The Executor that an entry names under this key, before anything overrides it."""
        folder = self.tree.source.folder
        place = (*at, key)
        if cls is not None:
            return ExecutorDraft(self.tree, place, jtype=cls.__name__, folder=folder, cls=cls)
        if entry.get(key) is None:
            return ExecutorDraft(self.tree, at, jtype="BaseExecutor", folder=folder)
        if key == "uses" and containers.is_contained(entry):
            return containers.draft_in_container(self.tree, place)
        if isinstance(entry[key], str):
            return draft_of_uses(self.state, self.tree, place, entry[key])
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
        more = settings_in(model.uses_dynamic_batching)
        draft.batching = laid_over(draft.batching, more)

    def _config(
        self,
        at: DataPath,
        entry: Mapping[str, Any],
        model: NodeModel,
        neighbours: Mapping[str, Neighbour],
        own_executor: Neighbour,
    ) -> NodeConfig:
        own, general = model.timeout_ready, self.options.timeout_ready
        workspace = self.tree.source.absolute(model.workspace) or self.workspace
        if containers.is_contained(entry) and not (model.workspace or self.options.workspace):
            workspace = ""  # the image knows
        self.state.problems += retry_notes(self.tree, at, model)
        return NodeConfig(
            name=model.name or f"executor{at[-1]}",
            needs=list(dict.fromkeys(model.needs)) or None,
            replicas=model.replicas,
            executor=own_executor.executor,
            shards=max(model.shards, model.parallel),
            polling=polling_of(model.polling),
            before=neighbours.get("uses_before"),
            after=neighbours.get("uses_after"),
            disable_reduce=model.disable_reduce or model.no_reduce,
            is_floating=model.floating,
            workspace=workspace,
            env=environment_of(
                _env_of(own_executor), self.options.env, containers.environment_in(entry), model.env
            ),
            outer_env=environment_of(self.options.env),
            timeout_ready_s=_seconds(general if own is None else own),
            stop_grace_s=_grace_s(model),
            mark=self.tree.mark(at),
            marks={key: self.tree.mark((*at, key)) for key in entry},
            is_join=model.method == "needs",
            failures=failures_of(model, self.options),
            outer_failures=failures_around(model, self.options),
            origin=own_executor.origin,
            method=model.method,
            runtime_args=_runtime_args(model),
            threads=self.options.threads if model.threads is None else model.threads,
            outer_threads=self.options.threads,
            python=interpreter_of(self.tree, entry),
            is_external=model.external,
            ray=model.ray,
            container=containers.container_of(self.tree, at, entry, workspace),
        )


def _named_by(entry: Mapping[str, Any], key: str, classes: Classes) -> str:
    """How a drawing names an Executor that nobody has looked for."""
    if key in classes:
        return classes[key].__name__
    uses = entry.get(key)
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


def _grace_s(model: NodeModel) -> float:
    grace = model.stop_grace_period
    return CLOSE_GRACE_S if grace is None else grace / 1000


def _env_of(executor: Neighbour) -> dict[str, str]:
    return {} if executor.origin is None else executor.origin.env
