"""`jina flow ps`: which Flows run, where, and which cannot be seen."""

from __future__ import annotations

import os
import re

from tests.jinacli.post.test_output import on_terminal
from tests.shell import JINA, Shell


def test_ps_cuts_nothing_off_on_a_narrow_terminal(shell: Shell) -> None:
    text = shell.flow("Upper").read_text()
    (shell.folder / "one-of-several-folders").mkdir()
    shell.write("one-of-several-folders/flow.yml", text)
    with shell.up("one-of-several-folders/flow.yml"):
        shell.environment["COLUMNS"] = "40"
        table = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(shell, "flow", "ps"))
        lines = table.split("\r\n")
        assert max(map(len, lines)) <= 40
        cells = [line.split() for line in lines]
        assert ["worker", "upper/0"] in cells
        assert ["pid", str(shell.workers()["upper/0"])] in cells
        place = next(n for n, cell in enumerate(cells) if cell[:1] == ["file"])
        rest = [cells[place][1], *(cell[0] for cell in cells[place + 1 :] if cell)]
        assert "".join(rest) == "one-of-several-folders/flow.yml"
        assert shell.ps_table()[1].split()[-1] == "one-of-several-folders/flow.yml"


def test_ps_shows_files_and_no_mark_up(shell: Shell) -> None:
    """Two Flows of one name are told apart; a name in brackets is a name."""
    for folder in ("a", "b"):
        (shell.folder / folder).mkdir()
        text = shell.flow("Upper").read_text()
        shell.write(f"{folder}/flow[x].yml", text)
        done = shell.run("flow", "up", f"{folder}/flow[x].yml", "--detach")
        assert done.code == 0, done.err
    try:
        table = shell.ps_table()
        assert table[0].split()[-1] == "file"
        assert {line.split()[-1] for line in table[1:]} == {"a/flow[x].yml", "b/flow[x].yml"}
        done = shell.run("post", "/", "--text", "x")
        assert done.code == 4
        assert "2 Flows are running: a/flow[x].yml, b/flow[x].yml\n" in done.err
        assert shell.run("post", "/", "--text", "x", "--flow", "b/flow[x].yml").code == 0
        for arguments in ((), (shell.ps()[0]["name"],)):
            done = shell.run("flow", "down", *arguments)
            assert done.code == 4
            assert "/flow[x].yml\nhelp: " in done.err
        assert len(shell.ps()) == 2
        assert shell.run("flow", "down", "a/flow[x].yml").code == 0
        assert [flow["file"] for flow in shell.ps()] == [str(shell.folder / "b/flow[x].yml")]
    finally:
        assert shell.run("flow", "down", "--all").code == 0


def test_flows_that_cannot_be_seen_are_not_called_none(shell: Shell) -> None:
    shell.run_dir.mkdir(exist_ok=True)
    shell.run_dir.chmod(0)
    powerless = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all") * (os.getuid() == 0)
    with shell.start("flow", "ps", program=(*powerless, JINA)) as running:
        done = running.end()
    shell.run_dir.chmod(0o700)
    assert done == (
        1,
        "",
        f"error: {shell.run_dir}: cannot list the running Flows: Permission denied\n"
        f"help: `chmod 700 {shell.run_dir}`, or set JINA_RUN_DIR to another folder\n",
    )


def test_ps_shows_the_gpus_that_each_worker_got(shell: Shell) -> None:
    shell.write(
        "sees.py",
        "import os\nSEEN = os.environ.get('CUDA_VISIBLE_DEVICES')\n"
        "from jina import Executor, requests\n"
        "class Sees(Executor):\n    @requests\n    def see(self, docs, **kwargs):\n"
        "        docs[0].tags['seen'] = SEEN\n",
    )
    shell.write(
        "flow.yml",
        "executors:\n  - {name: a, uses: 'sees.py:Sees', replicas: 3,"
        " env: {CUDA_VISIBLE_DEVICES: RR}}\n  - {name: plain}\n",
    )
    shell.environment["CUDA_TOTAL_DEVICES"] = "2"
    with shell.up("flow.yml"):
        (flow,) = shell.ps()
        got = {f"{each['node']}/{each['replica']}": each["devices"] for each in flow["workers"]}
        assert got == {"a/0": "0", "a/1": "1", "a/2": "0", "plain/0": ""}
        table = shell.ps_table()
        assert table[0].split()[-2:] == ["GPU", "file"]
        (line,) = shell.run("post", "/", "--text", "x").lines
        assert line["tags"]["seen"] in ("0", "1")
