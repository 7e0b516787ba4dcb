"""Groundtruths beside Documents: from JSON lines through two processes to `groundtruths`."""

from __future__ import annotations

from tests.shell import Shell

MODULE = """\
from jina import Executor, requests


class Judge(Executor):
    @requests
    def judge(self, docs, groundtruths=None, **kwargs):
        for doc, truth in zip(docs, groundtruths or ()):
            doc.evaluations["same"] = doc.text == truth.text
        if groundtruths is None:
            docs[0].tags["truths"] = None


class Again(Judge):
    @requests
    def again(self, docs, groundtruths=None, **kwargs):
        for doc, truth in zip(docs, groundtruths or ()):
            doc.tags["truth"] = truth.text
"""

FLOW = """\
jtype: Flow
executors:
  - uses: {jtype: Judge, metas: {py_modules: [judge.py]}}
  - uses: {jtype: Again, metas: {py_modules: [judge.py]}}
"""

PAIRS = """\
{"document": {"id": "a", "text": "x"}, "groundtruth": {"text": "x"}}
{"groundtruth": {"text": "y"}, "document": {"id": "b", "text": "x"}}
{"id": "c", "text": "x"}
{"document": {"id": "d", "text": 5}, "groundtruth": {}}
{"document": {"id": "e", "text": "x"}, "groundtruth": {"text": "x"}}
"""


def test_pairs_of_lines_reach_the_method_in_order_and_a_bad_one_is_alone(shell: Shell) -> None:
    """A line without a groundtruth, among others with one, has an empty one; so rows stay rows."""
    shell.write("judge.py", MODULE)
    shell.write("flow.yml", FLOW)
    shell.write("pairs.jsonl", PAIRS)
    done = shell.fork("post", "/", "--flow", "flow.yml", "--inputs", "pairs.jsonl")
    assert done.code == 3, done.err
    a, b, c, d, e = done.lines
    assert [line["id"] for line in (a, b, c, e)] == ["a", "b", "c", "e"]
    assert [line["tags"]["truth"] for line in (a, b, c, e)] == ["x", "y", "", "x"]
    assert d["error"]["message"] == "pairs.jsonl:4: `text` is an int, expected text"
    assert [line["evaluations"]["same"]["value"] for line in (a, b, e)] == [1.0, 0.0, 1.0]
    shell.write("plain.jsonl", '{"id": "p"}\n')
    done = shell.fork("post", "/", "--flow", "flow.yml", "--inputs", "plain.jsonl")
    assert done.lines == [{"id": "p", "tags": {"truths": None}}]
