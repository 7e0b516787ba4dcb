"""`jina flow up`, from the first word to the last process."""

from __future__ import annotations

import json
import os
import re
import signal
import socket

import pytest

from tests.polling import wait_until
from tests.shell import JINA, ZOO, Shell, json_lines


def test_up_says_what_is_ready_and_where(shell: Shell) -> None:
    with shell.start("flow", "up", shell.flow("Status", "Upper, replicas: 2"), "--json") as up:
        ready = json.loads(up.read_line())
        assert ready["schema"] == "jina/up/v1"
        assert ready["flow"] == "flow"
        (address,) = ready["addresses"]
        assert re.fullmatch(rf"ipc://{shell.run_dir}/flow-[0-9a-f]{{8}}/front.ipc", address)
        assert shell.call("post", "/", "--text", "x", "--address", address).code == 0
        done = up.end(signal.SIGINT)
    assert (done.code, done.out) == (0, "")
    first, *rest = sorted(done.err.splitlines()[:3])
    status = "/environment, /index, /matches, /status, /vectors"
    assert first.split(": ")[0] == "status/0 is ready"
    assert sorted(first.split(": ")[1].split(", ")) == status.split(", ")
    assert rest == ["upper/0 is ready: /default", "upper/1 is ready: /default"]
    assert re.fullmatch(
        rf'Flow "flow" is up after \d+\.\d\d s, at {address}', done.err.splitlines()[3]
    )
    assert done.err.splitlines()[4:] == [
        "Stopping (SIGINT). Press Ctrl-C again to quit immediately"
    ]
    assert not shell.directories()
    assert not shell.processes()


def test_every_problem_of_a_broken_flow_is_shown_at_its_place(shell: Shell) -> None:
    shell.write(
        "broken.yml",
        "jtype: Flow\n"
        "executers:\n"
        "  - {name: a}\n"
        "executors:\n"
        "  - {name: a, nedds: b}\n"
        "  - {name: b, needs: [c, nobody]}\n"
        "  - {name: c, needs: b}\n"
        "  - {name: a}\n",
    )
    done = shell.call("flow", "up", "broken.yml")
    assert (done.code, done.out) == (2, "")
    heads = re.findall(r"^(broken\.yml:\d+:\d+): error\[([a-z-]+)\]: (.*)$", done.err, re.MULTILINE)
    assert [(place, code) for place, code, _ in heads] == [
        ("broken.yml:2:1", "unknown-key"),
        ("broken.yml:5:15", "unknown-key"),
        ("broken.yml:6:23", "cycle"),
        ("broken.yml:6:26", "unknown-need"),
        ("broken.yml:8:12", "duplicate-name"),
    ]
    assert done.err.count("^") >= len(heads)
    assert done.err.startswith(
        "broken.yml:2:1: error[unknown-key]: `executers` is not a key of a Flow\n"
        "  2 | executers:\n"
        "    | ^^^^^^^^^\n"
        "help: did you mean `executors`?\n"
        "\n"
        "broken.yml:5:15: error[unknown-key]: `nedds` is not a key of an executor\n"
        "  5 |   - {name: a, nedds: b}\n"
        "    |               ^^^^^\n"
        "help: did you mean `needs`?\n"
    )
    assert not shell.directories()


def test_a_missing_file(shell: Shell) -> None:
    shell.flow("Upper")
    assert shell.fork("flow", "up", "flw.yml") == (
        2,
        "",
        "error[no-source]: no such file: flw.yml\nhelp: did you mean 'flow.yml'?\n",
    )


def test_a_worker_that_fails_to_start_shows_its_traceback_and_its_place(shell: Shell) -> None:
    shell.flow("Upper", "FailsToStart", name="flow.yml")
    done = shell.fork("flow", "up", "flow.yml")
    assert (done.code, done.out) == (1, "")
    report = done.err[done.err.index("about to load") :]
    assert report == (
        "about to load the model\n"
        "Traceback (most recent call last):\n"
        f'  File "{ZOO}", line {line_of("no model here")}, in __init__\n'
        '    raise RuntimeError("no model here")\n'
        'error: flow.yml:4:32: "failstostart/0" did not start: RuntimeError: no model here\n'
    )
    log = shell.call("flow", "logs").out
    assert "jina/executors/load.py" in log
    assert log.count("RuntimeError: no model here") == 2
    assert not shell.directories()
    assert not shell.processes()


