"""Mutated YAML through the checker: whatever comes in, problems come out, never an exception.

`JINA_FUZZ` is the number of mutants; the default is what each run of the suite tries.
`JINA_FUZZ_SEED` picks others.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from jina.check import check_executor, check_flow
from jina.config.loader import parse
from jina.config.reference import json_schema
from jina.config.source import Source, open_source
from tests.config.mutants import mutants, write_neighbours

MUTANTS = int(os.environ.get("JINA_FUZZ", "5000"))
SEED = os.environ.get("JINA_FUZZ_SEED", "1")
MAX_MIB = 300
ROOT = Path(__file__).parents[2]


def test_no_mutant_raises_hangs_or_eats_memory(tmp_path: Path) -> None:
    """In a process of its own, whose memory nothing else has grown."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.config.mutants", str(MUTANTS), SEED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60 + MUTANTS / 50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["mutants"] == MUTANTS >= 5000
    assert found["peak_mib"] < MAX_MIB


def test_the_schema_refuses_no_mutant_that_the_checker_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor must not complain about what runs."""
    monkeypatch.chdir(tmp_path)
    write_neighbours()
    validators = [
        (check_flow, jsonschema.Draft7Validator(json_schema("flow"))),
        (check_executor, jsonschema.Draft7Validator(json_schema("executor"))),
    ]
    accepted = 0
    for _, text in zip(range(1000), mutants(random.Random(SEED)), strict=False):
        Path("mutant.yml").write_text(text, encoding="utf-8", newline="")
        for check, validator in validators:
            if check("mutant.yml", no_import=True).errors:
                continue
            source = open_source("mutant.yml", what="Flow")
            assert isinstance(source, Source)
            complaints = [error.message for error in validator.iter_errors(parse(source).data)]
            assert not complaints, text
            accepted += 1
    assert accepted > 30
