"""A start that fails for what a check finds shows all of it, each mistake at its place."""

from __future__ import annotations

import os
import re
import signal
import sys
import textwrap

import pytest

from tests.shell import JINA, Shell

CLASSES = """
from jina import Executor, requests


class Fits(Executor):
    @requests(on="/go")
    def go(self, docs, **kwargs): ...


class Strict(Executor):
    def __init__(self, suffix="", metas=None, requests=None, runtime_args=None): ...


class Raises(Executor):
    def __init__(self, **kwargs):
        raise OSError("no model here")
"""

FLOW = """jtype: Flow
executors:
  - name: a
    uses: fits.py:Fits
    uses_requests: {/y: og}
  - name: b
    uses: fits.py:Strict
    uses_with:
      sufix: "!"
  - name: c
    uses: fits.py:Fitz
"""

PROBLEMS = """\
{file}:5:25: error[unknown-method]: Fits has no method 'og'
  5 |     uses_requests: {{/y: og}}
    |                         ^^
help: its methods are: go

{file}:9:7: error[unknown-argument]: the constructor of Strict does not accept 'sufix'
  9 |       sufix: "!"
    |       ^^^^^
help: did you mean `suffix`?

{file}:11:19: error[class-not-found]: no Executor class 'Fitz' in fits
  11 |     uses: fits.py:Fitz
     |                   ^^^^
help: did you mean 'Fits'?
"""


def in_a_check(then: str) -> str:
    """A module that does this only where a check imports it; a worker misses its class."""
    only = 'if not sys.argv[0].endswith("worker.py"):\n'
    return f"import os, signal, sys\n\n{only}{textwrap.indent(then, '    ')}\n"


@pytest.mark.parametrize(
    "words",
    ["flow up flow.yml", "flow up --detach flow.yml", "post /go -q --text x --flow flow.yml"],
)
def test_every_mistake_is_shown_at_its_place(shell: Shell, words: str) -> None:
    shell.write("fits.py", CLASSES)
    shell.write("flow.yml", FLOW)
    done = shell.fork(*words.split())
    assert (done.code, done.out) == (1, "")
    *rest, last = done.err.splitlines(keepends=True)
    assert "".join(rest) == PROBLEMS.format(file="flow.yml") + "\n"
    assert re.fullmatch(r"error: flow\.yml:(4|7|11):11: \"[abc]/0\" did not start: .*\n", last)
    assert not shell.directories()


def test_a_flow_from_standard_input_too(shell: Shell) -> None:
    shell.write("fits.py", CLASSES)
    done = shell.fork("flow", "up", "-", stdin=FLOW)
    assert done.code == 1
    assert done.err.startswith(PROBLEMS.format(file="<text>") + "\nerror: <text>:")


def test_a_module_that_fails_is_shown_once_and_the_others_mistakes_too(shell: Shell) -> None:
    shell.write("fits.py", CLASSES)
    shell.write("broken.py", "import nothing_of_that_name\n")
    shell.write("flow.yml", FLOW.replace("fits.py:Fits\n", "broken.py:Fits\n"))
    done = shell.fork("flow", "up", "flow.yml")
    assert done.code == 1
    assert done.err.count("import nothing_of_that_name") == 1
    assert done.err.count("Traceback") == 1
    assert (
        done.err.count(
            f"\nnote: nothing_of_that_name is missing in {os.path.dirname(sys.executable)}/"
        )
        == 1
    )
    assert done.err.count("\nhelp: if it is a package, install it: ") == 1
    assert "error[unknown-argument]" in done.err
    assert "error[class-not-found]" in done.err


def test_a_module_in_a_folder_whose_name_is_no_utf_8_is_shown_once(shell: Shell) -> None:
    shell.folder /= "d\udcff"
    shell.folder.mkdir()
    shell.write("broken.py", "import nothing_of_that_name\n")
    shell.write("flow.yml", "executors: [{name: a, uses: broken.py:A}]\n")
    done = shell.fork("flow", "up", "flow.yml")
    assert done.code == 1
    assert done.err.count("Traceback") == 1


