"""`jina flow down`: whom it stops, how long it waits, and what it says."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.polling import wait_until
from tests.shell import WAIT_S, Shell


def test_detached_it_runs_on_until_down(shell: Shell) -> None:
    shell.flow("Upper, replicas: 2")
    up = shell.fork("flow", "up", "flow.yml", "--detach", "--json")
    assert up.code == 0, up.err
    assert json.loads(up.out)["flow"] == "flow"
    try:
        (flow,) = shell.ps()
        workers = flow.pop("workers")
        assert (flow["name"], flow["state"]) == ("flow", "ready")
        assert flow["file"] == str(shell.folder / "flow.yml")
        assert flow["endpoints"] == {"upper": ["/default"]}
        assert [(each["node"], each["replica"], each["state"]) for each in workers] == [
            ("upper", 0, "ready"),
            ("upper", 1, "ready"),
        ]
        assert shell.call("flow", "ps", "--quiet").out == "flow\n"
        table = shell.call("flow", "ps")
        assert "upper/0" in table.out
        assert "upper/1" in table.out
        assert table.err == ""
        assert shell.call("post", "/", "--text", "x").lines[0]["text"] == "X"
    finally:
        down = shell.call("flow", "down", "flow.yml")
    assert down == (0, "", 'Flow "flow" is down\n')
    wait_until(lambda: not shell.processes(), what="every process is gone")
    assert not shell.directories()


def test_down_when_nothing_runs_is_no_error(shell: Shell) -> None:
    assert shell.call("flow", "down") == (0, "", "no Flow is running\n")
    assert shell.call("flow", "down", "--all") == (0, "", "")
    assert shell.call("flow", "ps") == (0, "", "no Flow is running\n")
    assert shell.ps() == []


def test_down_says_nothing_if_asked_to(shell: Shell) -> None:
    assert shell.call("flow", "down", "--quiet") == (0, "", "")
    assert shell.fork("flow", "up", shell.flow("Upper"), "--detach").code == 0
    assert shell.call("flow", "down", "-q") == (0, "", "")
    assert shell.ps() == []


def test_down_ends_a_flow_that_does_not_listen(shell: Shell) -> None:
    with shell.start("flow", "up", shell.flow("Upper"), "--json") as flow:
        assert flow.read_line(), flow.err
        os.kill(flow.pid, signal.SIGSTOP)
        done = shell.call("flow", "down", "--timeout", "0.2")
        assert (done.code, done.out) == (1, "")
        assert done.err == (
            '"flow" did not stop within 0.2 s: killing it\n'
            'error: Flow "flow" is down, but it did not stop in time and was killed\n'
        )
        assert flow.process.wait(WAIT_S) == -signal.SIGKILL
    wait_until(lambda: not shell.processes("jina.runtime"), what="nobody is left")


def test_down_that_is_interrupted_says_that_the_flow_goes_down(shell: Shell) -> None:
    gate = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    with shell.up(gate) as flow, shell.start("post", "/", "--text", "x") as post:
        wait_until((shell.folder / "begun").exists)
        with shell.start("flow", "down") as down:
            flow.wait_for("Stopping (SIGTERM)")
            done = down.end(signal.SIGINT)
        assert (done.code, done.err) == (
            130,
            'Flow "flow" keeps stopping; use `jina flow ps` to see when it is gone\ninterrupted\n',
        )
        (shell.folder / "go").touch()
        assert post.end().code == 0
        assert flow.end().code == 0


def test_down_of_an_unknown_name_shows_the_near_miss(shell: Shell) -> None:
    with shell.up(shell.flow("Upper")):
        assert shell.call("flow", "down", "flwo") == (
            0,
            "",
            'no running Flow is named "flwo"\nhelp: did you mean "flow"?\n',
        )


@pytest.mark.parametrize("seconds", ["-1", "nan"])
def test_down_waits_for_a_time_that_there_is(shell: Shell, seconds: str) -> None:
    done = shell.call("flow", "down", "--timeout", seconds)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: --timeout: ")


def test_down_stops_one_flow_or_all_but_never_all_where_one_is_named(shell: Shell) -> None:
    shell.flow("Upper")
    assert shell.call("flow", "up", "flow.yml", "-dq").code == 0
    for words in (("flow", "--all"), ("--all", "--flow", "flow.yml")):
        assert shell.call("flow", "down", *words) == (
            2,
            "",
            "error: --all: use FLOW or --all, not both\nhelp: see `jina flow down --help`\n",
        )
    assert shell.call("flow", "ps", "-q").out == "flow\n"
    done = shell.call("flow", "down", "--all", "--timeout", "1m", JINA_FLOW="other")
    assert done == (0, "", 'Flow "flow" is down\n')  # what is typed wins


def test_an_executor_has_its_own_time_to_close(shell: Shell) -> None:
    shell.write(
        "slow.py",
        "import time\nfrom jina import Executor\n\n\n"
        "class Slow(Executor):\n    def close(self):\n        time.sleep(99)\n",
    )
    shell.write(
        "flow.yml",
        "executors:\n"
        "  - {name: a, uses: {jtype: Slow, py_modules: [slow.py]}, stop_grace_period: 500}\n"
        "  - {name: b, stop_grace_period: 50000}\n",
    )
    with shell.up("flow.yml") as flow:
        down = shell.call("flow", "down")
        done = flow.end()
    assert (down.code, done.code) == (1, 1)
    assert "a/0 did not end within 0.5 s" in done.err
    assert done.err.count("a/0 ") == 2  # that it was ready, and that
