"""Modules of the user that are called like a package, or like each other."""

from __future__ import annotations

import sys

from tests.shell import JINA, Shell

ENCODER = """
import learns
import helper
from jina import Executor, requests


class Encoder(Executor):
    @requests
    def encode(self, docs, **kwargs):
        for doc in docs:
            doc.tags = {"learns": learns.WORD, "helper": helper.WORD}
"""

PROGRAM = """
import loads
from jina import Document, Executor, Flow, requests


class Live(Executor):
    @requests
    def encode(self, docs, **kwargs):
        import helper
        docs[0].tags["live"] = [loads.WORD, helper.WORD]


if __name__ == "__main__":
    flow = Flow().add(uses="executor/encoder.yml").add(uses=Live)
    with flow:
        (response,) = flow.post("/", Document(), return_results=True)
        tags = response.docs[0].tags
        print(tags["learns"], tags["helper"], *tags["live"], sep=", ")
"""


def write_all(shell: Shell) -> None:
    """Write a package that imports another one, and an Executor beside which that name is taken."""
    for folder in ("site/learns", "executor", "flow"):
        (shell.folder / folder).mkdir(parents=True)
    shell.write("site/learns/__init__.py", "from loads import WORD\n")
    shell.write("site/loads.py", "WORD = 'of the package'\n")
    shell.environment["PYTHONPATH"] = str(shell.folder / "site")
    shell.write("executor/encoder.py", ENCODER)
    shell.write("executor/encoder.yml", "jtype: Encoder\npy_modules: encoder.py\n")
    for folder in ("executor", "flow"):
        for name in ("loads", "queue"):
            shell.write(f"{folder}/{name}.py", f"WORD = 'of the {folder}'\n")
    shell.write("executor/helper.py", "WORD = 'beside the Executor'\n")
    shell.write("helper.py", "WORD = 'beside the program'\n")
    shell.write("loads.py", "WORD = 'beside the program'\n")
    shell.write("flow/flow.yml", "executors: [{uses: ../executor/encoder.yml}]\n")


def test_packages_come_before_the_users_folders_and_helpers_are_found(shell: Shell) -> None:
    write_all(shell)
    for program in ((JINA,), (sys.executable, "-m", "jinacli")):
        arguments = ("executor", "check", "executor/encoder.yml", "--output-format", "concise")
        with shell.start(*arguments, program=program) as running:
            done = running.end()
        assert done.code == 0, done.err
        assert [line.partition(" ")[2] for line in done.out.splitlines() if "warning" in line] == [
            "warning[taken-name]: executor/loads.py has the name of an installed package "
            "(site/loads.py): `import loads` imports that, not this file",
            "warning[taken-name]: executor/queue.py has the name of a module of the standard "
            "library: `import queue` imports that, not this file",
        ]
    with shell.up("flow/flow.yml"):
        (line,) = shell.fork("post", "/", "--text", "x").lines
    assert line["tags"] == {"learns": "of the package", "helper": "beside the Executor"}


def test_classes_of_a_program_find_what_it_does(shell: Shell) -> None:
    """Those that a YAML names find the modules beside them before those of the program."""
    write_all(shell)
    shell.write("program.py", PROGRAM)
    with shell.start("program.py", program=(sys.executable,)) as running:
        done = running.end()
    assert done.code == 0, done.err
    assert done.out == (
        "of the package, beside the Executor, beside the program, beside the program\n"
    )
