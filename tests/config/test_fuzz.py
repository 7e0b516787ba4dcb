"""Mutated YAML through the checker: whatever comes in, problems come out, never an exception.

`JINA_FUZZ` is the number of mutants; the default is what each run of the suite tries.
"""

from __future__ import annotations

import os
import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina.check import check_executor, check_flow

MUTANTS = int(os.environ.get("JINA_FUZZ", "5000"))
MAX_GROWTH_MIB = 150
SEEDS = [
    "jtype: Flow\nversion: '1'\nwith:\n  workspace: w\n  env: {A: 1}\nexecutors:\n"
    "  - name: a\n    uses: my.yml\n    uses_with: &w {x: 1, y: [1, 2]}\n"
    "  - name: b\n    needs: [a, gateway]\n    uses_with:\n      <<: *w\n      z: ${HOME:-x}\n"
    "  - uses: |\n      !Exec\n      metas:\n        py_modules: exec.py\n    replicas: 2\n",
    "!MyExecutor\nwith:\n  bar: 123\n  deep: {a: [1, {b: '${{ root.with.bar }}'}]}\nmetas:\n"
    "  name: awesomeness\n  py_modules:\n    - exec.py\n  workspace: ${{ this.name }}/w\n"
    "requests:\n  /random_work: foo\n  on: bar\n",
    '{"jtype": "MyExecutor", "with": {"a": [1, 2.5, null, true]}, "requests": {"/x": "y"}}',
]
PIECES = [
    *(
        "[",
        "]",
        "{",
        "}",
        ":",
        ": ",
        "- ",
        "\n",
        "  ",
        "\t",
        "'",
        '"',
        "|\n",
        ">-\n",
        "#",
        "&a ",
        "*a",
    ),
    *(
        "<<: *w",
        "!Tag ",
        "!!int ",
        "!!python/name:os.system ",
        "---\n",
        "...\n",
        "? ",
        "%",
        "@",
        "`",
    ),
    *(
        "$",
        "$$",
        "${",
        "${{",
        "}}",
        "${A",
        "${{ root.executors[0] }}",
        "${{ this.x }}",
        "\x00",
        "\x85",
    ),
    *(
        "\u2028",
        "\ufeff",
        "é",
        "検",
        "\U0001f600",
        "0x",
        "1e999",
        "-.inf",
        "yes",
        "null",
        "~",
        "needs",
    ),
    *(
        "uses: my.yml\n",
        "uses: catalogue://X",
        "name: gateway",
        "jtype: Flow",
        "shards: 3",
        "\\",
        "\r",
    ),
    *(
        "uses: 'jtype: X'",
        "py_modules: ..",
        "workspace: /proc/x",
        "polling: {a: b}",
        "needs: {a: b}",
    ),
]


def mutants(rng: random.Random) -> Iterator[str]:
    while True:
        text = rng.choice(SEEDS)
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(text) + 1)
            length = rng.choice((0, 0, 1, 3, 12))
            kind = rng.random()
            if kind < 0.5:
                middle = rng.choice(PIECES)
            elif kind < 0.7:
                start = rng.randrange(len(text) + 1)
                middle = text[start : start + rng.randint(1, 40)]
            elif kind < 0.8:
                middle = rng.choice(PIECES) * rng.randint(2, 200)
            else:
                middle = ""
            text = text[:at] + middle + text[at + length :]
        yield text


def test_no_mutant_raises_hangs_or_eats_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.yml").write_text("jtype: BaseExecutor\nwith: {a: 1}\n")
    Path("exec.py").write_text("")
    rng = random.Random(int(os.environ.get("JINA_FUZZ_SEED", "1")))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _, text in zip(range(MUTANTS), mutants(rng), strict=False):
        started = time.process_time()
        for check in (check_flow, check_executor):
            Path("mutant.yml").write_text(text, encoding="utf-8", newline="")
            try:
                report = check("mutant.yml", no_import=True)
                "\n".join(map(str, report.problems)).encode()
            except Exception as err:
                raise AssertionError(f"{check.__name__} raised on {text!r}") from err
        assert time.process_time() - started < 3, f"too slow: {text!r}"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MAX_GROWTH_MIB * 1024
