"""`jina executor run` and `list`: one Executor in the process of the command."""

from __future__ import annotations

import json
import re
import signal
import subprocess

import pytest

from tests.polling import wait_until
from tests.shell import JINA, Shell

CLASS = """
import os
from jina import Document, DocumentArray, Executor, requests


class Runner(Executor):
    @requests(on='/upper')
    def upper(self, docs, parameters, **kwargs):
        print('what a user prints')
        for doc in docs:
            if doc.text == 'no':
                raise ValueError('no such text')
            doc.text = doc.text.upper() + parameters.get('end', '')

    @requests(on='/status')
    def status(self, docs, **kwargs):
        return DocumentArray([Document(id='s', text=f'{docs} {self.workspace}')])

    @requests(on='/sizes')
    def sizes(self, docs, **kwargs):
        for doc in docs:
            doc.tags = {'calls': len(docs)}

    @requests(on='/end')
    def end(self, **kwargs):
        os._exit(0)

    def close(self):
        print('closed')
"""


@pytest.fixture
def here(shell: Shell) -> Shell:
    shell.write("runner.py", CLASS)
    shell.write("my.yml", "jtype: Runner\nmetas: {py_modules: runner.py}\n")
    shell.write("data.jsonl", '{"text": "a"}\n\nnope\n{"id": 7, "text": "b"}\n')
    return shell


def test_lines_become_results_in_order(here: Shell) -> None:
    done = here.fork("executor", "run", "my.yml", "/upper", "-i", "data.jsonl", "-p", "end=!")
    assert done.code == 3
    first, bad, last = done.lines
    assert (first["text"], last["id"], last["text"]) == ("A!", "7", "B!")
    assert bad["error"]["message"] == "data.jsonl:3: not JSON: expecting value at byte 1"
    reason = "BadLine: data.jsonl:3: not JSON: expecting value at byte 1"
    assert done.err == f"what a user prints\nclosed\n1 of 3 failed; the first: {reason}\n"


def test_variables_of_its_yaml_are_set_before_it_is_imported(here: Shell) -> None:
    here.write(
        "env.py",
        "import os\nfrom jina import Executor, requests\nQUIET = os.environ['QUIET']\n"
        "class Env(Executor):\n    @requests\n    def tell(self, docs):\n"
        "        docs[0].text = QUIET\n",
    )
    here.write("env.yml", "jtype: Env\nmetas: {py_modules: env.py}\nenv: {QUIET: true}\n")
    done = here.fork("executor", "run", "env.yml", "/tell", "--text", "x", QUIET="no")
    assert (done.code, done.lines[0]["text"]) == (0, "true")


def test_standard_input_texts_and_nothing(here: Shell) -> None:
    done = here.fork("executor", "run", "my.yml", "upper", stdin='{"text":"x"}\n')
    assert [line["text"] for line in done.lines] == ["X"]
    done = here.fork("executor", "run", "my.yml", "/upper", "--text", "p", "-t", "q")
    assert [line["text"] for line in done.lines] == ["P", "Q"]
    done = here.fork("executor", "run", "my.yml", "/status")
    assert done.lines[0]["text"] == f"None {here.folder}/Runner/0"
    done = here.fork("executor", "run", "my.yml", "/status", "--workspace", "kept")
    assert done.lines[0]["text"] == f"None {here.folder}/kept/Runner/0"


def test_the_size_of_a_call_and_the_file_of_the_results(here: Shell) -> None:
    here.write("many.jsonl", "{}\n" * 5)
    arguments = ("-i", "many.jsonl", "--request-size", "2", "-o", "out.jsonl")
    done = here.fork("executor", "run", "my.yml", "/sizes", *arguments)
    assert (done.code, done.out) == (0, "")
    assert re.fullmatch(
        r"5 results in [\d.]+ s \(\S+/s\); out.jsonl now holds 5", done.err.splitlines()[-1]
    )
    assert "results" not in here.fork("executor", "run", "my.yml", "/sizes", "-q", *arguments).err
    lines = (here.folder / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["tags"]["calls"] for line in lines] == [2, 2, 2, 2, 1]


def test_only_some_fields_are_written(here: Shell) -> None:
    command = ("executor", "run", "my.yml", "/upper", "-q", "--text", "p")
    assert here.fork(*command, "--select", "text").out == '{"text":"P"}\n'
    assert here.fork(*command, "--exclude", "id,mime_type").out == '{"text":"P"}\n'
    table = here.fork(*command, "--select", "text,uri", "--output-format", "csv").out
    assert table == "text,uri,error\nP,,\n"
    assert (
        'no field "txt"\nhelp: did you mean "text"?' in here.fork(*command, "--select", "txt").err
    )


def test_a_method_that_raises_fails_only_these_documents_and_shows_where(here: Shell) -> None:
    done = here.fork("executor", "run", "my.yml", "/upper", "-t", "a", "-t", "no")
    assert done.code == 3
    assert [line.get("text") for line in done.lines] == ["A", None]
    assert done.lines[1]["error"]["type"] == "ValueError"
    assert done.err.endswith("1 of 2 failed; the first: ValueError in Runner: no such text\n")
    assert 'runner.py", line 12, in upper\n' in done.err
    assert done.err.count("Traceback") == 1


def test_a_package_that_a_method_misses_comes_with_the_command_that_installs_it(
    here: Shell,
) -> None:
    source = "from jina import Executor, requests\n\nclass Late(Executor):\n    @requests\n"
    here.write("late.py", f"{source}    def f(self, docs, **kwargs):\n        import no_such_lib\n")
    here.write("late.yml", "jtype: Late\npy_modules: late.py\n")
    done = here.fork("executor", "run", "late.yml", "/", "-t", "a")
    message = done.lines[0]["error"]["message"]
    assert message.startswith("No module named 'no_such_lib'\nhelp: if it is a package, install it")
    assert done.err.count("help: ") == 1
    # With requirements beside it, these.
    here.write("requirements.txt", "no-such-lib\n")
    done = here.fork("executor", "run", "late.yml", "/", "-t", "a")
    assert "-m pip install -r requirements.txt`" in done.lines[0]["error"]["message"]


