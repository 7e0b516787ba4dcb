"""One day of somebody who writes an Executor, runs it, mends it, and goes home."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.polling import wait_until
from tests.shell import Done, Shell

COUNT = 10_000
BAD = [17, 4_321, 9_999]
SLOW = 6_000  # during this one, the worker is killed
WORK = "            words = doc.text.split()\n"
"""A line of the scaffold, which the day's work goes before."""
RAISES = '            if doc.text == "bad":\n                raise ValueError("a bad text")\n'
WAITS = f"""\
            if doc.id == "d{SLOW}" and Path("wait").exists():
                Path("at").write_text(str(os.getpid()))
                while Path("wait").exists():
                    time.sleep(0.01)
"""


@pytest.fixture
def day(shell: Shell) -> Iterator[Shell]:
    """A folder with data; at the end there is nothing but what was made on purpose."""
    temporary = shell.run_dir.parent / "tmp"
    temporary.mkdir()
    shell.environment |= {"TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    texts = ["bad" if n in BAD else f"to be or not {n}" for n in range(COUNT)]
    rows = [json.dumps({"id": f"d{n}", "text": text}) for n, text in enumerate(texts)]
    shell.write("data.jsonl", "\n".join(rows) + "\n")
    yield shell
    assert not shell.processes()
    assert not shell.directories()
    assert not list(temporary.iterdir())


def jina(shell: Shell, words: str, code: int = 0) -> Done:
    done = shell.fork(*words.split())
    assert done.code == code, (words, done)
    assert "Traceback" not in done.err or "Error" in done.err, done.err
    return done


def outcomes(path: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert [each["id"] for each in found] == [f"d{n}" for n in range(COUNT)]
    return found


def failed(path: Path) -> list[int]:
    """The numbers of the Documents that failed; each of the others has its words counted."""
    found = outcomes(path)
    assert {each["tags"]["words"] for each in found if "error" not in each} <= {1, 5}
    return [n for n, each in enumerate(found) if "error" in each]


def edit(path: Path, *lines: str) -> None:
    text = path.read_text()
    assert WORK in text
    path.write_text(text.replace(WORK, "".join(lines) + WORK))


def test_a_day(day: Shell) -> None:
    folder = day.folder
    # In the morning an Executor and a Flow are written.
    jina(day, "executor new WordCount")
    code = folder / "WordCount" / "executor.py"
    whole = code.read_text()
    edit(code, "            import os, time\n            from pathlib import Path\n", RAISES, WAITS)
    jina(day, "executor check WordCount/config.yml")
    jina(day, "flow new day")
    flow = (
        "jtype: Flow\nexecutors:\n  - {name: words, uses: ../WordCount/config.yml, replicas: 2}\n"
    )
    (folder / "day" / "flow.yml").write_text(flow)
    jina(day, "flow check day/flow.yml")
    jina(day, "flow up day/flow.yml --detach")

    # The data have three bad lines, which are found.
    done = jina(day, "post /count -i data.jsonl -o counts.jsonl", 3)
    assert "ValueError" in done.err
    assert failed(folder / "counts.jsonl") == BAD
    again = jina(day, "post /count -i data.jsonl --only-failed counts.jsonl", 3)
    assert [line["id"] for line in again.lines] == [f"d{n}" for n in BAD]

    # A worker is killed in the middle of another post, which loses nothing.
    (folder / "wait").touch()
    with day.start("post", "/count", "-i", "data.jsonl", "-o", "again.jsonl") as post:
        at = wait_until(lambda: (folder / "at").exists() and (folder / "at").read_text())
        os.kill(int(at), signal.SIGKILL)
        (folder / "wait").unlink()
        assert post.end().code == 3, post.err
    assert failed(folder / "again.jsonl") == failed(folder / "counts.jsonl")
    (folder / "at").unlink()

    # Who looks is told of all that, once there is a worker in the place of the dead one.
    wait_until(lambda: day.fork("flow", "status").code == 0)
    status = json.loads(jina(day, "flow status --json").out)
    assert status["state"] == "healthy"
    assert sum(worker["restarts"] for worker in status["workers"]) == 1
    log = jina(day, "flow logs --json").lines
    assert any("ValueError: a bad text" in line["text"] for line in log)
    assert any("SIGKILL" in line["text"] for line in log)

    # It needs more processes, and bad texts are to be counted too.
    jina(day, "flow scale words=3")
    assert sorted(day.workers()) == ["words/0", "words/1", "words/2"]
    code.write_text(whole)
    before = day.workers()
    jina(day, "flow restart words")
    assert not set(before.values()) & set(day.workers().values())
    jina(day, "post /count -i data.jsonl -o counts.jsonl --only-failed counts.jsonl")
    assert failed(folder / "counts.jsonl") == []

    # In the evening all is stopped.
    jina(day, "flow down")
    assert day.ps() == []
    made = {"WordCount", "day", "data.jsonl", "counts.jsonl", "again.jsonl"}
    assert {path.name for path in folder.iterdir()} == made
