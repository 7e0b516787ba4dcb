"""`jina flow up --watch`: what changes in the files of a Flow is restarted, and nothing else."""

from __future__ import annotations

import pytest

from jina.executors.spec import ExecutorSpec
from jina.graph.plan import Plan, PlannedNode, WorkerSpec
from jinacli.flow.watch import changes_between
from tests.polling import wait_until
from tests.shell import Shell

WORDS = """
from jina import Executor, requests
from word import WORD


class Words(Executor):
    @requests
    def say(self, docs, **kwargs):
        for doc in docs:
            doc.text = WORD
"""


def said(shell: Shell) -> str:
    (line,) = shell.fork("post", "/", "--text", "x").lines
    return str(line["text"])


def write_flow(shell: Shell, words: str = "", passing: str = "") -> None:
    shell.write(
        "flow.yml",
        "jtype: Flow\nexecutors:\n"
        f"  - {{name: words, uses: words.py:Words{words}}}\n  - {{name: other{passing}}}\n",
    )


def test_what_changes_is_restarted_and_nothing_else(shell: Shell) -> None:
    shell.write("words.py", WORDS)
    shell.write("word.py", "WORD = 'one'\n")
    write_flow(shell)
    with shell.up("flow.yml", "--watch") as up:
        first = shell.workers()
        # A module that the one of `uses` imports.
        shell.write("word.py", "WORD = 'another'\n")
        up.wait_for('changed "words": restart')
        assert "changed: word.py\n" in up.err
        assert said(shell) == "another"
        second = shell.workers()
        assert second["words/0"] != first["words/0"]
        assert second["other/0"] == first["other/0"]
        # What does not check is told, and changes nothing.
        shell.write("word.py", "WORD = 'broken\n")
        up.wait_for("not valid Python: unterminated string literal")
        up.wait_for("error: nothing changes until this is fixed:\n")
        write_flow(shell, passing=", usess: x")
        up.wait_for("flow.yml:4:19: error[unknown-key]: `usess` is not a key of an executor")
        assert shell.workers() == second
        # Mended, all of it is taken up: a number of replicas leaves the others as they are.
        shell.write("word.py", "WORD = 'the third one'\n")
        write_flow(shell, passing=", replicas: 2")
        wait_until(lambda: list(shell.workers()) == ["words/0", "other/0", "other/1"])
        up.wait_for('changed "other": 2 replicas')
        wait_until(lambda: up.err.count('changed "words": restart') == 2)
        assert said(shell) == "the third one"
        assert shell.workers()["other/0"] == first["other/0"]
        # Another graph needs another start.
        third = shell.workers()
        write_flow(shell, passing=", replicas: 2}\n  - {name: third")
        up.wait_for(
            "error: the Executors of the Flow have changed; stop and start it to apply this"
        )
        assert shell.workers() == third


@pytest.mark.parametrize("arguments", [("flow.yml", "--detach"), ("-",)])
def test_what_cannot_be_watched(shell: Shell, arguments: tuple[str, ...]) -> None:
    shell.flow("Upper")
    done = shell.fork("flow", "up", *arguments, "--watch")
    assert done.code == 2
    assert "needs a file, and stays in the foreground" in done.err


def plan(**nodes: tuple[str, int]) -> Plan:
    """`plan(a=("A", 2))`: a node of two workers that run A."""
    return Plan(
        name="flow",
        nodes=[
            PlannedNode(name=name, needs=["gateway"], replicas=replicas)
            for name, (_, replicas) in nodes.items()
        ],
        workers=[
            WorkerSpec(
                node=name,
                replica=replica,
                executor=ExecutorSpec(jtype=jtype),
                runtime_args={"replicas": replicas},
            )
            for name, (jtype, replicas) in nodes.items()
            for replica in range(replicas)
        ],
    )


@pytest.mark.parametrize(
    ("new", "touched", "changes"),
    [
        (plan(a=("A", 1), b=("B", 1)), "", []),
        (plan(a=("A", 1), b=("B", 1)), "b", ["anew b"]),
        (plan(a=("C", 1), b=("B", 1)), "", ["anew a"]),
        (plan(a=("C", 1), b=("B", 1)), "b", ["anew a b"]),
        (plan(a=("A", 2), b=("B", 1)), "", ["a has 2"]),
        (plan(a=("A", 2), b=("C", 1)), "", ["a has 2", "anew b"]),
        (plan(a=("C", 2), b=("B", 1)), "", ["anew a"]),  # which adds one, too
        (plan(a=("A", 1)), "a", ["anew "]),  # another graph: it will be refused
        (plan(b=("B", 1), a=("A", 1)), "", ["anew "]),
    ],
)
def test_what_is_asked_for(new: Plan, touched: str, changes: list[str]) -> None:
    old = plan(a=("A", 1), b=("B", 1))
    found = changes_between(old, new, set(touched))
    assert [
        f"{change.nodes[0]} has {change.replicas}"
        if change.replicas
        else f"anew {' '.join(change.nodes)}"
        for change in found
    ] == changes
