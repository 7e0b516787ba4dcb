"""`jina flow up --watch`: look at the files of a Flow, and restart what changed in them.

A thread beside the supervisor. It asks for changes as `jina flow restart` does, on the socket in
the run directory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from jina.excepts import (
    ConfigError,
    FlowBuildLevelError,
    FlowError,
    FlowNotFound,
    RuntimeFailToStart,
)
from jina.graph.origins import Stamp
from jina.graph.plan import Plan
from jina.launch.asking import ask
from jina.launch.interpreters import import_path
from jina.launch.rollout import does_the_same, new_graph
from jina.runtime.control import Change
from jinacli import exits
from jinacli.flow.given import Given
from jinacli.flow.sources import Sources, sources_in, stamps_of

_LOOK_S = 0.25  # between looks; files that differ from the look before are still being written


class Watch(threading.Thread):
    """Watches the files of one Flow from entering to leaving its `with` block.

    Args:
        given: the Flow's YAML, and what is laid over it.
        plan: what runs, with its origins.
        directory: its run directory.
        say: shows what happens; errors begin with "error: ".
    """

    def __init__(
        self, given: Given, plan: Plan, directory: Path, say: Callable[[str], None]
    ) -> None:
        super().__init__(name="watch", daemon=True)
        self._given = given
        self._listen = plan.listen
        self._directory = directory
        self._say = say
        self._is_over = threading.Event()
        self._sources = sources_in(plan)  # what runs
        self._seen = stamps_of(self._sources.every_file)
        self._wanted: Sources | None = None  # what is to run, if that is something else
        self._touched: set[str] = set()  # nodes whose code changed and that run the older one

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        """Look, again and again."""
        before = self._seen
        while not self._is_over.wait(_LOOK_S):
            now = stamps_of(before)
            if now != before:
                before = now  # once more, when nothing is written any more
                continue
            try:
                if now != self._seen:
                    self._take_up(now)
                    before = self._seen
                if self._wanted is not None:
                    self._make(self._wanted)
            except OSError as error:  # no process or descriptor is left just now
                self._say(f"error: --watch: {error}")

    def _take_up(self, now: dict[Path, Stamp]) -> None:
        """Find out what a change of files means."""
        changed = {file for file in now if now[file] != self._seen.get(file)}
        self._seen = now
        self._wanted = None
        self._touched |= {node for node, files in self._sources.modules.items() if files & changed}
        self._say(f"changed: {', '.join(sorted(file.name for file in changed))}")
        try:
            config, plan = self._given.load(self._listen)
        except ConfigError as error:
            self._say(f"error: nothing changes until this is fixed:\n{error}")
            return
        wanted = sources_in(self._given.with_origins(config, plan))
        self._seen = {**stamps_of(wanted.every_file), **now}
        if findings := findings_of(self._given, self._is_over.is_set):
            self._say(f"error: nothing changes until this is fixed:\n{findings}")
            return
        self._wanted = wanted

    def _make(self, wanted: Sources) -> None:
        """Ask for it; what cannot be begun now is asked for again at the next look."""
        try:
            for change in changes_between(self._sources.plan, wanted.plan, self._touched):
                ask(self._directory, change, lambda text: None)
        except FlowBuildLevelError:  # another change is under way, or it is still starting
            return
        except (FlowNotFound, RuntimeFailToStart):
            pass  # it has ended; its supervisor has said what did not start
        except FlowError as error:
            self._say(f"error: {error}")
        else:
            self._sources = wanted
            self._touched.clear()
        self._wanted = None


def changes_between(old: Plan, new: Plan, touched: set[str]) -> Iterator[Change]:
    """What is to be asked for so that a Flow gets from one plan to another.

    Args:
        old: what runs.
        new: what is to run.
        touched: nodes whose code changed.
    """
    before = {spec.name: spec for spec in old.workers}
    replicas = {node.name: node.replicas for node in old.nodes}
    anew = set(touched)
    for spec in new.workers:
        known = before.get(spec.name)
        if known is not None and not does_the_same(known, spec):
            anew.add(spec.node)
    for node in new.nodes:
        is_scaled = replicas.get(node.name, node.replicas) != node.replicas
        if is_scaled and node.name not in anew:
            yield Change(nodes=[node.name], replicas=node.replicas)
    if new_graph(old.nodes, new.nodes):
        yield Change(nodes=[], plan=new)  # which the supervisor refuses, and says what to do
    elif anew:
        yield Change(nodes=[node.name for node in new.nodes if node.name in anew], plan=new)


def findings_of(given: Given, is_over: Callable[[], bool] = lambda: False) -> str:
    """What `jina flow check` finds wrong with a Flow and its Executors' modules; "" for nothing.

    In a process of its own: modules that this one has imported would not be read again, and what
    they do must not happen here.

    Args:
        given: the Flow's YAML, and what is laid over it.
        is_over: asked now and then; once it is, nobody wants to know any more.
    """
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "jinacli", "flow", "check", "--quiet", *given.words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is for us
        env={**os.environ, **import_path()},
    ) as check:
        while True:
            try:
                out, _ = check.communicate(timeout=_LOOK_S)
                break
            except subprocess.TimeoutExpired:
                if is_over():
                    check.kill()
            except BaseException:  # Ctrl-C too: the check is in a session of its own
                check.kill()
                raise
    if check.returncode == exits.OK:
        return ""
    return out.decode(errors="backslashreplace").strip() or "its check failed"
