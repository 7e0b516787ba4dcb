"""The placer of a Flow: a driver of Ray, whose actors host the agents of the Flow.

python -m jina.ray.placer CHANNEL PARENT

It belongs to a supervisor, which tells it on the channel what to place, and hears from it what
happens there. The actors belong to this process: Ray ends them when it ends, however it does.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from jina.excepts import FlowError, JinaError, WireError
from jina.launch import events
from jina.launch.bundle import bundle_of, pack
from jina.launch.placing import Begin, Finish, Listening, Place, ToPlacer, keys_of, places_of
from jina.launch.restarts import Restarts
from jina.ray.connect import connected
from jina.ray.place_actor import Host
from jina.ray.place_agent import Task
from jina.ray.place_room import misfits, missing_room
from jina.ray.spread import best_node
from jina.runtime.control import Channel
from jina.runtime.parent import die_with_parent
from jina.runtime.structs import decode_json, encode_msgpack

_EVENTS: msgspec.json.Decoder[events.Event] = msgspec.json.Decoder(events.Event)
_LOOK_S = 0.25  # between looks at the channel
_WORD_S = 10.0  # between two words about what is waited for
_FIRST_WORD_S = 5.0
_MOST_DELAY_S = 10.0
_SUSPECT_S = 60.0  # nothing is placed on a node that could not be reached
_PATIENCE_S = 10.0  # for room on the node that a place is meant for
_NODE = "ray.io/node-id"  # a label that each node has


class _Slot:
    """A place, and the actor that is there now."""

    def __init__(self, place: Place, bundle: str, data: Any) -> None:
        self.place = place
        self.bundle = bundle
        self.data = data  # a reference to the bytes
        self.actor: Any = None
        self.told: Any = None  # generator of references to what it tells
        self.since = time.monotonic()
        self.due = 0.0
        self.node = self.machine = ""  # where it is, once it is
        self.aim = ""  # the node that it is meant for; it may be on another in the end
        self.restarts = Restarts()
        self.has_failed = False  # it was told why
        self.has_been_there = False


class Placer:
    """Places the agents of one Flow.

    Args:
        begin: what to place.
        channel: to the supervisor.
        ray: the module, connected.
    """

    def __init__(self, begin: Begin, channel: Channel, ray: Any) -> None:
        self._placing = begin.placing
        self._channel = channel
        self._ray = ray
        self._host = ray.remote(Host)
        self._gateway = ""
        self._finish_at: float | None = None
        self._next_word = time.monotonic() + _FIRST_WORD_S
        self._slots: list[_Slot] = []
        self._suspects: dict[str, float] = {}  # node -> until when it is

    def run(self) -> None:
        """Place everything, keep it placed, until the supervisor says that the Flow stops.

        Raises:
            JinaError: something can never be placed, or cannot be sent.
        """
        places = list(places_of(self._placing))
        if found := misfits(places, self._ray.nodes()):
            raise found
        bundles: dict[str, Any] = {}
        for place in places:
            bundle = bundle_of(place.workers[0], _folder(self._placing.project))
            name, data = pack(bundle)
            if name not in bundles:
                bundles[name] = self._ray.put(data)
            workers = [
                structs.replace(spec, executor=bundle.spec.executor) for spec in place.workers
            ]
            self._slots.append(_Slot(place._replace(workers=workers), name, bundles[name]))
        while self._goes_on():
            self._hear()
            self._place()
            self._listen()
            self._tell_waiting()

    def _goes_on(self) -> bool:
        if self._finish_at is None:
            return self._channel.is_open
        there = any(slot.told is not None for slot in self._slots)
        return there and time.monotonic() < self._finish_at

    def _hear(self) -> None:
        """What the supervisor says."""
        while self._channel.has_waiting or _is_readable(self._channel):
            for message in self._channel.receive():
                if isinstance(message, Listening):
                    self._gateway = self._reachable(message.address)
                elif isinstance(message, Finish):
                    self._finish_at = time.monotonic() + message.grace_s
            if not self._channel.is_open:
                return

    def _reachable(self, address: str) -> str:
        """Where workers on other nodes reach the gateway: at this node's address, as Ray has it."""
        host, _, port = address.removeprefix("tcp://").rpartition(":")
        if host in ("0.0.0.0", "*", "[::]"):
            host = self._ray.util.get_node_ip_address()
        return f"tcp://{host}:{port}"

    def _place(self) -> None:
        """Create the actors that are not there."""
        now = time.monotonic()
        if not self._gateway or self._finish_at is not None:
            return
        for slot in self._slots:
            if slot.told is None and now >= slot.due:
                self._create(slot, now, self._aim(slot, now))
            elif slot.aim and not slot.machine and now - slot.since > _PATIENCE_S:
                self._ray.kill(slot.actor)  # others of the cluster have the room there
                self._create(slot, now, "")

    def _aim(self, slot: _Slot, now: float) -> str:
        """The node that a place had better be on; "" for any."""
        others = [(each.place, each.node or each.aim) for each in self._slots if each is not slot]
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        good = [node for node in nodes if self._suspects.get(node["NodeID"], 0.0) <= now]
        return best_node(slot.place, [each for each in others if each[1]], good)

    def _create(self, slot: _Slot, now: float, aim: str) -> None:
        place = slot.place
        task = Task(
            gateway=self._gateway,
            shard=place.shard,
            workers=place.workers,
            is_stateful=place.node in self._placing.stateful,
        )
        slot.actor = self._host.options(
            num_cpus=place.ask.num_cpus,
            num_gpus=place.ask.num_gpus,
            resources=place.ask.resources,
            scheduling_strategy="SPREAD",
            label_selector={_NODE: aim} if aim else self._elsewhere(place, now),
            max_restarts=0,
        ).remote()
        run = slot.actor.run.options(num_returns="streaming")
        keys = keys_of(place, self._placing.keys)
        slot.told = run.remote(encode_msgpack(task), slot.bundle, slot.data, keys)
        slot.since, slot.node, slot.machine, slot.aim = now, "", "", aim

    def _elsewhere(self, place: Place, now: float) -> dict[str, str]:
        """The labels that keep a place off nodes that cannot be reached, if it fits on others.

        Ray knows that a node is gone only after some 15 s, and would go on placing there.
        """
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        suspects = {
            node["NodeID"] for node in nodes if self._suspects.get(node["NodeID"], 0.0) > now
        }
        others = [node for node in nodes if node["NodeID"] not in suspects]
        if not suspects or misfits([place], others):
            return {}
        return {_NODE: f"!in({','.join(sorted(suspects))})"}

    def _listen(self) -> None:
        """What the agents tell, for a moment."""
        there = {slot.told: slot for slot in self._slots if slot.told is not None}
        if not there:
            time.sleep(_LOOK_S)
            return
        ready, _ = self._ray.wait(
            list(there), num_returns=len(there), timeout=_LOOK_S, fetch_local=False
        )
        for told in ready:
            self._take(there[told])

    def _take(self, slot: _Slot) -> None:
        try:
            found = self._ray.get(next(slot.told))
        except StopIteration:
            self._ended(slot, "its agent has ended")
            return
        except self._ray.exceptions.RayError as error:
            if isinstance(error, self._ray.exceptions.ActorUnavailableError):
                self._suspects[slot.node] = time.monotonic() + _SUSPECT_S
            if isinstance(error, self._ray.exceptions.RayTaskError):  # it is not lost: it raised
                self._failed(slot, *_told(error))
            self._ended(slot, _why(error))
            return
        if not slot.machine:
            slot.node, _, slot.machine = found.decode().partition(" ")
            slot.aim = ""
            slot.has_been_there = True
            return
        for line in found.split(b"\n"):
            event = decode_json(line, _EVENTS)
            if isinstance(event, events.StartFailed) and not event.worker:
                event = structs.replace(event, worker=slot.place.name)
            slot.has_failed |= isinstance(event, events.StartFailed)
            self._channel.send(event)

    def _failed(self, slot: _Slot, why: str, hint: str = "") -> None:
        """The place cannot be used as it is."""
        slot.has_failed = True
        where, reason = slot.place.where, f"failed on its node: {why}"
        name = slot.place.name
        event = events.StartFailed(worker=name, where=where, reason=reason, output=[], hint=hint)
        self._channel.send(event)

    def _ended(self, slot: _Slot, why: str) -> None:
        """The actor is gone, or its agent is."""
        self._ray.kill(slot.actor)
        where = f" on {slot.machine}" if slot.machine else ""
        slot.actor = slot.told = None
        if self._finish_at is not None:
            return
        now = time.monotonic()
        delay = slot.restarts.delay_s(now)
        slot.due = now + (_MOST_DELAY_S if delay is None else delay)
        if delay is None and not slot.has_been_there:
            self._failed(slot, why)
        if not slot.has_failed:
            self._say(f"{slot.place.name}{where} is lost: {why}; placing it again")
        slot.has_failed = False

    def _tell_waiting(self) -> None:
        """Tell what has no place yet, and why."""
        now = time.monotonic()
        if now < self._next_word or not self._gateway or self._finish_at is not None:
            return
        self._next_word = now + _WORD_S
        for slot in self._slots:
            if slot.told is not None and not slot.machine and now - slot.since > _FIRST_WORD_S / 2:
                self._say(
                    missing_room(slot.place, self._ray.nodes(), self._ray.available_resources())
                )

    def _say(self, text: str) -> None:
        self._channel.send(events.Changing(text=text))


