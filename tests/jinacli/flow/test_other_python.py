"""Executors in other interpreters: one Flow, several environments."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.polling import wait_until
from tests.pythons import PACKAGES, ROOT, make_venv
from tests.shell import Shell, is_alive, json_lines

WHO = """
import os, sys
from jina import Executor, requests

print("imported by", sys.executable, flush=True)


class Who(Executor):
    @requests
    def who(self, docs, **kwargs):
        for doc in docs:
            doc.tags[self.runtime_args.name] = [sys.executable, os.environ.get("VIRTUAL_ENV", "")]
"""


def flow(python: str) -> str:
    return (
        "jtype: Flow\nexecutors:\n"
        "  - {name: here, uses: 'who.py:Who', uses_metas: {name: h}}\n"
        "  - name: there\n"
        "    uses: who.py:Who\n"
        f"    {python}\n"
    )


def pythons(shell: Shell) -> dict[str, str]:
    (found,) = shell.ps()
    return {f"{each['node']}/{each['replica']}": each["python"] for each in found["workers"]}


def tags(shell: Shell) -> dict[str, Any]:
    (line,) = shell.call("post", "/", "--text", "x").lines
    return dict(line["tags"])


def test_one_flow_has_workers_in_two_interpreters(shell: Shell, other_python: str) -> None:
    venv = str(Path(other_python).parents[1])
    (shell.folder / "envs").mkdir()
    os.symlink(venv, shell.folder / "envs" / "other")
    shell.write("who.py", WHO)
    shell.write("flow.yml", flow("venv: envs/other"))
    linked = str(shell.folder / "envs" / "other")
    theirs = f"{linked}/bin/python"
    with shell.up("flow.yml") as up:
        ours = pythons(shell)["here/0"]
        assert Path(ours).parent == Path(sys.executable).parent
        assert pythons(shell)["there/0"] == theirs
        found = tags(shell)
        assert found["here"][0] == ours
        assert found["there"] == [theirs, linked]
        assert f"there/0 | imported by {theirs}\n" in shell.call("flow", "logs").out

        rows = [row.split() for row in shell.call("flow", "ps", "-v").out.splitlines()]
        assert "python" in rows[0]
        assert "envs/other/bin/python" in rows[2]
        (_, worker) = json.loads(shell.call("flow", "status", "--json").out)["workers"]
        assert worker["python"] == theirs
        assert worker["python_version"] == sys.version.partition(" ")[0]

        # Killed, it comes back in its interpreter, and no line is lost.
        before = shell.workers()
        os.kill(before["there/0"], signal.SIGKILL)
        done = shell.call("post", "/", stdin=json_lines(50))
        assert (done.code, len(done.lines)) == (0, 50)
        assert {line["tags"]["there"][0] for line in done.lines} == {theirs}
        after = shell.workers()
        assert after["here/0"] == before["here/0"]
        assert after["there/0"] != before["there/0"]

        assert shell.call("flow", "scale", "there=2").code == 0
        assert pythons(shell) == {"here/0": ours, "there/0": theirs, "there/1": theirs}

        # Restarted, it is in the interpreter that the YAML names now, if that is fit.
        shell.write("flow.yml", flow(f"python: {other_python}"))
        assert shell.call("flow", "restart", "there").code == 0
        assert set(pythons(shell).values()) == {ours, other_python}
        empty = make_venv(shell.folder / "empty")
        shell.write("flow.yml", flow("venv: empty"))
        done = shell.call("flow", "restart", "there")
        assert done.code == 1
        assert f"{empty} (Python" in done.err
        assert ") has no jina" in done.err
        assert set(pythons(shell).values()) == {ours, other_python}

        # It does not outlive the Flow, however that ends.
        pids = shell.workers().values()
        up.end(signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, pids)), what="the workers are gone")


def test_what_changes_is_restarted_in_its_interpreter(shell: Shell, other_python: str) -> None:
    shell.write("who.py", WHO)
    shell.write("flow.yml", flow("replicas: 1"))
    with shell.up("flow.yml", "--watch") as up:
        shell.write("flow.yml", flow(f"python: {other_python}"))
        up.wait_for('changed "there": restart')
        first = shell.workers()
        assert pythons(shell)["there/0"] == other_python
        shell.write("who.py", f"{WHO}\n# another one\n")
        up.wait_for('changed "here", "there": restart')
        assert shell.workers()["there/0"] != first["there/0"]
        assert pythons(shell)["there/0"] == other_python


@pytest.mark.parametrize(
    "words", ["flow up flow.yml", "flow up --detach flow.yml", "post / -q --text x --flow flow.yml"]
)
def test_an_interpreter_without_jina_is_told_at_its_line(shell: Shell, words: str) -> None:
    python = make_venv(shell.folder / "empty")
    shell.write("who.py", WHO)
    shell.write("flow.yml", flow("venv: empty"))
    done = shell.fork(*words.split())
    assert done.code == 1
    version = sys.version.partition(" ")[0]
    assert done.err.startswith(
        f"flow.yml:6:11: error[unfit-interpreter]: {python} (Python {version}) has no jina\n"
        "  6 |     venv: empty\n"
        "    |           ^^^^^\n"
        "help: install this jina in it: "
        f"`jina executor install --venv {shell.folder / 'empty'}`\n"
    )
    assert done.err.count("has no jina") == 1  # the check of the others does not repeat it
    assert not shell.directories()


@pytest.mark.parametrize(
    "words", ["flow up flow.yml", "post / --text x --flow flow.yml", "flow check flow.yml"]
)
def test_a_program_that_is_no_python_is_told_at_its_line(shell: Shell, words: str) -> None:
    shell.write("who.py", WHO)
    shell.write("flow.yml", flow("python: /bin/true"))
    done = shell.fork(*words.split())
    assert done.code == 1
    told = done.out + done.err
    assert "flow.yml:6:13: error[unfit-interpreter]: /bin/true does not run as a Python" in told
    assert told.count("/bin/true does") == 1
    assert "help: name the program of a Python interpreter" in told


@pytest.mark.parametrize("words", ["flow up flow.yml", "flow check flow.yml"])
def test_a_file_that_is_no_program_is_told_at_its_line(shell: Shell, words: str) -> None:
    shell.write("who.py", WHO)
    shell.write("flow.yml", flow("python: ./noexec"))
    os.chmod(shell.write("noexec", "no program"), 0o755)
    done = shell.fork(*words.split())
    assert done.code == 1
    told = done.out + done.err
    assert "flow.yml:6:13: " in told
    assert f"{shell.folder}/noexec cannot be run: Exec format error\n" in told
    assert "help: name the program of a Python interpreter\n" in told
    assert not shell.directories()


def test_an_environment_that_is_not_there_is_told_before_anything_starts(shell: Shell) -> None:
    shell.write("who.py", WHO)
    shell.write("flow.yml", flow("venv: envs/none"))
    done = shell.fork("flow", "up", "flow.yml")
    assert done.code == 2
    folder = shell.folder / "envs/none"
    told, *imported = done.err.split("imported by ")
    assert len(imported) == 1  # by the check: that of "here"
    assert told == (
        f"flow.yml:6:11: error[file-not-found]: there is no virtual environment at {folder}\n"
        "  6 |     venv: envs/none\n"
        "    |           ^^^^^^^^^\n"
        f"help: make it: `jina executor install --venv {folder}`\n"
    )


THEIRS = """
import os

