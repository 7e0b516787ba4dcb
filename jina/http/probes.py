"""Whether the front lives, reaches the Flow, and whether the Flow is ready.

- /livez: the process answers. It asks nobody: no front is restarted for what a worker did.
- /healthz: it also has a link to the gateway of the Flow.
- /readyz: each node has a worker that is ready, and the Flow takes requests.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from jina.excepts import ConnectError
from jina.http.answers import Answered, told
from jina.http.hub import Hub
from jina.wire import header as wire

_FRESH_S = 1.0  # that an answer of the gateway serves all who ask

Status = dict[str, Any]


class FlowStatus:
    """What the gateway says of the Flow, asked at most once a second, whoever asks.

    Args:
        hub: link to the gateway.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._task: asyncio.Task[Status] | None = None
        self._asked_at = 0.0
        self._welcome = hub.welcome  # when it was asked

    async def get(self) -> Status:
        """The answer to STATUS.

        Raises:
            ConnectError: there is no gateway.
            TimeoutError: it does not answer.
        """
        loop = asyncio.get_running_loop()
        task = self._task
        if task is None or (task.done() and self._is_stale(task, loop.time())):
            self._asked_at, self._welcome = loop.time(), self._hub.welcome
            task = self._task = loop.create_task(self._ask())
        return await asyncio.shield(task)

    def _is_stale(self, task: asyncio.Task[Status], now: float) -> bool:
        is_wrong = task.cancelled() or task.exception() is not None
        is_old = now - self._asked_at > _FRESH_S or self._welcome is not self._hub.welcome
        return is_wrong or is_old or not self._hub.is_linked

    async def _ask(self) -> Status:
        answer = await self._hub.question(wire.STATUS)
        return msgspec.json.decode(answer, type=Status)


def health(hub: Hub) -> Answered:
    """The answer of /healthz."""
    if hub.is_linked:
        return Answered(200, [], b'{"status":"ok"}')
    return told(503, "unavailable", "the gateway of the Flow is not reached")


async def readiness(hub: Hub, status: FlowStatus) -> Answered:
    """The answer of /readyz."""
    if hub.is_stopping:
        return _not_ready("the Flow is stopping", [])
    if hub.welcome is None and not hub.is_linked:
        return _not_ready("connecting to the gateway of the Flow", [])
    try:
        found = await status.get()
    except ConnectError as error:
        return _not_ready(error.what, [])
    except TimeoutError:
        return _not_ready("the gateway of the Flow does not answer", [])
    if found.get("draining"):
        return _not_ready("the Flow is stopping", [])
    if missing := missing_nodes(found):
        few = f"{', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}"
        return _not_ready(f"no worker is ready for {few}", missing)
    if hub.welcome is None:
        return _not_ready("the Flow is not ready yet", [])
    return Answered(200, [], b'{"status":"ready"}')


def missing_nodes(status: Status) -> list[str]:
    """The nodes without a ready worker, or with a shard without one, in the order of the YAML."""
    ready: dict[str, dict[int | None, bool]] = {node["name"]: {} for node in status["nodes"]}
    for worker in status["workers"]:
        shards = ready.setdefault(worker["node"], {})
        shard = worker["shard"]
        shards[shard] = shards.get(shard, False) or worker["state"] == "ready"
    return [node for node, shards in ready.items() if not shards or not all(shards.values())]


def _not_ready(message: str, missing: list[str]) -> Answered:
    answer = told(503, "not_ready", message)
    body = {**msgspec.json.decode(answer.body), "missing": missing}
    return Answered(503, answer.headers, msgspec.json.encode(body))
