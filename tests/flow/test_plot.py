"""`Flow.plot` in Python: what `jina flow plot` draws, of Flows that have no file too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jina import AsyncFlow, Executor, Flow
from jina.excepts import ConfigError, OutputError

TEXT = """\
●    gateway
│
●    a        x2  Words
│
●    b            passes through
│
●    gateway
"""
MERMAID = """\
flowchart LR
    n0(["gateway"])
    n1["a x2<br/>Words"]
    n2["b<br/>passes through"]
    n3(["gateway"])
    n0 --> n1
    n1 --> n2
    n2 --> n3
"""


class Words(Executor):
    """Never constructed: drawing starts nothing."""

    def __init__(self, **kwargs: object) -> None:
        raise AssertionError("it was constructed")


FLOW = Flow().add(name="a", uses=Words, replicas=2).add(name="b")


def test_it_is_printed_and_the_flow_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert FLOW.plot() is FLOW
    assert capsys.readouterr() == (TEXT, "")
    FLOW.plot(vertical_layout=True, inline_display=True, build=False, copy_flow=False)
    assert capsys.readouterr() == (TEXT, "")
    AsyncFlow().add(name="a", uses=Words, replicas=2).add(name="b").plot()
    assert capsys.readouterr() == (TEXT, "")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", TEXT), ("a.mmd", MERMAID), ("a.md", f"```mermaid\n{MERMAID}```\n")],
)
def test_with_an_output_it_is_written_there_and_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str
) -> None:
    path = tmp_path / name
    assert FLOW.plot(str(path)) is FLOW
    assert path.read_text(encoding="utf-8") == content
    FLOW.plot(path, vertical_layout=True)
    assert path.read_text(encoding="utf-8") == content.replace("LR", "TD")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a.svg", "a.jpg", "a"])
def test_a_picture_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"(?i)mermaid"):
        FLOW.plot(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_loaded_flow_is_drawn_with_what_was_added(capsys: pytest.CaptureFixture[str]) -> None:
    flow = Flow.load_config("executors: [{name: a}]")
    flow.add(name="b", needs="gateway").plot()
    lines = capsys.readouterr().out.splitlines()
    assert lines[4] == "│ ●    b        passes through  needs gateway"
    assert lines[-1] == "●      gateway                  answers with a, b"


def test_what_is_wrong_with_a_flow_is_said() -> None:
    with pytest.raises(ConfigError, match="return_results"):
        Flow(return_results="yes").plot()


def test_a_program_without_standard_output_goes_on() -> None:
    program = "import sys; from jina import Flow; sys.stdout = None; Flow().add(name='a').plot()"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_notebook_shows_mermaid() -> None:
    """Each of its frontends takes the form that it can show."""
    pytest.importorskip("IPython", reason="what notebooks run in")
    program = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from IPython.utils.capture import capture_output\n"
        "from jina import Flow\n"
        "InteractiveShell.instance()\n"
        "with capture_output() as shown:\n"
        "    Flow().add(name='a').plot(inline_display=True)\n"
        "(shown,) = shown.outputs\n"
        "print(shown.data['text/markdown'], shown.data['text/plain'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout.startswith("```mermaid\nflowchart LR\n")
    assert "●    a        passes through\n" in done.stdout
