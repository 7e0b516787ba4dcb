"""`python -m tests.editor SERVER`: the schema and the modelines, in the eyes of an editor.

It prints a line for each thing that was looked at, and ends with 1 when one is not as it should be.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.editor.server import LanguageServer
from tests.shell import JINA

ROOT = Path(__file__).parents[2]


class Broken(NamedTuple):
    """A file, and what the editor must say about it: line -> words."""

    what: str
    text: str
    says: dict[int, str]


# Line 1 is the modeline.
BROKEN = [
    Broken("flow", "jtype: Flow\nexectors: []\n", {3: "exectors is not allowed"}),
    Broken("flow", "executors:\n  - {name: a, nedes: b}\n", {3: "nedes is not allowed"}),
    Broken("flow", "with: {worksapce: w}\n", {2: "worksapce is not allowed"}),
    Broken("flow", "executors:\n  - replicas: '2'\n", {3: 'Expected "integer"'}),
    Broken("flow", "executors:\n  - replicas: 0\n", {3: "minimum of 1"}),
    Broken("flow", "executors:\n  - method: ad\n", {3: '"add", "needs"'}),
    Broken("flow", "executors:\n  - needs: 3\n", {3: "string | array"}),
    Broken("flow", "executors:\n  - name: a b\n", {3: "Use up to 64 letters"}),
    Broken("flow", "version: '2'\n", {2: "Write `version: '1'`"}),
    Broken("flow", "executors:\n  - uses:\n      wiht: {}\n", {4: "wiht is not allowed"}),
    Broken("flow", "executors:\n  - external: true\n", {3: "Not supported: every executor of a"}),
    Broken("flow", "executors:\n  - gpus: all\n", {3: "It has no meaning here"}),
    Broken("executor", "jtype: A\nwiht: {}\n", {3: "wiht is not allowed"}),
    Broken("executor", "jtype: A\nmetas: {name: 3}\n", {3: 'Expected "string'}),
    Broken("executor", "jtype: A\nrequests: {/x: 1}\n", {3: 'Expected "string'}),
]
SOUND = [
    ("flow", "jtype: Flow\nwith:\nexecutors:\n  - &a {name: a, replicas: $N}\n  - <<: *a\n"),
    ("flow", "pods:\n  - {uses: a.yml, external: false, host: 0.0.0.0, needs: gateway}\n"),
    ("executor", "jtype: A\nwith:\n  x: ${{ ENV.X }}\nrequests: {on: foo}\nmetas: {mine: 1}\n"),
]
# Where the cursor stands, and what is offered there: all of it.
COMPLETIONS = [
    ("flow", "jtype: Flow\n\n", 3, 1, "version name with executors pods"),
    ("flow", "executors:\n  - method: \n", 3, 13, "add needs"),
    (
        *("flow", "with:\n  \n", 3, 3),
        "name workspace env timeout_ready py_modules return_results request_size "
        "continue_on_error show_progress",
    ),
    (
        *("flow", "executors:\n  - name: a\n    \n", 4, 5),
        "method uses uses_with uses_metas uses_requests override_with override_metas "
        "override_requests py_modules needs replicas shards parallel polling uses_before "
        "uses_after disable_reduce no_reduce floating workspace env timeout_ready",
    ),
    (
        *("flow", "executors:\n  - uses:\n      jtype: A\n      \n", 5, 7),
        "with metas requests py_modules",
    ),
    ("executor", "jtype: A\n\n", 3, 1, "with metas requests py_modules"),
    ("executor", "metas:\n  \n", 3, 3, "name description workspace py_modules"),
]


def main(program: str) -> int:
    failed = 0

    def tell(is_well: bool, what: str) -> None:
        nonlocal failed
        failed += not is_well
        print("ok  " if is_well else "FAIL", what)

    with tempfile.TemporaryDirectory() as name, LanguageServer(program, ROOT) as server:
        folder = Path(name)
        for kind in ("flow", "executor"):
            with (folder / f"{kind}.schema.json").open("wb") as file:
                subprocess.run([JINA, "schema", kind], stdout=file, check=True)
        count = 0

        def written(kind: str, text: str) -> Path:
            nonlocal count
            count += 1
            path = folder / f"case{count}.yml"
            path.write_text(f"# yaml-language-server: $schema={kind}.schema.json\n{text}")
            return path

        for path in sorted([*ROOT.glob("flows/*.yml"), *ROOT.glob("executors/*/config.yml")]):
            found = server.opened(path)
            tell(not found, f"{path.relative_to(ROOT)} is clean {found or ''}")
        for kind, text in SOUND:
            found = server.opened(written(kind, text))
            tell(not found, f"{text!r} is clean {found or ''}")
        for case in BROKEN:
            found = server.opened(written(case.what, case.text))
            is_well = len(found) == len(case.says) and all(
                each.line in case.says and case.says[each.line] in each.message for each in found
            )
            tell(is_well, f"{case.text!r}: {[tuple(each) for each in found]}")
        for kind, text, line, column, wanted in COMPLETIONS:
            path = written(kind, text)
            server.opened(path)
            offered = server.completed(path, line, column)
            tell(sorted(offered) == sorted(wanted.split()), f"{text!r} offers {' '.join(offered)}")
        path = written("flow", "executors:\n  - uses: a.yml\n")
        server.opened(path)
        shown = server.hovered(path, 3, 6)
        tell("What runs: path of an Executor's YAML" in shown, "a key is explained")
    print(f"{failed} failed" if failed else "all is well")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
