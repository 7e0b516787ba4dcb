"""`jina flow scale` and `restart`: what runs afterwards, and what becomes of requests meanwhile."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.polling import wait_until
from tests.shell import JINA, Shell, is_alive, json_lines

WORDS = """
from pathlib import Path
from jina import Executor, requests

WORD = "one"


class Words(Executor):
    def __init__(self, fails: str = "", keeps: bool = False, **kwargs):
        super().__init__(**kwargs)
        if keeps:
            self._file = Path(self.workspace) / "kept"
        if fails and Path(fails).exists():
            raise RuntimeError("no model today")

    @requests
    def say(self, docs, **kwargs):
        for doc in docs:
            doc.text = WORD
"""


def words_flow(shell: Shell, more: str = "", word: str = "one") -> Path:
    shell.write("words.py", WORDS.replace("one", word))
    entry = f"  - {{name: words, uses: words.py:Words{more}}}\n"
    return shell.write("flow.yml", f"jtype: Flow\nexecutors:\n{entry}")


def said(shell: Shell) -> str:
    (line,) = shell.call("post", "/", "--text", "x").lines
    return str(line["text"])


def test_a_flow_is_scaled_up_and_down(shell: Shell) -> None:
    with shell.up(shell.flow("Upper, replicas: 2", "Counter")) as up:
        before = shell.workers()
        done = shell.call("flow", "scale", "upper=4")
        assert (done.code, done.out) == (0, "")
        assert done.err.splitlines()[0] == 'changing "upper": 4 replicas'
        assert sorted(done.err.splitlines()[1:3]) == ["upper/2 is ready", "upper/3 is ready"]
        assert done.err.endswith('changed "upper": 4 replicas; now upper x4, counter x1\n')
        four = shell.workers()
        assert list(four) == ["upper/0", "upper/1", "upper/2", "upper/3", "counter/0"]
        assert before.items() <= four.items()  # those that were there stay
        assert shell.call("flow", "scale", "upper=1", "counter=2", "--quiet") == (0, "", "")
        assert list(shell.workers()) == ["upper/0", "counter/0", "counter/1"]
        assert shell.workers()["upper/0"] == before["upper/0"]
        assert shell.call("flow", "scale", "upper=1").code == 0  # there is nothing to do
        # What was added comes back as the others do.
        os.kill(shell.workers()["counter/1"], signal.SIGKILL)
        up.wait_for("counter/1 was killed by SIGKILL; restarting")
        wait_until(lambda: list(shell.workers()) == ["upper/0", "counter/0", "counter/1"])
        assert not any(is_alive(pid) for name, pid in four.items() if name == "upper/3")


@pytest.fixture(scope="module")
def upper(shared_shell: Shell) -> Iterator[Shell]:
    with shared_shell.up(shared_shell.flow("Upper")):
        yield shared_shell


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["scale", "uppr=2"], 2, 'the Flow has no Executor "uppr"\nhelp: did you mean "upper"?\n'),
        (["scale", "x=2"], 2, 'the Flow has no Executor "x"\nhelp: it has: upper\n'),
        (["restart", "uppr"], 2, 'the Flow has no Executor "uppr"\nhelp: did you mean "upper"?\n'),
        (["restart", "flow"], 2, '"flow" is a Flow, not an Executor\nhelp: use --flow flow\n'),
        (["restart", "http/0"], 2, '"http/0" serves HTTP and is not an Executor: it cannot be'),
        (["scale", "http=2"], 2, '"http" serves HTTP and is not an Executor'),
        (["logs", "flow"], 2, '"flow" is a Flow, not an Executor\nhelp: use --flow flow\n'),
        (["scale", "upper=0"], 2, "'upper=0' is not an Executor with 1 to 1000 replicas"),
        (["scale", "upper"], 2, "'upper' is not an Executor with 1 to 1000 replicas"),
        (["scale", "upper=many"], 2, "'upper=many' is not an Executor"),
        (
            ["scale", "upper=1001"],
            2,
            "'upper=1001' is not an Executor with 1 to 1000 replicas",
        ),
        (["scale", "upper=1" + "0" * 5000], 2, "is not an Executor with 1 to 1000 replicas"),
        (["scale", "upper=2", "upper=3"], 2, '"upper" is given twice'),
        (["scale"], 2, "error: NAME=N is missing\n"),
        (["scale", "upper=2", "--flow", "other"], 4, 'no running Flow is named "other"'),
    ],
)
def test_what_cannot_be_changed(
    upper: Shell, arguments: list[str], code: int, message: str
) -> None:
    done = upper.fork("flow", *arguments)
    assert (done.code, done.out) == (code, "")
    assert message in done.err


def test_a_flow_can_be_named_by_an_option_everywhere(upper: Shell) -> None:
    for command in ("status", "endpoints", "top", "down"):
        done = upper.fork("flow", command, "--flow", "upper-that-is-not")
        assert done.code != 2, done.err
        assert '"upper-that-is-not"' in done.err or command == "down"
        assert "--flow" not in upper.call("flow", command, "--help").out or command == "endpoints"
    assert upper.fork("flow", "status", "--flow", "flow").code == 0
    other = upper.write("second.yml", (upper.folder / "flow.yml").read_text())
    assert upper.fork("flow", "up", other, "-d", "-q").code == 0
    done = upper.call("flow", "restart", "second")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith('"second" is a Flow, not an Executor\nhelp: use --flow second\n')
    assert upper.fork("flow", "down", "--flow", "second").code == 0
    assert upper.call("flow", "ps", "--quiet").out == "flow\n"


def test_a_restart_runs_what_the_files_say_now(shell: Shell) -> None:
    with shell.up(words_flow(shell, ", replicas: 2")):
        assert said(shell) == "one"
        before = shell.workers()
        words_flow(shell, ", replicas: 2", word="another")
        assert said(shell) == "one"
        done = shell.call("flow", "restart", "words")
        assert done.code == 0, done.err
        assert [line for line in done.err.splitlines() if line.startswith("words/")] == [
            *("words/0 has ended", "words/0 is ready"),  # one after the other
            *("words/1 has ended", "words/1 is ready"),
        ]
        assert said(shell) == "another"
        after = shell.workers()
        assert list(after) == list(before)
        assert not set(after.values()) & set(before.values())
        # What was scaled stays so, until the file says another number.
        assert shell.call("flow", "scale", "words=1").code == 0
        done = shell.call("flow", "restart", "--surge")
        assert done.err.splitlines()[1:3] == ["words/0 is ready", "words/0 has ended"]
        assert list(shell.workers()) == ["words/0"]
        words_flow(shell, ", replicas: 3")
        assert shell.call("flow", "restart").err.endswith("; now words x3\n")


def test_a_restart_in_another_shell_finds_what_the_start_found(shell: Shell) -> None:
    """Its variables, and the folder that workspaces stand in."""
    path = shell.flow("Status, env: {ZOO: '${MODEL:-none}'}")
    elsewhere = shell.folder / "elsewhere"
    elsewhere.mkdir()

    def environment() -> dict[str, str]:
        (line,) = shell.call("post", "/environment").lines
        return dict(line["tags"])

    command = f"MODEL=large exec {JINA} flow up {path} --json"
    with shell.start("-c", command, program=("sh",)) as up:
        assert up.read_line()
        before = environment()
        assert before["variable"] == "large"
        workers = shell.workers()
        restart = f"cd elsewhere && MODEL=small {JINA} flow restart --quiet"
        with shell.start("-c", restart, program=("sh",)) as running:
            assert running.end().code == 0
        assert shell.workers() != workers
        assert environment() == before


def test_a_flow_that_fails_its_check_runs_on_as_it_was(shell: Shell) -> None:
    with shell.up(words_flow(shell)):
        before = shell.workers()
        shell.write("flow.yml", "jtype: Flow\nexecuters:\n  - {name: words}\n")
        done = shell.call("flow", "restart")
        assert done.code == 2
        assert "flow.yml:2:1: error[unknown-key]: `executers` is not a key of a Flow" in done.err
        words_flow(shell, word='one"')
        done = shell.call("flow", "restart")
        assert done.code == 1
        assert "not valid Python: unterminated string literal" in done.err
        assert done.err.endswith("error: nothing was changed\n")
        shell.write("flow.yml", "jtype: Flow\nexecutors: [{name: others}]\n")
        done = shell.call("flow", "restart")
        assert (done.code, done.err) == (
            2,
            "error: the Executors of the Flow have changed; stop and start it to apply this\n"
            "help: `jina flow down`, then `jina flow up`\n",
        )
        assert shell.workers() == before
        assert said(shell) == "one"


def test_new_workers_that_do_not_start_leave_the_old_ones(shell: Shell) -> None:
    flag = shell.folder / "fails"
    with shell.up(words_flow(shell, f", uses_with: {{fails: {flag}}}")) as up:
        flag.touch()
        for command in (["scale", "words=3"], ["restart", "--surge"]):
            before = shell.workers()
            done = shell.fork("flow", *command)
            assert done.code == 1
            assert done.err.endswith("did not start: RuntimeError: no model today\n")
            assert done.err.count("RuntimeError: no model today") == 1
            assert done.err.count("Traceback") == 1
            assert shell.workers() == before
            assert said(shell) == "one"
        said_at = up.err.index("Traceback")
        failed_at = up.err.index('error: changing "words": 3 replicas failed: words/')
        assert said_at < failed_at
        # Told once by each worker that failed: the other one of the first change may have, too.
        assert up.err.count("RuntimeError: no model today") in (2, 3)
        # A lone one had to go first. It is started again as after a death, and requests wait.
        done = shell.call("flow", "restart")
        assert done.code == 1
        assert 'error: flow.yml:3:25: "words/0" did not start' in done.err
        with shell.start("post", "/", "--text", "x") as post:
            up.wait_for("words/0 ended with exit code 1; restarting")
            flag.unlink()
            assert post.end().lines[0]["text"] == "one"


TOGETHER = """\
import os
import time

