"""A Flow with `docker://` on a machine without docker and podman."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell import Shell

_SAID = """\
flow.yml:3:11: error[unfit-container]: a container needs docker or podman; neither is on $PATH
  3 |   - uses: docker://encoder:1
    |           ^^^^^^^^^^^^^^^^^^
help: install docker or podman, or name the program in JINA_CONTAINER_ENGINE; without containers, \
use the Executor's YAML file
"""


@pytest.mark.parametrize("words", [["flow", "check"], ["flow", "up"], ["post", "/", "--flow"]])
def test_the_line_of_the_yaml_is_named(shell: Shell, tmp_path: Path, words: list[str]) -> None:
    shell.write("flow.yml", "jtype: Flow\nexecutors:\n  - uses: docker://encoder:1\n")
    done = shell.fork(*words, "flow.yml", PATH=str(tmp_path))
    assert done.code == 1
    assert _SAID in done.out + done.err
    assert shell.fork("flow", "check", "--no-import", "flow.yml", PATH=str(tmp_path)).code == 0
