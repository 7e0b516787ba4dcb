"""A speaker never waits for whoever reads it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from jina.launch.speaker import Speaker
speaker = Speaker()
for number in range(30_000):
    speaker.say(f"line {number} " + "x" * 100)
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
