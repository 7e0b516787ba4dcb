"""`jina flow logs` and `list`: what Flows said, while they run and after their end."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from collections.abc import Iterator

import pytest

from jinacli.screens.prefixes import Prefixes
from tests.polling import wait_until
from tests.shell import Shell
from tests.terminal import Terminal

TALKING = """
from jina import Executor, requests


class Talking(Executor):
    @requests
    def talk(self, docs, **kwargs):
        for doc in docs:
            print("I got", doc.text)
"""


@pytest.fixture
def talking(shell: Shell) -> Iterator[Shell]:
    shell.write("talking.py", TALKING)
    shell.write(
        "flow.yml",
        "executors:\n  - {name: first, uses: 'talking.py:Talking'}\n"
        "  - {name: second-one, uses: 'talking.py:Talking'}\n",
    )
    yield shell
    assert shell.call("flow", "down", "--all").code == 0


def said(shell: Shell, *arguments: str) -> list[str]:
    done = shell.call("flow", "logs", *arguments)
    assert done.code == 0, done.err
    return done.out.splitlines()


def test_logs_of_a_flow_in_the_foreground_and_of_one_that_has_ended(talking: Shell) -> None:
    shell = talking
    with shell.up("flow.yml"):
        assert shell.call("post", "/", "--text", "hello").code == 0
        wait_until(lambda: any("second-one/0 | I got hello" in line for line in said(shell)))
        (line,) = (line for line in said(shell) if re.search("first/0 .* got", line))
        assert re.fullmatch(r"\d\d:\d\d:\d\d first/0      \| I got hello", line)
        assert said(shell, "first", "--tail", "1", "--no-log-prefix") == ["I got hello"]
        assert said(shell, "second-one/0", "--tail", "1")[0].endswith("second-one/0 | I got hello")
        assert said(shell, "--since", "1h") == said(shell)
        (read,) = map(json.loads, said(shell, "first", "--tail", "1", "--json"))
        assert (read["worker"], read["kind"], read["text"]) == (
            "first/0",
            "output",
            "I got hello",
        )
        done = shell.call("flow", "logs", "frist")
        assert (done.code, done.out) == (2, "")
        assert 'has no Executor "frist"\nhelp: did you mean "first"?' in done.err
        with shell.start("flow", "logs", "--follow", "--flow", "flow") as follow:
            assert b"/0 " in follow.read_line()
            (run,) = json.loads(shell.call("flow", "list", "--json").out)["runs"]
            assert (run["state"], run["ended_at"]) == ("running", None)
            assert stat.S_IMODE(os.stat(run["log"]).st_mode) == 0o600
            os.kill(shell.ps()[0]["pid"], signal.SIGTERM)
            done = follow.end()
        assert done.code == 0
        assert done.out.splitlines()[-1].endswith("| the Flow has stopped")
    assert said(shell, "--flow", "flow")[-1].endswith("| the Flow has stopped")
    assert any("I got hello" in line for line in said(shell, "first"))
    (run,) = json.loads(shell.call("flow", "list", "--json").out)["runs"]
    assert (run["state"], run["reason"], run["killed"]) == ("stopped", "SIGTERM", [])
    assert run["ended_at"] >= run["started_at"]


def test_the_log_of_a_flow_that_was_killed_is_kept(talking: Shell) -> None:
    shell = talking
    up = shell.fork("flow", "up", "flow.yml", "--detach")
    assert up.code == 0
    assert "`jina flow logs` shows its output" in up.err
    with shell.start("flow", "logs", "-f") as follow:
        assert follow.read_line()
        os.kill(shell.workers()["first/0"], signal.SIGKILL)
        wait_until(lambda: any("was killed by SIGKILL" in line for line in said(shell)))
        os.kill(shell.ps()[0]["pid"], signal.SIGKILL)
        assert follow.end().code == 0
    lines = said(shell)
    assert any("first/0      | was killed by SIGKILL; restarting" in line for line in lines)
    (run,) = json.loads(shell.call("flow", "list", "--json").out)["runs"]
    assert run["state"] == "killed"
    assert shell.call("flow", "list", "-q").out == "flow\n"
    assert shell.call("flow", "list").out.splitlines()[1].split()[:2] == ["flow", "killed"]


def test_a_post_to_a_flow_that_gave_up_says_where_it_says_why(shell: Shell) -> None:
    gate = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    assert shell.fork("flow", "up", gate, "--detach").code == 0
    with shell.start("post", "/", "--text", "x") as post:
        wait_until((shell.folder / "begun").exists)
        for _ in range(6):
            old = wait_until(lambda: shell.processes("jina.runtime.gateway"))
            os.kill(old[0], signal.SIGKILL)
            wait_until(lambda old=old: shell.processes("jina.runtime.gateway") != old)  # type: ignore[misc]
        done = post.end()
    assert done.code == 4
    assert "help: `jina flow logs --flow flow` shows why; start it again" in done.err
    log = shell.fork("flow", "logs", "--flow", "flow").out
    assert log.count("gateway was killed by SIGKILL") + log.count("| was killed by SIGKILL") == 5
    assert 'error: "gateway" did not start: it was killed by SIGKILL\n' in log
    (run,) = json.loads(shell.call("flow", "list", "--json").out)["runs"]
    assert run["state"] == "failed"
    assert "was killed by SIGKILL" in run["reason"]


def test_nothing_has_run_so_far(shell: Shell) -> None:
    assert shell.call("flow", "list") == (0, "", "no Flow has run so far\n")
    assert json.loads(shell.call("flow", "list", "--json").out) == {
        "schema": "jina/runs/v1",
        "runs": [],
    }
    assert shell.call("flow", "list", "-q") == (0, "", "")
    done = shell.call("flow", "logs")
    assert (done.code, done.out) == (4, "")
    assert "no Flow is running, and there is no log of one" in done.err
    assert shell.fork("flow", "logs", "--flow", "x").code == 4


def test_a_flow_whose_log_cannot_be_written_says_so(shell: Shell) -> None:
    nowhere = shell.write("file", "not a folder")
    up = shell.run("flow", "up", shell.flow("Upper"), "--detach", "-q", JINA_STATE_DIR=str(nowhere))
    assert (up.code, up.err) == (
        0,
        "note: running in the background without a log, as none can be written\n"
        "help: set JINA_STATE_DIR to a folder that you can write to\n",
    )
    done = shell.call("flow", "logs")
    assert (done.code, done.out) == (4, "")
    assert 'the Flow "flow" has no log\n' in done.err
    assert shell.call("flow", "down", "-q").code == 0


def test_prefixes_are_aligned_and_have_a_color_for_each_executor() -> None:
    plain = Prefixes(is_colored=False, names=["a/0", "a/1", "encoder/0"])
    assert plain.before("a/0") == "a/0       | "
    assert plain.before("") == "          | "
    colored = Prefixes(is_colored=True, names=["a/0", "a/1", "encoder/0"])
    first, second, other = map(colored.before, ("a/0", "a/1", "encoder/0"))
    assert first == "\x1b[36ma/0       |\x1b[0m "
    assert second.startswith("\x1b[36m")
    assert other.startswith("\x1b[33m")


@pytest.mark.parametrize("no_color", ["", "1"])
def test_up_and_logs_have_colors_on_a_terminal_unless_asked_not_to(
    talking: Shell, no_color: str
) -> None:
    shell = talking
    shell.environment["NO_COLOR"] = no_color
    with Terminal(shell, "flow", "up", "flow.yml") as up:
        up.wait_for('Flow "flow" is up')
        assert shell.call("post", "/", "--text", "hello").code == 0
        up.wait_for("I got hello")
        with Terminal(shell, "flow", "logs", "first") as logs:
            logs.wait_for("I got hello")
        assert ("\x1b[36mfirst/0" in up.shown) == (not no_color)
        assert ("\x1b[36mfirst/0" in logs.shown) == (not no_color)
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(30) == 0
