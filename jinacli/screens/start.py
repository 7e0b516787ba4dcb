"""Tell how far a Flow's start is: what is suspicious, what is waited for, which nodes are ready."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from jina.graph.plan import Plan
from jina.launch import events
from jina.launch.speaker import Speaker
from jinacli.flow.doubts import Doubts
from jinacli.screens.loading import Loading

_NARROWEST, _WIDEST = 40, 200


class StartScreen:
    """Takes the events of a start.

    Args:
        speaker: writes the lines.
        doubts: knows where what is suspicious stands in the YAML.
        quiet: show only what Executors print.
        lists_workers: say of each worker that it is ready.
    """

    def __init__(
        self, speaker: Speaker, doubts: Doubts | None, *, quiet: bool, lists_workers: bool = False
    ) -> None:
        self._speaker = speaker
        self._doubts = doubts
        self._quiet = quiet
        self.lists_workers = lists_workers
        self._loading = Loading(quiet=quiet, say=speaker.say, draw=speaker.draw)
        self.ready: dict[str, events.WorkerUp] = {}
        """Worker -> what it said when it was ready."""

    def __call__(self, event: events.Event) -> None:
        """Show one event."""
        if isinstance(event, events.Output):
            self._speaker.say(event.as_text())
        elif isinstance(event, events.WorkerUp):
            self.ready[event.worker] = event
            if self.lists_workers and not self._quiet:
                endpoints = ", ".join(event.endpoints) or "no endpoint"
                self._speaker.say(f"{event.worker} is ready: {endpoints}")
        elif self._quiet:
            return
        elif isinstance(event, events.Doubtful):
            texts = self._doubts.of_class(event) if self._doubts else [event.as_text()]
            for text in texts:
                self._speaker.say(text)
        elif isinstance(event, events.Outside):
            self._loading.done()
            self._speaker.say(event.text)
        elif isinstance(event, events.Loading):
            self._loading.tell_workers(event.workers, event.seconds)

    def of_yaml(self) -> None:
        """Show what is suspicious about the YAML."""
        if self._doubts is not None and not self._quiet:
            for text in self._doubts.of_yaml():
                self._speaker.say(text)

    def loading(self, what: str, seconds: float) -> None:
        """Say what is waited for: in place on a terminal, else now and then.

        Args:
            what: names of nodes.
            seconds: since the start began.
        """
        self._loading.tell([what], seconds)

    def done(self) -> None:
        """Erase what is drawn in place."""
        self._loading.done()

    def table(self, plan: Plan) -> str:
        """The nodes that are ready, as wide as the terminal."""
        width = min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST)
        return nodes_table(plan, self.ready, width)


def nodes_table(plan: Plan, ready: dict[str, events.WorkerUp], width: int) -> str:
    """A row for each node: its name, replicas and shards, endpoints, process ids.

    Args:
        plan: of the Flow.
        ready: worker -> what it said when it was ready.
        width: columns; the last two are cut to fit.
    """
    rows = [("NAME", "REPLICAS", "ENDPOINTS", "PIDS")]
    for node in plan.nodes:
        names = [spec.name for spec in plan.workers if spec.node == node.name]
        found = [ready[name] for name in names if name in ready]
        endpoints = list(dict.fromkeys(each for event in found for each in event.endpoints))
        count = f"{node.shards} x {node.replicas}" if node.shards > 1 else str(node.replicas)
        pids = " ".join(str(event.pid) for event in found)
        rows.append((node.name, count, ", ".join(endpoints) or "-", pids))
    return "\n".join(_fitted(rows, width))


def _fitted(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """The rows in columns, no wider than `width`."""
    sizes = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    gaps = 2 * (len(sizes) - 1)
    # What is least missed gives way first: process ids, then endpoints, then names.
    for column, least in ((3, 5), (2, 10), (0, 8)):
        spare = sum(sizes) + gaps - width
        if spare > 0:
            sizes[column] = max(min(least, sizes[column]), sizes[column] - spare)
    return [
        "  ".join(_cell(text, size) for text, size in zip(row, sizes, strict=True)).rstrip()
        for row in rows
    ]


def _cell(text: str, size: int) -> str:
    return text.ljust(size) if len(text) <= size else f"{text[: size - 1]}…"
