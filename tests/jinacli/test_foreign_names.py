"""Folders, files and values that are no UTF-8, and words of the command line that are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jina.launch.events import StartFailed
from jina.launch.local import start_failure
from tests.shell import JINA, ZOO, Shell

LATIN = os.fsdecode(b"lat\xe9")
# A locale in which Python takes names for ASCII.
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def folder(shell: Shell) -> Path:
    """A folder whose name is not valid UTF-8, with a Flow and the module of its Executor."""
    path = shell.folder / LATIN
    path.mkdir()
    (path / "zoo.py").write_bytes(ZOO.read_bytes())
    (path / "flow.yml").write_text("jtype: Flow\nexecutors: [{uses: Upper, py_modules: zoo.py}]\n")
    return path


def test_a_flow_in_a_folder_whose_name_is_no_utf8(shell: Shell, folder: Path) -> None:
    with shell.up(folder / "flow.yml"):
        (listed,) = shell.ps()
        assert listed["file"] == str(folder / "flow.yml")
        assert shell.ps_table()[1].endswith("lat\\udce9/flow.yml")
        done = shell.fork("post", "/", "--flow", folder / "flow.yml", "--text", "a")
        assert (done.code, done.lines[0]["text"], done.said) == (0, "A", "")


@pytest.mark.parametrize("here", [False, True])
def test_a_post_that_starts_it(shell: Shell, folder: Path, here: bool) -> None:
    """The working directory of all is such a folder, or not."""
    if here:
        shell.flow("Upper", name="other.yml")
        shell.folder = folder
    done = shell.fork(
        "post", "/", "--flow", "../other.yml" if here else folder / "flow.yml", "-qta"
    )
    assert (done.code, done.lines[0]["text"], done.said) == (0, "A", "")


def test_a_folder_that_the_locale_cannot_name(shell: Shell, folder: Path) -> None:
    folder.rename(shell.folder / "\u65e5\u672c")
    options = ("--flow", "\u65e5\u672c/flow.yml", "-qta")
    done = shell.run("post", "/", *options, **C_LOCALE)
    assert (done.code, done.lines[0]["text"], done.said) == (0, "A", "")


def test_lists_where_the_terminal_cannot_show_a_name(shell: Shell, folder: Path) -> None:
    folder.rename(shell.folder / "\u65e5\u672c")
    flow = "\u65e5\u672c/flow.yml"
    with shell.up(flow):
        for listing in (("ps",), ("status",), ("list",), ("config", flow)):
            done = shell.run("flow", *listing, **C_LOCALE)
            assert (done.code, done.err) == (0, "")
        done = shell.run("flow", "ps", PYTHONIOENCODING="ascii")
        assert done.out.endswith("  \\u65e5\\u672c/flow.yml\n")


def test_a_flow_in_python_in_such_a_folder(shell: Shell, folder: Path) -> None:
    program = (
        "from jina import Document, Flow\n"
        "from zoo import Upper\n"
        "with Flow().add(uses=Upper) as flow:\n"
        "    (answer,) = flow.post('/', [Document(text='q')], return_results=True)\n"
        "print(answer.docs[0].text)\n"
    )
    (folder / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        env=shell.environment,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Q\n", b"")


def test_a_value_of_the_environment_that_is_no_utf8(shell: Shell) -> None:
    shell.flow("Status, env: {A: $FOREIGN}")
    done = shell.fork("post", "/status", "-f", "flow.yml", "-qta", FOREIGN=os.fsdecode(b"\xe9"))
    assert (done.code, done.said) == (0, "")


def test_a_run_directory_whose_name_is_no_utf8_is_named(shell: Shell) -> None:
    base = shell.folder / LATIN
    done = shell.fork("flow", "up", shell.flow("Upper"), JINA_RUN_DIR=str(base))
    assert done.code == 1
    where, what, hint = done.err.partition(
        ": a path that is not valid UTF-8 cannot hold a socket\n"
    )
    assert what
    assert where.startswith(f"error: {shell.folder}/lat\\udce9/flow-")
    assert hint == "help: set JINA_RUN_DIR to another folder\n"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (("post", os.fsdecode(b"/\xff")), "error: ENDPOINT: '/\\udcff' is not valid UTF-8"),
        (
            ("post", "/", "--text", os.fsdecode(b"\xff")),
            "error: --text: '\\udcff' is not valid UTF-8",
        ),
        (
            ("post", "/", "--address", os.fsdecode(b"\xff")),
            "error: --address: '\\udcff' is not valid UTF-8",
        ),
        (
            ("post", "/", "-p", os.fsdecode(b"a=\xff")),
            "error: -p: parameters that cannot be carried",
        ),
        (
            ("post", "/", "-p", os.fsdecode(b'{"a": "\xff"}')),
            "error: -p: not a JSON map",
        ),
        (("post", ""), "error: ENDPOINT: is empty"),
        (("post", "/", "--flow", ""), "error: --flow: is empty"),
        (("post", "/", "--output", ""), "error: --output: is empty"),
        (("post", "/", "--address", ""), "error: --address: is empty"),
        (("flow", "down", ""), "error: FLOW: is empty"),
    ],
)
def test_words_that_mean_nothing(shell: Shell, word: tuple[str, ...], message: str) -> None:
    done = shell.call(*word)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_what_a_shell_makes_of_an_unquoted_pattern(shell: Shell) -> None:
    done = shell.fork("post", "/", "--inputs", "a.jsonl", "b.jsonl")
    assert done.code == 2
    assert done.err.endswith(
        "help: quote a pattern, as in --inputs '*.jsonl', or write --inputs before each file\n"
    )
    assert "--inputs" not in shell.fork("post", "/", "b.jsonl").err


def test_one_result_is_no_plural(shell: Shell) -> None:
    done = shell.fork("post", "/", "-f", shell.flow("Upper"), "-ta", "-o", "out.jsonl")
    assert "\n1 result in " in done.err


@pytest.mark.parametrize("option", ["--format", "--output-format", "--tensors", "--content"])
def test_a_shell_completes_choices(shell: Shell, option: str) -> None:
    done = shell.call(f"jina post / {option} ", _JINA_COMPLETE="bash")
    assert done.out.splitlines()[1] == ("list" if option == "--tensors" else "auto")


def test_threads_that_the_system_refuses_have_a_word_of_help() -> None:
    event = StartFailed(
        worker="gateway",
        where="",
        reason="was killed by SIGABRT",
        output=["Resource temporarily unavailable (src/thread.cpp:241)"],
    )
    assert str(start_failure(event)).endswith(
        "\nhelp: the system refused a thread or a process: `ulimit -u` shows how many you may have"
    )


@pytest.mark.parametrize("address", ["foo", "localhost:99999"])
def test_an_address_that_is_none(shell: Shell, address: str) -> None:
    done = shell.call("post", "/", "--text", "a", "--address", address)
    assert done.code != 0
    assert done.err.startswith(f"error: {address}: not an address\nhelp: addresses look like ")


REMOVED = "the working directory no longer exists: cd to another one"


@pytest.mark.parametrize(
    ("command", "code", "answer"),
    [
        ("flow ps", 0, ""),
        ("flow down no.yml", 0, 'no running Flow is named "no.yml"\n'),
        ("flow up no.yml", 2, f"error[no-source]: no such file: no.yml\nhelp: {REMOVED}\n"),
        ("executor new Foo", 1, f"error: Foo: cannot be created\nhelp: {REMOVED}\n"),
        ("post / -ta --flow no.yml", 2, f"help: {REMOVED}\n"),
    ],
)
def test_a_working_directory_that_was_removed(
    shell: Shell, command: str, code: int, answer: str
) -> None:
    with shell.up(shell.flow("Upper")):
        done = subprocess.run(
            ["sh", "-c", f'mkdir gone && cd gone && rmdir ../gone && exec "$0" {command}', JINA],
            cwd=shell.folder,
            env=shell.environment,
            capture_output=True,
            check=False,
        )
        err = done.stderr.decode()
        assert done.returncode == code, err
        assert answer in err
        if command == "flow ps":
            assert str(shell.folder / "flow.yml") in done.stdout.decode()


def test_places_are_whole_where_the_working_directory_was_removed(shell: Shell) -> None:
    flow = shell.flow("Upper")
    done = subprocess.run(
        [
            "sh",
            "-c",
            f'mkdir gone && cd gone && rmdir ../gone && exec "$0" flow check {flow}',
            JINA,
        ],
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    place = done.stdout.decode().split()[-1]
    assert place.startswith(f"{ZOO}:")


def test_a_run_directory_without_room_is_named_and_left_empty(shell: Shell) -> None:
    """No file may have a byte, which the kernel refuses nearly as it does on a full disk."""
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 0; exec "$0" flow up flow.yml', JINA],
        cwd=shell.flow("Upper").parent,
        env=shell.environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.decode() == (
        f"error: {shell.run_dir}: no Flow can run there: File too large\n"
        "help: free some space, or set JINA_RUN_DIR to a folder on another disk\n"
    )
    assert list(shell.run_dir.iterdir()) == []
