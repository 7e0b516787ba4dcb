"""A supervisor in trouble: what it needs is missing, gone, or too much."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import time
from pathlib import Path

import pytest

from jina.excepts import RuntimeFailToStart
from jina.flow import Flow
from tests.polling import wait_until
from tests.shell import JINA, Shell


def test_a_gateway_that_cannot_be_started_again_just_now_is_tried_later(shell: Shell) -> None:
    with shell.up(shell.flow("Counter")) as flow:
        assert shell.call("post", "/", "--text", "x").code == 0
        _, hard = resource.prlimit(flow.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(flow.pid, resource.RLIMIT_NOFILE, (3, hard))
        os.kill(shell.gateway(), signal.SIGKILL)
        flow.wait_for("gateway could not be started: [Errno 24] Too many open files; ")
        resource.prlimit(flow.pid, resource.RLIMIT_NOFILE, (hard, hard))
        (line,) = shell.call("post", "/seen").lines
        assert line["tags"]["seen"] == 1  # the worker kept what it has in memory


def test_a_gateway_that_can_never_be_started_again_ends_the_flow(shell: Shell) -> None:
    with shell.start("flow", "up", shell.flow("Upper"), "--json") as flow:
        assert flow.read_line()
        _, hard = resource.prlimit(flow.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(flow.pid, resource.RLIMIT_NOFILE, (3, hard))
        os.kill(shell.gateway(), signal.SIGKILL)
        done = flow.end()
    assert done.code == 1
    assert done.err.endswith(
        "error: the gateway could not be started: [Errno 24] Too many open files\n"
    )
    assert not shell.processes()
    # Without a descriptor not even a directory can be removed: the next command does.
    assert shell.call("flow", "ps").err == "no Flow is running\n"
    assert not shell.directories()


def test_a_flow_that_cannot_start_its_processes_says_why(shell: Shell) -> None:
    shell.flow("Upper, replicas: 20")
    done = shell_under(shell, "ulimit -n 20", "flow", "up", "flow.yml")
    assert done[0] == 1
    assert done[1].startswith("error: could not start every process of the Flow: [Errno 24]")
    assert "Traceback" not in done[1]
    wait_until(lambda: not shell.processes() and not shell.directories(), what="all are gone")


def shell_under(shell: Shell, limit: str, *arguments: str) -> tuple[int, str]:
    command = f"{limit}; exec {JINA} {' '.join(arguments)}"
    with shell.start("-c", command, program=("sh",)) as running:
        done = running.end()
    return done.code, done.err


@pytest.mark.parametrize("detached", [True, False])
def test_a_flow_whose_run_directory_is_removed_ends(shell: Shell, detached: bool) -> None:
    """Nobody could find it to stop it. The request under way is answered."""
    gate = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    arguments = ("flow", "up", gate, "--json", *(["--detach"] if detached else []))
    with shell.start(*arguments) as flow:
        assert flow.read_line()
        if detached:
            assert flow.end().code == 0
        (name,) = shell.directories()
        with shell.start("post", "/", "--text", "x") as post:
            wait_until((shell.folder / "begun").exists)
            shutil.rmtree(shell.run_dir / name)
            if not detached:
                flow.wait_for("Stopping (its run directory ")
            (shell.folder / "go").touch()
            answer = post.end()
            assert (answer.code, answer.lines[0]["text"]) == (0, "PASSED".lower())
        if not detached:
            done = flow.end()
            assert done.code == 1
            assert re.search(r"^Stopping \(its run directory .* was removed\)", done.err, re.M)
    wait_until(lambda: not shell.processes(), what="all are gone")
    assert (shell.folder / "closed").exists()


def test_the_directory_of_a_successor_is_not_removed(shell: Shell) -> None:
    """The same file is up again before the first Flow has noticed that its directory is gone."""
    shell.flow("Upper")
    with shell.start("flow", "up", "flow.yml", "--json") as first:
        assert first.read_line()
        os.kill(first.pid, signal.SIGSTOP)
        (name,) = shell.directories()
        shutil.rmtree(shell.run_dir / name)
        with shell.up("flow.yml"):
            os.kill(first.pid, signal.SIGCONT)
            assert first.end().code == 1
            assert shell.call("post", "/", "--text", "x").lines[0]["text"] == "X"


TALKER = """
import os
from jina import Executor
class Talker(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        for n in range(5_000):
            print("line", n, "x" * 100)
        raise RuntimeError("no more words")
"""


def test_the_report_of_a_failed_start_is_short_and_says_what_was_cut(shell: Shell) -> None:
    shell.write("talk.py", TALKER)
    shell.write("flow.yml", "executors: [{name: t, uses: {jtype: Talker, py_modules: talk.py}}]\n")
    done = shell.fork("flow", "up", "flow.yml")
    assert done.code == 1
    cut = re.search(r"^\((\d+) earlier lines were shown as they arrived\)\n", done.err, re.M)
    assert cut
    shown, report = done.err[: cut.start()], done.err[cut.end() :]
    number = int(cut[1])
    assert report.startswith(f"line {number} x")
    assert report.endswith(
        'error: flow.yml:1:29: "t/0" did not start: RuntimeError: no more words\n'
    )
    assert report.count("Traceback") == 1
    assert len(report) < 80_000
    assert f"t/0 | line {number - 1} x" in shown


def test_python_is_told_as_shortly(runtime_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "talk.py").write_text(TALKER)
    (tmp_path / "flow.yml").write_text(
        "executors: [{name: t, uses: {jtype: Talker, py_modules: talk.py}}]\n"
    )
    with pytest.raises(RuntimeFailToStart) as caught, Flow.load_config(str(tmp_path / "flow.yml")):
        pass
    assert str(caught.value).endswith('"t/0" did not start: RuntimeError: no more words')
    assert len(caught.value.details) < 80_000


def test_a_bar_is_drawn_once_and_controls_are_shown(shell: Shell) -> None:
    shell.write(
        "talk.py",
        "import sys\n"
        "from jina import Executor, requests\n"
        "class Talker(Executor):\n"
        "    @requests\n"
        "    def talk(self, **kwargs):\n"
        "        print('\\x1b]0;owned\\x07')\n"
        "        print(' 1%\\r100%')\n"
        "        raise ValueError('\\x1b[2Jgone')\n",
    )
    shell.write("flow.yml", "executors: [{name: t, uses: {jtype: Talker, py_modules: talk.py}}]\n")
    with shell.up("flow.yml") as flow:
        done = shell.call("post", "/", "--text", "x")
        flow.wait_for("t/0 | \\x1b]0;owned\\x07\n")
        flow.wait_for("t/0 | 100%\n")
    assert done.code == 3
    assert "ValueError in t: \\x1b[2Jgone\n" in done.err
    assert "\x1b" not in done.err


def test_an_idle_flow_costs_next_to_nothing(shell: Shell) -> None:
    """It looks at its directory about each second, and no more often."""
    with shell.up(shell.flow("Upper")) as flow:
        before, began = cpu_s(flow.pid), time.monotonic()
        wait_until(lambda: time.monotonic() - began > 2.5)
        assert cpu_s(flow.pid) - before < 0.1


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks: float = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def test_a_silent_start_is_told_in_a_sentence(shell: Shell) -> None:
    shell.write(
        "mute.py",
        "import time\n"
        "from jina import Executor\n"
        "class Mute(Executor):\n"
        "    def __init__(self, **kwargs):\n"
        "        time.sleep(1000)\n",
    )
    shell.write(
        "flow.yml",
        "executors: [{name: a, timeout_ready: 300, uses: {jtype: Mute, py_modules: mute.py}}]\n",
    )
    done = shell.fork("flow", "up", "flow.yml")
    assert done.code == 1
    assert '"a/0" did not start: it was not ready, and gave no sign of life for 0.3 s\n' in done.err


LATE = """
import os, signal, time
from pathlib import Path
from jina import Executor
class Late(Executor):
    def __init__(self, folder, **kwargs):
        super().__init__(**kwargs)
        if (Path(folder) / "again").exists():
            told = []
            signal.signal(signal.SIGTERM, lambda *_: told.append(True))
            (Path(folder) / "loading").touch()
            while not told:
                time.sleep(0.01)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
    def close(self):
        os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_worker_that_gets_ready_while_the_flow_stops_is_no_failure(shell: Shell) -> None:
    """It was told to end before: how it ends says nothing about its Executor."""
    shell.write("late.py", LATE)
    uses = f"{{jtype: Late, py_modules: late.py, with: {{folder: {shell.folder}}}}}"
    shell.write("flow.yml", f"executors: [{{name: late, uses: {uses}}}]\n")
    with shell.start("flow", "up", "flow.yml", "--json") as flow:
        assert flow.read_line()
        (shell.folder / "again").touch()
        os.kill(shell.workers()["late/0"], signal.SIGKILL)
        wait_until((shell.folder / "loading").exists)
        done = flow.end(signal.SIGTERM)
    assert (done.code, "error" in done.err) == (0, False), done.err


def test_minus_one_waits_for_a_silent_start_for_ever(shell: Shell) -> None:
    shell.write(
        "late.py",
        "import os, time\n"
        "from jina import Executor\n"
        "class Late(Executor):\n"
        "    def __init__(self, **kwargs):\n"
        "        super().__init__(**kwargs)\n"
        "        open('began', 'w').close()\n"
        "        while not os.path.exists('go'):\n"
        "            time.sleep(0.01)\n",
    )
    shell.write(
        "flow.yml",
        "executors: [{name: a, timeout_ready: -1, uses: {jtype: Late, py_modules: late.py}}]\n",
    )
    with shell.start("flow", "up", "flow.yml", "--json") as up:
        wait_until((shell.folder / "began").exists)
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > 1.5)  # the supervisor looks each second
        (shell.folder / "go").touch()
        assert b"jina/up/v1" in up.read_line()
