"""Signals and kills: requests under way are answered, or everything is gone; nobody is left."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.polling import wait_until
from tests.shell import Shell, is_alive, json_lines


def with_graces(**seconds: float) -> tuple[str, ...]:
    """The command, with graces of its own; their names are those of `jina.defaults`."""
    return (
        *(sys.executable, "-c"),
        "from jina.launch import gateway_process, supervisor, workers\n"
        f"for name, value in {seconds}.items():\n"
        "    for module in (gateway_process, supervisor, workers):\n"
        "        if hasattr(module, name):\n"
        "            setattr(module, name, value)\n"
        "from jinacli.app import main; main()",
    )


# Whatever waits for one of these fails its test; what only runs on a busy machine does not.
LONG_GRACES = with_graces(
    DRAIN_GRACE_S=300, CLOSE_GRACE_S=300, DELIVERY_GRACE_S=300, KILL_GRACE_S=300
)
LARGE = 2_000_000  # words; more than the sockets between two processes hold


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_drains(shell: Shell, signum: int) -> None:
    """The request under way is answered, close() is called, everything goes."""
    gate = f"Gate, uses_with: {{folder: {shell.folder}}}"
    with (
        shell.up(shell.flow(gate, "Upper")) as flow,
        shell.start("post", "/", "--text", "x") as post,
    ):
        wait_until((shell.folder / "begun").exists)
        flow.process.send_signal(signum)
        flow.wait_for("Stopping")
        (shell.folder / "go").touch()
        answer = post.end()
        assert (answer.code, answer.lines[0]["text"]) == (0, "PASSED")
        done = flow.end()
    assert done.code == 0
    assert (
        f"Stopping ({signal.Signals(signum).name}). Press Ctrl-C again to quit immediately\n"
        in done.err
    )
    assert (shell.folder / "closed").exists()
    assert not shell.directories()
    assert not shell.processes()


def test_requests_that_are_given_up_at_the_stop_are_told(shell: Shell) -> None:
    """Of a floating Executor: nobody else would know that they are lost."""
    gate = shell.flow(
        "Upper",
        "Gate, needs: gateway, floating: true, stop_grace_period: 300000, "
        f"uses_with: {{folder: {shell.folder}}}",
    )
    graces = with_graces(DRAIN_GRACE_S=0.1)
    with shell.up(gate, program=graces) as flow:
        for _ in range(3):
            assert shell.fork("post", "/", "--text", "x").code == 0
        wait_until((shell.folder / "begun").exists)
        flow.process.send_signal(signal.SIGTERM)
        flow.wait_for("error: gave up 3 requests that were not done within 0.1 s\n")
        (shell.folder / "go").touch()
        assert flow.end().code == 1
    assert (shell.folder / "closed").exists()


def test_while_it_drains_new_requests_are_refused(shell: Shell) -> None:
    gate = f"Gate, uses_with: {{folder: {shell.folder}}}"
    with (
        shell.up(shell.flow(gate)) as flow,
        shell.start("post", "/", "--text", "x") as post,
    ):
        wait_until((shell.folder / "begun").exists)
        flow.process.send_signal(signal.SIGTERM)
        flow.wait_for("Stopping")
        wait_until(lambda: shell.ps()[0]["state"] == "stopping")
        refused = shell.fork("post", "/", "--text", "y")
        (shell.folder / "go").touch()
        assert post.end().code == 0
        assert flow.end().code == 0
    assert (refused.code, refused.out) == (4, "")
    assert "the Flow is stopping\n" in refused.err


def test_a_post_that_a_drain_cuts_off_ends_with_whole_outcomes_and_goes_on(shell: Shell) -> None:
    """More lines than a window holds: what was not begun has no outcome, and gets one later."""
    count = 20_000
    (shell.folder / "in.jsonl").write_text(json_lines(count))
    flow_file = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    command = ("post", "/", "--inputs", "in.jsonl", "--output", "out.jsonl")
    with shell.up(flow_file) as flow, shell.start(*command) as post:
        wait_until((shell.folder / "begun").exists)
        flow.process.send_signal(signal.SIGTERM)
        wait_until(lambda: shell.ps()[0]["state"] == "stopping")
        (shell.folder / "go").touch()
        cut = post.end()
        assert flow.end().code == 0
    assert cut.code == 4
    assert "the Flow is stopping\n" in cut.err
    assert "rerun the same command to resume" in cut.err
    first = (shell.folder / "out.jsonl").read_text().splitlines()
    assert 0 < len(first) < count
    with shell.up(flow_file):
        assert shell.fork(*command).code == 0
    outcomes = (shell.folder / "out.jsonl").read_text().splitlines()
    assert outcomes[: len(first)] == first
    assert [json.loads(line)["text"] for line in outcomes] == ["passed"] * count
    assert len({json.loads(line)["id"] for line in outcomes}) == count


def test_a_client_that_stands_still_gets_its_last_answers(shell: Shell) -> None:
    """More than the system holds for it: the gateway stays until it has taken them."""
    flow_file = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}, times: {LARGE}}}")
    with shell.up(flow_file) as flow, shell.start("post", "/", "--text", "x") as post:
        wait_until((shell.folder / "begun").exists)
        post.process.send_signal(signal.SIGSTOP)
        flow.process.send_signal(signal.SIGTERM)
        flow.wait_for("Stopping")
        (shell.folder / "go").touch()
        wait_until(lambda: not shell.processes("jina.runtime.worker"))
        assert flow.process.poll() is None
        post.process.send_signal(signal.SIGCONT)
        answer = post.end()
        done = flow.end()
    assert (answer.code, answer.said) == (0, "")
    assert answer.lines[0]["text"] == "passed" * LARGE
    assert done.code == 0
    assert "has not taken" not in done.err


def test_a_second_signal_does_not_wait_for_a_client_that_stands_still(shell: Shell) -> None:
    flow_file = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}, times: {LARGE}}}")
    with (
        shell.up(flow_file, program=LONG_GRACES) as flow,
        shell.start("post", "/", "--text", "x") as post,
    ):
        wait_until((shell.folder / "begun").exists)
        post.process.send_signal(signal.SIGSTOP)
        flow.process.send_signal(signal.SIGTERM)
        flow.wait_for("Stopping")
        (shell.folder / "go").touch()
        wait_until(lambda: not shell.processes("jina.runtime.worker"))
        done = flow.end(signal.SIGTERM)
        assert not shell.directories()
        assert not shell.processes("jina.runtime")
        post.process.send_signal(signal.SIGCONT)
        cut = post.end()
    assert done.code == 143
    assert "has not taken" not in done.err  # as the gateway says once its own grace is over
    assert (cut.code, cut.out) == (4, "")


def test_a_client_that_takes_no_answers_is_left(shell: Shell) -> None:
    # For every process, so also for the gateway, whose grace it is.
    shell.write(
        "sitecustomize.py", "from jina import defaults\n\ndefaults.DELIVERY_GRACE_S = 1.0\n"
    )
    shell.environment["PYTHONPATH"] = str(shell.folder)
    flow_file = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}, times: {LARGE}}}")
    with shell.up(flow_file) as flow, shell.start("post", "/", "--text", "x") as post:
        wait_until((shell.folder / "begun").exists)
        post.process.send_signal(signal.SIGSTOP)
        flow.process.send_signal(signal.SIGTERM)
        (shell.folder / "go").touch()
        done = flow.end()
        post.process.send_signal(signal.SIGCONT)
        cut = post.end()
    assert done.code == 0
    assert "gateway | a client has not fetched its last responses within 1 s\n" in done.err
    assert (cut.code, cut.out) == (4, "")
    assert "the Flow is gone\n" in cut.err


def test_a_second_signal_ends_everything_at_once(shell: Shell) -> None:
    """Even with a busy Executor that holds the interpreter."""
    begun = shell.folder / "begun"
    with (
        shell.up(shell.flow("Hog"), program=LONG_GRACES) as flow,
        shell.start("post", "/", "--text", "x", "-p", f"begun={begun}") as post,
    ):
        wait_until(begun.exists)
        flow.process.send_signal(signal.SIGINT)
        flow.wait_for("Stopping (SIGINT)")
        done = flow.end(signal.SIGINT)
        assert not shell.directories()
        assert not shell.processes("jina.runtime")
        gone = post.end()
    assert done.code == 130
    assert done.err.endswith("\nStopping immediately (SIGINT)\ninterrupted\n")
    assert gone.code in (3, 4)  # told by the gateway that the worker died, or that it is gone


def test_kill_of_the_supervisor_leaves_nobody(shell: Shell) -> None:
    """Neither a worker that holds the interpreter nor what an Executor started."""
    begun = shell.folder / "begun"
    with (
        shell.up(shell.flow("Parent", "Hog, name: hog")) as flow,
        shell.start("post", "/", "--text", "x", "--target", "hog", "-p", f"begun={begun}") as post,
    ):
        (line,) = shell.fork("post", "/", "--target", "parent").lines
        grandchild = int(line["tags"]["pid"])
        assert is_alive(grandchild)
        wait_until(begun.exists)
        everyone = [*shell.workers().values(), shell.gateway(), grandchild]
        os.kill(flow.pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, everyone)), what="all are gone")
        wait_until(lambda: not shell.directories(), what="the directory is gone")
        flow.end()
        gone = post.end()
    assert gone.code == 4
    assert "error: ipc://" in gone.err
    assert ": the Flow is gone\n" in gone.err


def test_kill_of_a_program_that_holds_a_flow_leaves_nobody(shell: Shell) -> None:
    shell.write(
        "holds.py",
        "from jina import Flow\n"
        "import threading\n"
        f"with Flow.load_config({str(shell.flow('Upper', 'Parent'))!r}):\n"
        "    print('ready', flush=True)\n"
        "    threading.Event().wait()\n",
    )
    with shell.start("holds.py", program=(sys.executable,)) as program:
        assert program.read_line() == b"ready\n", program.err
        assert len(shell.processes()) > 3
        program.end(signal.SIGKILL)
    wait_until(lambda: not shell.processes() and not shell.directories(), what="all are gone")


def test_kill_of_a_one_shot_post_leaves_nobody(shell: Shell) -> None:
    gate = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    with shell.start("post", "/", "--text", "x", "--flow", gate.name) as post:
        wait_until((shell.folder / "begun").exists)
        post.end(signal.SIGKILL)
    wait_until(lambda: not shell.processes() and not shell.directories(), what="all are gone")


@pytest.mark.parametrize(
    ("signum", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
@pytest.mark.parametrize("one_shot", [True, False])
def test_a_post_that_is_interrupted_says_how_far_it_came(
    shell: Shell, signum: int, code: int, word: str, one_shot: bool
) -> None:
    """A Flow that was started for it is stopped; one that runs goes on."""
    shell.flow("Slow")
    shell.write("many.jsonl", json_lines(20_000))
    options = ["--flow", "flow.yml", "--quiet"] if one_shot else []
    if not one_shot:
        shell.fork("flow", "up", "flow.yml", "--detach")
    try:
        with shell.start("post", "/", "--inputs", "many.jsonl", *options) as post:
            assert b'"d0"' in post.read_line()
            done = post.end(signum)
        written = len(done.out.splitlines()) + 1
        assert done.code == code
        assert done.err.endswith(
            f"{written} results were written before the interruption\n{word}\n"
        )
        assert written % 100 == 0
        if not one_shot:
            wait_until(lambda: shell.ps()[0]["requests_held"] == 0)
            assert shell.fork("post", "/", "--text", "x").code == 0
    finally:
        if not one_shot:
            shell.fork("flow", "down")
    assert not shell.processes()
    assert not shell.directories()


def test_interrupted_while_its_flow_starts(shell: Shell) -> None:
    shell.write(
        "slow.py",
        "import pathlib, threading\n"
        "from jina import Executor\n"
        "class Slow(Executor):\n"
        "    def __init__(self, **kwargs):\n"
        f"        pathlib.Path({str(shell.folder)!r}, 'starts').touch()\n"
        "        threading.Event().wait()\n",
    )
    shell.write("flow.yml", "executors: [{name: s, uses: {jtype: Slow, py_modules: slow.py}}]\n")
    stopping = "Stopping (SIGINT). Press Ctrl-C again to quit immediately"
    for arguments, said in (
        (("flow", "up", "flow.yml"), [stopping, "interrupted"]),
        (("flow", "up", "flow.yml", "--detach"), ["interrupted"]),
        (("post", "/", "--flow", "flow.yml"), ["interrupted"]),
    ):
        with shell.start(*arguments) as running:
            wait_until((shell.folder / "starts").exists)
            (shell.folder / "starts").unlink()
            done = running.end(signal.SIGINT)
        assert done.code == 130, (arguments, done)
        assert done.err.splitlines()[-len(said) :] == said
        wait_until(lambda: not shell.processes() and not shell.directories(), what="all are gone")


def test_timeout_of_a_stuck_executor(shell: Shell) -> None:
    gate = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    with shell.up(gate.name):
        done = shell.fork("post", "/", "--text", "x", "--timeout", "0.7")
        (shell.folder / "go").touch()
    assert (done.code, done.out) == (124, "")
    assert done.err.startswith("error: ipc://")
    assert done.err.endswith(
        "front.ipc: no reply for 0.7 s; requests in progress: 1\n"
        "help: increase --timeout, or check the workers with `jina flow ps`\n"
    )


def test_a_terminal_that_is_closed_twice_drains_all_the_same(shell: Shell) -> None:
    """A shell hands SIGHUP on to its jobs, and so does the kernel when the shell is gone."""
    gate = f"Gate, uses_with: {{folder: {shell.folder}}}"
    with (
        shell.up(shell.flow(gate)) as flow,
        shell.start("post", "/", "--text", "x") as post,
    ):
        wait_until((shell.folder / "begun").exists)
        flow.process.send_signal(signal.SIGHUP)
        flow.wait_for("Stopping (SIGHUP)")
        flow.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not is_pending(flow.pid, signal.SIGHUP))
        (shell.folder / "go").touch()
        assert post.end().code == 0
        assert flow.end().code == 0
    assert (shell.folder / "closed").exists()


def is_pending(pid: int, signum: int) -> bool:
    """Whether a signal was not delivered yet."""
    status = Path(f"/proc/{pid}/status").read_text()
    masks = re.findall(r"^(?:SigPnd|ShdPnd):\s*(\w+)$", status, re.M)
    return any(int(mask, 16) >> (signum - 1) & 1 for mask in masks)


STUBBORN = """
import pathlib, signal, threading
from jina import Executor, requests
class Stubborn(Executor):
    def __init__(self, ignores=False, **kwargs):
        super().__init__(**kwargs)
        if ignores:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    def close(self):
        pathlib.Path("closing").touch()
        threading.Event().wait()
