"""`jina schema`, the schemas that lie beside the catalogue, and the modelines that name them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from jina.config.reference import json_schema
from tests.shell import Shell

ROOT = Path(__file__).parents[2]
FILES = {
    "flow": ROOT / "flows" / "flow.schema.json",
    "executor": ROOT / "executors" / "executor.schema.json",
}
CATALOGUE = {
    "flow": sorted((ROOT / "flows").glob("*.yml")),
    "executor": sorted((ROOT / "executors").glob("*/config.yml")),
}


@pytest.mark.parametrize("what", ["flow", "executor"])
def test_it_prints_the_schema_and_the_file_in_the_catalogue_is_the_same(
    shell: Shell, what: str
) -> None:
    """Write it with `jina schema flow > flows/flow.schema.json`, and likewise for executor."""
    done = shell.call("schema", what)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert done.out == FILES[what].read_text()


def test_another_word_is_wrong_usage(shell: Shell) -> None:
    done = shell.call("schema", "pod")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith('error: WHAT: must be flow or executor, not "pod"\n')


@pytest.mark.parametrize("what", ["flow", "executor"])
def test_the_first_line_of_every_yaml_of_the_catalogue_leads_an_editor_to_its_schema(
    what: str,
) -> None:
    assert CATALOGUE[what]
    for path in CATALOGUE[what]:
        found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
        assert found, path
        assert (path.parent / found[1]).resolve() == FILES[what]


def problems(what: Any, text: str) -> list[str]:
    """What an independent validator says."""
    validator = jsonschema.Draft7Validator(json_schema(what))
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize("what", ["flow", "executor"])
def test_an_independent_validator_accepts_the_catalogue(what: str) -> None:
    for path in CATALOGUE[what]:
        assert problems(what, path.read_text()) == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("executor", "jtpye: X\n"),
        ("executor", "jtype: X\nwiht: {a: 1}\n"),
        ("executor", "jtype: 5\n"),
        ("executor", "jtype: X\nmetas: {name: 5}\n"),
        ("executor", "jtype: X\nrequests: {/index: 5}\n"),
        ("executor", "jtype: X\nmetas: {py_modules: {a: b}}\n"),
        ("flow", "jtype: Flow\nexecutors: {}\n"),
        ("flow", "jtype: Flow\nexecutors: [{repliacs: 2}]\n"),
        ("flow", "jtype: Flow\nexecutors: [{replicas: '2'}]\n"),
        ("flow", "jtype: Flow\nexecutors: [{uses: {jtpye: X}}]\n"),
    ],
)
def test_an_independent_validator_refuses_what_is_broken(what: str, text: str) -> None:
    assert problems(what, text)
