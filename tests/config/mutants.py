"""Damaged YAML, and a program that puts it through the checker.

    python -m tests.config.mutants COUNT SEED

works in the current folder, and prints as JSON how many MiB it ever held. It ends with the mutant
that raised, or with where it stood when one took more than `SLOW_S`.
"""

from __future__ import annotations

import faulthandler
import json
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from jina.check import check_executor, check_flow

SLOW_S = 30
SEEDS = [
    "jtype: Flow\nversion: '1'\nwith:\n  workspace: w\n  env: {A: 1}\nexecutors:\n"
    "  - name: a\n    uses: my.yml\n    uses_with: &w {x: 1, y: [1, 2]}\n"
    "  - name: b\n    needs: [a, gateway]\n    uses_with:\n      <<: *w\n      z: ${HOME:-x}\n"
    "  - uses: |\n      !Exec\n      metas:\n        py_modules: exec.py\n    replicas: 2\n",
    "!MyExecutor\nwith:\n  bar: 123\n  deep: {a: [1, {b: '${{ root.with.bar }}'}]}\nmetas:\n"
    "  name: awesomeness\n  py_modules:\n    - exec.py\n  workspace: ${{ this.name }}/w\n"
    "requests:\n  /random_work: foo\n  on: bar\n",
    '{"jtype": "MyExecutor", "with": {"a": [1, 2.5, null, true]}, '
    '"requests": {"/x": "foo"}, "py_modules": "exec.py"}',
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


def write_neighbours() -> None:
    """The files that the seeds name, in the current folder."""
    Path("my.yml").write_text("jtype: BaseExecutor\nwith: {a: 1}\n")
    Path("exec.py").write_text(
        "from jina import Executor\n\n\nclass MyExecutor(Executor):\n    def foo(self, docs): ...\n"
    )


def main(count: int, seed: int) -> int:
    """Check so many mutants; every tenth with its imports."""
    write_neighbours()
    # Not by `dump_traceback_later`: a thread for each of them takes longer than the check.
    faulthandler.register(signal.SIGALRM, chain=True)  # it says where, and then that ends it
    rng = random.Random(seed)
    file = Path("mutant.yml")
    for n, text in zip(range(count), mutants(rng), strict=False):
        file.write_text(text, encoding="utf-8", newline="")
        for check in (check_flow, check_executor):
            signal.setitimer(signal.ITIMER_REAL, SLOW_S)
            try:
                report = check(str(file), no_import=n % 10 > 0)
                "\n".join(map(str, report.problems)).encode()
            except Exception:
                print(f"{check.__name__} raised on {text!r}", file=sys.stderr)
                raise
    print(json.dumps({"mutants": count, "peak_mib": _peak_kib() / 1024}))
    return 0


def _peak_kib() -> int:
    """The most memory of this process; what getrusage says begins with that of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
