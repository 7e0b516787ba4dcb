"""`jina flow up`: run a Flow in this process, or start one and leave it running."""

from __future__ import annotations

import contextlib
import signal
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import typer
from msgspec import structs

from jina.config.flows import FlowConfig
from jina.config.problems import errors_in
from jina.defaults import LEASE_S
from jina.excepts import ConfigError
from jina.graph.plan import Plan
from jina.launch import events, rundir
from jina.launch.local import LocalFlow
from jina.launch.rundir import RunDirectory
from jina.launch.runlog import RunLog
from jina.launch.supervisor import Supervisor
from jinacli import exits
from jinacli.flow.doubts import Doubts
from jinacli.flow.given import Given, refuse_findings
from jinacli.flow.probing import refuse_misfits
from jinacli.keys import checked_keys
from jinacli.screens.up import UpScreen


@dataclass(frozen=True)
class Up:
    """The options of `jina flow up`.

    Attributes:
        listen: tcp address on which the gateway listens too; "" for none.
        is_detached: return once it is ready, leave it running.
        is_watched: restart what changes in its files.
        is_strict: a warning is an error.
        as_json: print a line of JSON when it is ready.
        quiet: show only errors and what Executors print.
        timeout_s: give up after so long, where it is detached.
        keys: folder of the keys of those who may connect to `listen`; "" for no encryption.
        worker_listen: tcp address for workers of other machines; "" for none.
        lease_s: of their agents.
        ray: address of the cluster of Ray that runs the Executors; "" for none.
    """

    listen: str = ""
    is_detached: bool = False
    is_watched: bool = False
    is_strict: bool = False
    as_json: bool = False
    quiet: bool = False
    timeout_s: float | None = None
    keys: str = ""
    worker_listen: str = ""
    lease_s: float = LEASE_S
    ray: str = ""

    def load(self, given: Given) -> tuple[FlowConfig, Plan]:
        """Read a Flow, check it and plan it.

        Raises:
            ConfigError: with everything that is wrong with the YAML.
            typer.BadParameter: an option needs HTTP, and that is not served.
        """
        config, plan = given.load(self.listen, given.http)
        for key in given.http or () if plan.http is None else ():
            if key != "insecure_no_auth":  # that is for `--host` too
                option = "http-workers" if key == "workers" else key.replace("_", "-")
                raise typer.BadParameter(
                    "needs --http, or `protocol: http` in the YAML", param_hint=f"--{option}"
                )
        worker_listen = self.worker_listen or plan.worker_listen
        external = [node.name for node in plan.nodes if node.is_external]
        if external and not worker_listen:
            raise typer.BadParameter(
                f'"{external[0]}" is external: a port is needed for those who serve it',
                param_hint="--worker-port",
            )
        is_open = bool(self.listen or worker_listen or self.ray)
        if self.keys and not is_open:
            raise typer.BadParameter("needs --port or --worker-port", param_hint="--keys")
        keys = (self.keys or config.options.keys or "") if is_open else ""
        if self.ray and self.listen and not keys:
            raise typer.BadParameter("needs --keys with --on ray", param_hint="--port")
        plan = structs.replace(plan, worker_listen=worker_listen, lease_s=self.lease_s, keys=keys)
        if self.ray:
            # Late: only --on ray needs it.
            from jinacli.flow.placed import placed_plan

            plan = placed_plan(config, plan, self.ray)
        return config, plan


def up_flow(given: Given, how: Up) -> int:
    """Start a Flow: tell what is suspicious about it, then run it here or leave it running.

    Args:
        given: its YAML, and what is laid over it.
        how: the options.

    Returns:
        the exit code.

    Raises:
        ConfigError: with everything that is wrong with the YAML, or an interpreter does not fit.
        RuntimeFailToStart: see `run_here`.
    """
    config, plan = how.load(given)
    if plan.keys:
        plan = structs.replace(plan, keys=checked_keys(plan.keys))
    if how.is_strict and (code := refuse_findings(given)):
        return code
    refuse_misfits(given, plan)
    refuse_files(config, plan)
    doubts = Doubts(config, plan.http, plan.placing)
    plan = given.with_origins(config, plan)
    key = plan.file if isinstance(given.source, Path) else ""
    screen = UpScreen(plan, doubts, as_json=how.as_json, quiet=how.quiet)
    if how.is_detached:
        return run_detached(plan, key, screen, how.timeout_s)
    screen.start.of_yaml()
    return run_here(plan, key, screen, watched=given if how.is_watched else None)


def refuse_files(config: FlowConfig, plan: Plan) -> None:
    """Refuse certificates and keys for HTTP that cannot be used, before anything starts.

    Raises:
        ConfigError: each of them, at its place in the YAML.
    """
    if plan.http is None:
        return
    # Late: most Flows name no such files.
    from jina.check.http import http_files

    errors = errors_in(list(http_files(config.http, plan.http)))
    if errors:
        raise ConfigError(errors[0].message, where=errors[0].place, problems=errors)


def run_here(plan: Plan, key: str, screen: UpScreen, *, watched: Given | None = None) -> int:
    """Supervise the Flow in this process until it is stopped.

    Args:
        plan: what to run.
        key: makes the run directory's name, see `rundir.claim`.
        screen: told what happens.
        watched: what the plan comes from, where it is to follow the changes of its files.

    Returns:
        The exit code: 0 when it was stopped in order, 1 when it failed or an Executor did not
        close.

    Raises:
        RuntimeFailToStart: a process did not come up; all but the summary was said.
        KeyboardInterrupt: the second signal, which ended what was under way, was Ctrl-C.
        Terminated: it was another one.
    """
    directory = rundir.claim(plan.name, plan.file, key)
    supervisor = Supervisor(plan, directory, RunLog(screen, directory, plan))
    with _watch(watched, plan, directory, screen) if watched else contextlib.nullcontext():
        clean = supervisor.run()
    screen.close()
    if screen.failure:
        raise screen.failure
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)  # all is gone: one more signal ends nothing
    if not clean:
        return exits.FAILED
    if supervisor.ended_by:
        raise KeyboardInterrupt if supervisor.ended_by == signal.SIGINT else exits.Terminated
    return exits.OK


def _watch(
    given: Given, plan: Plan, directory: RunDirectory, screen: UpScreen
) -> AbstractContextManager[object]:
    # Late: only --watch needs it.
    from jinacli.flow.watch import Watch

    def say(text: str) -> None:
        screen(events.Changing(text=text))

    return Watch(given, plan, directory.path, say)


def run_detached(plan: Plan, key: str, screen: UpScreen, timeout_s: float | None = None) -> int:
    """Start the Flow and leave it running.

    Raises:
        StartTimeout: it was not ready after `timeout_s`, and was stopped.
    """
    screen.start.lists_workers = False
    try:
        of_yaml = screen.start.of_yaml
        flow = LocalFlow(plan, key, tell=screen, timeout_s=timeout_s, meanwhile=of_yaml)
    except BaseException:
        screen.start.done()
        screen.close()  # what is said of the failure comes after all else
        raise
    flow.release()
    screen.up(flow.up)
    screen.detached(flow.up)
    screen.close()
    return exits.OK
