"""Ctrl-C before a command has begun: while libraries or the user's modules are imported."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.shell import Shell

# A signal that comes at the very moment when a library is looked for.
AT_IMPORT = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {library!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
sys.argv = ["jina", "executor", "check", "my.yml"]
from jinacli.app import main
{before}main()
"""
AT_EXIT = "import atexit; atexit.register(os.kill, os.getpid(), signal.SIGINT); "


@pytest.mark.parametrize("library", ["typer", "jinacli.commands.flow", "pydantic", "jina.check"])
def test_while_libraries_load(shell: Shell, library: str) -> None:
    shell.write("my.yml", "jtype: BaseExecutor\n")
    done = subprocess.run(
        [sys.executable, "-c", AT_IMPORT.format(library=library, before="")],
        cwd=shell.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_while_the_users_module_loads(shell: Shell) -> None:
    shell.write("slow.py", "import os, signal\n\nos.kill(os.getpid(), signal.SIGINT)\n")
    shell.write("my.yml", "jtype: Slow\nmetas: {py_modules: slow.py}\n")
    shell.write("flow.yml", "jtype: Flow\nexecutors: [{uses: my.yml}]\n")
    for words in ("executor check my.yml", "flow check flow.yml", "executor check my.yml --run /x"):
        done = shell.run(*words.split())
        assert (done.code, done.out, done.err) == (130, "", "interrupted\n")


def test_once_more_while_the_process_ends(shell: Shell) -> None:
    """Nothing is left to interrupt, and no traceback says where it was."""
    done = subprocess.run(
        [sys.executable, "-c", AT_IMPORT.format(library="typer", before=AT_EXIT)],
        cwd=shell.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "interrupted\n")
