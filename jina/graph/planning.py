"""Make the plan of what is started from a Flow that was checked.

Names and needs are sound by now; here the needs become explicit, each shard and replica a worker,
and heads and tails nodes of their own: a need for a node with a tail becomes a need for the tail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import convert

from jina.config import devices
from jina.config.failures import Failures
from jina.config.flows import FlowConfig, load_flow
from jina.config.http import HttpConfig
from jina.config.interpreters import KEYS as PYTHON_KEYS
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem, result_or_raise
from jina.config.worker_port import worker_address
from jina.executors.spec import ExecutorSpec
from jina.graph.http import WAYS_OUT, HttpSettings
from jina.graph.plan import (
    ALL,
    ANY,
    ANY_ENDPOINT,
    Plan,
    PlannedNode,
    Retries,
    WorkerSpec,
    with_device,
)
from jina.names import GATEWAY

_REDUCER = ExecutorSpec(jtype="BaseExecutor")  # serves nothing, so that its worker reduces


def plan_from(
    config: FlowConfig,
    *,
    listen: str = "",
    http: Mapping[str, Any] | None = None,
    gpus: Callable[[], int] = devices.gpus,
) -> Plan:
    """Turn a checked config into nodes and workers.

    Args:
        config: of the Flow.
        listen: tcp address on which the gateway listens too; "" for none.
        http: settings of HTTP that win over those of the config; with a `port`, it is opened.
            None for a plan that is not started, or serves nobody over HTTP.
        gpus: tells how many GPUs there are, for `CUDA_VISIBLE_DEVICES: RR`.

    Raises:
        ConfigError: other machines could reach it over HTTP, and need no key.
    """
    nodes: list[PlannedNode] = []
    workers: list[WorkerSpec] = []
    outlets = {GATEWAY: GATEWAY}  # node -> whose results replace its own
    before = GATEWAY
    for node in config.executors:
        needs = [before] if node.needs is None else list(node.needs)
        for planned, executor in _parts(node, [outlets[name] for name in needs]):
            nodes.append(planned)
            if not planned.is_external:
                workers += _workers(node, planned, executor, gpus)
            outlets[node.name] = planned.name
        if not node.is_floating:
            before = node.name
    path = str(config.file.resolve()) if config.file else ""
    is_served_elsewhere = any(node.is_external for node in nodes)
    worker_listen = worker_address(config.options) if is_served_elsewhere else ""
    return Plan(
        name=config.name,
        file=path,
        nodes=nodes,
        workers=workers,
        listen=listen,
        keys=(config.options.keys or "") if listen or worker_listen else "",
        worker_listen=worker_listen,
        http=None if http is None else http_settings(config.http, http),
        http_said=dict(config.http.values) if path else {},
    )


def http_settings(config: HttpConfig, wins: Mapping[str, Any]) -> HttpSettings | None:
    """How a Flow is reached over HTTP; None if it is not.

    Args:
        config: what its YAML says.
        wins: what the command line says, by the names of `HttpSettings`.

    Raises:
        ConfigError: other machines could reach it, and need no key.
    """
    if not config.is_open and "port" not in wins:
        return None
    place = "" if "port" in wins else config.place("port")
    settings = convert({**config.values, **wins, "place": place}, HttpSettings)
    if (found := unguarded(config, settings, said="host" in wins)) is not None:
        result_or_raise(None, [found])
    return settings


def unguarded(config: HttpConfig, settings: HttpSettings, *, said: bool = False) -> Problem | None:
    """The problem of an address that others can reach without a key; None if there is none.

    Args:
        config: what the YAML says.
        settings: what holds.
        said: the command line chose the address.
    """
    if settings.is_guarded and not settings.url_host:
        return None
    code, message, hint = "open-host", settings.exposure, WAYS_OUT
    if settings.url_host:
        code, message = "bad-value", f"`host` is an address or a name, not the URL {settings.host}"
        hint = f"leave out http:// and the port: `{settings.url_host}`"
    if said:
        return Problem(code, message, hint=hint)
    return config.problem("host", code, message, hint, is_error=True)


def _parts(node: NodeConfig, needs: list[str]) -> Iterator[tuple[PlannedNode, ExecutorSpec]]:
    """The head of a node, the node and its tail, as far as it has them, and what they run."""
    if node.before is not None:
        head = f"{node.name}/head"
        yield (
            PlannedNode(
                name=head,
                needs=needs,
                of=node.name,
                is_floating=node.is_floating,
                timeouts=node.outer_failures.timeouts,
                on_error=node.outer_failures.on_error,
            ),
            node.before.executor,
        )
        needs = [head]
    polls_all = node.shards > 1 and ALL in node.polling.values()
    yield (
        PlannedNode(
            name=node.name,
            needs=needs,
            replicas=node.replicas,
            shards=node.shards,
            polling=node.polling if polls_all else {},
            is_floating=node.is_floating,
            timeouts=node.failures.timeouts,
            on_error=node.failures.on_error,
            retries=_retries(node.failures),
            is_external=node.is_external,
        ),
        node.executor,
    )
    reduces = polls_all and not node.disable_reduce
    if node.after is not None or (reduces and not node.is_floating):
        tail = PlannedNode(
            name=f"{node.name}/tail",
            needs=[node.name],
            of=node.name,
            reduces=reduces,
            is_floating=node.is_floating,
            timeouts=node.outer_failures.timeouts,
            on_error=node.outer_failures.on_error,
        )
        yield tail, node.after.executor if node.after else _REDUCER


def _retries(failures: Failures) -> Retries | None:
    if not failures.times:
        return None
    return Retries(times=failures.times, on=failures.on, backoff_s=failures.backoff_s)


def _workers(
    node: NodeConfig, planned: PlannedNode, executor: ExecutorSpec, gpus: Callable[[], int]
) -> Iterator[WorkerSpec]:
    is_sharded = planned.shards > 1
    env = _environment(node, planned)
    threads = node.outer_threads if planned.of else node.threads
    turns = devices.in_turns(env, gpus)
    for shard in range(planned.shards):
        for replica in range(planned.replicas):
            yield WorkerSpec(
                node=planned.name,
                replica=replica,
                shard=shard if is_sharded else None,
                tail_of=planned.of if planned.is_tail else "",
                reduces=planned.reduces,
                executor=executor,
                runtime_args=_runtime_args(node, planned, shard, replica),
                env=with_device(env, turns, shard * planned.replicas + replica),
                devices=turns,
                timeout_ready_s=node.timeout_ready_s,
                entry=_entry(node, planned),
                stop_grace_s=node.stop_grace_s,
                threads=threads,
                python="" if planned.of else node.python,
                python_place="" if planned.of else _place(node, *PYTHON_KEYS),
                container=None if planned.of else node.container,
            )


def _environment(node: NodeConfig, planned: PlannedNode) -> dict[str, str]:
    """As in the YAML: what is said of a node is not said of its head and tail."""
    if not planned.of:
        return node.env
    neighbour = node.after if planned.is_tail else node.before
    return node.env_around(neighbour.origin if neighbour else None)


def _runtime_args(
    node: NodeConfig, planned: PlannedNode, shard: int, replica: int
) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "name": planned.name,
        "workspace": node.workspace,
        "replicas": planned.replicas,
        "shards": planned.shards,
        "parallel": planned.shards,
        "pea_id": shard,
        "shard_id": shard,
        "polling": _polling(planned),
    }
    if planned.replicas > 1:
        arguments["replica_id"] = replica
    if planned.of:
        arguments["pea_role"] = "TAIL" if planned.is_tail else "HEAD"
        return arguments
    if planned.shards > 1:
        arguments["pea_role"] = "PARALLEL"
    return arguments | node.runtime_args


def _polling(planned: PlannedNode) -> str | dict[str, str]:
    """As users write it: a single word if it applies to every endpoint."""
    if set(planned.polling) <= {ANY_ENDPOINT}:
        return planned.polling.get(ANY_ENDPOINT, ANY)
    return dict(planned.polling)


def _entry(node: NodeConfig, planned: PlannedNode) -> str:
    """Where the Flow's YAML names the Executor, as file:line:column."""
    key = "uses"
    if planned.of:
        key = "uses_after" if planned.is_tail else "uses_before"
    return _place(node, key)


def _place(node: NodeConfig, *keys: str) -> str:
    """Where one of these keys of a node is, else its entry, as file:line:column."""
    found = next((node.marks[key] for key in keys if key in node.marks), node.mark)
    file, line, column = found
    return f"{file}:{line}:{column}" if file and line else ""


def plan_of(source: Any, *, listen: str = "") -> Plan:
    """Load a Flow and plan it.

    Args:
        source: path of a YAML file, YAML text, or a dict.
        listen: tcp address on which the gateway listens too.

    Raises:
        ConfigError: with everything that is wrong, each thing at its place.
    """
    return plan_from(load_flow(source), listen=listen)