import only_there
from jina import Executor, requests

print("imported by", only_there.sys.executable)
assert os.environ["FOO_FLOW"] == "1"


class Theirs(Executor):
    @requests(on="/x")
    def x(self, docs, **kwargs): ...
"""


@pytest.fixture(scope="module")
def rich_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment with a module that is nowhere else."""
    folder = tmp_path_factory.mktemp("rich")
    (folder / "only_there.py").write_text("import sys\n")
    return make_venv(folder / "venv", PACKAGES, ROOT, folder)


def checked_flow(shell: Shell, python: str, name: str = "flow.yml") -> None:
    shell.write("theirs.py", THEIRS)
    shell.write(
        name,
        "executors:\n"
        "  - {name: here, uses: 'theirs.py:Theirs', uses_metas: {name: h}}\n"
        f"  - {{name: there, uses: 'theirs.py:Theirs', uses_requests: {{/y: xx}}, {python}}}\n"
        "with: {env: {FOO_FLOW: 1}}\n",
    )


def test_a_check_imports_each_executor_in_its_interpreter(shell: Shell, rich_python: str) -> None:
    checked_flow(shell, f"python: {rich_python}")
    shell.write("more.yml", "executors: [{name: there, uses_requests: {/z: x}}]\n")
    done = shell.fork("flow", "check", "flow.yml", "-f", "more.yml")
    assert done.code == 1
    assert done.err.startswith(f"imported by {rich_python}\n")
    here, _, there = done.out.partition("\n\n")
    assert "flow.yml:2:24: error[import-failed]: importing the Executor raised" in here
    assert f"note: only_there is missing in {Path(sys.executable).parent}/" in here
    problem, _, table = there.partition("\n\n")
    assert "flow.yml:3:65: error[unknown-method]: Theirs has no method 'xx'" in problem
    assert [line.split()[:2] for line in table.splitlines()] == [
        ["executor", "endpoint"],
        ["there", "/x"],
        ["there", "/z"],
    ]
    done = shell.call("flow", "endpoints", "-", stdin=(shell.folder / "flow.yml").read_text())
    assert "there" in done.out


