"""A speaker never waits for whoever reads it."""

from __future__ import annotations

import subprocess
import sys

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


def test_nothing_that_goes_into_a_file_is_lost(shell: Shell) -> None:
    write_talker(shell)
    with shell.start("post", "/", "-f", "flow.yml", "-t", "a", "-q") as post:
        done = post.end()
    assert done.code == 0
    assert [line.split()[3] for line in told(done.err)] == [str(n) for n in range(LINES)]
    assert "lost" not in done.err


def test_nothing_that_goes_into_a_log_is_lost(shell: Shell) -> None:
    write_talker(shell)
    assert shell.run("flow", "up", "flow.yml", "--detach").code == 0
    try:
        assert shell.run("post", "/").code == 0
        (name,) = shell.directories()
        log = shell.run_dir / name / "log"
        wait_until(lambda: f"line {LINES - 1} " in log.read_text(), 20, "the last line is written")
        assert len(told(log.read_text())) == LINES
    finally:
        assert shell.run("flow", "down").code == 0


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
        wait_until(lambda: answer.exists() and answer.read_text(), 20, "the post is answered")
        post.tell(b"go\n")
        assert post.end().code == 0
