"""Another interpreter is started with what it needs, and told apart where its jina does not fit."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from jina.launch import elsewhere, interpreters, probing
from jina.launch.interpreters import Misfit, command, environment, misfit
from jina.launch.probing import NoAnswer, version_of
from jina.launch.sources import ROOT, VERSION, checkout, requirement
from jina.runtime.fingerprint import fingerprint
from tests.polling import wait_until
from tests.pythons import PACKAGES, make_venv
from tests.shell import is_alive

NAMED = f"(Python {sys.version.partition(' ')[0]})"


def test_an_interpreter_with_this_jina_fits(other_python: str) -> None:
    assert misfit(other_python) is None
    assert misfit(sys.executable) is None


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment that finds jina where `give` says."""
    return make_venv(tmp_path_factory.mktemp("bare") / "venv")


def give(python: str, *paths: str | Path) -> None:
    (pth,) = Path(python).parents[1].glob("lib/python*/site-packages/borrowed.pth")
    pth.write_text("".join(f"{path}\n" for path in paths))


def fake(folder: Path, source: str) -> Path:
    """A folder with a package `jina` of this source."""
    (folder / "jina").mkdir(parents=True)
    (folder / "jina" / "__init__.py").write_text(source)
    return folder


def test_what_does_not_fit_is_told_apart(bare: str, tmp_path: Path) -> None:
    venv = Path(bare).parents[1]
    hint = f"install this jina in it: `jina executor install --venv {venv}`"

    def said(*paths: str | Path) -> str:
        give(bare, *paths)
        found = misfit(bare)
        assert found is not None
        assert found.help == hint
        assert found.reason.startswith(f"{bare} {NAMED} ")
        return found.reason.removeprefix(f"{bare} {NAMED} ")

    assert said() == "has no jina"
    # A folder of that name beside something else is no jina either.
    (tmp_path / "empty" / "jina").mkdir(parents=True)
    assert said(tmp_path / "empty") == "has no jina"
    other = fake(tmp_path / "other", "__version__ = '3.27.1'\n")
    assert said(other) == f"has jina 3.27.1, but this is jina {VERSION}"
    same = fake(tmp_path / "same", f"__version__ = {VERSION!r}\n")
    assert said(same) == f"has another build of jina {VERSION}"
    assert said(ROOT) == "cannot import its jina: No module named 'msgspec'"
    give(bare, ROOT, PACKAGES)
    assert misfit(bare) is None


def test_another_form_of_the_messages_is_another_build(other_python: str) -> None:
    words = command(other_python)
    assert words == [other_python, elsewhere.__file__, VERSION, fingerprint()]
    done = subprocess.run(
        [*words[:-1], "1-00000000"], env=environment(other_python), capture_output=True, check=False
    )
    assert done.returncode == elsewhere.UNSUITED
    assert done.stderr.decode() == f"{other_python} {NAMED} has another build of jina {VERSION}\n"


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "OLDEST", (9, 1))
    reason = elsewhere._misfit(VERSION, fingerprint(), "")
    assert reason == "is too old: jina needs Python 3.11 or newer"
    assert interpreters.told("/opt/py8/bin/python", [reason]) == Misfit(
        reason, "choose a newer interpreter"
    )


def test_the_oldest_python_is_that_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">={}.{}".format(*elsewhere.OLDEST)