@pytest.mark.parametrize("source", ["raise ValueError('no')", "import sys; sys.exit(3)", "?"])
def test_a_module_that_fails_has_the_exit_code_of_a_check(here: Shell, source: str) -> None:
    here.write("fails.py", source)
    here.write("fails.yml", "jtype: Fails\npy_modules: fails.py\n")
    done = here.fork("executor", "run", "fails.yml", "/", "-t", "a")
    assert done.code == 1
    assert done.err.startswith(("fails.yml:2:13: error[import", "fails.py:1:1: error[import"))


def test_a_method_that_ends_the_process_is_no_success(here: Shell) -> None:
    done = here.fork("executor", "run", "my.yml", "/end", "-t", "a")
    assert done.code == 1
    assert done.err == "error: my.yml: /end: the process ended with exit code 0\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("my.yml", "/uppe"), 'no method of my.yml serves /uppe\nhelp: did you mean "/upper"? '),
        (("none.yml", "/upper"), "no such file: none.yml"),
        (("catalogue://UperCase", "/x"), "no Executor named 'UperCase'\nhelp: did you mean "),
        (("my.yml", "/upper", "-i", "none.jsonl"), "error: none.jsonl: no such file"),
        (
            ("my.yml", "/upper", "-i", "data.jsonl", "-o", "data.jsonl"),
            "this is an input, so",
        ),
        (("my.yml", "/upper", "-t", "a", "-i", "data.jsonl"), "use --inputs or --text, not both"),
    ],
)
def test_wrong_usage(here: Shell, arguments: tuple[str, ...], message: str) -> None:
    done = here.call("executor", "run", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "<text>" not in done.err


def test_modules_that_cannot_be_imported_are_shown_as_by_a_check(here: Shell) -> None:
    text = "jtype: Broken\nmetas: {py_modules: broken.py}\n"
    here.write("broken.yml", text)
    here.write("broken.py", "from jina import Executor\nclass Broken(Executor:\n    pass\n")
    done = here.fork("executor", "run", "broken.yml", "/x", "-t", "a")
    assert (done.code, done.out) == (1, "")
    assert "broken.py:2:22: error[import-failed]: not valid Python" in done.err
    assert "^" in done.err
    here.write("broken.py", "import no_such_module_anywhere\n")
    done = here.fork("executor", "run", "broken.yml", "/x", "-t", "a")
    assert (done.code, done.out) == (1, "")
    assert "broken.yml:2:" in done.err
    assert "No module named 'no_such_module_anywhere'" in done.err
    assert "fault of jina" not in done.err


def test_an_interruption_closes_the_executor(here: Shell) -> None:
    arguments = ("executor", "run", "my.yml", "/upper")
    with here.start(*arguments, stdin=subprocess.PIPE) as running:
        running.tell(b'{"text": "a"}\n')
        assert json.loads(running.read_line())["text"] == "A"
        done = running.end(signal.SIGINT)
    assert (done.code, done.err) == (130, "what a user prints\nclosed\ninterrupted\n")


def test_an_interruption_says_what_is_in_the_file(here: Shell) -> None:
    arguments = ("executor", "run", "my.yml", "/upper", "-o", "out.jsonl")
    out = here.folder / "out.jsonl"
    with here.start(*arguments, stdin=subprocess.PIPE) as running:
        running.tell(b'{"text": "a"}\n')
        wait_until(lambda: out.exists() and out.stat().st_size)
        done = running.end(signal.SIGINT)
    told = "what a user prints\n1 result was written before the interruption\n"
    assert (done.code, done.err) == (130, f"{told}closed\ninterrupted\n")


def test_a_reader_that_has_seen_enough_is_no_error(here: Shell) -> None:
    here.write("many.jsonl", '{"text": "x"}\n' * 50_000)
    command = f"{JINA} executor run my.yml /sizes -i many.jsonl | head -1"
    with here.start("-c", command, program=("sh",)) as running:
        done = running.end()
    assert (done.code, len(done.lines), done.err) == (0, 1, "closed\n")


def test_the_catalogue_is_listed(shell: Shell) -> None:
    done = shell.call("executor", "list")
    assert done.code == 0
    upper = r"^UpperCase +Converts the text of each Document to upper case$"
    assert re.search(upper, done.out, re.MULTILINE)
    names = [line.split()[0] for line in done.out.splitlines()]
    assert shell.call("executor", "list", "-q").out.splitlines() == names
    found = json.loads(shell.call("executor", "list", "--json").out)
    assert found["schema"] == "jina/executors/v1"
    assert [each["name"] for each in found["executors"]] == names
    wait_until(lambda: not shell.processes())


def test_an_import_that_fails_is_shown_once(shell: Shell) -> None:
    shell.write("broken.py", "import nothing_of_that_name\n")
    shell.write("my.yml", "jtype: X\npy_modules: broken.py\n")
    done = shell.fork("executor", "run", "my.yml", "/", "--text", "x")
    assert (done.code, done.out) == (1, "")
    assert "my.yml:2:13: error[import-failed]" in done.err
    assert done.err.count("Traceback") == 1
    shell.write("broken.py", "import os\nos._exit(0)\n")
    done = shell.fork("executor", "run", "my.yml", "/", "--text", "x")
    assert (done.code, done.out, done.err) == (
        1,
        "",
        "error: my.yml: importing X: the process ended with exit code 0\n",
    )
