"""Flow: Executors as a graph, built in Python or from YAML, started and posted to.

The façade of the house: it describes, `jina.config` checks, `jina.launch` runs, `jina.client`
posts.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import difflib
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from jina.excepts import FlowBuildLevelError, FlowTopologyError
from jina.graph import drawing
from jina.graph.plan import GATEWAY, Plan, PlannedNode, WorkerSpec

if TYPE_CHECKING:
    from jina.client.post import Callback, Client
    from jina.client.response import Response
    from jina.config import FlowConfig
    from jina.launch.local import LocalFlow

_ADD_KEYS = (
    "name",
    "uses",
    "needs",
    "replicas",
    "shards",
    "parallel",
    "polling",
    "uses_with",
    "uses_metas",
    "uses_requests",
    "override_with",
    "override_metas",
    "override_requests",
    "py_modules",
    "workspace",
    "env",
    "timeout_ready",
)

#: Options of the Flow that are defaults of `post`.
_POST_KEYS = ("return_results", "request_size", "continue_on_error", "show_progress")


class Flow:
    """Executors as a graph.

    Args:
        name: of the Flow; "flow" when it has none.
        workspace: folder in which its Executors keep theirs.
        env: environment variables of all its Executors.
        **options: other keys of a Flow YAML's `with:`.
    """

    def __init__(
        self,
        *,
        name: str = "",
        workspace: str | None = None,
        env: dict[str, str] | None = None,
        **options: Any,
    ) -> None:
        self._name = name
        self._options = {
            key: value
            for key, value in (("workspace", workspace), ("env", env), *options.items())
            if value is not None
        }
        self._entries: list[dict[str, Any]] = []
        self._source: Any = None  # of a Flow that was loaded
        self._running: LocalFlow | None = None
        self._client: Client | None = None

    # --- build ---

    @classmethod
    def load_config(cls, source: Any, **options: Any) -> Flow:
        """Load a Flow from YAML.

        Args:
            source: path, YAML text, dict or open stream.
            **options: of `jina.config.load_flow`.

        Raises:
            ConfigError: with everything that is wrong, each thing at its place.
        """
        config = _load(source, **options)
        flow = cls(name=config.name)
        flow._source = (config, options)
        return flow

    def add(self, *, copy_flow: bool = True, **entry: Any) -> Flow:
        """Add an Executor.

        Args:
            copy_flow: return a new Flow and leave this one as it is.
            **entry: the keys of an entry under `executors:` in a Flow YAML; `uses` may be a class.

        Returns:
            the Flow with the Executor.

        Raises:
            TypeError: an unknown key.
            FlowTopologyError: a name that is taken, or a need that does not exist.
            ConfigError: anything else that is wrong with the entry.
        """
        if self._running:
            raise FlowBuildLevelError("a running Flow cannot be changed", hint="close it first")
        for key in entry:
            if key not in _ADD_KEYS and not _is_of_jina(key):
                near = difflib.get_close_matches(key, _ADD_KEYS, 1)
                hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(_ADD_KEYS)}"
                raise TypeError(f"Flow.add() takes no argument {key!r}; {hint}")
        flow = copy.copy(self) if copy_flow else self
        flow._entries = [*self._entries, {k: v for k, v in entry.items() if v is not None}]
        flow.plan()  # says at once what is wrong
        return flow

    def needs(self, needs: Iterable[str], name: str = "joiner", **entry: Any) -> Flow:
        """Join branches: the added Executor waits for all of them.

        Raises:
            FlowTopologyError: fewer than two names.
        """
        names = [needs] if isinstance(needs, str) else list(needs)
        if len(names) < 2:
            raise FlowTopologyError(
                f"a join needs two names at least, not {names}", hint="use add(needs=...) for one"
            )
        return self.add(name=name, needs=names, **entry)

    join = needs

    def needs_all(self, name: str = "joiner", **entry: Any) -> Flow:
        """Join every branch that nobody waits for yet."""
        plan = self.plan()
        needed = {need for node in plan.nodes for need in node.needs}
        return self.needs([n.name for n in plan.nodes if n.name not in needed], name, **entry)

    def plan(self) -> Plan:
        """What would be started: nodes, needs and workers.

        Raises:
            ConfigError: with everything that is wrong.
        """
        return _plan_from(self._config())

    def plot(
        self,
        output: str | Path | None = None,
        vertical_layout: bool = False,
        inline_display: bool = False,
        build: bool = True,
        copy_flow: bool = True,
    ) -> Flow:
        """Draw the graph. Nothing is started, and nothing leaves the machine.

        Without `output` the drawing is printed, as text.

        Args:
            output: write it there instead: Mermaid if the name ends in `.mmd` or `.md`, text if it
                ends in `.txt`. Jina 2 had a web service make a picture; here none is made.
            vertical_layout: Mermaid from top to bottom, not from left to right; text always is.
            inline_display: in a notebook, display it as Mermaid; elsewhere no effect.
            build: no effect, a Flow is always whole.
            copy_flow: no effect, drawing changes nothing.

        Returns:
            this Flow.

        Raises:
            ConfigError: see `plan`.
            OutputError: the name of the file asks for a picture, or for nothing known.
        """
        plan = self.plan()
        is_shown = inline_display and _display(plan, vertical_layout)
        if output is not None:
            path = Path(output)
            text = drawing.draw_file(plan, path, vertical=vertical_layout)
            path.write_text(text, encoding="utf-8")
        elif not is_shown:
            text = drawing.draw_text(plan)
            print(drawing.fitting(text, getattr(sys.stdout, "encoding", None)), end="")
        return self

    @property
    def num_executors(self) -> int:
        """How many nodes it has."""
        return len(self.plan().nodes)

    def _config(self) -> FlowConfig:
        loaded: FlowConfig | None = self._source[0] if self._source is not None else None
        if loaded is not None and not self._entries:
            return loaded
        known = loaded.executors if loaded is not None else []
        # What was loaded is checked already; here it only lends its names to the needs of others.
        entries = [{"name": node.name, "needs": node.needs} for node in known]
        described: dict[str, Any] = {
            "jtype": "Flow",
            "executors": [
                *({key: value for key, value in entry.items() if value} for entry in entries),
                *self._entries,
            ],
        }
        if self._name:
            described["name"] = self._name
        options = self._options if loaded is None else _inherited(loaded)
        if options:
            described["with"] = options
        config = _load(described)
        if loaded is None:
            return config
        nodes = [*known, *config.executors[len(known) :]]
        return dataclasses.replace(loaded, executors=nodes)

    # --- run ---

    def start(self) -> Flow:
        """Start every process and wait until all are ready. `with flow:` does it too.

        Raises:
            RuntimeFailToStart: a process did not come up; its own words are in the message.
        """
        # Late: building and checking a Flow opens no socket.
        from jina.launch.local import LocalFlow

        if self._running:
            raise FlowBuildLevelError("the Flow is running already")
        self._running = LocalFlow(self.plan())
        return self

    def close(self) -> None:
        """Let requests under way finish, close the Executors, end every process."""
        running, self._running = self._running, None
        client, self._client = self._client, None
        if client:
            client.close()
        if running:
            running.close()

    def __enter__(self) -> Flow:
        return self if self._running else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def block(self) -> None:
        """Wait until Ctrl-C."""
        self._must_run()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()

    @property
    def address(self) -> str:
        """Where clients reach the running Flow."""
        return self._must_run().address

    def _must_run(self) -> LocalFlow:
        if self._running is None:
            raise FlowBuildLevelError(
                "the Flow is not running", hint="post within `with flow:`, or call start() before"
            )
        return self._running

    # --- post ---

    def post(
        self,
        on: str,
        inputs: Any = None,
        on_done: Callback | None = None,
        on_error: Callback | None = None,
        on_always: Callback | None = None,
        **options: Any,
    ) -> list[Response] | None:
        """Post Documents to an endpoint of the running Flow; see `Client.post`."""
        client = self._connected()
        options = {**self._post_options(), **options}
        return client.post(on, inputs, on_done, on_error, on_always, **options)

    def stream(self, on: str, inputs: Any = None, **options: Any) -> Iterator[Response]:
        """Post and yield responses as they come, in order; see `Client.stream`."""
        size = self._post_options().get("request_size")
        if size is not None:
            options.setdefault("request_size", size)
        return self._connected().stream(on, inputs, **options)

    def _post_options(self) -> dict[str, Any]:
        """What the Flow itself says about every post: `Flow(return_results=True)`."""
        given = self._options if self._source is None else vars(self._source[0].options)
        return {key: given[key] for key in _POST_KEYS if given.get(key) is not None}

    def _connected(self) -> Client:
        # Late: see start.
        from jina.client.post import Client

        address = self._must_run().address
        if self._client is None:
            self._client = Client(address)
        return self._client

    def index(self, inputs: Any = None, *args: Any, **options: Any) -> list[Response] | None:
        """Post to /index."""
        return self.post("/index", inputs, *args, **options)

    def search(self, inputs: Any = None, *args: Any, **options: Any) -> list[Response] | None:
        """Post to /search."""
        return self.post("/search", inputs, *args, **options)

    def update(self, inputs: Any = None, *args: Any, **options: Any) -> list[Response] | None:
        """Post to /update."""
        return self.post("/update", inputs, *args, **options)

    def delete(self, inputs: Any = None, *args: Any, **options: Any) -> list[Response] | None:
        """Post to /delete."""
        return self.post("/delete", inputs, *args, **options)


def plan_of(source: Path | str | dict[str, Any], *, listen: str = "") -> Plan:
    """Load a Flow and plan it.

    Args:
        source: path of a YAML file, YAML text, or a dict.
        listen: tcp address on which the gateway listens too.

    Raises:
        ConfigError: with everything that is wrong, each thing at its place.
    """
    return _plan_from(_load(source), listen=listen)


def _load(source: Any, **options: Any) -> FlowConfig:
    # Late: YAML and its models are slow to load; a client never needs them.
    from jina.config import load_flow

    return load_flow(source, **options)


def _display(plan: Plan, vertical: bool) -> bool:
    """Whether there is a notebook, or another IPython, that shows the graph."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return False
    mermaid = drawing.draw_mermaid(plan, vertical=vertical)
    # Each frontend takes what it can show.
    forms = {"text/plain": drawing.draw_text(plan), "text/markdown": drawing.fenced(mermaid)}
    ipython.display.display(forms, raw=True)
    return True


