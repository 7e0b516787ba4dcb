"""`jina flow up --on ray --dry-run`: what would travel, and what the cluster is asked for."""

from __future__ import annotations

from tests.shell import Shell

EXECUTOR = """\
from jina import Executor, requests


class Up(Executor):
    @requests
    def up(self, docs, **kwargs):
        ...
"""
FLOW = """\
jtype: Flow
executors:
  - name: mine
    uses: Up
    py_modules: my.py
    env: {LANGUAGE: secret-value}
    replicas: 2
    ray: {num_cpus: 2}
  - name: upper
    uses: catalogue://UpperCase
"""


def test_nothing_is_needed_to_see_what_would_travel(shell: Shell) -> None:
    shell.write("my.py", EXECUTOR)
    shell.write(".gitignore", "*.log\n")
    shell.write("left.log", "not sent")
    done = shell.call("flow", "up", str(shell.write("flow.yml", FLOW)), "--on", "ray", "--dry-run")
    assert done.code == 0, done.err
    rows = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "mine 2 2 CPU 3 318 bytes" in rows
    assert any(row.startswith("upper 1 1 CPU 3 ") for row in rows)  # of the catalogue
    assert any("my.py 118 bytes for mine" in row for row in rows)
    assert not any("left.log" in row or "secret-value" in row for row in rows)
    assert shell.directories() == []
