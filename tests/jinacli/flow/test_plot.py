"""`jina flow plot`: the graph of a Flow, drawn before anything runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.shell import JINA, Shell

FLOW = """\
jtype: Flow
executors:
  - name: words
    uses: {jtype: Words, py_modules: words.py}
    replicas: 2
  - name: picture
    needs: gateway
  - name: joiner
    method: needs
    needs: [picture, words]
"""
TEXT = """\
●      gateway
├─╮
● │    words    x2  Words
│ │
│ ●    picture      passes through  needs gateway
├─╯
●      joiner       passes through  joins picture, words
│
●      gateway
"""
MERMAID = """\
flowchart LR
    n0(["gateway"])
    n1["words x2<br/>Words"]
    n2["picture<br/>passes through"]
    n3["joiner<br/>passes through"]
    n4(["gateway"])
    n0 --> n1
    n0 --> n2
    n2 --> n3
    n1 --> n3
    n3 --> n4
"""


@pytest.fixture
def here(shell: Shell) -> Shell:
    """A Flow; the module of its Executor leaves a file behind when somebody imports it."""
    shell.write("flow.yml", FLOW)
    shell.write("words.py", "from pathlib import Path\nPath('imported').touch()\n")
    return shell


def test_it_prints_the_drawing_and_nothing_else(here: Shell) -> None:
    assert here.call("flow", "plot", "flow.yml") == (0, TEXT, "")
    assert here.call("flow", "plot", "flow.yml", "--format", "text") == (0, TEXT, "")
    assert here.call("flow", "plot", "flow.yml", "--format", "mermaid") == (0, MERMAID, "")


def test_no_module_is_imported_and_no_process_starts(here: Shell) -> None:
    assert here.call("flow", "plot", "flow.yml").code == 0
    assert sorted(path.name for path in here.folder.iterdir()) == ["flow.yml", "words.py"]
    assert here.directories() == []


def test_it_loads_neither_numpy_nor_zmq(here: Shell) -> None:
    done = here.run("flow", "plot", "flow.yml", PYTHONPROFILEIMPORTTIME="1")
    assert (done.code, done.out) == (0, TEXT)
    loaded = {line.rpartition("|")[2].strip() for line in done.err.splitlines()}
    assert "jina.graph.drawing" in loaded
    assert not {"numpy", "zmq", "cloudpickle"} & loaded


def test_standard_input_is_a_flow_too(here: Shell) -> None:
    done = here.call("flow", "plot", "-", stdin="executors: [{name: a}]\n")
    assert (done.code, done.err) == (0, "")
    assert done.out == "●    gateway\n│\n●    a        passes through\n│\n●    gateway\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("graph.txt", TEXT),
        ("graph.mmd", MERMAID),
        ("graph.md", f"```mermaid\n{MERMAID}```\n"),
    ],
)
def test_the_name_of_a_file_says_the_form(here: Shell, name: str, content: str) -> None:
    here.write(name, "what stood here before\n" * 100)
    assert here.call("flow", "plot", "flow.yml", "--output", name) == (0, "", f"wrote {name}\n")
    assert (here.folder / name).read_text(encoding="utf-8") == content


def test_mermaid_may_go_from_top_to_bottom(here: Shell) -> None:
    vertical = MERMAID.replace("LR", "TD")
    done = here.call("flow", "plot", "flow.yml", "--format", "mermaid", "--vertical")
    assert (done.code, done.out) == (0, vertical)
    assert here.call("flow", "plot", "flow.yml", "--vertical", "-o", "graph.mmd").code == 0
    assert (here.folder / "graph.mmd").read_text() == vertical


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            "--output graph.svg",
            "--output: cannot draw a .svg picture: that needs a browser; write graph.mmd; "
            "`mmdc -i graph.mmd -o graph.svg` of mermaid-cli, or mermaid.live, makes a picture",
        ),
        (
            "--output graph",
            "--output: a name without an extension is not a known drawing format; use .mmd or",
        ),
        ("--output a.txt --format mermaid", "--format: a.txt is for text"),
        ("--format dot", '--format: must be text or mermaid, not "dot"'),
    ],
)
def test_what_cannot_be_drawn_is_wrong_usage(here: Shell, options: str, reason: str) -> None:
    done = here.call("flow", "plot", "flow.yml", *options.split(), COLUMNS="300")
    assert (done.code, done.out) == (2, "")
    assert reason in done.err
    assert sorted(path.name for path in here.folder.iterdir()) == ["flow.yml", "words.py"]


def test_a_file_that_cannot_be_written_is_said(here: Shell) -> None:
    done = here.call("flow", "plot", "flow.yml", "--output", "none/graph.txt")
    assert done == (1, "", "error: none/graph.txt: cannot be written: No such file or directory\n")


def test_a_broken_flow_is_told_as_check_tells_it(here: Shell) -> None:
    here.write("bad.yml", FLOW.replace("replicas", "repliacs").replace("[picture", "[pictur"))
    check = here.call("flow", "check", "bad.yml", "--no-import")
    done = here.call("flow", "plot", "bad.yml")
    assert (done.code, done.out) == (2, "")
    assert done.err == check.out
    assert "bad.yml:5:5: error[unknown-key]: `repliacs` is not a key of an executor" in done.err
    assert "help: did you mean 'picture'?" in done.err


def test_a_flow_that_is_not_there_is_said(here: Shell) -> None:
    done = here.call("flow", "plot", "none.yml")
    assert (done.code, done.out) == (2, "")
    assert "no such file: none.yml" in done.err


def test_a_reader_that_has_seen_enough_is_no_error(here: Shell) -> None:
    entries = "".join(f"  - name: node{n}\n" for n in range(3000))
    path: Path = here.write("long.yml", f"executors:\n{entries}")
    done = subprocess.run(
        ["bash", "-c", f"{JINA} flow plot {path.name} | head -1; echo ${{PIPESTATUS[0]}}"],
        cwd=here.folder,
        env=here.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("●    gateway\n0\n", "")


def test_a_stream_without_such_characters_gets_plain_ones(here: Shell) -> None:
    done = here.run("flow", "plot", "flow.yml", PYTHONIOENCODING="ascii")
    assert (done.code, done.err) == (0, "")
    assert done.out.isascii()
    assert done.out.splitlines()[:4] == [
        "o      gateway",
        "+-.",
        "o |    words    x2  Words",
        "| |",
    ]
