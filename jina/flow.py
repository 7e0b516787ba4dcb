"""Flow: Executors as a graph, built in Python or from YAML, started and posted to.

It describes a Flow; `jina.config` checks it, `jina.launch` runs it, `jina.client` posts to it.
"""

from __future__ import annotations

import contextlib
import copy
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jina.excepts import ConfigError, FlowBuildLevelError, FlowError, FlowTopologyError
from jina.graph import drawing
from jina.graph.course import ends
from jina.graph.http_members import OfHttp, expose_endpoint
from jina.graph.members import free_name, node_of, tell_ignored
from jina.graph.plan import Plan, PlannedNode, with_import_paths
from jina.launch.asking import change_local, to_scale, with_arguments
from jina.launch.local import LocalFlow
from jina.runtime.control import Change

if TYPE_CHECKING:
    from jina.client.post import Callback, Client
    from jina.client.response import Response

_LOOK_S = 0.5  # between looks whether a Flow that is waited for still runs


class Flow:
    """Executors as a graph.

    Files, classes and catalogue names of Executors are looked up when the Flow is planned or
    started; names and needs are checked immediately.

    `flow["encoder"]` and `flow[0]` are nodes as in `flow.plan()`; iteration yields pairs of name
    and node, without heads and tails. Two Flows are equal if their nodes are equal.

    Args:
        name: of the Flow; the default is "flow".
        workspace: folder for the workspaces of its Executors.
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
        # Late: YAML and its models are slow to load, and a worker may import a module that names
        # Flow beside its Executors.
        from jina.graph.description import Description

        said = {"workspace": workspace, "env": env, **options}
        given = {key: value for key, value in said.items() if value is not None}
        self._description = Description(name, given)
        self._running: LocalFlow | None = None
        self._client: Client | None = None

    # --- build ---

    @classmethod
    def load_config(cls, source: Any, **options: Any) -> Flow:
        """Load a Flow from YAML.

        Relative paths are found in `extra_search_paths`, the current folder, or the caller's.

        Args:
            source: path, YAML text, dict or open stream.
            **options: of `jina.config.load_flow`; `py_modules`; `uses_with` overrides the `with`.

        Raises:
            ConfigError: with everything that is wrong, each thing at its place. What is wrong with
                its Executors is told when it is planned or started.
        """
        flow = cls()
        flow._description = flow._description.load(source, **options)
        return flow

    def add(self, *, copy_flow: bool = True, **entry: Any) -> Flow:
        """Add an Executor.

        Args:
            copy_flow: return a new Flow and leave this one unchanged.
            **entry: the keys of an entry under `executors:` in a Flow YAML; `uses` may be a class.
                Relative paths are looked up as in `load_config`.

        Returns:
            the Flow with the Executor.

        Raises:
            TypeError: an unknown key.
            FlowTopologyError: a duplicate name, or a need that does not exist.
            ConfigError: any other mistake in the entry, except in its Executor.
        """
        if self._running:
            raise FlowBuildLevelError("a running Flow cannot be changed", hint="close it first")
        description = self._description.added(entry)
        flow = copy.copy(self) if copy_flow else self
        flow._description = description
        return flow

    def inspect(self, name: str = "", **entry: Any) -> Flow:
        """Add an inspecting Executor: it receives the output of the last one.

        The Executor that is added next receives the same output. The results of this one are part
        of the response; `Flow(inspect="REMOVE")` leaves it out.

        Args:
            name: the default is inspect, inspect1, …
            **entry: as for `add`.

        Raises:
            FlowTopologyError: as `add`.
        """
        name = name or free_name("inspect", self._graph.nodes)
        return self.add(name=name, method="inspect", **entry)

    def gather_inspect(
        self, name: str = "gather_inspect", include_last_pod: bool = True, **entry: Any
    ) -> Flow:
        """Join all inspecting Executors and the last one of the others.

        Args:
            name: of the join.
            include_last_pod: whether that last one is joined too.
            **entry: as for `add`.

        Without inspecting Executors, nothing is added.
        """
        watching, last = self._description.watched()
        if not watching:
            return self
        needs = [*watching, last] if include_last_pod else watching
        return self.add(name=name, method="gather_inspect", needs=needs, **entry)

    def needs(self, needs: Iterable[str], name: str = "joiner", **entry: Any) -> Flow:
        """Join branches: the added Executor waits for all of them.

        Raises:
            FlowTopologyError: fewer than two names.
        """
        in_order = sorted if isinstance(needs, set | frozenset) else list  # the same each time
        names = [needs] if isinstance(needs, str) else in_order(needs)
        if len(names) < 2:
            raise FlowTopologyError(
                f"a join needs at least two names, not {names}",
                hint="use add(needs=...) for a single one",
            )
        return self.add(name=name, needs=names, **entry)

    join = needs

    def needs_all(self, name: str = "joiner", **entry: Any) -> Flow:
        """Join all branches that have no follower yet; if there is just one, follow it."""
        plan = self._graph
        names = [plan.owner(name) for name in ends(plan.nodes)]
        if len(names) == 1:
            return self.add(name=name, needs=names, **entry)
        return self.needs(names, name, **entry)

    def plan(self) -> Plan:
        """What `start` would start: nodes, needs and workers.

        Raises:
            ConfigError: with all mistakes.
        """
        return self._description.plan()

    @property
    def _graph(self) -> Plan:
        """The plan as far as it is known without asking for Executors."""
        return self._description.graph

    def save_config(self, filename: str | Path | None = None) -> str:
        """Write the YAML of this Flow, without defaults.

        Relative paths are rewritten to lead from the new file to the same place. A class is written
        with its module or the program's file. If it can be imported from neither, it is written as
        a name, with a warning.

        Args:
            filename: the default is the file it was loaded from, or a new temporary file.

        Returns:
            the path written.

        Raises:
            ConfigError: a value cannot be saved as YAML.
        """
        return self._description.save(None if filename is None else str(filename))

    def build(self, copy_flow: bool = False) -> Flow:
        """Check the Flow and its Executors; `start` does this too.

        Args:
            copy_flow: return a copy, which is started and closed independently.

        Raises:
            ConfigError: with all mistakes.
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
        """Draw the graph, without starting anything and without a web service.

        Args:
            output: a file to write, Mermaid for `.mmd` and `.md`, text for `.txt`. The default is
                to print text. Images, as in Jina 2, are not supported.
            vertical_layout: draw Mermaid from top to bottom, like text, instead of left to right.
            inline_display: display it as Mermaid in a notebook; no effect elsewhere.
            build: no effect; a Flow is always complete.
            copy_flow: no effect; drawing changes nothing.

        Returns:
            this Flow.

        Raises:
            ConfigError: names, needs or keys are wrong.
            OutputError: the extension of the file is that of an image, or unknown.
        """
        try:
            plan = self.plan()
        except ConfigError:  # Executors that cannot be found are drawn as they are written
            plan = self._graph
        drawing.plot(plan, output, vertical=vertical_layout, inline=inline_display)
        return self

    @property
    def num_executors(self) -> int:
        """The number of nodes."""
        return len(self._graph.executors)

    @property
    def num_pods(self) -> int:
        """The number of nodes; includes the gateway while running, as in Jina 2."""
        return self.num_executors + bool(self._running)

    @property
    def num_peas(self) -> int:
        """The number of workers; includes the gateway while running, as in Jina 2."""
        return self._running.num_workers + 1 if self._running else len(self._graph.workers)

    @property
    def workspace(self) -> str:
        """Absolute path of the folder for its Executors' workspaces, unless they set their own."""
        return self._description.workspace

    def __getitem__(self, item: str | int) -> PlannedNode:
        return node_of(self._graph.executors, item)

    def __iter__(self) -> Iterator[tuple[str, PlannedNode]]:
        return iter([(node.name, node) for node in self._graph.executors])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Flow):
            return NotImplemented
        return self._graph.by_name == other._graph.by_name

    __hash__ = None  # type: ignore[assignment]  # it changes, and so does what it equals

    # --- run ---

    def start(self) -> Flow:
        """Start all processes and wait until they are ready. `with flow:` does it too.

        Raises:
            ConfigError: with all mistakes in the Flow and its Executors.
            RuntimeFailToStart: a process did not start; the error of its Executor is the cause.
        """
        if self._running:
            raise FlowBuildLevelError("the Flow is already running")
        plan, suspicious = self._description.planned()
        tell_ignored(suspicious)
        self._running = LocalFlow(with_import_paths(plan))
        return self

    def close(self) -> None:
        """Finish requests in progress, close the Executors, and end all processes."""
        running, client = self._running, self._client
        self._running = self._client = None
        if client:
            client.close()
        if running:
            running.close()

    def __enter__(self) -> Flow:
        return self if self._running else self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def block(self, stop_event: threading.Event | None = None) -> None:
        """Wait until Ctrl-C, or until another thread closes the Flow.

        Args:
            stop_event: also stop waiting when it is set; a multiprocessing Event works too.

        Raises:
            FlowError: the Flow ended unexpectedly.
        """
        running = self._must_run()
        stop = stop_event or threading.Event()
        with contextlib.suppress(KeyboardInterrupt):
            while self._running is running and not stop.wait(_LOOK_S):
                if not running.is_alive and self._running is running:
                    raise FlowError("the Flow ended unexpectedly")

    @property
    def address(self) -> str:
        """The address of the running Flow for clients."""
        return self._must_run().address

    def _must_run(self) -> LocalFlow:
        if self._running is None:
            raise FlowBuildLevelError(
                "the Flow is not running", hint="post inside `with flow:`, or call start() first"
            )
        return self._running

    @property
    def client(self) -> Client:
        """A Client of the running Flow; it is closed together with the Flow."""
        return self._connected()

    host = OfHttp()
    port = OfHttp()
    port_expose = OfHttp()
    protocol = OfHttp()
    expose_endpoint = expose_endpoint

    # --- change while it runs ---

    def scale(self, name: str = "", replicas: int = 0, *, pod_name: str = "") -> Flow:
        """Change the number of replicas of a running Executor; no request fails.

        Returns when the change is complete. The next start uses the original number.

        Args:
            name: of the Executor.
            replicas: how many, from 1 to 1000.
            pod_name: what Jina 2 called `name`.

        Raises:
            FlowTopologyError: there is no such Executor.
            FlowBuildLevelError: the Flow does not run, or another change is in progress.
            RuntimeFailToStart: a new worker did not start; the number is unchanged.
            ValueError: that is not a number of replicas.
        """
        return self._change(to_scale(name or pod_name, replicas))

    def rolling_update(
        self,
        name: str = "",
        dump_path: str | os.PathLike[str] | None = None,
        *,
        uses_with: dict[str, Any] | None = None,
        pod_name: str = "",
    ) -> Flow:
        """Replace the workers of a running Executor, one by one; no request fails.

        Where it has one replica, requests wait until the new one is ready. Returns once all are
        replaced. What the Flow would be started with stays as it is.

        Args:
            name: of the Executor.
            dump_path: what `self.runtime_args.dump_path` is from now on, as in Jina 2.0.
            uses_with: overrides the arguments of its constructor.
            pod_name: what Jina 2 called `name`.

        Raises:
            TypeError: `uses_with` is not a dict, or cannot be sent.
            FlowError: as `scale`; if a new worker does not start, what ran before is started again.
        """
        node = name or pod_name
        plan = with_arguments(self._must_run().plan, node, uses_with, dump_path)
        return self._change(Change(nodes=[node], plan=plan))

    def _change(self, change: Change) -> Flow:
        change_local(self._must_run(), change)
        return self

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
        options = {**self._description.post_options, **options}
        return client.post(on, inputs, on_done, on_error, on_always, **options)

    def stream(self, on: str, inputs: Any = None, **options: Any) -> Iterator[Response]:
        """Post and yield responses as they come, in order; see `Client.stream`."""
        size = self._description.post_options.get("request_size")
        if size is not None:
            options.setdefault("request_size", size)
        return self._connected().stream(on, inputs, **options)

    def _connected(self) -> Client:
        # Late: building and checking a Flow opens no socket.
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
