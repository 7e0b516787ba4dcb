"""Executors that behave as a test needs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from jina import Document, DocumentArray, Executor, requests

_LOOK_S = 0.005


class Upper(Executor):
    @requests
    def upper(self, docs: DocumentArray | None = None, **kwargs: Any) -> None:
        for doc in docs or ():
            doc.text = doc.text.upper()


class Status(Executor):
    """Tells what it was called with."""

    @requests(on="/status")
    def status(self, docs: DocumentArray | None, parameters: dict[str, Any]) -> DocumentArray:
        number = -1 if docs is None else len(docs)
        return DocumentArray([Document(id="status", tags={"docs": number, "given": parameters})])

    @requests(on="/index")
    def index(self, docs: DocumentArray, **kwargs: Any) -> None:
        pass

    @requests(on="/vectors")
    def vectors(self, docs: DocumentArray, **kwargs: Any) -> None:
        import numpy as np

        for doc in docs:
            doc.embedding = np.array([1.5, -2.0], dtype=np.float32)

    @requests(on="/matches")
    def matches(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            doc.matches.append(Document(id="m", text="a match", scores={"cosine": 0.25}))

    @requests(on="/environment")
    def environment(self, **kwargs: Any) -> DocumentArray:
        tags = {"workspace": str(self.workspace), "variable": os.environ.get("ZOO", "")}
        return DocumentArray([Document(id="environment", tags=tags)])


class Moody(Executor):
    """Does what a Document's text tells it."""

    @requests(on="/moody")
    def act(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            if doc.text == "raise":
                raise ValueError("a bad mood")
            if doc.text == "mute":
                raise MemoryError
            if doc.text == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if doc.text == "exit":
                os._exit(7)
            doc.text = doc.text.upper()


class Fickle(Executor):
    """Hangs or raises if a Document's text tells it; of three busy calls, the third succeeds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._busy = 0

    @requests
    def act(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            if doc.text == "hang":
                time.sleep(600)
            if doc.text == "never":
                raise ValueError("not this one")
            if doc.text == "busy":
                self._busy += 1
                if self._busy % 3:
                    raise ConnectionResetError(f"refused {self._busy}")
            doc.tags["acted"] = True


class Picky(Executor):
    """Raises when a Document's text is `bad`, and dies when it is `deadly`; counts its calls."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._calls: list[int] = []

    @requests(on=["/pick", "/some"])
    def pick(self, docs: DocumentArray, **kwargs: Any) -> None:
        self._calls.append(len(docs))
        for doc in docs:
            if doc.text == "bad":
                raise ValueError("a bad one")
            if doc.text == "deadly":
                os.kill(os.getpid(), signal.SIGKILL)
            doc.text = doc.text.upper()

    @requests(on="/once", once=True)
    def once(self, docs: DocumentArray, **kwargs: Any) -> None:
        self.pick(docs)

    @requests(on="/calls")
    def calls(self, **kwargs: Any) -> DocumentArray:
        """The sizes of its calls, and begin anew."""
        calls, self._calls = self._calls, []
        return DocumentArray([Document(id="calls", tags={"sizes": calls})])


class Counter(Executor):
    """Keeps in memory which Documents it has seen."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._seen: set[str] = set()

    @requests
    def count(self, docs: DocumentArray, **kwargs: Any) -> None:
        self._seen.update(doc.id for doc in docs)

    @requests(on="/seen")
    def seen(self, **kwargs: Any) -> DocumentArray:
        tags = {"seen": len(self._seen), "pid": os.getpid()}
        return DocumentArray([Document(id="seen", tags=tags)])


class Merge(Executor):
    """Takes of each Document the branch that wrote in capitals."""

    @requests
    def merge(
        self, docs: DocumentArray, docs_matrix: list[DocumentArray], **kwargs: Any
    ) -> DocumentArray:
        pairs = zip(*docs_matrix, strict=True)
        return DocumentArray(
            [next((d for d in pair if d.text.isupper()), pair[0]) for pair in pairs]
        )


class Shard(Executor):
    """One of several shards; what it does depends on which one it is."""

    @property
    def number(self) -> int:
        number: int = self.runtime_args.shard_id
        return number

    @requests(on="/parts")
    def parts(
        self, docs: DocumentArray | None, groundtruths: DocumentArray | None, **kwargs: Any
    ) -> DocumentArray | None:
        """Set a tag and a match of its own; a Document may tell one shard to die or to raise."""
        if docs is None:
            return DocumentArray([Document(id=f"made by {self.number}")])
        for doc in docs:
            if doc.text.lower() == f"die {self.number}":
                os.kill(os.getpid(), signal.SIGKILL)
            if doc.text.lower() == f"raise {self.number}":
                raise ValueError("a bad mood")
            doc.tags[f"shard {self.number}"] = True
            doc.matches.append(Document(id=f"m{self.number}"))
        for doc, truth in zip(docs, groundtruths or (), strict=False):
            doc.tags["truth"] = truth.text
        return None

    @requests(on="/places")
    def places(self, **kwargs: Any) -> DocumentArray:
        args = self.runtime_args
        names = ("name", "pea_id", "shard_id", "shards", "parallel", "replicas", "replica_id")
        tags: dict[str, Any] = {name: getattr(args, name) for name in names}
        tags["polling"] = args.polling
        tags["workspace"] = self.workspace
        tags["variable"] = os.environ.get("ZOO", "")
        return DocumentArray([Document(id=f"place {os.getpid()}", tags=tags)])

    @requests(on="/names")
    def names(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            doc.id = f"{doc.id} of {self.number}"

    @requests(on="/widths")
    def widths(self, docs: DocumentArray, **kwargs: Any) -> None:
        import numpy as np

        docs[0].embedding = np.zeros(self.number + 1, np.float32)
        docs.append(Document(id=f"of {self.number}", embedding=docs[0].embedding))


class Sizes(Executor):
    """Behind shards: tells how many Documents each of them gave, and their marks."""

    @requests(on="/parts")
    def sizes(
        self, docs: DocumentArray, docs_matrix: list[DocumentArray] | None, **kwargs: Any
    ) -> DocumentArray:
        sizes = [len(array) for array in docs_matrix or ()]
        tags = {"sizes": sizes, "docs": len(docs), "with": os.environ.get("ZOO", "")}
        return DocumentArray([Document(id="sizes", tags=tags)])


class Gate(Executor):
    """Waits in its method until a file "go" exists; notes what happens as files beside it.

    Args:
        folder: of those files.
        times: how often the text of each answer says "passed".
        **kwargs: of every Executor.
    """

    def __init__(self, folder: str, times: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._folder = Path(folder)
        self._times = times

    @requests
    def wait(self, docs: DocumentArray, **kwargs: Any) -> None:
        (self._folder / "begun").touch()
        while not (self._folder / "go").exists():
            time.sleep(_LOOK_S)
        for doc in docs:
            doc.text = "passed" * self._times

    def close(self) -> None:
        (self._folder / "closed").touch()


class Slow(Executor):
    """Takes its time for each request."""

    @requests
    def wait(self, docs: DocumentArray, **kwargs: Any) -> None:
        time.sleep(0.02)


class Hog(Executor):
    """Holds the interpreter for ages."""

    @requests
    def hold(self, docs: DocumentArray, parameters: dict[str, Any], **kwargs: Any) -> None:
        Path(parameters["begun"]).touch()
        re.match(r"(a+)+$", "a" * 64 + "b")


class Parent(Executor):
    """Starts a process of its own, which outlives nobody only if somebody ends it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        code = "import time; time.sleep(600)"
        self._child = subprocess.Popen([sys.executable, "-c", code])

    @requests
    def tell(self, **kwargs: Any) -> DocumentArray:
        return DocumentArray([Document(id="child", tags={"pid": self._child.pid})])


class FailsToStart(Executor):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        print("about to load the model")
        raise RuntimeError("no model here")


class StaysPastItsEnd(Executor):
    """Ignores SIGTERM, and is built once the file "go" exists.

    Args:
        folder: of that file.
        **kwargs: of every Executor.
    """

    def __init__(self, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while not (Path(folder) / "go").exists():
            time.sleep(_LOOK_S)


class DiesAtIdle(Executor):
    """Its process ends a moment after its Flow was up."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        threading.Thread(target=self._die, daemon=True).start()

    def _die(self) -> None:
        while not any(map(_is_up, Path(os.environ["JINA_RUN_DIR"]).glob("*/flow.json"))):
            time.sleep(_LOOK_S)
        time.sleep(0.15)
        os._exit(9)

    @requests(on="/never")
    def never(self, **kwargs: Any) -> None:
        pass


def _is_up(record: Path) -> bool:
    return bool(json.loads(record.read_bytes())["is_ready"])
