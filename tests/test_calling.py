"""A command that is called here or forked answers as one that is started, and leaves no trace."""

from __future__ import annotations

import gc
import os
import signal
import sys

import pytest

from tests.shell import ZOO, Shell


@pytest.mark.parametrize(
    "words",
    [
        "--version",
        "flow",
        "post /x --timeout soon",
        "post /x --address tcp://127.0.0.1:1 --text a --timeout-connect 0.1",
        "flow check flow.yml",
        "flow check none.yml --output-format concise",
        "flow plot -",
    ],
)
def test_it_answers_as_one_that_is_started(shell: Shell, words: str) -> None:
    shell.flow("Upper", "Nobody")
    given = "executors: [{name: ä}]\n"
    variables = {"JINA_COLOR": "never", "PYTHONIOENCODING": "utf-8"}
    called = shell.call(*words.split(), stdin=given, **variables)
    assert called == shell.run(*words.split(), stdin=given, **variables)


@pytest.mark.parametrize(
    "words",
    [
        "flow",
        "flow up flow.yml",
        "flow up flow.yml --detach --port 70000",
        "executor check own.yml --run /default --inputs -",
        "executor run none.yml / --text a",
    ],
)
def test_a_fork_answers_as_one_that_is_started(shell: Shell, words: str) -> None:
    shell.flow("Nobody")
    shell.write("own.yml", f"jtype: Upper\npy_modules: [{ZOO}]\n")
    given = '{"id": "a", "text": "ä"}\n'
    forked = shell.fork(*words.split(), stdin=given, JINA_COLOR="never")
    assert forked == shell.run(*words.split(), stdin=given, JINA_COLOR="never")


def test_nothing_of_it_stays(shell: Shell) -> None:
    def held() -> tuple[object, ...]:
        signals = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        streams = (sys.stdin, sys.stdout, sys.stderr, sys.argv, sys.modules["__main__"])
        return (*streams, *signals, blocked, dict(os.environ), os.getcwd(), gc.get_threshold())

    before = held()
    given = {"JINA_FLOW": "none", "JINA_COLOR": "always"}
    assert shell.call("post", "/x", "--text", "a", **given).code == 4
    assert held() == before
    done = shell.call("post", "/x", "--text", "a")
    assert (done.code, "none" in done.err, "\x1b" in done.err) == (4, False, False)
