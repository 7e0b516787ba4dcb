"""`jina completion install` and `show`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from jinacli.completion.scripts import SCRIPTS
from tests.shell import Shell


def home_of(shell: Shell) -> tuple[Path, dict[str, str]]:
    home = shell.folder / "my home"
    home.mkdir()
    variables = {"HOME": str(home), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "ZDOTDIR": ""}
    return home, variables


@pytest.mark.parametrize("shell_name", ["bash", "zsh"])
def test_one_line_loads_the_script_also_after_a_second_time(shell: Shell, shell_name: str) -> None:
    home, variables = home_of(shell)
    startup = home / f".{shell_name}rc"
    startup.write_text("alias x=y # no newline")
    done = shell.fork("completion", "install", shell_name, **variables)
    assert (done.code, done.out) == (0, "")
    assert done.err == (
        f"Installed completion for {shell_name} in {startup}. It works in new shells.\n"
    )
    script = home / ".local" / "share" / "jina" / f"completion.{shell_name}"
    assert script.read_text() == SCRIPTS[shell_name]
    first, second = startup.read_text().splitlines()
    assert first == "alias x=y # no newline"
    assert second == f"[ -f '{script}' ] && . '{script}' # jina completion"

    done = shell.fork("completion", "install", shell_name, **variables)
    assert done.err == f"Completion for {shell_name} is already installed in {startup}\n"
    assert startup.read_text().splitlines() == [first, second]


def test_fish_finds_its_file_by_itself(shell: Shell) -> None:
    home, variables = home_of(shell)
    assert shell.fork("completion", "install", "fish", **variables).code == 0
    file = home / ".config" / "fish" / "completions" / "jina.fish"
    assert file.read_text() == SCRIPTS["fish"]


def test_bash_loads_what_was_installed(shell: Shell) -> None:
    home, variables = home_of(shell)
    shell.fork("completion", "install", "bash", **variables)
    done = subprocess.run(
        ["bash", "--norc", "-c", ". ~/.bashrc; complete -p jina"],
        env={**shell.environment, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("complete -F _jina_completion jina\n", "")


@pytest.mark.parametrize(("name", "option"), [("zsh", "-n"), ("fish", "--no-execute")])
def test_other_shells_can_read_their_script(shell: Shell, name: str, option: str) -> None:
    if (program := shutil.which(name)) is None:
        pytest.skip(f"{name} is not installed")
    script = shell.write("script", SCRIPTS[name])
    subprocess.run([program, option, script], timeout=60, check=True)


def test_the_shell_that_is_used_is_known(shell: Shell) -> None:
    assert shell.call("completion", "show", SHELL="/usr/bin/zsh").out == SCRIPTS["zsh"]
    done = shell.call("completion", "show", SHELL="/bin/tcsh")
    assert done.code == 2
    assert "give the shell: bash, zsh or fish" in done.err


def test_what_cannot_be_written_is_said(shell: Shell) -> None:
    home, variables = home_of(shell)
    (home / ".local").write_text("")
    done = shell.fork("completion", "install", "bash", **variables)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: {home}/.local/share/jina/completion.bash: cannot be ")
