"""A check imports each Executor in a process of its own, as a Flow does."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.polling import wait_until
from tests.shell import WAIT_S, Shell
from tests.terminal import Terminal

ONCE = """
import builtins
from jina import Executor, requests

if hasattr(builtins, "the_operator"):
    raise RuntimeError("the operator is registered already")
builtins.the_operator = 1


class {name}(Executor):
    @requests(on="/{name}")
    def call(self, docs, **kwargs): ...
"""

PLAIN = """
from jina import Executor, requests

print("imported", flush=True)


class One(Executor):
    @requests(on="/one")
    def call(self, docs, **kwargs): ...


class Two(Executor):
    @requests(on="/two")
    def call(self, docs, **kwargs): ...
"""


def flow(shell: Shell, *uses: str, more: str = "") -> None:
    """Write a Flow with executors named a, b, …"""
    names = "abcdefgh"
    entries = [f"  - {{name: {names[n]}, uses: {each}{more}}}\n" for n, each in enumerate(uses)]
    shell.write("flow.yml", "jtype: Flow\nexecutors:\n" + "".join(entries))


def test_the_variables_of_an_executor_are_set_before_it_is_imported(shell: Shell) -> None:
    """Those of each: the second has the module of the first, and other variables."""
    shell.write(
        "quiet.py",
        "import os\nfrom jina import Executor, requests\nopen(os.environ['MARK'], 'x').close()\n"
        "class Quiet(Executor):\n    @requests\n    def f(self, docs): ...\n",
    )
    for name in ("one", "two"):
        text = f"jtype: Quiet\nmetas: {{py_modules: quiet.py}}\nenv: {{MARK: {name}.txt}}\n"
        shell.write(f"{name}.yml", text)
    flow(shell, "one.yml", "two.yml")
    done = shell.fork("flow", "check", "flow.yml")
    assert done.code == 0, done.err
    assert sorted(path.name for path in shell.folder.glob("*.txt")) == ["one.txt", "two.txt"]


READS = """
import os
from jina import Executor, requests

os.environ["FOO_FLOW"], os.environ["FOO_OWN"]
assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"


class Reads(Executor):
    @requests
    def f(self, docs, **kwargs): ...
