"""What the checker says about values of the wrong kind is said in its own words."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from jina.check import check_executor, check_flow
from jina.config.executor_schema import ExecutorModel, Metas
from jina.config.loader import parse
from jina.config.problems import Problem
from jina.config.schema import FlowModel, FlowOptions, NodeModel
from jina.config.source import Source
from jina.config.tree import Tree
from jina.config.validation import known_keys, validated
from jina.executors.doubts import OF_FLOWS

MODELS: list[type[BaseModel]] = [FlowModel, FlowOptions, NodeModel, ExecutorModel, Metas]
FIELDS = [(model, key) for model in MODELS for key in known_keys(model)]
WRITTEN = [
    *("null", "''", "' '", "text", "'text'", '"a\\nb"', '"a\\0b"', "true", "yes", "on"),
    *("5", "'5'", "-5", "2.5", "1e3", "1e400", "-.inf", ".nan", "0o17", "12:30:45", "2026-01-01"),
    *("9" * 30, "9" * 400, "[]", "[1]", "[null]", "[[a]]", "[{a: 1}]", "[text]"),
    *("{}", "{a: null}", "{a: 1}", "{a: [1]}", "{a: {b: 1}}", "{'': x}", "{float: {float: 1}}"),
]
CIRCLE: dict[str, Any] = {}
CIRCLE.update(uses=CIRCLE, a=CIRCLE)
FROM_PYTHON = [
    *(b"x", datetime.date(2026, 1, 1), ("a",), {"a"}, Path("x"), "\udc80", object(), int),
    *(CIRCLE, {5: "x"}, {None: "x"}, {b"a": 1}, {("a",): 1}, {"a": "\udc80"}, 10**5000, -(10**99)),
]
# How pydantic and Python speak.
FOREIGN = (
    *("Input", "input", "should", "valid", "string", "dictionary", "instance", "pydantic"),
    *(
        "://",
        "Model",
        "Options",
        "Metas",
        "NoneType",
        "[key]",
        ".str",
        ".bool",
        ".map",
        " int",
        "extra",
    ),
)


def assert_our_words(problem: Problem) -> None:
    said = f"{problem.message} {problem.hint}".replace("is the text 'text'", "")
    said = said.replace("extra_search_paths", "")
    assert not [word for word in FOREIGN if word in said], said
    assert len(problem.message) < 300
    if problem.code == "wrong-type":
        assert "; expected " in problem.message
    # What may be mended in one way has its help.
    if problem.code == "wrong-type" and " is nothing;" in problem.message:
        assert problem.hint


@pytest.mark.parametrize(
    ("model", "key"), FIELDS, ids=[f"{model.__name__}.{key}" for model, key in FIELDS]
)
def test_every_wrong_kind_of_value_is_told_once_in_our_words(
    model: type[BaseModel], key: str
) -> None:
    refused = 0
    for written in WRITTEN:
        text = f"{key}: {written}\n"
        tree = parse(Source(text, "f.yml", lines=text.splitlines()))
        problems = validated(model, tree, tree.data)[1]
        for problem in problems:
            assert_our_words(problem)
            assert problem.line == 1
        assert len({problem.path for problem in problems}) == len(problems), problems
        refused += bool(problems)
    for value in FROM_PYTHON:
        tree = Tree(Source(data={key: value}), data={key: value})
        for problem in validated(model, tree, tree.data)[1]:
            assert_our_words(problem)
        refused += 1
    assert refused > len(FROM_PYTHON) + 5


@pytest.mark.parametrize("key", known_keys(NodeModel))
def test_no_wrong_value_of_an_executor_makes_the_check_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for written in WRITTEN:
        report = check_flow(f"jtype: Flow\nexecutors:\n  - {key}: {written}\n")
        assert str(report.problems) is not None


@pytest.mark.parametrize("key", [*known_keys(ExecutorModel), *known_keys(Metas)])
def test_no_wrong_value_of_an_executors_own_yaml_makes_the_check_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for written in WRITTEN:
        place = key if key in known_keys(ExecutorModel) else f"jtype: BaseExecutor\nmetas:\n  {key}"
        check_executor(f"{place}: {written}\n")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "env: {A: {b: 1}}",
            "`env.A` is a map; expected text, a number, true or false",
            "",
        ),
        (
            "env: {'A=B': x}",
            "'A=B' cannot be the name of an environment variable",
            "write `NAME: value`",
        ),
        ('env: {A: "x\\0"}', "`env.A` contains a NUL character", "remove it"),
        (
            "replicas: 1e3",
            "`replicas` is the number 1000.0; expected a whole number",
            "write `1000`",
        ),
        (
            "replicas: .inf",
            "`replicas` is the number .inf; expected a whole number",
            "",
        ),
        (
            "replicas: null",
            "`replicas` is nothing; expected a whole number",
            "leave the key out, or give it a value",
        ),
        (
            f"replicas: {'9' * 400}",
            f"`replicas` is {'9' * 40}… (400 digits); it must be at most 1000",
            "",
        ),
        (
            "name: [enc]",
            "`name` is a list; expected text",
            "write the item alone: `name: enc`",
        ),
        (
            "needs: [a, null]",
            "`needs[1]` is nothing; expected text",
            "remove the empty item, or give it a value",
        ),
        ("'': 1", "the empty text is not a key of an executor", None),
    ],
)
def test_the_words_about_an_executor(text: str, message: str, hint: str | None) -> None:
    tree = parse(Source(text, "f.yml", lines=text.splitlines()))
    problems = validated(NodeModel, tree, tree.data)[1]
    assert [problem.message for problem in problems] == [message]
    assert hint is None or problems[0].hint == hint


@pytest.mark.parametrize(
    ("written", "means"), [("on", "true"), ("'false'", "false"), ("0", "false")]
)
def test_what_stands_for_a_boolean_is_offered(written: str, means: str) -> None:
    text = f"show_progress: {written}"
    tree = parse(Source(text, "f.yml", lines=text.splitlines()))
    (problem,) = validated(FlowOptions, tree, tree.data)[1]
    assert problem.hint == f"write `{means}`"


def test_a_key_that_is_no_text_is_told_where_it_comes_from_python() -> None:
    tree = Tree(Source(data={}), data={"with": {5: 1}})
    (problem,) = validated(ExecutorModel, tree, tree.data)[1]
    assert (problem.message, problem.hint) == ("keys must be text, not the number 5", "write '5'")


def test_keys_that_are_told_to_belong_beside_uses_can_be_there() -> None:
    assert NodeModel.model_fields.keys() >= OF_FLOWS