def _folder(path: str) -> Path:
    return Path(path) if path else Path.cwd()


def _is_readable(channel: Channel) -> bool:
    return channel.is_open and bool(select.select([channel], [], [], 0)[0])


def _told(error: Exception) -> tuple[str, str]:
    """What an actor raised, and what to do."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, JinaError):
        return ": ".join(filter(None, [cause.where, cause.what])), cause.hint
    return _why(error), ""


def _why(error: Exception) -> str:
    """What Ray says of a lost actor, in one line: it has many, some of which are ours."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def main() -> int:
    """Place what the supervisor says."""
    die_with_parent(int(sys.argv[2]), signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; the supervisor says what to do
    channel = Channel(socket.socket(fileno=int(sys.argv[1])), ToPlacer)
    said = os.dup(2)
    silent = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):  # Ray prints pages about each lost node; what matters is told
        os.dup2(silent, descriptor)
    try:
        begin = channel.wait_for(Begin)
        ray = connected(begin.placing.address)
        Placer(begin, channel, ray).run()
    except WireError:
        return 1  # the supervisor is gone
    except JinaError as error:
        told = FlowError(error.what, where=error.where, hint=error.hint)
        channel.send(events.StartFailed.of(told))
        return 1
    except Exception:
        os.write(said, traceback.format_exc().encode())
        return 1
    ray.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
