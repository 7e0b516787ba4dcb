"""`jina flow ps`: which Flows run, where, and which cannot be seen."""

from __future__ import annotations

import os
import re

from jina.launch.threads import VARIABLES, usable_cores
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
        done = shell.fork("flow", "up", f"{folder}/flow[x].yml", "--detach")
        assert done.code == 0, done.err
    try:
        table = shell.ps_table()
        assert table[0].split()[-1] == "file"
        assert {line.split()[-1] for line in table[1:]} == {"a/flow[x].yml", "b/flow[x].yml"}
        done = shell.call("post", "/", "--text", "x")
        assert done.code == 4
        assert "2 Flows are running: a/flow[x].yml, b/flow[x].yml\n" in done.err
        assert shell.fork("post", "/", "--text", "x", "--flow", "b/flow[x].yml").code == 0
        for arguments in ((), (shell.ps()[0]["name"],)):
            done = shell.call("flow", "down", *arguments)
            assert done.code == 4
            assert "/flow[x].yml\nhelp: " in done.err
        assert len(shell.ps()) == 2
        assert shell.call("flow", "down", "a/flow[x].yml").code == 0
        assert [flow["file"] for flow in shell.ps()] == [str(shell.folder / "b/flow[x].yml")]
    finally:
        assert shell.call("flow", "down", "--all").code == 0


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
        (line,) = shell.call("post", "/", "--text", "x").lines
        assert line["tags"]["seen"] in ("0", "1")


def test_workers_share_the_cores_and_ps_shows_it(shell: Shell) -> None:
    """The variables are there before anything is imported; new replicas get their share too."""
    shell.write(
        "sees.py",
        "import os\nSEEN = {name: os.environ.get(name) for name in os.environ if 'THREADS' in name}"
        "\nfrom jina import Executor, requests\n"
        "class Sees(Executor):\n    @requests\n    def see(self, docs, **kwargs):\n"
        "        docs[0].tags[self.runtime_args.name] = SEEN\n",
    )
    shell.write(
        "flow.yml",
        "with: {threads: 5}\nexecutors:\n  - {name: flows, uses: 'sees.py:Sees'}\n"
        "  - {name: own, uses: 'sees.py:Sees', threads: 3, env: {MKL_NUM_THREADS: 1}}\n",
    )
    for name in VARIABLES:
        shell.environment.pop(name, None)
    with shell.up("flow.yml"):
        (line,) = shell.call("post", "/", "--text", "x").lines
        five = dict.fromkeys(VARIABLES, "5")
        three = dict.fromkeys(VARIABLES, "3")
        assert line["tags"] == {"flows": five, "own": {**three, "MKL_NUM_THREADS": "1"}}
        assert "threads" not in shell.ps_table()[0]
        table = shell.call("flow", "ps", "-v").out.splitlines()
        rows = [row.split() for row in table]
        assert rows[0][-3:] == ["threads", "python", "file"]
        assert (rows[1][-3], rows[2][-2]) == ("5", "3")
    shell.write("flow.yml", "executors:\n  - {name: it, uses: 'sees.py:Sees'}\n")
    with shell.up("flow.yml"):
        assert shell.call("flow", "scale", "it=2").code == 0
        (flow,) = shell.ps()
        cores = usable_cores()
        # The first one has begun with all of them, and keeps them until it is restarted.
        assert [each["threads"] for each in flow["workers"]] == [cores, max(1, cores // 2)]
        assert shell.call("flow", "restart").code == 0
        (flow,) = shell.ps()
        assert [each["threads"] for each in flow["workers"]] == [max(1, cores // 2)] * 2
