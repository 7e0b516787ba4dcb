"""`jina executor check` and `jina flow check`: forms of the report, exit codes, trial runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shell import JINA, Shell

CLASS = """
from jina import Document, DocumentArray, Executor, requests


class Trier(Executor):
    def __init__(self, size: int = 1, fails: bool = False, **kwargs):
        super().__init__(**kwargs)
        if fails:
            raise OSError('no model')
        self.size = size

    @requests(on='/twice')
    def twice(self, docs, **kwargs):
        print('what a user prints')
        for doc in docs:
            doc.text *= 2

    @requests(on='/told')
    def told(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.tags = parameters

    @requests(on='/boom')
    def boom(self, docs, **kwargs):
        raise ValueError('boom')

    @requests(on='/status')
    def status(self, docs, **kwargs):
        return DocumentArray([Document(id='s', text=f'{docs} {self.workspace.split("/")[-2:]}')])

    def close(self):
        print('closed')
"""
GOOD = "jtype: Trier\nmetas: {py_modules: trier.py}\n"


@pytest.fixture
def here(shell: Shell) -> Shell:
    shell.write("trier.py", CLASS)
    shell.write("good.yml", GOOD)
    shell.write("bad.yml", "jtype: Trier\nwiht: {size: 1}\nmetas: {py_modules: trier.py}\n")
    shell.write("odd.yml", GOOD + "with: {sze: 1}\n")
    return shell


def test_several_files_are_checked_at_once_and_all_problems_are_said(here: Shell) -> None:
    done = here.call("executor", "check", "good.yml", "bad.yml", "odd.yml")
    assert done.code == 1
    assert "bad.yml:2:1: error[unknown-key]" in done.out
    assert "odd.yml:3:8: warning[unknown-argument]" in done.out
    assert done.out.count("Trier     /twice    Trier.twice   trier.py:13") == 3
    assert done.err == "1 error and 1 warning in good.yml, bad.yml, odd.yml\n"


@pytest.mark.parametrize(
    ("files", "code"),
    [("good.yml", 0), ("odd.yml", 0), ("bad.yml", 1), ("good.yml none.yml", 2)],
)
def test_exit_codes_of_a_check(here: Shell, files: str, code: int) -> None:
    for form in ("full", "json"):
        done = here.call("executor", "check", *files.split(), "--output-format", form)
        assert done.code == code, done.err


def test_concise_is_a_line_for_each_problem(here: Shell) -> None:
    done = here.call("executor", "check", "bad.yml", "odd.yml", "--output-format", "concise")
    assert done.out == (
        "bad.yml:2:1: error[unknown-key]: `wiht` is not a key of an Executor\n"
        "odd.yml:3:8: warning[unknown-argument]: Trier has no argument 'sze'; "
        "the value goes into **kwargs\n"
    )


def test_concise_says_nothing_when_all_is_well(here: Shell) -> None:
    assert here.call("executor", "check", "good.yml", "--output-format", "concise").out == ""


def test_json_is_one_object_with_its_schema_named(here: Shell) -> None:
    done = here.call("executor", "check", "good.yml", "bad.yml", "--output-format", "json")
    found = json.loads(done.out)
    assert (found["schema"], found["errors"], found["warnings"]) == ("jina/check/v1", 1, 0)
    good, bad = found["files"]
    assert (good["source"], good["problems"]) == ("good.yml", [])
    assert good["endpoints"][0] == {
        "executor": "Trier",
        "endpoint": "/twice",
        "method": "Trier.twice",
        "place": "trier.py:13",
    }
    assert bad["problems"] == [
        {
            "code": "unknown-key",
            "severity": "error",
            "message": "`wiht` is not a key of an Executor",
            "file": "bad.yml",
            "line": 2,
            "column": 1,
            "end_column": 5,
            "path": "wiht",
            "help": "did you mean `with`?",
            "notes": [],
            "detail": "",
        }
    ]


def test_the_page_about_the_json_form_names_its_fields(here: Shell) -> None:
    page = (Path(__file__).parents[3] / "docs" / "check.md").read_text()
    shown = json.loads(page.partition("```json\n")[2].partition("```")[0])
    done = here.call("executor", "check", "good.yml", "bad.yml", "--output-format", "json")
    found = json.loads(done.out)
    assert list(shown) == list(found)
    assert shown["files"][0]["problems"][0] == found["files"][1]["problems"][0] | {"file": "my.yml"}
    assert list(shown["files"][0]["endpoints"][0]) == list(found["files"][0]["endpoints"][0])


def test_github_gets_workflow_commands(here: Shell) -> None:
    done = here.call("executor", "check", "bad.yml", "odd.yml", "--output-format", "github")
    assert done.out == (
        "::error file=bad.yml,line=2,col=1,endColumn=4,title=unknown-key::"
        "`wiht` is not a key of an Executor%0Ahelp: did you mean `with`?\n"
        "::warning file=odd.yml,line=3,col=8,endColumn=10,title=unknown-argument::"
        "Trier has no argument 'sze'; the value goes into **kwargs%0Ahelp: did you mean `size`?\n"
    )


def test_what_github_reads_as_syntax_is_escaped(here: Shell) -> None:
    here.write("a,b:c%.yml", "jtype: '50%,::'\n")
    done = here.call("executor", "check", "a,b:c%.yml", "--output-format", "github")
    assert done.out.startswith("::error file=a%2Cb%3Ac%25.yml,line=1,")
    assert "::'50%25,:' is neither a path" in done.out


@pytest.mark.parametrize("form", ["full", "concise", "json", "github"])
def test_a_flow_is_reported_in_the_same_forms(here: Shell, form: str) -> None:
    here.write("flow.yml", "jtype: Flow\nexecutors:\n  - {name: a, uses: good.yml, needs: b}\n")
    done = here.call("flow", "check", "flow.yml", "--output-format", form)
    assert done.code == 1
    assert "unknown-need" in done.out
    if form == "json":
        assert json.loads(done.out)["files"][0]["problems"][0]["line"] == 3


@pytest.mark.parametrize("form", ["full", "concise", "json", "github"])
def test_names_in_a_report_cannot_steer_a_terminal(shell: Shell, form: str) -> None:
    """Names of files and endpoints come from others; a program still reads them as they are."""
    endpoint = "/\x1b[2J\u202e\x9b"
    shell.write(
        "odd.py",
        "from jina import Executor, requests\n\n\nclass Odd(Executor):\n"
        f"    @requests(on={endpoint!a})\n    def foo(self, docs): ...\n",
    )
    shell.write("odd.yml", "jtype: Odd\npy_modules: odd.py\n")
    names = ["esc\x1b]0;title\x07.yml", "rtl\u202e.yml", "byte\udcff.yml"]
    for name in names:
        shell.write(name, "jtype: Odd\nwiht: 1\n")
    done = shell.call(
        "executor", "check", "odd.yml", *names, "--output-format", form, PYTHONIOENCODING="utf-8"
    )
    assert done.code == 1
    said = done.out + done.err
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", said)
    if form == "json":
        files = json.loads(done.out)["files"]
        assert [file["source"] for file in files] == ["odd.yml", *names]
        assert files[0]["endpoints"][0]["endpoint"] == endpoint
    else:
        assert r"esc\x1b]0;title\x07.yml" in done.out
        assert r"rtl\u202e.yml" in done.out
        assert r"byte\udcff.yml" in done.out
    if form == "full":
        head, row = done.out.splitlines()[-2:]
        assert "method" in head, done
        assert row[: head.index("method")].split() == ["Odd", r"/\x1b[2J\u202e\x9b"]
        assert row[head.index("place") :] == "odd.py:6"


def test_a_form_that_does_not_exist_is_wrong_usage(here: Shell) -> None:
    done = here.call("flow", "check", "flow.yml", "--output-format", "xml")
    assert (done.code, done.out) == (2, "")


def test_a_trial_prints_results_and_nothing_else(here: Shell) -> None:
    here.write("data.jsonl", '{"id": "a", "text": "x"}\n\n{"id": "b", "text": "y"}\n')
    done = here.fork("executor", "check", "good.yml", "--run", "/twice", "-i", "data.jsonl")
    assert (done.code, [(d["id"], d["text"]) for d in done.lines]) == (
        0,
        [("a", "xx"), ("b", "yy")],
    )
    assert "Trier     /twice    Trier.twice   trier.py:13" in done.err
    assert "what a user prints" in done.err
    assert done.err.endswith("closed\n")


def test_a_trial_reads_standard_input_and_more_than_one_request(here: Shell) -> None:
    lines = "".join(f'{{"id": "{n}", "text": "t"}}\n' for n in range(250))
    done = here.fork("executor", "check", "good.yml", "--run", "/twice", "-i", "-", stdin=lines)
    assert done.code == 0
    assert [d["id"] for d in done.lines] == [str(n) for n in range(250)]
    assert done.err.count("what a user prints") == 3


def test_a_trial_without_inputs_is_one_call_without_documents(here: Shell) -> None:
    done = here.fork("executor", "check", "good.yml", "--run", "/status")
    assert (done.code, [d["text"] for d in done.lines]) == (0, ["None ['Trier', '0']"])
    assert not list(here.folder.glob("Trier")), "the workspace was a temporary folder"


def test_a_trial_has_the_parameters_of_a_post(here: Shell) -> None:
    """The same spelling, the same values, also those under the Executor's own name."""
    given = ("-p", "a=1", "--parameters", "b=x=y", "-p", '{"c": [null], "Trier": {"a": 2}}')
    here.write("flow.yml", "jtype: Flow\nexecutors:\n  - uses: good.yml\n")
    here.write("data.jsonl", '{"id": "a"}\n{"id": "b"}\n')
    trial = here.fork("executor", "check", "good.yml", "--run", "/told", "-i", "data.jsonl", *given)
    post = here.fork("post", "/told", "--flow", "flow.yml", "-i", "data.jsonl", *given)
    assert (trial.code, trial.out) == (0, post.out)
    wanted = {"a": 2, "b": "x=y", "c": [None], "Trier": {"a": 2}}
    assert [d["tags"] for d in trial.lines] == [wanted] * 2


def test_a_trial_reads_its_inputs_as_a_post_does(here: Shell) -> None:
    here.write("faq.csv", "question,link\nhow,http://x\n")
    here.write("page.html", "<p>")
    trial = ("executor", "check", "good.yml", "--run", "/told", "-i")
    done = here.fork(*trial, "faq.csv", "--field-resolver", "question=text,link=uri")
    assert [(d["text"], d["uri"]) for d in done.lines] == [("how", "http://x")]
    done = here.fork(*trial, "faq.csv", "--format", "text")
    assert [d["text"] for d in done.lines] == ["question,link", "how,http://x"]
    here.write("keys.jsonl", '{"id": "a"}\n')
    done = here.fork(*trial, "keys.jsonl", "--field-resolver", "question=text")
    assert 'note: --field-resolver: no input has a column or key "question"\n' in done.err
    done = here.fork(*trial, "page.html", "--content", "none")
    assert [("text" in d, Path(d["uri"]).name) for d in done.lines] == [(False, "page.html")]


def test_a_row_that_is_no_document_keeps_its_id(here: Shell) -> None:
    """Whoever reads the results finds the row by the id that it has, in every format."""
    here.write("rows.csv", "key,weight\na,1\nb,x\nc\n,x\n")
    here.write("rows.jsonl", '{"key": "b", "q": 1, "text": "t"}\n{"key": "c", "q": "t"}\n')
    here.write("rows.json", '[{"key": "b", "q": 1, "id": "d"}, {"key": "c"}]')
    trial = ("executor", "check", "good.yml", "--run", "/told", "--field-resolver")
    done = here.fork(*trial, "key=id", "-i", "rows.csv")
    names = [("error" in d, re.sub("^.{16}-", "…-", d["id"])) for d in done.lines]
    assert names == [(False, "a"), (True, "b"), (True, "…-4"), (True, "…-5")]
    done = here.fork(*trial, "key=id,q=text", "-i", "rows.jsonl")
    assert [("error" in d, d["id"]) for d in done.lines][1:] == [(False, "c")]
    done = here.fork(*trial, "q=text", "-i", "rows.json")
    assert next(("error" in d, d["id"]) for d in done.lines) == (True, "d")


def test_an_input_that_is_damaged_ends_a_trial_as_it_ends_a_post(here: Shell) -> None:
    here.write("cut.json", '[{"id": "a"} {"id": "b"}]')
    done = here.fork("executor", "check", "good.yml", "--run", "/told", "-i", "cut.json")
    assert (done.code, [d["id"] for d in done.lines]) == (1, ["a"])
    assert "error: cut.json:1:14: expected a comma or ] after an element" in done.err


def test_a_parameter_that_is_none_is_wrong_usage_before_anything_is_imported(here: Shell) -> None:
    here.write("trier.py", "raise SystemExit('imported')")
    done = here.call("executor", "check", "good.yml", "--run", "/told", "-p", "a", COLUMNS="200")
    assert (done.code, done.out) == (2, "")
    assert "-p: 'a' is neither key=value nor a map such as" in done.err


def test_a_line_that_cannot_be_read_is_one_outcome(here: Shell) -> None:
    here.write("data.jsonl", '{"id": "a", "text": "x"}\nnope\n')
    done = here.fork("executor", "check", "good.yml", "--run", "/twice", "-i", "data.jsonl")
    assert done.code == 1
    first, second = done.lines
    assert first["text"] == "xx"
    assert second["error"]["message"] == "data.jsonl:2: not JSON: expecting value at byte 1"
    reason = "BadLine: data.jsonl:2: not JSON: expecting value at byte 1"
    assert done.err.endswith(f"1 of 2 failed; the first: {reason}\n")


def test_what_a_method_raises_is_shown_with_the_users_frames(here: Shell) -> None:
    here.write("data.jsonl", '{"id": "a"}\nnope\n{"id": "b"}\n')
    done = here.fork("executor", "check", "good.yml", "--run", "/boom", "-i", "data.jsonl")
    assert done.code == 1
    assert [(d.get("id"), d["error"]["type"]) for d in done.lines][::2] == [
        ("a", "ValueError"),
        ("b", "ValueError"),
    ]
    assert "trier.py" in done.err
    assert "ValueError: boom" in done.err
    assert "/jina/" not in done.err


def test_the_type_of_an_error_is_dotted_unless_it_is_pythons_own(here: Shell) -> None:
    """The same in a trial and in a Flow."""
    here.write(
        "own.py",
        "from jina import Executor, requests\n\n\n"
        "class Broken(Exception):\n    class Badly(Exception): ...\n\n\n"
        "class Own(Executor):\n    @requests\n    def act(self, docs, parameters, **kwargs):\n"
        "        raise {'own': Broken, 'inner': Broken.Badly, 'python': KeyError}"
        "[parameters['raise']]('x')\n",
    )
    here.write("own.yml", "jtype: Own\npy_modules: own.py\n")
    here.write("flow.yml", "jtype: Flow\nexecutors:\n  - uses: own.yml\n")
    here.write("bad.jsonl", '{"id": "a"}\nno\n')
    with here.up("flow.yml"):
        for given, expected in (
            ("own", "own.Broken"),
            ("inner", "own.Broken.Badly"),
            ("python", "KeyError"),
        ):
            options = ("-i", "bad.jsonl", "-p", f"raise={given}")
            trial = here.fork("executor", "check", "own.yml", "--run", "/x", *options)
            post = here.fork("post", "/x", *options)
            for done in (trial, post):
                assert [d["error"]["type"] for d in done.lines] == [
                    expected,
                    "jina.excepts.BadLine",
                ]


def test_a_constructor_that_raises_is_shown_with_the_users_frames(here: Shell) -> None:
    here.write("fails.yml", GOOD + "with: {fails: true}\n")
    done = here.fork("executor", "check", "fails.yml", "--run", "/twice")
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("error: the constructor of Trier raised OSError: no model\n")
    assert "Traceback" in done.err
    assert "/jina/" not in done.err


def test_what_has_errors_is_not_run(here: Shell) -> None:
    done = here.fork("executor", "check", "bad.yml", "--run", "/twice")
    assert (done.code, done.out) == (1, "")
    assert "wiht" in done.err
    assert "closed" not in done.err


def test_an_endpoint_that_nobody_serves_is_noted(here: Shell) -> None:
    here.write("data.jsonl", '{"id": "a"}\n')
    done = here.fork("executor", "check", "good.yml", "--run", "/no", "-i", "data.jsonl")
    assert (done.code, done.out) == (0, '{"id":"a"}\n')
    assert "note: no method serves /no; the Documents come back unchanged" in done.err
    assert "help: it serves /twice, /told, /boom, /status" in done.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("good.yml --inputs x", "--inputs: needs --run"),
        ("good.yml -p a=1", "--parameters: needs --run"),
        ("good.yml --format csv", "--format: needs --run"),
        ("good.yml --field-resolver a=text", "--field-resolver: needs --run"),
        ("good.yml --content text", "--content: needs --run"),
        ("good.yml --run /x --format cvs", "--format: must be one of auto, jsonl, json, csv,"),
        ("good.yml --run /x --field-resolver a", "--field-resolver: 'a' is not column=field"),
        ("good.yml --run /x --no-import", "--run has to import the Executor's modules"),
        ("good.yml odd.yml --run /x", "takes only one Executor"),
        ("good.yml --run /x --inputs none.jsonl", "none.jsonl: no such file"),
    ],
)
def test_a_trial_that_cannot_be_is_wrong_usage(here: Shell, words: str, reason: str) -> None:
    done = here.call("executor", "check", *words.split(), COLUMNS="200")
    assert (done.code, done.out) == (2, "")
    assert reason in done.err


