"""Flow: Executors as a graph, built in Python or from YAML, started and posted to.

The façade of the house: it describes, `jina.config` checks, `jina.launch` runs, `jina.client`
posts.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from jina.excepts import ConfigError, FlowBuildLevelError, FlowError, FlowTopologyError
from jina.graph import drawing
from jina.graph.plan import Plan, PlannedNode
from jina.graph.planning import inherited, plan_from
from jina.graph.topology import topology_error
from jina.suggest import nearest

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

_LOOK_S = 0.5  # between looks whether a Flow that is waited for still runs


class _NotHere:
    """A member of Jina 2's Flow that this one lacks: it cannot be used, nor silently be set.

    Args:
        instead: what does it here.
    """

    def __init__(self, instead: str) -> None:
        self._instead = instead
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, flow: Flow | None, owner: type) -> NoReturn:
        raise AttributeError(f"a Flow has no `{self._name}` here; {self._instead}")

    def __set__(self, flow: Flow, value: object) -> NoReturn:
        self.__get__(flow, type(flow))


class Flow:
    """Executors as a graph.

    `flow["encoder"]` and `flow[0]` are nodes, as `flow.plan()` has them; iteration gives pairs of
    name and node. Flows are equal when their nodes have the same names, needs and replicas.

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
                near = nearest(key, _ADD_KEYS)
                hint = f'did you mean "{near}"?' if near else f"known: {', '.join(_ADD_KEYS)}"
                raise TypeError(f"Flow.add() takes no argument {key!r}; {hint}")
        flow = copy.copy(self)
        flow._entries = [*self._entries, {k: v for k, v in entry.items() if v is not None}]
        try:
            flow.plan()
        except ConfigError as error:
            of_topology = topology_error(error.problems)
            raise of_topology or error from None
        if copy_flow:
            return flow
        self._entries = flow._entries
        return self

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
        """Join every branch that nobody waits for yet; a single one is simply followed."""
        plan = self.plan()
        needed = {need for node in plan.nodes for need in node.needs}
        ends = [node.name for node in plan.nodes if node.name not in needed]
        if len(ends) == 1:
            return self.add(name=name, needs=ends, **entry)
        return self.needs(ends, name, **entry)

    def plan(self) -> Plan:
        """What would be started: nodes, needs and workers.

        Raises:
            ConfigError: with everything that is wrong.
        """
        return plan_from(self._config())

    def build(self, copy_flow: bool = False) -> Flow:
        """Check it, as every `add` does; `start` needs no more.

        Args:
            copy_flow: return another Flow, which is started and closed for itself.

        Raises:
            ConfigError: with everything that is wrong.
        """
        self.plan()
        if not copy_flow:
            return self
        flow = copy.copy(self)
        flow._running = flow._client = None
        return flow

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
        is_shown = inline_display and drawing.display(plan, vertical=vertical_layout)
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

    @property
    def num_pods(self) -> int:
        """How many nodes it has; the gateway counts while it runs, as in Jina 2."""
        return self.num_executors + (self._running is not None)

    @property
    def num_peas(self) -> int:
        """How many workers it has; the gateway counts while it runs, as in Jina 2."""
        return len(self.plan().workers) + (self._running is not None)

    @property
    def workspace(self) -> str:
        """Absolute folder in which its Executors keep theirs, where they name no other."""
        options = self._options if self._source is None else inherited(self._source[0])
        return os.path.abspath(options.get("workspace") or "")

    def __getitem__(self, item: str | int) -> PlannedNode:
        nodes = self.plan().nodes
        if isinstance(item, int):
            return nodes[item]
        if not isinstance(item, str):
            raise TypeError(f"a Flow has nodes by name or number, not by {type(item).__name__}")
        for node in nodes:
            if node.name == item:
                return node
        near = nearest(item, [node.name for node in nodes])
        hint = f"; did you mean {near!r}?" if near else ""
        raise KeyError(f"{item!r} is no executor of this Flow{hint}")

    def __iter__(self) -> Iterator[tuple[str, PlannedNode]]:
        return iter([(node.name, node) for node in self.plan().nodes])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Flow):
            return NotImplemented
        return dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]  # it changes, and so does what it equals

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
        options = self._options if loaded is None else inherited(loaded)
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

    def block(self, stop_event: threading.Event | None = None) -> None:
        """Wait until Ctrl-C, or until another thread closes the Flow.

        Args:
            stop_event: end the wait when it is set, too; one of multiprocessing serves as well.

        Raises:
            FlowError: the Flow has ended by itself.
        """
        running = self._must_run()
        stop = stop_event or threading.Event()
        with contextlib.suppress(KeyboardInterrupt):
            while self._running is running and not stop.wait(_LOOK_S):
                if not running.is_alive and self._running is running:
                    raise FlowError("the Flow has ended by itself")

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

    @property
    def client(self) -> Client:
        """A Client of the running Flow; it is closed with it."""
        return self._connected()

    _BY_ADDRESS = "clients find it at `address`, and `jina flow up --port` listens on tcp"
    host = _NotHere(_BY_ADDRESS)
    port_expose = _NotHere(_BY_ADDRESS)
    protocol = _NotHere(_BY_ADDRESS)
    expose_endpoint = _NotHere("every endpoint can be posted to, and nothing speaks HTTP")
    inspect = _NotHere("add the Executor as a step of the Flow")
    gather_inspect = _NotHere("join branches with `needs`")
    rolling_update = _NotHere("close the Flow and start it again")

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
    return plan_from(_load(source), listen=listen)


def _load(source: Any, **options: Any) -> FlowConfig:
    # Late: YAML and its models are slow to load; a client never needs them.
    from jina.config import load_flow

    return load_flow(source, **options)


def _is_of_jina(key: str) -> bool:
    """Whether a key of Jina 2 or 3 is meant: what becomes of it is the loader's matter."""
    # Late: see _load.
    from jina.config.schema import IGNORED_NODE, REFUSED_NODE

    return key in IGNORED_NODE or key in REFUSED_NODE
