"""Broken YAML and Python, each with the whole message that a user reads.

The cases stand in `tests/config/broken/*.case`: a title, the files, and what `check` prints about
the first of them. `JINA_WRITE_CASES=1 pytest tests/check/test_check.py` writes the messages as they
are now; read the difference before you keep it.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from jina.check import check_executor, check_flow

FOLDER = Path(__file__).parents[1] / "config" / "broken"
WANTED = ">>> check says"


class Case(NamedTuple):
    file: Path
    title: str
    text: str  # the case as it stands, without the message
    files: dict[str, str]
    message: str


def cases() -> list[Case]:
    return [case for path in sorted(FOLDER.glob("*.case")) for case in read(path)]


def read(path: Path) -> list[Case]:
    found = []
    for block in re.split(r"^### ", path.read_text(), flags=re.MULTILINE)[1:]:
        title, _, rest = block.partition("\n")
        body, _, message = rest.partition(f"{WANTED}\n")
        parts = re.split(r"^--- (\S+)\n", body, flags=re.MULTILINE)[1:]
        files = dict(zip(parts[::2], parts[1::2], strict=True))
        # Blank lines end a case; they belong to no file.
        files = {name: text.rstrip("\n") + "\n" for name, text in files.items()}
        found.append(Case(path, title, body.rstrip("\n"), files, message.rstrip("\n")))
    return found


def said(case: Case, folder: Path) -> str:
    for name, text in case.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    first = next(iter(case.files))
    check = check_flow if first == "flow.yml" else check_executor
    text = "\n\n".join(map(str, check(first).problems))
    python = f"{sys.executable} (Python {platform.python_version()})"
    text = text.replace(python, "<python>").replace(sys.executable, "<python>")
    return text.replace(str(folder), "<folder>")


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.file.stem}: {case.title}")
def test_the_whole_message(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if sys.version_info >= (3, 13) and 'File "<folder>/' in case.message:
        pytest.skip("from Python 3.13 on, tracebacks underline other parts of their lines")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CORPUS_SET", "x")
    monkeypatch.delenv("CORPUS_UNSET", raising=False)
    message = said(case, tmp_path)
    if os.environ.get("JINA_WRITE_CASES"):
        write(case, message)
    else:
        assert message == case.message
    assert capsys.readouterr().out == ""


def write(case: Case, message: str) -> None:
    written = read(case.file)
    text = ""
    for each in written:
        shown = message if each.title == case.title else each.message
        text += f"### {each.title}\n{each.text}\n{WANTED}\n{shown}\n\n"
    case.file.write_text(text.rstrip("\n") + "\n")


def test_there_are_enough_cases() -> None:
    titles = [(case.file, case.title) for case in cases()]
    assert len(titles) == len(set(titles)) >= 60


def test_every_case_says_something_with_a_place() -> None:
    for case in cases():
        assert re.match(r"\S+:\d+:\d+: (error|warning)\[", case.message), case.title


def test_no_message_shows_our_own_frames() -> None:
    for case in cases():
        assert "/jina/" not in case.message, case.title


EXECUTOR = """
from jina import Executor, requests

print('on import')


def logged(func):
    return func


class ReportExec(Executor):
    @requests(on='/index')
    @logged
    def index(self, docs): ...

    @requests
    async def rest(self, docs): ...

    def more(self): ...
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("report_exec.py").write_text(EXECUTOR)
    Path("my.yml").write_text(
        "jtype: ReportExec\nmetas: {py_modules: report_exec.py}\nrequests: {/more: more}\n"
    )
    Path("flow.yml").write_text(
        "jtype: Flow\nexecutors:\n  - name: a\n    uses: my.yml\n  - name: b\n    uses: my.yml\n"
        "    uses_requests: {/index: more}\n  - name: c\n"
    )
    return tmp_path