"""


def test_the_variables_of_a_node_and_its_flow_are_set_too(shell: Shell) -> None:
    """As in the process of the Flow: what is said of a node is not said of its head."""
    shell.write("reads.py", READS)
    shell.write("outer.py", READS.replace(', os.environ["FOO_OWN"]', ""))
    flow_yml = """
        jtype: Flow
        with: {env: {FOO_FLOW: 1, CUDA_VISIBLE_DEVICES: "RR0,1"}}
        executors:
          - {name: a, uses: "reads.py:Reads", env: {FOO_OWN: true}, uses_before: "outer.py:Reads"}
    """
    shell.write("flow.yml", flow_yml)
    for command in ("check", "endpoints"):
        done = shell.fork("flow", command, "flow.yml")
        assert done.code == 0, done.out + done.err
    shell.write("flow.yml", flow_yml.replace("outer.py", "reads.py"))
    done = shell.fork("flow", "check", "flow.yml")
    assert done.code == 1
    assert done.out.count("importing the Executor raised KeyError: 'FOO_OWN'") == 1


def test_modules_that_cannot_be_loaded_together_are_loaded_apart(shell: Shell) -> None:
    shell.write("left.py", ONCE.format(name="Left"))
    shell.write("right.py", ONCE.format(name="Right"))
    flow(shell, "left.py:Left", "right.py:Right")
    done = shell.fork("flow", "check", "flow.yml")
    assert (done.code, done.err) == (0, "no problems in flow.yml\n")
    assert [line.split()[:2] for line in done.out.splitlines()[1:]] == [
        ["a", "/Left"],
        ["b", "/Right"],
    ]
    for name in ("Left", "Right"):
        shell.write(f"{name}.yml", f"jtype: {name}\npy_modules: {name.lower()}.py\n")
    assert shell.fork("executor", "check", "Left.yml", "Right.yml").code == 0
    done = shell.fork("flow", "endpoints", "flow.yml")
    assert (done.code, len(done.out.splitlines())) == (0, 3)


def test_what_is_found_is_in_the_order_of_the_file(shell: Shell) -> None:
    """Also where the last one is done first; and one that ends its process hides no other."""
    shell.write(
        "slow.py", "import os\nos.read(os.open('go', os.O_RDONLY), 1)\nraise OSError('no')\n"
    )
    shell.write("ends.py", "import os\nos.kill(os.getpid(), 9)\n")
    shell.write("quick.py", "open('go', 'w').write('x')\nraise ValueError('bad')\n")
    os.mkfifo(shell.folder / "go")
    flow(shell, "slow.py:A", "ends.py:B", "quick.py:C")
    done = shell.fork("flow", "check", "flow.yml", "--output-format", "json")
    problems = json.loads(done.out)["files"][0]["problems"]
    assert [(each["line"], each["message"]) for each in problems] == [
        (3, "importing the Executor raised OSError: no"),
        (4, "importing ends.py: the process was killed by SIGKILL"),
        (5, "importing the Executor raised ValueError: bad"),
    ]


def test_modules_are_imported_once_for_all_that_use_them(shell: Shell) -> None:
    """However many nodes, replicas, shards and files do; what they print is no data."""
    shell.write("plain.py", PLAIN)
    flow(shell, "plain.py:One", "plain.py:Two", "plain.py:One", more=", replicas: 2")
    done = shell.fork("flow", "check", "flow.yml", "flow.yml")
    assert done.code == 0
    assert done.err.count("imported") == 1
    assert done.out.count("/one") == 4


def test_names_of_errors_are_those_of_the_executors_own_modules(shell: Shell) -> None:
    shell.write("plain.py", PLAIN)
    shell.write("odd.py", PLAIN + "\nclass OddError(Exception): ...\n")
    flow(shell, "plain.py:One", "odd.py:Two", more=", retries: {times: 1, on: [OddError]}")
    done = shell.fork("flow", "check", "flow.yml", "--output-format", "concise")
    assert "flow.yml:3:" in done.out
    assert "OddError" in done.out
    assert "flow.yml:4:" not in done.out


def test_an_import_that_does_not_end_is_told_by_name(shell: Shell) -> None:
    shell.write("hangs.py", "import signal\nsignal.pause()\n")
    flow(shell, "hangs.py:A", more=", timeout_ready: 100")
    done = shell.fork("flow", "check", "flow.yml", "--output-format", "concise")
    assert (done.code, done.out) == (
        1,
        "flow.yml:3:21: error[import-failed]: importing hangs.py: the process did not end within "
        "0.1 s\n",
    )


# Not `pause`: a signal just before it would not end it.
WAITS = (
    "import os, signal\nprint(f'here {os.getpid()}', flush=True)\n"
    "while True: signal.sigtimedwait([], 0.05)\n"
)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_all_of_them(shell: Shell, signum: int) -> None:
    for name in "ab":
        shell.write(f"waits_{name}.py", WAITS)
    flow(shell, "waits_a.py:A", "waits_b.py:B")
    with shell.start("flow", "check", "flow.yml") as running:
        wait_until(lambda: running.err.count("here") == 2, what="both import")
        pids = [int(line.split()[1]) for line in running.err.splitlines()]
        code = running.end(signum).code
        assert code == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(signum, -signum)
        for pid in pids:
            wait_until(lambda pid=pid: not Path(f"/proc/{pid}").exists(), what=f"{pid} is gone")


def test_what_was_found_before_ctrl_c_is_told(shell: Shell) -> None:
    shell.write("waits.py", WAITS)
    shell.write("broken.py", "raise ValueError('no such model')\n")
    flow(shell, "broken.py:B", "waits.py:A")
    with shell.start("flow", "check", "flow.yml") as running:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        running.wait_for("here")
        wait_until(lambda: len(children.read_text().split()) == 1, what="the other has ended")
        done = running.end(signal.SIGINT)
    assert (done.code, done.out) == (130, "")
    assert "importing the Executor raised ValueError: no such model" in done.err
    assert done.err.endswith("\nthe check was stopped; there may be more\ninterrupted\n")


def test_what_is_waited_for_is_told_in_place(shell: Shell) -> None:
    os.mkfifo(shell.folder / "go")
    shell.write(
        "waits.py", "open('go').read()\n" + PLAIN.replace('print("imported", flush=True)', "")
    )
    flow(shell, "waits.py:One", "waits.py:Two")
    with Terminal(shell, "flow", "check", "flow.yml") as terminal:
        terminal.wait_for("loading a, b (")
        (shell.folder / "go").write_text("x")
        assert terminal.process.wait(WAIT_S) == 0
    lines = terminal.screen.lines
    assert not any("loading" in line for line in lines)
    assert lines[-1] == "no problems in flow.yml"