def test_who_gets_ready_after_a_failed_start_says_nothing(shell: Shell) -> None:
    shell.flow(f"StaysPastItsEnd, uses_with: {{folder: {shell.folder}}}", "FailsToStart")
    with shell.start("flow", "up", "flow.yml") as up:
        up.wait_for('raise RuntimeError("no model here")')
        (shell.folder / "go").touch()
        done = up.end()
    assert done.code == 1
    assert done.err.endswith("RuntimeError: no model here\n")


def line_of(words: str) -> int:
    lines = ZOO.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)


def test_an_endpoint_that_two_methods_claim_is_told_at_the_start(shell: Shell) -> None:
    """It runs as Jina 2 runs it, the last method winning, but not without a word."""
    shell.write(
        "twice.py",
        "from jina import Executor, requests\n\n\nclass Twice(Executor):\n"
        "    @requests(on='/x')\n    def a(self, docs):\n        docs[0].text = 'a'\n\n"
        "    @requests(on='/x')\n    def b(self, docs):\n        docs[0].text = 'b'\n",
    )
    shell.write("flow.yml", "jtype: Flow\nexecutors: [{name: it, uses: 'twice.py:Twice'}]\n")
    done = shell.fork("post", "/x", "--flow", "flow.yml", "--text", "x")
    assert [doc["text"] for doc in done.lines] == ["b"]
    assert "twice.py:10:5: warning[endpoint-claimed-twice]: a and b of Twice" in done.err


def test_an_argument_that_its_annotation_does_not_allow_is_told_at_the_start(shell: Shell) -> None:
    """As `flow check` says it, only that here the Executor runs: annotations are no promise."""
    shell.write(
        "ranks.py",
        "from jina import Executor\n\n\nclass Ranks(Executor):\n"
        "    def __init__(self, top_k: int = 1, **kwargs):\n        super().__init__(**kwargs)\n",
    )
    shell.write("my.yml", "jtype: Ranks\npy_modules: ranks.py\nwith: {top_k: abc}\n")
    shell.write("flow.yml", "jtype: Flow\nexecutors: [{name: it, uses: my.yml}]\n")
    done = shell.fork("post", "/x", "--flow", "flow.yml", "--text", "x", "--allow-unserved")
    assert done.code == 0
    assert (
        "my.yml:3:8: warning[wrong-type]: `with.top_k` is 'abc'; Ranks annotates it as a "
        "whole number\n" in done.err
    )


@pytest.mark.parametrize(
    ("source", "jtype", "last"),
    [
        ("import nowhere_to_be_found\n", "Any", "No module named 'nowhere_to_be_found'"),
        ("def broken(:\n", "Any", "SyntaxError: invalid syntax"),
        ("import os\nos._exit(5)\n", "Any", "ended with exit code 5"),
        ("class Other: pass\n", "Any", "Any"),
    ],
)
def test_an_import_that_fails_is_told_at_once(
    shell: Shell, source: str, jtype: str, last: str
) -> None:
    shell.write("own.py", source)
    shell.write(
        "flow.yml",
        "jtype: Flow\nexecutors:\n"
        f"  - {{name: own, uses: {{jtype: {jtype}, py_modules: [own.py]}}}}\n",
    )
    done = shell.fork("flow", "up", "flow.yml")
    assert (done.code, done.out) == (1, "")
    assert 'flow.yml:3:23: "own/0" did not start' in done.err
    assert last in done.err
    assert "jina/executors/load.py" not in done.err  # the user's frames only
    assert not shell.processes()


def test_the_same_file_up_twice_is_refused(shell: Shell) -> None:
    path = shell.flow("Upper")
    with shell.up("flow.yml") as flow:
        for options in ([], ["--detach"]):
            assert shell.fork("flow", "up", "flow.yml", *options) == (
                1,
                "",
                f'error: {path}: the Flow "flow" is already running, with process id {flow.pid}\n'
                "help: stop it with `jina flow down`, or post to it\n",
            )
        assert shell.call("post", "/", "--text", "x").code == 0


def test_up_runs_on_after_its_terminal_where_nohup_wants_it(shell: Shell) -> None:
    file = shell.flow("Upper")
    with shell.start("flow", "up", file, "--json", program=("nohup", JINA)) as flow:
        assert flow.read_line(), flow.err
        flow.process.send_signal(signal.SIGHUP)
        assert shell.call("post", "/upper", "--text", "a").code == 0
        assert flow.end(signal.SIGTERM).code == 0
        assert "SIGHUP" not in flow.err


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_with_a_port_it_listens_on_tcp_too(shell: Shell, host: str, shown: str) -> None:
    options = ["--json", "--host", host, "--port", "0", "--quiet"]
    with shell.start("flow", "up", shell.flow("Upper"), *options) as up:
        local, remote = json.loads(up.read_line())["addresses"]
        assert local.startswith("ipc://")
        assert re.fullmatch(rf"tcp://{re.escape(shown)}:\d+", remote)
        for address in (local, remote):
            done = shell.call("post", "/", "--address", address, stdin=json_lines(250))
            assert [line["text"] for line in done.lines] == [f"LINE {n}" for n in range(250)]
        done = up.end(signal.SIGTERM)
    assert (done.code, done.err) == (0, "")