@pytest.mark.parametrize("command", ["up", "plot"])
def test_standard_input_that_is_no_utf_8_is_refused(shell: Shell, command: str) -> None:
    done = shell.fork("flow", command, "-", stdin=b"jtype: Flow\nname: \xff\n")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: <text>:2: byte 0xff is not valid UTF-8\nhelp: send the YAML as UTF-8\n"
    )


def test_two_modules_that_fail_alike_are_both_shown(shell: Shell) -> None:
    """As where both miss the same library."""
    shell.write("one.py", "import nothing_of_that_name\n")
    shell.write("two.py", "import nothing_of_that_name\n")
    shell.write("flow.yml", "executors: [{name: a, uses: one.py:A}, {name: b, uses: two.py:B}]\n")
    done = shell.fork("flow", "up", "flow.yml")
    assert done.code == 1
    assert done.err.count('one.py", line 1') == done.err.count('two.py", line 1') == 1


@pytest.mark.parametrize("words", ["flow up flow.yml", "post /go -q --text x --flow flow.yml"])
def test_mistakes_in_the_yaml_hide_none_in_the_classes(shell: Shell, words: str) -> None:
    shell.write("fits.py", CLASSES)
    shell.write("flow.yml", f"{FLOW}    replcias: 2\n")
    done = shell.fork(*words.split())
    assert done.code == 2
    assert done.err == (
        "flow.yml:12:5: error[unknown-key]: `replcias` is not a key of an executor\n"
        "  12 |     replcias: 2\n"
        "     |     ^^^^^^^^\n"
        "help: did you mean `replicas`?\n\n" + PROBLEMS.format(file="flow.yml")
    )


def test_a_constructor_that_raises_is_shown_as_it_is(shell: Shell) -> None:
    """A check would import everything once more, and know nothing of it."""
    shell.write("fits.py", f"print('imported')\n{CLASSES}")
    shell.write("flow.yml", "executors: [{name: a, uses: fits.py:Raises}]\n")
    done = shell.fork("flow", "up", "flow.yml")
    assert done.code == 1
    assert done.err.endswith('"a/0" did not start: OSError: no model here\n')
    assert done.err.count("imported") == 1


def test_a_node_that_uses_a_file_is_named_at_its_entry(shell: Shell) -> None:
    shell.write("fits.py", CLASSES)
    shell.write("my.yml", "jtype: Fits\npy_modules: fits.py\nrequests: {/y: og}\n")
    shell.write("raises.yml", "jtype: Raises\npy_modules: fits.py\n")
    shell.write("flow.yml", "executors:\n  - uses: my.yml\n")
    done = shell.fork("flow", "up", "flow.yml")
    assert done.err == (
        "my.yml:3:16: error[unknown-method]: Fits has no method 'og'\n"
        "  3 | requests: {/y: og}\n"
        "    |                ^^\n"
        "help: its methods are: go\n\n"
        'error: flow.yml:2:11: "executor0/0" did not start: AttributeError: '
        "requests['/y']: Fits has no method 'og'\n"
    )
    shell.write("flow.yml", "executors:\n  - uses: raises.yml\n")
    done = shell.fork("flow", "up", "flow.yml")
    last = 'error: flow.yml:2:11: "executor0/0" did not start: OSError: no model here\n'
    assert done.err.endswith(last)


def test_what_only_the_worker_finds_is_shown_in_its_words(shell: Shell) -> None:
    shell.write("late.py", in_a_check("from jina import Executor\n\nLate = Executor"))
    shell.write("flow.yml", "executors: [{name: a, uses: late.py:Late}]\n")
    done = shell.fork("flow", "up", "flow.yml")
    assert done.code == 1
    assert done.err == (
        "error: flow.yml:1:29: \"a/0\" did not start: no Executor class 'Late' in late\n"
        "help: no class there subclasses jina.Executor\n"
    )


@pytest.mark.parametrize(
    ("then", "code", "last"),
    [
        ("os.kill(os.getpid(), signal.SIGINT)", 130, "interrupted"),
        (
            "os._exit(0)",
            1,
            "flow.yml:1:29: error[import-failed]: importing late.py: the process ended with "
            "exit code 0",
        ),
    ],
)
def test_a_check_that_is_broken_off(shell: Shell, then: str, code: int, last: str) -> None:
    shell.write("late.py", in_a_check(then))
    shell.write("flow.yml", "executors: [{name: a, uses: late.py:Late}]\n")
    done = shell.fork("flow", "up", "flow.yml")
    assert done.code == code
    assert "did not start: no Executor class 'Late' in late" in done.err
    assert last in done.err.splitlines()


