"""`jina executor install`: an environment with what Executors need, and this jina."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from jinacli.executor import wheel
from jinacli.executor.copies import has_another_copy
from tests.polling import wait_until
from tests.pythons import PACKAGES, ROOT, make_venv
from tests.shell import JINA, Shell

EXECUTOR = """
import tiny
from jina import Executor, requests


class Sized(Executor):
    @requests
    def size(self, docs, **kwargs):
        for doc in docs:
            doc.text = f"tiny {tiny.SIZE}"
"""


def make_wheel(folder: Path, name: str, *needs: str) -> None:
    """Write a wheel with a module of this name."""
    home = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    files = {
        f"{name}.py": "SIZE = 1\n",
        f"{home}/METADATA": metadata + "".join(f"Requires-Dist: {need}\n" for need in needs),
        f"{home}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{home}/RECORD"] = "".join(f"{each},,\n" for each in [*files, f"{home}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        for each, text in files.items():
            archive.writestr(each, text)


@pytest.fixture
def env(shell: Shell) -> str:
    """The interpreter of an environment that has jina and pip; nothing is downloaded."""
    python = make_venv(shell.folder / "env", PACKAGES, ROOT)
    (packages,) = (shell.folder / "env").glob("lib/python*/site-packages")
    for each in [Path(PACKAGES) / "pip", *Path(PACKAGES).glob("pip-*.dist-info")]:
        os.symlink(each, packages / each.name)
    shell.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shell.folder)}
    shell.environment |= {"PATH": os.path.dirname(sys.executable) + ":/usr/bin:/bin"}
    make_wheel(shell.folder, "tiny")
    make_wheel(shell.folder, "needy", "nothing_of_that_name")
    shell.write("sized.py", EXECUTOR)
    shell.write("my.yml", "jtype: Sized\npy_modules: sized.py\n")
    shell.write("requirements.txt", "tiny==1.0\n")
    shell.write("requirements-no-deps.txt", "needy==1.0\n")
    shell.write("flow.yml", "executors: [{name: sized, uses: my.yml, venv: env}]\n")
    return python


def test_what_an_executor_needs_is_installed_and_its_flow_runs(shell: Shell, env: str) -> None:
    done = shell.call("flow", "check", "flow.yml")
    python = os.path.relpath(env, shell.folder)
    assert f"note: tiny and needy are missing in {python} (Python" in done.out
    words = ("executor", "install", "my.yml", "--venv", "env", "--installer", "pip")
    done = shell.fork(*words)
    assert (done.code, done.out) == (0, "venv: env\n")
    ran = [line for line in done.err.splitlines() if line.startswith("$ ")]
    pip = f"$ {env} -m pip install"
    assert ran == [
        f"{pip} -r {shell.folder}/requirements.txt",
        f"{pip} --no-deps -r {shell.folder}/requirements-no-deps.txt",
    ]
    assert "env is ready: my.yml\n" in done.err
    subprocess.run([env, "-c", "import tiny, needy"], check=True)
    # Again, quietly: nothing changes.
    done = shell.fork(*words, "--quiet")
    assert (done.code, done.out) == (0, "venv: env\n")
    assert "$ " not in done.err
    (line,) = shell.fork("post", "/", "--text", "x", "--flow", "flow.yml").lines
    assert line["text"] == "tiny 1"


def test_a_yaml_with_requirements_of_its_own_gets_these(shell: Shell, env: str) -> None:
    shell.write("full.yml", "jtype: Sized\npy_modules: sized.py\n")
    shell.write("requirements-full.txt", "tiny\n")
    shell.write("requirements-full-no-deps.txt", "needy\n")
    done = shell.fork("executor", "install", "full.yml", "--venv", "env", "--installer", "pip")
    assert (done.code, done.out) == (0, "venv: env\n")
    ran = [line for line in done.err.splitlines() if line.startswith("$ ")]
    pip = f"$ {env} -m pip install"
    assert ran == [
        f"{pip} -r {shell.folder}/requirements-full.txt",
        f"{pip} --no-deps -r {shell.folder}/requirements-full-no-deps.txt",
    ]


def test_a_copy_of_jina_with_other_code_is_replaced(shell: Shell, env: str) -> None:
    (packages,) = (shell.folder / "env").glob("lib/python*/site-packages")
    assert not has_another_copy(env)  # it uses the files of this one
    for name in ("jina", "jinacli"):
        shutil.copytree(
            ROOT / name, packages / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    assert not has_another_copy(env)
    words = ("executor", "install", "catalogue://UpperCase", "--venv", "env", "--installer", "pip")
    assert "$ " not in shell.fork(*words).err
    path = packages / "jina" / "names.py"
    path.write_text(f"{path.read_text()}\n# edited\n")
    assert has_another_copy(env)
    # Nothing can be downloaded here, so pip cannot build it.
    assert f"$ {env} -m pip install --editable {ROOT}\n" in shell.fork(*words).err
    path.unlink()
    assert has_another_copy(env)


def test_what_pip_cannot_install_is_an_error(shell: Shell, env: str) -> None:
    shell.write("requirements.txt", "nothing_of_that_name==1.0\n")
    done = shell.fork("executor", "install", "my.yml", "--venv", "env", "--installer", "pip")
    assert (done.code, done.out) == (1, "")
    command = f"{env} -m pip install -r {shell.folder}/requirements.txt"
    assert "No matching distribution found for nothing_of_that_name" in done.err
    assert done.err.endswith(f"error: `{command}` failed with exit code 1; what it said is above\n")


def test_a_module_that_is_installed_only_now_is_no_mistake(shell: Shell, env: str) -> None:
    shell.write("my.yml", "jtype: tiny.parts:Mine\n")
    done = shell.fork("executor", "install", "my.yml", "--venv", "env", "--installer", "pip")
    assert (done.code, done.out) == (0, "venv: env\n"), done.err


def test_an_executor_without_requirements_needs_jina_alone(shell: Shell, env: str) -> None:
    words = ("executor", "install", "catalogue://UpperCase", "--venv", "env", "--installer", "pip")
    done = shell.fork(*words)
    assert (done.code, done.out) == (0, "venv: env\n")
    assert done.err == (
        "note: catalogue://UpperCase has no requirements.txt beside it, so only jina is installed"
        " for it\n"
        "env is ready: catalogue://UpperCase\n"
        "add this to the executor in a Flow's YAML; the path is relative to that file:\n"
    )
    done = shell.fork(*words, "-q")
    assert (done.code, done.out, done.err) == (0, "venv: env\n", "")


NOT_THAT = """error: --python: there has Python 3.11.2, but ./other is Python 4.0.1
help: remove there, or name another folder
"""


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("nothing.yml --venv new", 2, "error[no-source]: no such file: nothing.yml\n"),
        ("bad.yml --venv new", 2, "bad.yml:1:4: error[yaml-syntax]: expected a value"),
        ("flow.yml --venv new", 2, "this is a Flow; expected an Executor\n"),
        ("unknown.yml --venv new", 2, "cannot tell where the class 'Nope' is defined\n"),
        ("catalogue://Nothing --venv new", 2, "the catalogue has no Executor named 'Nothing'"),
        ("--venv full", 2, "full is not empty, and not a virtual environment\nhelp: name a"),
        ("--venv gone", 2, "is gone: /nowhere/python\nhelp: remove gone, and run the same command"),
        ("--venv new --python ./no", 2, "error: --python: ./no cannot be run: No such file"),
        ("--venv new --python ./old", 2, "./old cannot be used: jina needs Python 3.11 or newer"),
        ("--venv new --python ./no.sh", 2, "./no.sh does not run as a Python: exit code 1; it sa"),
        ("--venv there --python ./other", 2, NOT_THAT),
        ("--venv new --installer uv", 1, "error: uv is not on $PATH\nhelp: install it, or use"),
        ("my.yml", 2, "error: --venv is missing\n"),
    ],
)
def test_what_cannot_be_made(shell: Shell, words: str, code: int, message: str) -> None:
    shell.environment["PATH"] = "/usr/bin:/bin"
    (shell.folder / "full").mkdir()
    shell.write("full/file", "")
    for name, text in (
        ("no.sh", "exit 1"),
        ("old", "echo jina hears 3.6.15"),
        ("other", "echo jina hears 4.0.1"),
        ("there/bin/python", "echo jina hears 3.11.2"),
    ):
        (shell.folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.chmod(shell.write(name, f"#!/bin/sh\n{text}\n"), 0o755)
    shell.write("there/pyvenv.cfg", "")
    (shell.folder / "gone" / "bin").mkdir(parents=True)
    os.symlink("/nowhere/python", shell.folder / "gone" / "bin" / "python")
    shell.write("bad.yml", "a: [")
    shell.write("flow.yml", "jtype: Flow\nexecutors: [{name: a}]\n")
    shell.write("unknown.yml", "jtype: Nope\n")
    done = shell.call("executor", "install", *words.split())
    assert (done.code, done.out) == (code, ""), done.err
    assert message in done.err
    assert not (shell.folder / "new").exists()


def test_ctrl_c_shows_no_traceback_of_python(shell: Shell) -> None:
    """The signal is for all of the terminal's processes, as there."""
    fake = (
        "#!/bin/sh\n[ $1 = -m ] || exec echo jina hears 3.11.2\nmkdir -p $3/lib\n"
        "trap 'echo Traceback >&2; exit 1' INT\ntouch busy\nwhile :; do sleep 0.1; done\n"
    )
    os.chmod(shell.write("fake", fake), 0o755)
    words = ("executor", "install", "--venv", "half", "--python", "./fake", "--installer", "pip")
    with shell.start(*words, program=("setsid", JINA)) as running:
        wait_until((shell.folder / "busy").exists, what="it is at work")
        os.killpg(running.pid, signal.SIGINT)
        done = running.end()
    command = f"$ ./fake -m venv {shell.folder / 'half'}\n"
    more = "half is not complete; run the same command again to complete it\ninterrupted\n"
    assert (done.code, done.out, done.err) == (130, "", command + more)
    # What is there does not keep it from going on.
    shell.write("half/pyvenv.cfg", "")
    os.chmod(shell.write("fake", "#!/bin/sh\necho jina hears 3.11.2\n"), 0o755)
    done = shell.fork(*words)
    assert done.code == 1
    assert done.err.startswith(command)