def test_an_executor_is_reported_with_its_endpoints(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = check_executor("my.yml")
    assert report.is_clean
    assert report.problems == []
    assert [row.cells for row in report.endpoints] == [
        ("ReportExec", "/index", "ReportExec.index", "report_exec.py:14"),
        ("ReportExec", "/default", "ReportExec.rest", "report_exec.py:17"),
        ("ReportExec", "/more", "ReportExec.more", "report_exec.py:19"),
    ]
    # What a module prints must not get among our data.
    assert capsys.readouterr().out == ""


def test_a_flow_is_reported_executor_by_executor(here: Path) -> None:
    report = check_flow(Path("flow.yml"))
    assert (report.source, report.is_clean) == ("flow.yml", True)
    assert [(row.executor, row.endpoint, row.method) for row in report.endpoints] == [
        ("a", "/index", "ReportExec.index"),
        ("a", "/default", "ReportExec.rest"),
        ("a", "/more", "ReportExec.more"),
        ("b", "/index", "ReportExec.more"),
        ("b", "/default", "ReportExec.rest"),
        ("b", "/more", "ReportExec.more"),
    ]


def test_without_import_nothing_runs(here: Path) -> None:
    Path("report_exec.py").write_text("raise SystemExit('ran')")
    for report in (
        check_executor("my.yml", no_import=True),
        check_flow("flow.yml", no_import=True),
    ):
        assert report.is_clean
        assert report.endpoints == []
    assert [p.code for p in check_executor("my.yml").problems] == ["import-failed"]


def test_an_executor_that_works_is_checked_though_another_does_not(here: Path) -> None:
    Path("flow.yml").write_text(
        "jtype: Flow\nexecutors:\n  - replicas: none\n  - uses: my.yml\n    uses_with: {x: 1}\n"
    )
    report = check_flow("flow.yml")
    assert [p.code for p in report.errors] == ["wrong-type"]
    assert [p.code for p in report.warnings] == ["unknown-argument"]
    assert {row.executor for row in report.endpoints} == {"executor1"}


def test_a_missing_file_is_a_problem_too(here: Path) -> None:
    assert [str(p) for p in check_executor("mi.yml").problems] == [
        "error[no-source]: no such file: mi.yml\nhelp: did you mean 'my.yml'?"
    ]


def test_a_workspace_that_nobody_may_write_is_reported(here: Path) -> None:
    Path("flow.yml").write_text(
        "jtype: Flow\nwith: {workspace: my.yml/w}\nexecutors:\n  - uses: my.yml\n"
        "  - workspace: report_exec.py\n"
    )
    assert [(p.line, p.code) for p in check_flow("flow.yml").problems] == [
        (2, "workspace-not-writable"),
        (5, "workspace-not-writable"),
    ]


def test_a_current_folder_that_nobody_may_write_is_a_warning(here: Path) -> None:
    """No workspace is named, so an Executor that writes nothing never meets it."""
    script = (
        "import os; os.getuid() or os.setresuid(65534, 0, 0)\n"  # root may write everywhere
        "from jina.check import check_flow\n"
        "print(*(f'{p.severity} {p.code}' for p in check_flow('flow.yml').problems))"
    )
    Path("flow.yml").write_text("jtype: Flow\nexecutors:\n  - uses: my.yml\n")
    here.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=60
        )
    finally:
        here.chmod(0o755)
    assert done.stdout == "warning workspace-not-writable\n"


def test_the_checks_of_yaml_alone_load_neither_numpy_nor_zmq(here: Path) -> None:
    script = (
        "import sys; from jina.check import check_flow; "
        "check_flow('flow.yml', no_import=True); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=60
    )
    assert not {"numpy", "zmq", "typer", "rich", "cloudpickle"} & set(done.stdout.split())


def test_a_line_is_shown_without_what_steers_a_terminal(here: Path) -> None:
    Path("my.yml").write_bytes(b'"\xc2\x9b31m\xe2\x80\xae": 1\njtype: BaseExecutor\n')
    text = "\n".join(map(str, check_executor("my.yml").problems))
    assert text.isprintable() or set(text) - set(filter(str.isprintable, text)) == {"\n"}


def test_the_caret_stands_below_wide_letters(here: Path) -> None:
    Path("my.yml").write_text("jtype: BaseExecutor\nmetas: {description: 検索, name: 7}\n")
    (problem,) = check_executor("my.yml").problems
    line, caret = str(problem).splitlines()[1:3]
    assert line.index("7") + len("検索") == caret.index("^")


def test_a_long_message_is_cut(here: Path) -> None:
    Path("my.yml").write_text(f"jtype: BaseExecutor\nversion: 1\nmetas: '{'k' * 100_000}'\n")
    Path("flow.yml").write_text(f"executors:\n  - name: '{' ' * 100_000}'\n")
    for problem in (*check_executor("my.yml").errors, *check_flow("flow.yml").errors):
        assert len(str(problem)) < 1500
    assert problem.headline().endswith(" ' is not a valid executor name")


def test_a_long_line_is_cut_around_the_caret(here: Path) -> None:
    Path("my.yml").write_text(
        "{jtype: BaseExecutor, metas: {description: " + "x" * 5000 + ", name: 7}}\n"
    )
    (problem,) = check_executor("my.yml").problems
    line, caret = str(problem).splitlines()[1:3]
    assert len(line) < 150
    assert line[caret.index("^")] == "7"


def test_an_endpoint_that_the_yaml_binds_is_claimed_by_nobody_else(here: Path) -> None:
    Path("claims.py").write_text(
        "from jina import Executor, requests\n\n\nclass Claims(Executor):\n"
        "    @requests(on='/a')\n    def one(self, docs): ...\n\n"
        "    @requests(on='/a')\n    def two(self, docs): ...\n"
    )
    Path("my.yml").write_text("jtype: Claims\npy_modules: claims.py\n")
    assert [problem.code for problem in check_executor("my.yml").problems] == [
        "endpoint-claimed-twice"
    ]
    Path("my.yml").write_text("jtype: Claims\npy_modules: claims.py\nrequests: {a: one}\n")
    report = check_executor("my.yml")
    assert not report.problems
    assert [(row.endpoint, row.method) for row in report.endpoints] == [("/a", "Claims.one")]


@pytest.mark.parametrize("module", ["dotted_file", "dotted_package"])
def test_a_dotted_class_name_finds_a_file_or_package_beside_the_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "from jina import Executor\n\n\nclass Mine(Executor):\n    pass\n"
    Path("dotted_file.py").write_text(text)
    Path("dotted_package").mkdir()
    Path("dotted_package", "__init__.py").write_text(text)
    assert check_executor(f"jtype: {module}.Mine\n").problems == []