def test_a_check_that_a_module_ends_leaves_the_exit_code_of_yaml(shell: Shell) -> None:
    shell.write("ends.py", "import os\nos._exit(0)\n")
    shell.write("flow.yml", "executors: [{name: a, uses: ends.py:Ends, replcias: 2}]\n")
    done = shell.fork("flow", "up", "flow.yml")
    assert done.code == 2
    assert (
        "help: did you mean `replicas`?\n\n"
        "flow.yml:1:29: error[import-failed]: importing ends.py: the process ended with exit code "
        "0\n"
    ) in done.err


@pytest.mark.parametrize(
    "words", ["flow up --json flow.yml", "post /go --inputs - --flow flow.yml"]
)
def test_what_a_checked_module_reads_and_writes_is_no_data(shell: Shell, words: str) -> None:
    then = (
        "os.write(1, b'written')\nprint(f'read {os.read(0, 9)}')\nsubprocess.run(['echo', 'run'])"
    )
    shell.write("late.py", in_a_check(f"import subprocess\n{then}"))
    shell.write("flow.yml", "executors: [{name: a, uses: late.py:Late}]\n")
    done = shell.fork(*words.split(), stdin='{"text": "x"}\n' * 9)
    assert (done.code, done.out) == (1, "")
    assert "written" in done.err
    assert "read b''" in done.err
    assert "run\n" in done.err


HERE = "print('here', file=sys.stderr, flush=True)\n"


def stubborn(shell: Shell, then: str) -> None:
    """Write a Flow whose check does this, such as to say that it is there and to wait."""
    shell.write("late.py", in_a_check(then))
    shell.write("flow.yml", "executors: [{name: a, uses: late.py:Late}]\n")


def test_an_interrupt_for_the_whole_group_is_one(shell: Shell) -> None:
    stubborn(
        shell,
        f"{HERE}"
        "try:\n"
        "    while True: signal.sigtimedwait([], 0.05)\n"
        "finally:\n"
        "    try:\n"
        "        signal.sigtimedwait([], 0.5)  # a second one would come now\n"
        "    except KeyboardInterrupt:\n"
        "        print('twice', file=sys.stderr)",
    )
    with shell.start("flow", "up", "flow.yml", program=("setsid", JINA)) as running:
        running.wait_for("here\n")
        os.killpg(running.pid, signal.SIGINT)
        done = running.end()
    assert done.code == 130
    assert "twice" not in done.err
    assert done.err.endswith("\ninterrupted\n")


def test_a_second_interrupt_ends_a_check_that_takes_none(shell: Shell) -> None:
    stubborn(
        shell,
        "word = 'here'\n"
        "while True:\n"
        "    try:\n"
        "        print(word, file=sys.stderr, flush=True)\n"  # an interrupt now is caught too
        "        while True: signal.sigtimedwait([], 0.05)\n"
        "    except KeyboardInterrupt:\n"
        "        word = 'once'\n",
    )
    with shell.start("flow", "up", "flow.yml") as running:
        running.wait_for("here\n")
        running.process.send_signal(signal.SIGINT)
        running.wait_for("once\n")
        done = running.end(signal.SIGINT)
    assert done.code == 130
    assert "once\nerror: flow.yml:1:29:" in done.err
    assert done.err.endswith("\ninterrupted\n")


def test_an_interrupt_that_is_ignored_stays_so(shell: Shell) -> None:
    """As in the background of a script."""
    stubborn(shell, f"{HERE}os.read(os.open('end', os.O_RDONLY), 1)")
    os.mkfifo(shell.folder / "end")
    ignoring = ("sh", "-c", 'trap "" INT; exec "$@"', "sh", JINA)
    with shell.start("flow", "up", "flow.yml", program=ignoring) as running:
        running.wait_for("here\n")
        for _ in range(2):
            running.process.send_signal(signal.SIGINT)
        (shell.folder / "end").write_text("x")
        done = running.end()
    assert done.code == 1
    assert "interrupted" not in done.err
