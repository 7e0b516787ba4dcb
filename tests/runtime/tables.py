"""Tell a router's story as a table: what comes in on the left, what is to be done on the right.

A body is written as its text; a worker `encoder/0` belongs to the node `encoder`, `indexer#2/0` to
shard 2 of `indexer`. What the router wants done is written in one line each:

    a/0 <- 1: in            dispatch task 1 with the body "in"
    a/0 <- 1: in (last)     likewise, and the worker may write the answer's lines
    a/0 <- 1[2:4]: in       likewise, only the outcomes 2 and 3
    a/0 <- 1[2:3]!: in      likewise, and the one outcome is an error
    a/0 <- 1 of 3: in       likewise, one call with those up to task 3
    j/0 <- 3: A | B         a join: the branches' bodies in their order
    a/0 <- 1[2:3]-: in      likewise, and the one outcome stays as it is
    a/0 <- 1[2:4]: in behind 0+1     likewise, and the reply begins with what the others gave
    a/0 late with 1         end the worker, which has task 1 for too long
    timer 1: 2 s            say when two seconds are over
    c <- 1: A, served 1     answer request 1 of client c
    c <- 1: A, served 1, after Type at node     it went on after this error
    c <- 1: A+in, served 1, some as it came     no worker wrote lines of all of it
    c <- 1! Type at node: message
    c <- 1 refused: reason
    nobody hears Type at node
    a/0 may close           it was to retire, and has nothing left to do
    a/0 need not do 1       it is told to begin task 1 no more
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from jina.graph.plan import PlannedNode
from jina.names import GATEWAY
from jina.runtime.router import Router
from jina.runtime.steps import (
    Action,
    Answer,
    AnswerError,
    Cancelled,
    ClientLeft,
    Dispatch,
    Event,
    Expired,
    Joined,
    Lost,
    NodeFailed,
    Overdue,
    Piece,
    Raised,
    Refuse,
    Replied,
    Retired,
    StartTimer,
    Submitted,
    TakeBack,
    Unheard,
)
from jina.wire.batching import Batching
from jina.wire.maps import DOCS, LINES, ErrorInfo, Part


def graph(**needs: str) -> list[PlannedNode]:
    """`graph(a="", b="a", j="a b")`: nodes and what they need; nothing means the gateway."""
    return [
        PlannedNode(name=name, needs=wanted.split() or [GATEWAY]) for name, wanted in needs.items()
    ]


def sharded(polling: str, *, shards: int = 2, tail: bool = True) -> list[PlannedNode]:
    """`s`, in shards, and `z` behind it, or behind its tail."""
    own = PlannedNode(name="s", needs=[GATEWAY], shards=shards, polling={"*": polling})
    if not tail:
        return [own, PlannedNode(name="z", needs=["s"])]
    return [
        own,
        PlannedNode(name="s/tail", needs=["s"], of="s", reduces=True),
        PlannedNode(name="z", needs=["s/tail"]),
    ]


def ruled(nodes: Sequence[PlannedNode], name: str, **rules: Any) -> list[PlannedNode]:
    """The graph with further rules for one of its nodes."""
    return [msgspec.structs.replace(node, **rules) if node.name == name else node for node in nodes]


def body(*texts: str) -> list[Piece]:
    return [Piece(Part(LINES, DOCS, 1, 1), [text.encode()]) for text in texts]


def post(
    number: int,
    text: str = "in",
    *,
    client: str = "c",
    endpoint: str = "/x",
    targets: Sequence[str] | None = None,
    rows: int = 1,
    call: bytes = b"call",
    on_error: str = "",
) -> Submitted:
    pieces = [Piece(Part(LINES, DOCS, 1, rows), [text.encode()])]
    return Submitted(
        client.encode(), number, endpoint, targets, 7, 3, call, pieces, on_error=on_error
    )


def soon(event: Submitted, seconds: float) -> Submitted:
    """The same request, which may take so long; 1000 is the moment when that is over."""
    return msgspec.structs.replace(event, timeout_s=seconds, deadline=1000.0)


def ready(
    worker: str,
    *endpoints: str,
    credits: int = 2,
    batching: Mapping[str, Batching] | None = None,
    once: Sequence[str] = (),
) -> Joined:
    name, _, replica = worker.rpartition("/")
    node, _, shard = name.partition("#")
    return Joined(
        worker.encode(),
        node,
        int(replica[:1]),
        endpoints or ("/x",),
        credits,
        int(shard) if shard else None,
        batching or {},
        once,
    )


def started(
    nodes: Sequence[PlannedNode],
    *,
    replicas: int = 1,
    credits: int = 2,
    apart: str = "",
    **options: int,
) -> Router:
    """A router whose workers are all ready, and have nothing to do yet.

    Args:
        nodes: the graph.
        replicas: workers of each node: a/0, a/1, ...
        credits: of each worker.
        apart: nodes that bind another endpoint than the one that stories post to.
        **options: of the router.
    """
    router = Router(nodes, **options)
    for node in nodes:
        endpoint = "/other" if node.name in apart or node.reduces else "/x"
        names = [f"{node.name}#{shard}" for shard in range(node.shards)]
        for name in names if node.shards > 1 else [node.name]:
            for replica in range(replicas):
                assert not router.step(ready(f"{name}/{replica}", endpoint, credits=credits))
    return router


def reply(worker: str, task: int, *texts: str) -> Replied:
    return Replied(worker.encode(), task, body(*texts))


def failed(worker: str, task: int, message: str = "no", *classes: str) -> Raised:
    kind = classes[0] if classes else "ValueError"
    error = ErrorInfo(kind, message, worker[0], classes=list(classes))
    return Raised(worker.encode(), task, error)


def over(timer: int) -> Expired:
    return Expired(timer)


def lost(worker: str, begun: int = 0) -> Lost:
    return Lost(worker.encode(), begun, "was killed by SIGKILL")


def gave_up(node: str, shard: int | None = None) -> NodeFailed:
    return NodeFailed(node, "it has no workers left", shard)


def cancelled(number: int, client: str = "c") -> Cancelled:
    return Cancelled(client.encode(), number)


def left(client: str) -> ClientLeft:
    return ClientLeft(client.encode())


def words(action: Action) -> str:
    """One action in one line."""
    if isinstance(action, Dispatch):
        last = " (last)" if action.is_last else ""
        own = len(action.pieces) - action.carried
        branches = [
            "+".join(_text(piece) for piece in action.pieces[:own] if piece.part.branch == branch)
            for branch in range(action.branches)
        ]
        before = "+".join(map(_text, action.pieces[own:]))
        last = f" behind {before}{last}" if action.carried else last
        some = f"[{action.first}:{action.stop}]" if action.stop else ""
        together = f" of {action.lot}" if action.lot else ""
        mark = "!" if action.blame else "-" if action.skip else ""
        what = f"{action.task}{some}{mark}{together}"
        return f"{action.worker.decode()} <- {what}: {' | '.join(branches)}{last}"
    if isinstance(action, Unheard):
        return f"nobody hears {action.error.type} at {action.error.executor}"
    if isinstance(action, StartTimer):
        return f"timer {action.timer}: {action.seconds:g} s"
    if isinstance(action, Overdue):
        return f"{action.worker.decode()} late with {action.task}"
    if isinstance(action, TakeBack):
        return f"{action.worker.decode()} need not do {action.task}"
    if isinstance(action, Retired):
        return f"{action.worker.decode()} may close"
    to = f"{action.client.decode()} <- {action.number}"
    if isinstance(action, Answer):
        errors = action.way.errors if action.way else []
        after = "".join(f", after {error.type} at {error.executor}" for error in errors)
        if action.way and action.way.is_raw and not errors:
            after = ", some as it came"
        return f"{to}: {'+'.join(map(_text, action.pieces))}, served {action.served}{after}"
    if isinstance(action, AnswerError):
        error = action.error
        return f"{to}! {error.type} at {error.executor}: {error.message}"
    assert isinstance(action, Refuse)
    return f"{to} refused: {action.reason}"


def _text(piece: Piece) -> str:
    return b"".join(piece.frames).decode()


def play(router: Router, history: Sequence[tuple[Event, list[str]]]) -> None:
    """Tell the router each event and compare what it wants done."""
    for line, (event, expected) in enumerate(history, 1):
        done = [words(action) for action in router.step(event)]
        assert done == expected, f"line {line} of the history: {event}"


def is_idle(router: Router) -> bool:
    """Whether it has let go of everything."""
    return router.bytes_held == 0 and router.requests_held == 0


DIED = "jina.excepts.WorkerDied at"
GONE = "jina.excepts.ExecutorUnavailable at"

ONE = graph(a="")
CHAIN = graph(a="", b="a", c="b")
DIAMOND = graph(a="", b="a", c="a", j="c b")
