"""Start interpreters that do nothing but import, all at once, and wait until each is ready.

    python -m tests.bench.rivals.bare_interpreters COUNT MODULE…

Prints {"wall_s": …, "cpu_s": …} as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from tests.bench.measure import cpu_s


def main(count: str, *modules: str) -> None:
    imports = f"import {', '.join(modules)}\n" if modules else ""
    # Each prints that it is ready, then waits for the end of its input.
    program = f"{imports}print('ready', flush=True)\ninput()"
    start = time.perf_counter()
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(int(count))
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    wall = time.perf_counter() - start
    used = sum(cpu_s(child.pid) for child in children)
    for child in children:
        child.communicate(b"\n")
    print(json.dumps({"wall_s": wall, "cpu_s": used}))
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
