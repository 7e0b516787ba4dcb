"""No mistake in YAML is told in the terms of the parser, and each says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jina.config.executors import read_executor

# fmt: off
BROKEN = [
    "a: [", "a: {", "a: [}", "a: {]", "a: ]", "a: }", "a: [,]", "a: {,}", "a: - b", "- a\nb: c",
    "a: b\n- c", "a: b\n c: d", "a:\n  b: 1\n c: 2", "a: 'x", 'a: "\\q"', 'a: "\\xzz"',
    'a: "\\ud800"', "a: &", "a: *", "a: *x", "a: & b", "a: !<", "a: !<x", "a: !x!y z", "a: !a{b",
    "a: !<%zz>", "a: |0\n x", "a: |x\n y", "a: >\n\t x\n", "a: @x", "a: `x", "a: %x", "%FOO",
    "%YAML 1.1\n%YAML 1.1\n--- a", "%YAML 3.0\n---\na: 1", "%YAML x\n---\n", "%TAG ! x",
    "%TAG !a", "%", "a: b: c", "a\n: b", "- a\n-b\n- c", "a: 'b' c", "a: [b] c", "a: 1\nb", "{a: b",
    "[a, b", "{a: b}}", "[a]]", "[a]\nb: c", "'a\n---\n'", "a: &x 1\nb: &x 2", "a:\n\t- b",
    "a:\t\tb\n\tc: d", "\ta: b", "- - a\n - b", "a:\n - b\n c", "a: !x !y z", '"a" b: c',
]
# fmt: on
PARSERS = re.compile(r"\b(flow|block|scalar|node|token|stream|indicator|scanning|context|found)\b")


@pytest.mark.parametrize("text", BROKEN)
def test_a_mistake_is_told_plainly(text: str, tmp_path: Path) -> None:
    path = tmp_path / "my.yml"
    path.write_text(text)
    (problem, *_) = read_executor(path).problems
    assert problem.code in ("yaml-syntax", "yaml-tag"), problem
    assert not PARSERS.search(problem.message), problem.message
    assert problem.hint
    assert problem.hint != "check the YAML around this place"
    assert re.fullmatch(rf"{re.escape(str(path))}:[1-9]\d*:[1-9]\d*", problem.place)
