"""Lines that no worker wrote: the client does."""

from __future__ import annotations

import pytest

from tests.shell import Shell

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("executors", "texts"),
    [
        (["Upper, needs: gateway", "Status, needs: gateway"], ["A", "a", None]),
        (["Upper, floating: true"], ["a", None]),
    ],
)
def test_what_came_back_as_it_was_is_read_and_written(
    shell: Shell, executors: list[str], texts: list[str | None]
) -> None:
    """Part of the answer is the request itself, whose lines may have no ids, or be none."""
    with shell.up(shell.flow(*executors)):
        done = shell.call("post", "/x", stdin='{"text": "a"}\nnope\n')
    assert (done.code, [line.get("text") for line in done.lines]) == (3, texts), done.err
    assert all(line["id"] for line in done.lines)
    assert done.lines[-1]["error"]["message"].startswith("<stdin>:2: not JSON")