@pytest.mark.parametrize("what", ["executor", "flow"])
def test_a_check_of_the_yaml_alone_loads_neither_numpy_nor_zmq(here: Shell, what: str) -> None:
    here.write("flow.yml", "jtype: Flow\nexecutors:\n  - uses: good.yml\n")
    file = "good.yml" if what == "executor" else "flow.yml"
    program = (
        "import atexit, sys; from jinacli.app import main; "
        f"sys.argv = ['jina', '{what}', 'check', '--no-import', '{file}']; "
        "atexit.register(lambda: print(*sys.modules)); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=here.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "jina.check" in loaded
    assert not {"numpy", "zmq", "cloudpickle", "trier"} & loaded


def test_an_executor_of_the_catalogue_is_checked_and_run_by_its_name(here: Shell) -> None:
    done = here.call("executor", "check", "catalogue://UpperCase")
    assert (done.code, done.err) == (0, "no problems in catalogue://UpperCase\n")
    assert "UpperCase.upper" in done.out
    done = here.fork("executor", "check", "catalogue://UpperCase", "--run", "/", stdin="")
    assert (done.code, done.out) == (0, "")
    done = here.call("executor", "check", "catalogue://UperCase")
    assert done.code == 1
    assert "the catalogue has no Executor named 'UperCase'" in done.out
    assert "did you mean 'UpperCase'?" in done.out


@pytest.mark.parametrize("what", ["executor", "flow"])
def test_what_cannot_be_read_is_wrong_usage(here: Shell, what: str) -> None:
    """A folder, an empty file, a file that is no text: the same for both commands."""
    (here.folder / "some").mkdir()
    (here.folder / "none.yml").write_bytes(b"")
    (here.folder / "latin.yml").write_bytes(b"jtype: \xff\n")
    for name, reason in (
        ("some", "some is a folder; expected the"),
        ("none.yml", "none.yml is empty"),
        ("latin.yml", "latin.yml:1:8: error[yaml-encoding]"),
    ):
        done = here.call(what, "check", name)
        assert (done.code, reason in done.out) == (2, True), done


@pytest.mark.parametrize("words", [("executor", "check", "bad.yml"), ("flow", "check", "bad.yml")])
def test_the_exit_code_of_findings_is_that_also_where_nobody_reads_them(
    here: Shell, words: tuple[str, ...]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [JINA, *words], stdout=writer, stderr=subprocess.PIPE, cwd=here.folder, check=False
        )
    finally:
        os.close(writer)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].endswith("in bad.yml")
    assert b"Broken" not in done.stderr