def _is_of_jina(key: str) -> bool:
    """Whether a key of Jina 2 or 3 is meant: what becomes of it is the loader's matter."""
    # Late: see _load.
    from jina.config.schema import IGNORED_NODE, REFUSED_NODE

    return key in IGNORED_NODE or key in REFUSED_NODE


def _inherited(config: FlowConfig) -> dict[str, Any]:
    """What the options of a loaded Flow mean for Executors that are added to it."""
    options = config.options.model_dump(
        include={"workspace", "env", "timeout_ready"}, exclude_none=True
    )
    if "workspace" in options and config.file is not None:
        options["workspace"] = str(config.file.parent / options["workspace"])
    return options


def _plan_from(config: FlowConfig, *, listen: str = "") -> Plan:
    """Turn a checked config into nodes and workers."""
    nodes: list[PlannedNode] = []
    workers: list[WorkerSpec] = []
    before = GATEWAY
    for node in config.executors:
        needs = [before] if node.needs is None else list(node.needs)
        nodes.append(PlannedNode(name=node.name, needs=needs, replicas=node.replicas))
        before = node.name
        for replica in range(node.replicas):
            runtime_args: dict[str, Any] = {
                "name": node.name,
                "workspace": node.workspace,
                "replicas": node.replicas,
                "pea_id": 0,
                "shard_id": 0,
            }
            if node.replicas > 1:
                runtime_args["replica_id"] = replica
            workers.append(
                WorkerSpec(
                    node=node.name,
                    replica=replica,
                    executor=node.executor,
                    runtime_args=runtime_args,
                    env=node.env,
                    timeout_ready_s=node.timeout_ready_s,
                )
            )
    file = str(config.file.resolve()) if config.file else ""
    return Plan(name=config.name, file=file, nodes=nodes, workers=workers, listen=listen)