from jina import Executor


class Together(Executor):
    def __init__(self, folder, **kwargs):
        super().__init__(**kwargs)
        if os.path.exists(f"{folder}/fails"):
            open(f"{folder}/here-{os.getpid()}", "w").close()
            while not os.path.exists(f"{folder}/go"):
                time.sleep(0.005)
            raise RuntimeError("no model today")
"""


def test_new_workers_that_fail_at_the_same_time_end_nothing_else(shell: Shell) -> None:
    shell.write("together.py", TOGETHER)
    flow = (
        "jtype: Flow\nexecutors:\n  - {name: words, uses: Together, py_modules: together.py, "
        f"uses_with: {{folder: {shell.folder}}}}}\n"
    )
    with shell.up(shell.write("flow.yml", flow)) as up:
        before = shell.workers()
        (shell.folder / "fails").touch()
        with shell.start("flow", "scale", "words=3") as scale:
            new = wait_until(lambda: _two(shell))
            os.kill(up.pid, signal.SIGSTOP)  # so it hears of both ends at once
            (shell.folder / "go").touch()
            wait_until(lambda: not any(map(is_alive, new)))
            os.kill(up.pid, signal.SIGCONT)
            done = scale.end()
        assert (done.code, done.err.count("no model today")) == (1, 2), done.err
        assert shell.workers() == before


def _two(shell: Shell) -> list[int]:
    """The workers that have begun to start, once these are two."""
    here = [int(path.name.rpartition("-")[2]) for path in shell.folder.glob("here-*")]
    return here if len(here) == 2 else []


def test_it_is_said_what_becomes_of_files(shell: Shell) -> None:
    work = shell.folder / "work"
    flow = words_flow(shell, f", workspace: {work}, uses_with: {{keeps: true}}")
    with shell.up(flow):
        done = shell.call("flow", "scale", "words=2")
        path = f"{work}/Words/1/0"
        assert f"note: words/1 has its own workspace: {path}\n" in (done.err)
        assert Path(path).is_dir()
        done = shell.call("flow", "scale", "words=1")
        assert f"note: the workspace of words/1 is kept: {path}\n" in done.err
        assert Path(path).is_dir()
        done = shell.call("flow", "restart")
        assert "note" not in done.err  # it keeps its own


@pytest.mark.parametrize("killed", ["", "gateway", "worker"])
def test_requests_wait_for_the_successor_of_a_lone_worker(shell: Shell, killed: str) -> None:
    flow = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    with shell.up(flow) as up, shell.start("post", "/", "--text", "first") as first:
        wait_until((shell.folder / "begun").exists)
        old = shell.workers()["gate/0"]
        with shell.start("flow", "restart", "gate") as restart:
            wait_until(lambda: "retiring" in " ".join(shell.ps_table()))
            busy = shell.call("flow", "scale", "gate=2")
            assert (busy.code, busy.err) == (
                1,
                'error: another change is in progress: "gate": restart\nhelp: try again later\n',
            )
            with shell.start("post", "/", "--text", "second") as second:
                wait_until(lambda: shell.ps()[0].get("requests_held") == 2)
                if killed == "gateway":
                    os.kill(shell.gateway(), signal.SIGKILL)
                    up.wait_for("gateway was killed by SIGKILL; restarting immediately")
                elif killed == "worker":
                    os.kill(old, signal.SIGKILL)
                (shell.folder / "go").touch()
                assert restart.end().code == 0, up.err
                for post in (first, second):
                    done = post.end()
                    assert (done.code, done.lines[0]["text"]) == (0, "passed"), done.err
        assert shell.workers()["gate/0"] != old
        assert not is_alive(old)
        assert "restarting" not in up.err.replace("restarting immediately", "", killed == "gateway")


def test_a_flow_that_is_stopped_in_the_middle_of_a_change_stops(shell: Shell) -> None:
    flow = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    with shell.up(flow) as up, shell.start("post", "/", "--text", "first") as first:
        wait_until((shell.folder / "begun").exists)
        with shell.start("flow", "restart") as restart:
            wait_until(lambda: "retiring" in " ".join(shell.ps_table()))
            os.kill(up.pid, signal.SIGTERM)
            up.wait_for("Stopping")
            assert (
                "error: the Flow is stopping; this change was not completed: every Executor: "
                "restart\n"
            ) in restart.end().err
        (shell.folder / "go").touch()
        assert first.end().lines[0]["text"] == "passed"
        assert up.end().code == 0
    assert not shell.processes()


IMPATIENT = (
    *(sys.executable, "-c"),
    "from jina.launch import asking; asking.SUPERVISOR_SILENT_S = 0.2\n"
    "from jinacli.app import main; main()",
)


def test_a_supervisor_that_does_not_answer_is_named_and_waited_for(shell: Shell) -> None:
    with shell.up(shell.flow("Upper")) as up:
        up.process.send_signal(signal.SIGSTOP)
        with shell.start("flow", "scale", "upper=2", program=IMPATIENT) as asking:
            asking.wait_for(f"the Flow's supervisor (process {up.pid}) does not answer; waiting ")
            up.process.send_signal(signal.SIGCONT)
            done = asking.end()
    assert done.code == 0
    assert done.err.count("does not answer") == 1
    assert done.err.endswith('changed "upper": 2 replicas; now upper x2\n')


def test_new_workers_that_are_silent_for_too_long_are_given_up(shell: Shell) -> None:
    flag = shell.folder / "silent"
    shell.write(
        "silent.py",
        "import time\nfrom pathlib import Path\nfrom jina import Executor\n\n\n"
        "class Silent(Executor):\n"
        "    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n"
        f"        while Path({str(flag)!r}).exists():\n            time.sleep(0.01)\n",
    )
    entry = "{name: it, uses: 'silent.py:Silent', timeout_ready: 1500}"
    shell.write("flow.yml", f"jtype: Flow\nexecutors: [{entry}]\n")
    with shell.up("flow.yml") as up:
        flag.touch()
        done = shell.call("flow", "scale", "it=2")
        assert done.code == 1
        assert (
            '"it/1" did not start: it was not ready, and gave no sign of life for 1.5 s' in done.err
        )
        assert list(shell.workers()) == ["it/0"]
        flag.unlink()
        assert shell.call("flow", "scale", "it=2").code == 0
        assert "again" not in up.err


def test_a_node_that_was_given_up_serves_again_after_a_restart(shell: Shell) -> None:
    """Its workers were killed at each start; then what killed them is over."""
    flag = shell.folder / "deadly"
    shell.write(
        "deadly.py",
        "import os, signal\nfrom pathlib import Path\nfrom jina import Executor, requests\n\n\n"
        "class Deadly(Executor):\n"
        "    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n"
        f"        if Path({str(flag)!r}).exists():\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n\n"
        "    @requests\n    def go(self, **kwargs):\n        pass\n",
    )
    shell.write("flow.yml", "jtype: Flow\nexecutors: [{name: it, uses: 'deadly.py:Deadly'}]\n")
    with shell.up("flow.yml") as up:
        flag.touch()
        done = shell.call("flow", "scale", "it=2")
        assert done.code == 1
        assert '"it/1" did not start: it was killed by SIGKILL' in done.err
        assert list(shell.workers()) == ["it/0"]
        assert shell.call("post", "/", "--text", "x").code == 0
        done = shell.call("flow", "restart")
        assert done.code == 1
        up.wait_for("it/0 was killed by SIGKILL, too often: it will not be restarted")
        (failed,) = shell.call("post", "/", "--text", "x").lines
        assert failed["error"]["type"] == "jina.excepts.ExecutorUnavailable"
        flag.unlink()
        done = shell.call("flow", "restart")
        assert done.code == 0, done.err
        assert shell.call("post", "/", "--text", "x").code == 0
        assert shell.ps()[0]["state"] == "ready"


def test_a_worker_that_is_killed_at_its_start_is_started_once_more(shell: Shell) -> None:
    """As the kernel does it where memory is short: the change goes on."""
    shell.write(
        "once.py",
        "import os, signal\nfrom pathlib import Path\nfrom jina import Executor\n\n"
        f"FLAG = Path({str(shell.folder / 'flag')!r})\n\n\n"
        "class Once(Executor):\n"
        "    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n"
        "        if FLAG.exists():\n            FLAG.unlink()\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    shell.write("flow.yml", "jtype: Flow\nexecutors: [{name: once, uses: 'once.py:Once'}]\n")
    with shell.up("flow.yml"):
        for command in (["scale", "once=2"], ["restart"], ["restart", "--surge"]):
            (shell.folder / "flag").touch()
            assert shell.fork("flow", *command).code == 0
            assert not (shell.folder / "flag").exists()
        assert list(shell.workers()) == ["once/0", "once/1"]


def test_a_worker_that_does_not_close_is_ended(shell: Shell) -> None:
    """It has its time for it; the change waits no longer, and says so."""
    shell.write(
        "stuck.py",
        "import time\nfrom jina import Executor\n\n\nclass Stuck(Executor):\n"
        "    def close(self):\n        time.sleep(1000)\n",
    )
    shell.write(
        "flow.yml",
        "jtype: Flow\nexecutors: [{name: it, uses: 'stuck.py:Stuck', stop_grace_period: 500}]\n",
    )
    with shell.start("flow", "up", "flow.yml", "--json") as up:
        assert up.read_line()
        assert shell.call("flow", "scale", "it=2").code == 0
        done = shell.call("flow", "scale", "it=1")
        assert done.code == 0
        assert "error: it/1 did not end within 0.5 s: its close()" in done.err
        up.process.send_signal(signal.SIGTERM)
        up.wait_for("Stopping")
        up.end(signal.SIGTERM)


def test_what_was_posted_before_a_change_is_answered_in_order(shell: Shell) -> None:
    shell.write("lines.jsonl", json_lines(400))
    with shell.up(shell.flow("Slow, replicas: 2", "Upper")):
        arguments = ("post", "/", "--inputs", "lines.jsonl", "--request-size", "4", "--quiet")
        with shell.start(*arguments) as post:
            assert post.read_line()
            assert shell.call("flow", "scale", "slow=3", "upper=2").code == 0
            assert shell.call("flow", "restart").code == 0
            assert shell.call("flow", "scale", "slow=1", "upper=1").code == 0
            done = post.end()
        assert done.code == 0
        assert [line["id"] for line in done.lines] == [f"d{n}" for n in range(1, 400)]