def test_a_check_tells_of_interpreters_that_do_not_fit(shell: Shell) -> None:
    python = make_venv(shell.folder / "empty")
    checked_flow(shell, "venv: empty")
    done = shell.call("flow", "check", "flow.yml", "--output-format", "concise")
    lines = [line for line in done.out.splitlines() if "unfit" in line]
    version = sys.version.partition(" ")[0]
    assert lines == [
        f"flow.yml:3:76: error[unfit-interpreter]: {python} (Python {version}) has no jina"
    ]


def test_a_folder_is_told_once(shell: Shell) -> None:
    checked_flow(shell, "python: /tmp")
    done = shell.call("flow", "check", "flow.yml", "--output-format", "concise")
    told = [line for line in done.out.splitlines() if ":3:" in line]
    assert told == ["flow.yml:3:78: error[file-not-found]: /tmp is a folder, not an interpreter"]


def test_findings_of_another_build_are_told_as_its_misfit(shell: Shell, rich_python: str) -> None:
    checked_flow(shell, f"python: {rich_python}")
    shell.write(
        "theirs.py",
        "import only_there, os, sys\n"
        "os.write(int(sys.argv[1]), b'[\"of another build\"]\\n')\n"
        "os._exit(0)\n",
    )
    done = shell.call("flow", "check", "flow.yml", "--output-format", "concise")
    assert done.code == 1
    (told,) = [line for line in done.out.splitlines() if "unfit" in line]
    assert told.endswith(f"error[unfit-interpreter]: {rich_python} has another build of jina")


def test_what_ends_the_other_interpreter_is_told(shell: Shell, rich_python: str) -> None:
    checked_flow(shell, f"python: {rich_python}")
    shell.write("theirs.py", "import os\nos._exit(3)\n")
    done = shell.call("flow", "check", "flow.yml")
    words = "importing theirs.py: the process ended with exit code 3"
    assert done.out.count(words) == 2


def test_what_a_script_around_an_interpreter_prints_is_no_finding(
    shell: Shell, other_python: str
) -> None:
    shell.write("who.py", WHO)
    shell.write("flow.yml", flow("python: ./around"))
    script = f'#!/bin/sh\necho some words\nexec {other_python} "$@"\n'
    os.chmod(shell.write("around", script), 0o755)
    done = shell.call("flow", "check", "flow.yml", "--output-format", "json")
    assert (done.code, json.loads(done.out)["errors"]) == (0, 0)
    assert "some words\n" in done.err
