"""User code that ends the process of `check`: it is said what did, and the exit code is 1."""

from __future__ import annotations

import os
import pty
import signal
import sys
from pathlib import Path

import pytest

from tests.polling import wait_until
from tests.shell import JINA, WAIT_S, Shell, without_loading

DEADLY = """import os
from jina import Executor, requests


class Deadly(Executor):
    def __init__(self, when="", **kwargs):
        super().__init__(**kwargs)
        if when == "construct":
            os.abort()
        self.when = when

    @requests(on="/die")
    def die(self, **kwargs):
        os.kill(os.getpid(), 9)

    @requests(on="/leave")
    def leave(self, **kwargs):
        os._exit(0)

    @requests(on="/live")
    def live(self, **kwargs): ...

    def close(self):
        if self.when == "close":
            os._exit(3)
"""


def that_ends(shell: Shell, deed: str) -> None:
    """Write an Executor, and a Flow with it, one of whose modules imports one that does this."""
    shell.write("deeper.py", f"import os\n{deed}\n")
    shell.write("bad.py", "import deeper\n")
    shell.write("good.py", "")
    shell.write("my.yml", "jtype: X\npy_modules: [good.py, bad.py]\n")
    shell.write("flow.yml", "jtype: Flow\nexecutors:\n  - uses: BaseExecutor\n  - uses: my.yml\n")


ENDED = """my.yml:2:13: error[import-failed]: importing bad.py: the process {ending}
  2 | py_modules: [good.py, bad.py]
    |             ^^^^^^^^^^^^^^^^^
"""


def test_a_module_that_ends_the_process_is_named_wherever_it_is_checked(shell: Shell) -> None:
    """The one of several that did, also by a module that it imports."""
    that_ends(shell, "os._exit(0)")
    done = shell.run("executor", "check", "my.yml")
    assert (done.code, done.out) == (1, ENDED.format(ending="ended with exit code 0"))
    assert done.err == "1 error and 0 warnings in my.yml\n"
    done = shell.run("flow", "check", "flow.yml", "--output-format", "concise")
    assert (done.code, done.out) == (
        1,
        ENDED.format(ending="ended with exit code 0").splitlines(True)[0],
    )
    assert done.err == "1 error and 0 warnings in flow.yml\n"
    done = shell.run("executor", "check", "my.yml", "--run", "/x")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: my.yml:1:8: importing bad.py: the process ended with exit code 0\n"
    assert shell.run("executor", "check", "my.yml", "--no-import").code == 0
    assert shell.run("flow", "check", "flow.yml", "--no-import").code == 0