def script(folder: Path, text: str, head: str = "#!/bin/sh\n") -> str:
    """A program of this name, and its path."""
    path = folder / "program"
    path.write_text(head + text)
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nothing", "No such file or directory"),
        ("text", "Permission denied"),
        ("program", "Exec format error"),
    ],
)
def test_what_cannot_be_run_is_said(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "text").write_text("no program")
    script(tmp_path, "no program", head="")
    python = str(tmp_path / name)
    assert misfit(python) == Misfit(f"{python} cannot be run: {why}", interpreters.PROGRAM_HINT)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "exit code 0; it said nothing"),
        ("echo fits; echo $2 $3 fits", "exit code 0; it said nothing"),
        (
            "echo 'no version is set' >&2; echo 'These are there:' >&2; exit 127",
            'exit code 127; it said: "no version is set"',
        ),
        ("kill -9 $$", "was killed by SIGKILL; it said nothing"),
    ],
)
def test_a_program_that_is_no_python_is_told(tmp_path: Path, text: str, what: str) -> None:
    python = script(tmp_path, text)
    wanted = f"{python} does not run as a Python: {what}"
    assert misfit(python) == Misfit(wanted, interpreters.PROGRAM_HINT)
    with pytest.raises(NoAnswer) as raised:
        version_of(python)
    assert str(raised.value) == wanted


def test_a_script_around_an_interpreter_may_print(tmp_path: Path, other_python: str) -> None:
    python = script(tmp_path, f'printf "some words"\nexec {other_python} "$@"\n')
    assert misfit(python) is None
    assert version_of(python) == sys.version_info[:3]


def test_a_python_that_does_not_know_the_syntax_is_too_old(tmp_path: Path) -> None:
    said = '  File "%s", line 9\\nSyntaxError: future feature annotations is not defined\\n'
    python = script(tmp_path, f"printf '{said}' \"$1\" >&2; exit 1")
    reason = f"{python} is too old: jina needs Python 3.11 or newer"
    assert misfit(python) == Misfit(reason, "choose a newer interpreter")


def test_one_that_hangs_is_killed_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "_PATIENCE_S", 0.5)
    python = script(tmp_path, f"sleep 600 & echo $! > {tmp_path}/pid; wait")
    found = misfit(python)
    assert found is not None
    assert found.reason == f"{python} did not answer within 0.5 s"
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_alive(pid), what="what it started is gone")


def test_its_environment_is_its_own(other_python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:/mine")
    monkeypatch.setenv("PYTHONHOME", "/usr")
    monkeypatch.setenv("VIRTUAL_ENV", "/of/this/one")
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv("KEPT", "1")
    venv = str(Path(other_python).parents[1])
    env = environment(other_python)
    # Where this jina is found is not where that one's packages are.
    assert env["PYTHONPATH"] == "/mine"
    assert "PYTHONHOME" not in env
    assert (env["VIRTUAL_ENV"], env["PATH"]) == (venv, f"{venv}/bin:/usr/bin")
    assert env["KEPT"] == "1"
    env = environment("/opt/python/bin/python3")
    assert ("VIRTUAL_ENV" not in env, env["PATH"]) == (True, "/usr/bin")
    assert environment("")["VIRTUAL_ENV"] == "/of/this/one"


def test_this_interpreter_is_started_as_ever() -> None:
    assert command("", "a.module", "1") == [sys.executable, "-P", "-m", "a.module", "1"]
    assert command(sys.executable) == command("")


def test_files_beside_ours_are_not_modules_of_it(other_python: str, tmp_path: Path) -> None:
    """Python looks beside the file that it runs: `signals.py` and the like are ours."""
    (tmp_path / "probe.py").write_text(
        "import sys\ndef main(arguments):\n    print(sys.path[0], sys.argv, arguments)\n"
    )
    done = subprocess.run(
        command(other_python, "probe", "1"),
        env={**environment(other_python), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    argv = [str(tmp_path / "probe.py"), "1"]
    assert done.stdout.decode() == f"{tmp_path} {argv} ['1']\n"


def test_an_interpreter_of_no_environment_gets_it_by_pip() -> None:
    python = "/opt/py/bin/python3"
    what = " ".join(requirement())
    assert what == f"--editable {ROOT}" if checkout() else what
    assert interpreters.told(python, [f"{python} has no jina"]) == Misfit(
        f"{python} has no jina", f"install this jina in it: `{python} -m pip install {what}`"
    )