def test_the_wheel_of_this_jina_is_made_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    home = site / "jinacli-0.1.0.dist-info"
    files = {
        "jina/__init__.py": b"__version__ = '0.1.0'\n",
        "jina/a, b.txt": b"a comma in a name\n",
        f"{home.name}/METADATA": b"Metadata-Version: 2.1\nName: jinacli\nVersion: 0.1.0\n",
        f"{home.name}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{home.name}/INSTALLER": b"pip\n",
        "jina/__pycache__/x.pyc": b"\0",
    }
    for name, data in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(data)
    names = [*files, f"{home.name}/RECORD", "../../../bin/jina"]
    lines = [f'"{name}",,\n' if "," in name else f"{name},,\n" for name in names]
    (home / "RECORD").write_text("".join(lines))
    monkeypatch.setattr(wheel, "ROOT", site)
    monkeypatch.setattr(wheel, "about", lambda: home)
    made = wheel.make_wheel(tmp_path)
    wanted = [*files][:4]
    with zipfile.ZipFile(made) as archive:
        assert sorted(archive.namelist()) == sorted([*wanted, f"{home.name}/RECORD"])
        record = archive.read(f"{home.name}/RECORD").decode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(files["jina/__init__.py"]).digest())
    assert f'"jina/__init__.py",sha256={digest.decode().rstrip("=")},22\n' in record
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"),
            *("--target", str(tmp_path / "target"), str(made)),
        ],
        check=True,
    )
    assert (tmp_path / "target" / "jina" / "a, b.txt").read_bytes() == files["jina/a, b.txt"]