@pytest.mark.parametrize(
    ("deed", "ending"),
    [
        ("os._exit(7)", "ended with exit code 7"),
        ("os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
        ("import ctypes; ctypes.string_at(0)", "was killed by SIGSEGV"),
    ],
)
def test_it_is_said_how_a_module_ended_the_process(shell: Shell, deed: str, ending: str) -> None:
    that_ends(shell, deed)
    done = shell.run("executor", "check", "my.yml")
    assert (done.code, done.out) == (1, ENDED.format(ending=ending))


@pytest.mark.parametrize(
    ("when", "endpoint", "said"),
    [
        ("", "/die", "/die: the process was killed by SIGKILL"),
        ("", "/leave", "/leave: the process ended with exit code 0"),
        ("construct", "/live", "the constructor: the process was killed by SIGABRT"),
        ("close", "/live", "`close`: the process ended with exit code 3"),
    ],
)
def test_a_trial_that_ends_the_process_says_where_it_was(
    shell: Shell, when: str, endpoint: str, said: str
) -> None:
    shell.write("deadly.py", DEADLY)
    shell.write("my.yml", f"jtype: Deadly\npy_modules: deadly.py\nwith: {{when: {when!r}}}\n")
    temporary = shell.folder / "temporary"
    temporary.mkdir()
    done = shell.run("executor", "check", "my.yml", "--run", endpoint, TMPDIR=str(temporary))
    assert (done.code, done.out) == (1, "")
    assert not [*temporary.iterdir()]
    assert done.err.endswith(f"no problems in my.yml\nerror: my.yml: {said}\n")


def test_what_comes_at_the_very_end_is_said_too(shell: Shell) -> None:
    shell.write("late.py", "import atexit, os\natexit.register(os.abort)\n" + DEADLY)
    shell.write("my.yml", "jtype: Deadly\npy_modules: late.py\n")
    done = shell.run("executor", "check", "my.yml")
    assert done.code == 1
    said = "my.yml:2:13: error[import-failed]: after the import: the process was killed by SIGABRT"
    assert done.out.startswith(said)
    done = shell.run("executor", "check", "my.yml", "--run", "/live")
    assert done.code == 1
    assert done.err.endswith("error: the end of the command: the process was killed by SIGABRT\n")


def waiting(shell: Shell) -> None:
    """Write an Executor whose import says its process and waits."""
    shell.write(
        "waits.py",
        "import os, signal, sys\nprint(f'here {os.getpid()}', flush=True)\n"
        # Not `pause`: a signal just before it would not end it.
        "while True: signal.sigtimedwait([], 0.05)\n",
    )
    shell.write("my.yml", "jtype: Waits\npy_modules: waits.py\n")


def test_an_interrupt_for_the_command_alone_reaches_the_import(shell: Shell) -> None:
    waiting(shell)
    with shell.start("executor", "check", "my.yml") as running:
        running.wait_for("here")
        done = running.end(signal.SIGINT)
    assert (done.code, done.out) == (130, "")
    assert done.err.partition("\n")[2] == "interrupted\n"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_command_that_is_killed(shell: Shell, signum: int) -> None:
    waiting(shell)
    with shell.start("executor", "check", "my.yml") as running:
        running.wait_for("here")
        pid = int(running.err.split()[1])
        code = running.end(signum).code
        assert code == (143 if signum == signal.SIGTERM else -signum)
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), what="its process is gone")


def test_a_caller_that_ignores_its_children_changes_nothing(shell: Shell) -> None:
    shell.write("ends.py", "import os\nos._exit(0)\n")
    shell.write("my.yml", "jtype: Ends\npy_modules: ends.py\n")
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    program = (sys.executable, "-c", ignoring, JINA)
    for more, said in (([], ""), (["--run", "/x"], "importing ends.py")):
        with shell.start("executor", "check", "my.yml", *more, program=program) as running:
            done = running.end()
        assert done.code == 1
        assert said in done.err


def test_ctrl_c_at_a_terminal_is_one_interrupt(shell: Shell) -> None:
    waiting(shell)
    ours, theirs = pty.openpty()
    with shell.start(
        *("--ctty", JINA, "executor", "check", "my.yml"),
        program=("setsid",),
        stdin=theirs,
        stdout=theirs,
    ) as running:
        os.close(theirs)
        running.wait_for("here")
        os.write(ours, b"\x03")
        assert running.process.wait(WAIT_S) == 130
        assert without_loading(running.err).partition("\n")[2] == "interrupted\n"
    os.close(ours)


def test_what_users_code_leaves_is_finalized_at_the_end(shell: Shell) -> None:
    """What jina loads itself is not searched for garbage then; what an Executor holds is."""
    shell.write(
        "holds.py",
        "from jina import Executor, requests\n\n\n"
        "class Holds(Executor):\n"
        "    @requests\n"
        "    def call(self, **kwargs):\n"
        "        held = Held()\n"
        "        held.itself = held\n\n\n"
        "class Held:\n"
        "    def __del__(self):\n"
        "        print('finalized')\n",
    )
    shell.write("my.yml", "jtype: Holds\npy_modules: holds.py\n")
    done = shell.run("executor", "check", "my.yml", "--run", "/x", stdin="")
    assert "finalized" in done.out + done.err