def test_a_port_that_is_taken(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = shell.fork("flow", "up", shell.flow("Upper"), "--port", str(port))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(
        f"error: tcp://127.0.0.1:{port}: cannot listen there: Address already in use\n"
    )
    assert "choose another --port, or stop the program that uses it" in done.err
    assert not shell.directories()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--host", "0.0.0.0", "--port", "0"],
            "--host: 0.0.0.0 can be reached from other machines, and anyone there could post; "
            "use --keys, or --insecure-no-auth if that is what you want",
        ),
        (["--host", "0.0.0.0"], "--host: needs --port"),
        (["--host", "127.0.0.1"], "--host: needs --port"),
    ],
)
def test_beyond_this_machine_only_when_asked_twice(
    shell: Shell, options: list[str], message: str
) -> None:
    done = shell.call("flow", "up", shell.flow("Upper"), *options)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: {message}\nhelp: see `jina flow up --help`\n"


def test_yaml_from_standard_input(shell: Shell) -> None:
    text = shell.flow("Upper").read_text()
    done = shell.fork("flow", "up", "-", "--detach", "--json", stdin=text)
    assert done.code == 0, done.err
    name = json.loads(done.out)["flow"]
    try:
        assert shell.call("post", "/", "--text", "x").lines[0]["text"] == "X"
    finally:
        assert shell.call("flow", "down", name).code == 0


def test_what_an_executor_prints_is_shown_with_its_name(shell: Shell) -> None:
    shell.write(
        "talk.py",
        "from jina import Executor, requests\n"
        "class Talker(Executor):\n"
        "    @requests\n"
        "    def talk(self, **kwargs):\n"
        "        print('hello there')\n",
    )
    shell.write("flow.yml", "executors: [{name: t, uses: {jtype: Talker, py_modules: talk.py}}]\n")
    with shell.up("flow.yml", "--quiet") as flow:
        assert shell.call("post", "/").code == 0
        flow.wait_for("t/0 | hello there\n")


def test_the_leftovers_of_a_killed_flow_are_cleared_at_the_next_start(shell: Shell) -> None:
    """Both who would have cleaned up are killed."""
    with shell.start("flow", "up", shell.flow("Upper"), "--json") as up:
        assert up.read_line()
        gateway = shell.gateway()
        os.kill(gateway, signal.SIGSTOP)
        os.kill(up.pid, signal.SIGKILL)
        os.kill(gateway, signal.SIGKILL)
        assert up.end().code == -signal.SIGKILL
    wait_until(lambda: not shell.processes(), what="workers die with their parent")
    assert len(shell.directories()) == 1
    assert shell.call("flow", "ps") == (0, "", "no Flow is running\n")
    with shell.up("flow.yml"):
        assert shell.call("post", "/", "--text", "x").lines[0]["text"] == "X"


def test_a_run_directory_that_is_not_ours_is_refused_by_all(shell: Shell) -> None:
    """Not even an answer that no Flow is running."""
    shell.flow("Upper")
    shell.run_dir.mkdir(exist_ok=True)
    shell.run_dir.chmod(0o777)
    reason = f"error: {shell.run_dir}: this folder must be a real folder, owned by you"
    for words in (("flow", "up", "flow.yml"), ("flow", "ps")):
        done = shell.fork(*words)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(reason)
    shell.run_dir.chmod(0o700)


def test_a_constructor_that_raises_ctrl_c_is_shown_with_the_users_frames(shell: Shell) -> None:
    shell.write(
        "stops.py",
        "from jina import Executor\n\n\nclass Stops(Executor):\n"
        "    def __init__(self, **kwargs):\n        raise KeyboardInterrupt\n",
    )
    shell.write("flow.yml", "jtype: Flow\nexecutors: [{name: a, uses: stops.py:Stops}]\n")
    done = shell.fork("flow", "up", "flow.yml")
    assert done.code == 1
    assert done.err.count('  File "') == 1
    assert "stops.py" in done.err
    assert "KeyboardInterrupt" in done.err
