"""The JSON Schema and docs/yaml.md, both from the models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina.config.loader import parse
from jina.config.reference import DRAFT_07, json_schema, markdown
from jina.config.source import Source, open_source

ROOT = Path(__file__).parents[2]
FLOWS = sorted((ROOT / "flows").glob("*.yml"))
EXECUTORS = sorted((ROOT / "executors").glob("*/config.yml"))


def data_of(source: Any) -> Any:
    opened = open_source(source, what="Flow")
    assert isinstance(opened, Source)
    return parse(opened).data


def is_valid(data: Any, what: Any) -> bool:
    """By a validator that is not ours."""
    jsonschema = pytest.importorskip("jsonschema", reason="the independent validator")
    schema = json_schema(what)
    jsonschema.Draft7Validator.check_schema(schema)
    return bool(jsonschema.Draft7Validator(schema).is_valid(data))


def test_the_page_is_the_one_that_is_committed() -> None:
    """Write it with `python -m jina.config.reference > docs/yaml.md`."""
    assert (ROOT / "docs" / "yaml.md").read_text() == markdown()


def test_the_schema_is_draft_07() -> None:
    for what in ("flow", "executor"):
        text = str(json_schema(what))  # type: ignore[arg-type]
        assert DRAFT_07 in text
        assert "$defs" not in text


def test_the_catalogue_is_there() -> None:
    assert FLOWS
    assert EXECUTORS


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.name)
def test_every_flow_of_the_catalogue_is_valid(path: Path) -> None:
    assert is_valid(data_of(path), "flow")


@pytest.mark.parametrize("path", EXECUTORS, ids=lambda path: path.parent.name)
def test_every_executor_of_the_catalogue_is_valid(path: Path) -> None:
    assert is_valid(data_of(path), "executor")


@pytest.mark.parametrize(
    "text",
    [
        "jtype: Flow\nexecutors:\n  - {name: a, uses: my.yml, needs: gateway}\n",
        "jtype: Flow\nwith:\nexecutors:\n",
        "pods:\n  - uses: {jtype: X, with: {a: 1}, metas: , requests: {/x: y}}\n",
        "executors:\n  - {replicas: '${N}', needs: [a, b], env: {A: 1, B: x}}\n",
        "with: {port_expose: 5}\nexecutors:\n  - {timeout_ctrl: 5}\n",
        "with: {protocol: HTTP, port: [0], expose_endpoints: {/a: {methods: [GET]}}}\n"
        "http: {max_body: 64MiB, max_waiting_bytes: 5, timeout: 60s, hosts: a, workers: $N}\n",
        "x-w: &w {a: 1}\nwith: {inspect: remove}\nexecutors: [{method: inspect, with: {a: 1}}]\n",
    ],
)
def test_what_the_checker_accepts_is_valid(text: str) -> None:
    assert is_valid(data_of(text), "flow")


@pytest.mark.parametrize(
    "text",
    [
        "exectors: []\n",
        "jtype: Flwo\n",
        "executors: {a: {}}\n",
        "executors: [{nedes: a}]\n",
        "executors: [{replicas: two}]\n",
        "executors: [{replicas: 0}]\n",
        "executors: [{name: 5}]\n",
        "executors: [{method: join}]\n",
        "with: {replicas: 2}\n",
        "executors: [{uses: {wiht: {}}}]\n",
        "executors: [{external: maybe}]\n",
        "executors: [{deployment: a}]\n",
        "with: {worksapce: x}\n",
        "http: {workrs: 2}\n",
        "http: {api: 4}\n",
        "with: {port_expose: 65536}\n",
    ],
)
def test_what_the_checker_refuses_is_invalid(text: str) -> None:
    assert not is_valid(data_of(text), "flow")