class Broken(Executor):
    def close(self):
        raise OSError("the index cannot be written")
class Fine(Executor):
    pass
"""


def closing_flow(shell: Shell, *jtypes: str) -> str:
    shell.write("closing.py", STUBBORN)
    entries = "".join(
        f"  - {{name: e{number}, py_modules: closing.py, uses: {jtype},"
        " stop_grace_period: 300000}\n"
        for number, jtype in enumerate(jtypes)
    )
    shell.write("flow.yml", f"executors:\n{entries}")
    return "flow.yml"


@pytest.mark.parametrize("ignores", ["true", "false"])
def test_an_executor_that_does_not_close_in_time_is_named_and_killed(
    shell: Shell, ignores: str
) -> None:
    shell.write("closing.py", STUBBORN)
    shell.write(
        "flow.yml",
        "executors:\n"
        "  - {name: f, py_modules: closing.py, uses: Fine}\n"
        "  - {name: s, py_modules: closing.py, uses: Stubborn, stop_grace_period: 500,"
        f" uses_with: {{ignores: {ignores}}}}}\n",
    )
    with shell.start("flow", "up", "flow.yml", "--json") as flow:
        assert flow.read_line(), flow.err
        done = flow.end(signal.SIGINT)
    assert done.err.splitlines()[-2:] == [
        "Stopping (SIGINT). Press Ctrl-C again to quit immediately",
        "error: s/0 did not end within 0.5 s: its close(), or the method before it, has not"
        " returned; killing it",
    ]
    assert done.code == 1
    assert not shell.processes()
    assert not shell.directories()


def test_an_executor_whose_close_raises_is_named(shell: Shell) -> None:
    with shell.start("flow", "up", closing_flow(shell, "Fine", "Broken"), "--json") as flow:
        assert flow.read_line(), flow.err
        done = flow.end(signal.SIGTERM)
    assert done.err.splitlines()[-2:] == [
        "e1/0 | OSError: the index cannot be written",
        "error: e1/0 ended with exit code 1 while closing",
    ]
    assert done.code == 1
    assert not shell.directories()


@pytest.mark.parametrize(
    ("signum", "code", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_who_waits_for_a_close_that_hangs_can_insist(
    shell: Shell, signum: signal.Signals, code: int, word: str
) -> None:
    with shell.up(closing_flow(shell, "Stubborn"), program=LONG_GRACES) as flow:
        flow.process.send_signal(signal.SIGTERM)
        wait_until((shell.folder / "closing").exists)
        done = flow.end(signum)
    assert done.code == code
    assert done.err.endswith(f"\nStopping immediately ({signum.name})\n{word}\n")
    assert not shell.processes()
