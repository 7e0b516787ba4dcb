"""The first five minutes with jina, as somebody at a terminal sees them.

`python -m tests.readme_transcript` runs the commands in a terminal of 100 columns and writes what
appears into the README. `tests/test_readme.py` checks that it still appears.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.screen import Screen
from tests.terminal import open_terminal, without_size

README = Path(__file__).parent.parent / "README.md"
COLUMNS = 100
BEGIN = "<!-- The transcript is written by `python -m tests.readme_transcript`. -->\n"
END = "<!-- Here it ends. -->\n"
COMMANDS = """\
jina flow new hello
cd hello
grep -v "^ *#" flow.yml
jina flow check flow.yml
jina flow up flow.yml --detach
jina post /count --inputs data.jsonl
jina flow scale cuont=2
jina flow scale count=2
jina flow status
jina flow down
"""
_WAIT_S = 60
_VARYING = (
    (r"\b[0-9a-f]{8,}\b", "N"),
    (r"\d[\d.,]* ?(ms|s|min|h|B|KiB|MiB|GiB|KB|MB|GB|%)(?!\w)", "N"),
    (r"\d\d:\d\d:\d\d", "N"),
    (r"\b\d[\d,.]*\b", "N"),  # process ids
    (r" +", " "),  # columns are as wide as what stands in them
)


def transcript() -> str:
    """Run the commands in an empty folder, with a run directory of their own."""
    base = Path(tempfile.mkdtemp(prefix="jina-"))
    outer = without_size(dict(os.environ))
    variables = {
        **{name: value for name, value in outer.items() if not name.startswith("JINA_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(base / "home"),
        "JINA_RUN_DIR": str(base / "run"),
        "JINA_STATE_DIR": str(base / "state"),
        "NO_COLOR": "1",
        "TERM": "xterm",
    }
    folder = base / "home"
    folder.mkdir()
    shown = []
    try:
        for command in COMMANDS.splitlines():
            if command.startswith("cd "):
                folder /= command[3:]
                shown.append(f"$ {command}\n")
            else:
                shown.append(f"$ {command}\n{_run(command, folder, variables)}")
    finally:
        _run("jina flow down --all --quiet", base, variables)
        shutil.rmtree(base)
    text = "".join(shown)
    for path, name in (
        (base / "run", "/run/user/1000/jina"),
        (base / "state", "~/.local/state/jina"),
        (folder.parent, "~"),
        (README.parent, "~/jina"),  # a clone of the repository
    ):
        text = text.replace(str(path), name)
    return text


def normal(text: str) -> str:
    """A transcript without what differs from run to run: process ids, times, amounts of memory."""
    for pattern, instead in _VARYING:
        text = re.sub(pattern, instead, text)
    return text


def written() -> str:
    """The transcript in the README."""
    block = README.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    return block.removeprefix("```console\n").removesuffix("```\n")


def without_transcript(text: str) -> str:
    """The README's other parts."""
    before, _, rest = text.partition(BEGIN)
    return before + rest.partition(END)[2]


def _run(command: str, folder: Path, variables: dict[str, str]) -> str:
    """Run a command at a terminal; what is seen at last."""
    ours, theirs = open_terminal(COLUMNS)
    said = b""
    try:
        with subprocess.Popen(
            ["setsid", "--ctty", "bash", "-c", command],
            cwd=folder,
            env=variables,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            while select.select([ours], [], [], _WAIT_S)[0]:
                try:
                    said += os.read(ours, 65536)
                except OSError:  # how Linux says that the other side has closed
                    break
            process.wait(_WAIT_S)
    finally:
        os.close(ours)
    return Screen(said).text


def main() -> None:
    """Write the transcript into the README."""
    text = README.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, "the README has no place for it"
    assert end
    shown = transcript()
    assert "Traceback" not in shown, shown
    README.write_text(f"{before}{BEGIN}```console\n{shown}```\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
