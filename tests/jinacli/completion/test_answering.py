"""What TAB offers: asked as the scripts ask, and by a real bash."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jinacli.completion.answering import split
from jinacli.completion.scripts import SCRIPTS
from tests.polling import wait_until
from tests.shell import JINA, Shell

NOISY = """
from pathlib import Path
from jina import Executor, requests

Path("imported").write_text("")

class Base(Executor):
    @requests(on="/delete")
    def delete(self, **kwargs): ...

class Noisy(Base):
    @requests(on=["/index", "/search"])
    def index(self, **kwargs): ...
"""
YAML = """
jtype: Flow
executors:
  - {name: first, uses: {jtype: Noisy, py_modules: [noisy.py], requests: {/extra: index}}}
  - {name: second, uses: catalogue://HashedTextEncoder}
"""


def offered(shell: Shell, line: str, **environment: str) -> list[str]:
    """The values that fish is told, without what they mean."""
    done = shell.call(line, _JINA_COMPLETE="fish", **environment)
    assert (done.code, done.err) == (0, ""), done
    return [row.partition("\t")[0] for row in done.out.splitlines()[1:]]


@pytest.fixture
def project(shell: Shell) -> Shell:
    """A folder with a Flow whose module would leave a trace if it was imported."""
    shell.write("noisy.py", NOISY)
    shell.write("mine.yml", YAML)
    shell.write("data.jsonl", "")
    (shell.folder / "inner").mkdir()
    return shell


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jina po", ["post"]),
        ("jina flow re", ["restart"]),
        ("jina nothing ", []),
        ("jina post --form", ["--format"]),
        ("jina post /x --format=js", ["--format=jsonl", "--format=json"]),
        ("jina post --color ", ["auto", "always", "never"]),
        ("jina executor new x --template s", ["segmenter"]),
        ("jina executor run cat", ["catalogue://BertTextEncoder", "catalogue://ErnieTextEncoder"]),
        ("jina executor install my.yml --venv ", ["inner/"]),
        ("jina executor install --venv x catalogue://Up", ["catalogue://UpperCase"]),
        ("jina flow up ", ["inner/", "mine.yml"]),
        ("jina flow up nowhere/", []),
        ("jina post /x --inputs ", ["data.jsonl", "inner/", "mine.yml", "noisy.py"]),
        ("jina post /x --flow ", ["inner/", "mine.yml"]),
        ("jina post --flow mine.yml ", ["/delete", "/encode", "/extra", "/index"]),
        ("jina post --flow mine.yml '/i", ["/index"]),
        ("jina post /x --flow mine.yml --target ", ["first", "second"]),
        ("jina flow scale --flow mine.yml ", ["first=", "second="]),
        ("jina flow restart --flow mine.yml s", ["second"]),
        ("jina flow restart --flow mine.yml first ", ["second"]),
        ("jina executor run catalogue://HashedTextEncoder /i", ["/index"]),
    ],
)
def test_what_is_offered(project: Shell, line: str, words: list[str]) -> None:
    found = offered(project, line)
    assert found[: len(words)] == words
    assert found or not words
    assert not (project.folder / "imported").exists()  # nobody's code has run


def test_a_flow_of_the_environment_counts(project: Shell) -> None:
    assert "/index" in offered(project, "jina post /", JINA_FLOW="mine.yml")


@pytest.mark.parametrize("text", ["executors: [", "jtype: Flow\n", "\x00", "!!python/object:os.x"])
def test_what_is_broken_is_answered_with_nothing(shell: Shell, text: str) -> None:
    shell.write("mine.yml", text)
    assert offered(shell, "jina post --flow mine.yml /") == []
    assert offered(shell, "jina flow restart --flow mine.yml ") == []


def test_a_flow_that_runs_is_known(project: Shell) -> None:
    """Its record says what it serves, so that TAB need not ask it."""
    project.flow("Upper, replicas: 2", "Moody, name: slow", name="running.yml")
    with project.up("running.yml"):
        assert "running" in offered(project, "jina flow down ")
        assert offered(project, "jina post ") == ["/moody"]
        assert sorted(offered(project, "jina flow restart ")) == ["slow", "upper"]
        assert "upper" in offered(project, "jina post /x --flow running --target ")
    assert "running" not in offered(project, "jina flow down ")


@pytest.mark.parametrize(
    ("line", "words", "last"),
    [
        ("", [], ""),
        ("jina ", ["jina"], ""),
        ("jina po", ["jina"], "po"),
        ("jina post 'my f", ["jina", "post"], "my f"),
        ('jina post "my file" ', ["jina", "post", "my file"], ""),
        (r"jina post my\ f", ["jina", "post"], "my f"),
        ("jina post 'a ", ["jina", "post"], "a "),
    ],
)
def test_a_line_is_cut_as_a_shell_cuts_it(line: str, words: list[str], last: str) -> None:
    assert split(line) == (words, last)


def environment_of(shell: Shell) -> dict[str, str]:
    path = f"{Path(JINA).parent}:{os.environ['PATH']}"
    return {**shell.environment, "PATH": path, "TERM": "dumb", "PS1": "> "}


IN_BASH = r"""
. "$1"
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
COMP_LINE=$2
COMP_POINT=${#2}
_jina_completion jina
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jina flow sc", ["scale"]),
        ("jina post --flow=mi", ["mine.yml"]),  # bash keeps what stands before `=` and `:`
        ("jina executor run catalogue://Up", ["//UpperCase"]),
        ("jina post --flow mine.yml /d", ["/delete"]),
        ("jina post /x -i *", [""]),
    ],
)
def test_bash_gets_its_words(project: Shell, line: str, words: list[str]) -> None:
    script = project.write("script", SCRIPTS["bash"])
    done = subprocess.run(
        ["bash", "--norc", "-c", IN_BASH, "bash", script, line],
        cwd=project.folder,
        env=environment_of(project),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.splitlines(), done.stderr) == (words, "")


@pytest.fixture
def typed(project: Shell) -> Iterator[tuple[int, Path]]:
    """A bash on a terminal with the completion, and the file of its output."""
    script = project.write("script", SCRIPTS["bash"])
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", "bash", "--noprofile", "--rcfile", script, "-i"],
        cwd=project.folder,
        env=environment_of(project),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield ours, project.folder / "out"
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_a_person_at_bash_types_tabs(typed: tuple[int, Path]) -> None:
    keyboard, out = typed
    os.write(keyboard, b"jina exec\trun catalogue://Up\t/upper --tex\thi > out; echo done >> out\n")
    wait_until(lambda: out.exists() and out.read_text().endswith("done\n"), 60, "it has run")
    assert '"text":"HI"' in out.read_text()
