"""A speaker never waits for whoever reads it, and a log keeps its size."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

from tests.polling import wait_until
from tests.shell import JINA, Shell

PROGRAM = """
import sys
from jina.launch.speaker import Speaker
speaker = Speaker()
for number in range(30_000):
    speaker.say(f"line {number} " + "x" * 1000)
print("said", flush=True)
sys.stdin.readline()
speaker.say("last words")
speaker.close(30)
"""


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_what_nobody_reads_stops_nobody_and_what_was_lost_is_counted() -> None:
    with _start() as process:
        assert process.stdout
        assert process.stdout.readline() == b"said\n"  # nobody has read standard error yet
        _, err = process.communicate(b"go on\n")
    lines = err.decode().splitlines()
    assert lines[0].startswith("line 0 ")
    told = [line for line in lines if line.startswith("(")]
    lost = [int(line[1:].split()[0]) for line in told]
    assert told == [f"({number} lines were lost: nobody read them)" for number in lost]
    assert sum(lost) > 0
    assert len(lines) - len(told) + sum(lost) == 30_001


def test_a_reader_that_leaves_is_no_error() -> None:
    with _start() as process:
        assert process.stderr
        process.stderr.close()
        process.stderr = None
        process.communicate(b"go on\n")
        assert process.returncode == 0


LINES = 100_000


def write_talker(shell: Shell) -> None:
    shell.write(
        "talk.py",
        "from jina import Executor, requests\n"
        "class Talker(Executor):\n"
        "    @requests\n"
        "    def talk(self, **kwargs):\n"
        f"        for n in range({LINES}):\n"
        "            print('line', n, 'x' * 5)\n",
    )
    shell.write("flow.yml", "executors: [{name: t, uses: {jtype: Talker, py_modules: talk.py}}]\n")


def told(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("t/0 | line")]


def log_of(shell: Shell) -> Path:
    """The log of the only run of a Flow."""
    (run,) = json.loads(shell.call("flow", "list", "--json").out)["runs"]
    return Path(run["log"])


def test_nothing_that_goes_into_a_file_is_lost(shell: Shell) -> None:
    write_talker(shell)
    with shell.start("post", "/", "-f", "flow.yml", "-t", "a", "-q") as post:
        done = post.end()
    assert done.code == 0
    assert [line.split()[3] for line in told(done.err)] == [str(n) for n in range(LINES)]
    assert "lost" not in done.err


def test_nothing_that_goes_into_a_log_is_lost(shell: Shell) -> None:
    write_talker(shell)
    assert shell.fork("flow", "up", "flow.yml", "--detach").code == 0
    try:
        assert shell.call("post", "/").code == 0
        log = log_of(shell)
        wait_until(lambda: f"line {LINES - 1} " in log.read_text(), what="the last line is written")
        texts = [json.loads(line).get("text", "") for line in log.read_text().splitlines()]
        assert sum(text.startswith("line ") for text in texts) == LINES
    finally:
        assert shell.call("flow", "down").code == 0


def test_nothing_is_lost_on_a_reader_who_takes_his_time(shell: Shell) -> None:
    write_talker(shell)
    with shell.start(
        *("-c", '"$0" post / -f flow.yml -t a -q 2>&1 >/dev/null | cat', JINA),
        program=("sh",),
    ) as post:
        lines = [post.read_line().decode() for _ in range(LINES)]
        assert [line.split()[3] for line in lines] == [str(n) for n in range(LINES)]
        assert post.read_line() == b""
        assert post.end().code == 0


def test_a_reader_that_stands_still_stops_no_post(shell: Shell) -> None:
    write_talker(shell)
    with shell.start(
        *("-c", '"$0" post / -f flow.yml -t a -q 2>&1 >answer | { read go <&3; cat; } 3<&0', JINA),
        program=("sh",),
        stdin=subprocess.PIPE,
    ) as post:
        answer = shell.folder / "answer"
        wait_until(lambda: answer.exists() and answer.read_text(), what="the post is answered")
        post.tell(b"go\n")
        assert post.end().code == 0


# --- the log ---

LOG_PROGRAM = """
import os, sys
from pathlib import Path
from jina.launch.speaker import LogFile
log = LogFile(Path(sys.argv[1]), 1000)
for number in range(100):
    os.write(2, f"line {number:04}\\n".encode())  # 10 bytes each
    log.keep_small()
    if number == 20 and "lost" in sys.argv:
        os.unlink(sys.argv[1])
"""


def test_a_full_log_becomes_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n" * 100)
    subprocess.run([sys.executable, "-c", LOG_PROGRAM, path], check=True)
    assert path.read_text().splitlines() == [f"line {number:04}" for number in range(30, 100)]
    older = (tmp_path / "log.1").read_text().splitlines()
    assert older == ["before"] * 100 + [f"line {number:04}" for number in range(30)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["log", "log.1"]


def test_a_log_that_was_removed_stops_nobody(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LOG_PROGRAM, tmp_path / "log", "lost"], check=True)


def content(log: Path) -> str:
    try:
        return log.read_text()
    except FileNotFoundError:  # for a moment, while one takes the place of the other
        return ""


def test_a_detached_flow_that_talks_much_fills_no_disk(shell: Shell) -> None:
    shell.write(
        "talk.py",
        "import os\n"
        "from jina import Executor, requests\n"
        "class Talker(Executor):\n"
        "    @requests\n"
        "    def talk(self, **kwargs):\n"
        "        for n in range(500):\n"
        "            print(n, 'x' * 50_000)\n"
        "        print('\\x1b[2Jthe end')\n",
    )
    shell.write("flow.yml", "executors: [{name: t, uses: {jtype: Talker, py_modules: talk.py}}]\n")
    assert shell.fork("flow", "up", "flow.yml", "--detach").code == 0
    try:
        assert shell.call("post", "/").code == 0
        log = log_of(shell)
        older = log.with_name("log.1")
        wait_until(lambda: "the end" in content(log), what="the last line is written")
        assert "t/0     | \\x1b[2Jthe end\n" in shell.call("flow", "logs", "--tail", "1").out
        assert 10 << 20 <= older.stat().st_size < 11 << 20
        assert log.stat().st_size < 11 << 20
    finally:
        assert shell.call("flow", "down").code == 0
    assert json.loads(shell.call("flow", "ps", "--json").out)["flows"] == []
