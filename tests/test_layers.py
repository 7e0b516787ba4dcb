"""The house's rules about imports, read from the sources themselves."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

# From the top of the house down. A room may import from the layers below its own, and from itself.
LAYERS: list[set[str]] = [
    {"jinacli"},
    {"jina.ray"},
    {"jina.async_flow"},
    {"jina.flow", "jina.check", "jina.trial", "jina.http", "jina.export"},
    {"jina.launch", "jina.client"},
    {"jina.runtime"},
    {"jina.graph"},
    {"jina.config"},
    {"jina.executors", "jina.readers", "jina.writers"},
    {"jina.wire"},
    {"jina.types", "jina.transport"},
    {"jina.records"},
    {
        *("jina.logging", "jina.excepts", "jina.defaults", "jina.enums", "jina.helper"),
        *("jina.names", "jina.suggest", "jina.terminal_text"),
    },
]
# The only imports that may go up, in functions alone: (file, module) -> why.
UPWARD = {
    ("jina/executors/__init__.py", "jina.config.instances"): (
        "`Executor.load_config` and `save_config`, members of the class as in Jina 2, read and"
        " write YAML; a worker imports the class and calls neither, so it never loads `yaml`"
    ),
    ("jina/types/request/__init__.py", "jina.client.response"): (
        "a path of Jina 2 from which published code imports `Response`; nothing of ours does"
    ),
}
# The only files that import each other in a circle; late imports and those for types count too.
CIRCLES = [
    {
        # `Executor.load_config`: the class, what builds it from YAML, what finds its class.
        *("jina.executors", "jina.executors.load"),
        *("jina.config.instances", "jina.config.executors", "jina.config.specs"),
    },
]
# The room in which there are others; tests/test_structure.py bounds them.
WITH_CIRCLES = ("jina.types",)
HEIGHT = {room: -depth for depth, layer in enumerate(LAYERS) for room in layer}

# Each library has one room; whatever else needs it goes through that room.
ROOMS_OF_LIBRARIES = {
    "zmq": "jina.transport",
    "yaml": "jina.config",
    "pydantic": "jina.config",
    "cloudpickle": "jina.executors",
    "orjson": "jina.records",
    "typer": "jinacli",
    "rich": "jinacli",
    "ray": "jina.ray",
    **dict.fromkeys(("starlette", "uvicorn", "httptools", "uvloop", "websockets"), "jina.http"),
}
FORBIDDEN_LIBRARIES = {"pickle", "marshal", "shelve", "dill"}


class Import(NamedTuple):
    """An import statement of one of our files."""

    path: Path
    line: int
    module: str
    is_late: bool  # inside a function
    is_for_types: bool  # under `if TYPE_CHECKING`

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def sources() -> list[Path]:
    return sorted(path for name in ("jina", "jinacli") for path in (ROOT / name).rglob("*.py"))


def imports_of(path: Path, text: str) -> Iterator[Import]:
    package = ".".join(path.relative_to(ROOT).parent.parts)

    def walk(node: ast.AST, is_late: bool, is_for_types: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(path, child.lineno, alias.name, is_late, is_for_types)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    above = package.split(".")[: len(package.split(".")) - child.level + 1]
                    base = ".".join([*above, base]).rstrip(".")
                for alias in child.names:
                    # `from jina.wire import header` imports a module, `… import KINDS` a name
                    module = f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base
                    yield Import(path, child.lineno, module, is_late, is_for_types)
            else:
                yield from walk(
                    child,
                    is_late or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)),
                    is_for_types
                    or (
                        isinstance(child, ast.If)
                        and isinstance(child.test, ast.Name)
                        and child.test.id == "TYPE_CHECKING"
                    ),
                )

    yield from walk(ast.parse(text), False, False)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def room_of(module: str) -> str | None:
    """The room of one of our modules; None for others and for `jina` itself."""
    parts = module.split(".")
    if parts[0] == "jinacli":
        return "jinacli"
    return ".".join(parts[:2]) if parts[0] == "jina" and len(parts) > 1 else None


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def all_imports() -> list[Import]:
    """Of all our files; not at the import, which every process of the tests does."""
    return [found for path in sources() for found in imports_of(path, path.read_text())]


def test_every_room_has_its_layer() -> None:
    rooms = {room_of(module_of(path)) for path in sources()} - {None}
    assert rooms <= set(HEIGHT), "a new room: give it a layer in the architecture and here"


def test_imports_go_downward() -> None:
    """Those inside functions too, but for the ones that are named, with their reasons."""
    wrong = [
        f"{found.place}: {room_of(module_of(found.path))} imports {found.module}"
        for found in all_imports()
        if is_upward(found) and not (found.is_late and named(found) in UPWARD)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_named_exception_is_needed() -> None:
    assert set(UPWARD) == {named(found) for found in all_imports() if is_upward(found)}


def test_no_files_import_each_other_but_the_named_ones() -> None:
    targets: dict[str, set[str]] = {module_of(path): set() for path in sources()}
    for found in all_imports():
        home = module_of(found.path)
        targets[home] |= {found.module} & targets.keys() - {home}
    reached = {module: reachable(module, targets) for module in targets}
    circles = {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in targets
        if module in reached[module] and not module.startswith(WITH_CIRCLES)
    }
    assert circles == {frozenset(circle) for circle in CIRCLES}


def reachable(module: str, targets: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    left = [module]
    while left:
        new = targets[left.pop()] - found
        found |= new
        left += new
    return found


def is_upward(found: Import) -> bool:
    """Whether it imports a room that is not below its own."""
    home, room = room_of(module_of(found.path)), room_of(found.module)
    if home == room or home not in HEIGHT or room not in HEIGHT:
        return False  # a room without a layer is for the test before these
    return HEIGHT[room] >= HEIGHT[home]


def named(found: Import) -> tuple[str, str]:
    return str(found.path.relative_to(ROOT)), found.module


@pytest.mark.parametrize(
    ("home", "line", "goes_up"),
    [
        ("jina/wire/body.py", "from jina import flow", True),
        ("jina/wire/body.py", "from jina.records import columns", False),
        ("jina/records/score.py", "import jina.transport", True),
        ("jina/config/flows.py", "import jina.executors", False),
        ("jina/executors/load.py", "import jina.config", True),
        ("jina/flow.py", "import jina.async_flow", True),
    ],
)
@pytest.mark.parametrize("place", ["{}", "def f():\n    {}"])
def test_the_direction_of_an_import_is_seen_wherever_it_stands(
    home: str, line: str, goes_up: bool, place: str
) -> None:
    (found,) = imports_of(ROOT / home, place.format(line))
    assert is_upward(found) == goes_up


def test_importing_jina_imports_none_of_its_rooms() -> None:
    wrong = [
        found.place
        for found in all_imports()
        if found.path == ROOT / "jina" / "__init__.py"
        and room_of(found.module)
        and not found.is_for_types
    ]
    assert not wrong


def test_an_import_inside_a_function_says_why() -> None:
    """By a comment above it or beside it; in a file, the first import of a room or library does."""
    wrong = []
    explained = set()
    for found in all_imports():
        what = (found.path, room_of(found.module) or found.module.split(".")[0])
        if not found.is_late or what in explained:
            continue
        lines = found.path.read_text().splitlines()
        above = found.line - 2
        # One comment may stand above several imports.
        while not lines[above].strip() or lines[above].lstrip().startswith(("import ", "from ")):
            above -= 1
        if "#" in lines[found.line - 1] or lines[above].lstrip().startswith("#"):
            explained.add(what)
        else:
            wrong.append(f"{found.place}: {found.module}")
    assert not wrong, "\n".join(wrong)


def test_each_library_is_imported_in_its_room_only() -> None:
    wrong = [
        f"{found.place}: {library} belongs to {ROOMS_OF_LIBRARIES[library]}"
        for found in all_imports()
        if (library := found.module.split(".")[0]) in ROOMS_OF_LIBRARIES
        and room_of(module_of(found.path)) != ROOMS_OF_LIBRARIES[library]
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_that_crosses_a_border_is_executed() -> None:
    wrong = [
        f"{found.place}: {found.module}"
        for found in all_imports()
        if found.module.split(".")[0] in FORBIDDEN_LIBRARIES
    ]
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and (what := forbidden_call(node)):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {what}")
    assert not wrong, "\n".join(wrong)


def forbidden_call(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name) and call.func.id in ("eval", "exec"):
        return call.func.id
    if (
        isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "yaml"
        and call.func.attr in ("load", "load_all", "unsafe_load", "full_load")
    ):
        return f"yaml.{call.func.attr}"
    for keyword in call.keywords:
        if (
            keyword.arg in ("shell", "allow_pickle")
            and isinstance(keyword.value, ast.Constant)
            and keyword.value.value is True
        ):
            return f"{keyword.arg}=True"
    return ""


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("eval('1')", "eval"),
        ("yaml.load(stream)", "yaml.load"),
        ("subprocess.run('x', shell=True)", "shell=True"),
        ("np.load(f, allow_pickle=True)", "allow_pickle=True"),
        ("yaml.safe_load(stream)", ""),
        ("subprocess.run(['x'], shell=False)", ""),
    ],
)
def test_the_reader_of_calls_sees_what_it_should(source: str, what: str) -> None:
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    assert forbidden_call(call) == what


def test_the_reader_of_imports_sees_every_form() -> None:
    text = "\n".join(
        [
            "import zmq.utils",
            "from . import maps",
            "from ..records import columns as c",
            "from jina.wire.header import pack_message",
            "if TYPE_CHECKING:",
            "    import numpy",
            "def f():",
            "    from jina import flow",
        ]
    )
    found = [
        (each.module, each.is_late, each.is_for_types)
        for each in imports_of(ROOT / "jina" / "wire" / "body.py", text)
    ]
    assert found == [
        ("zmq.utils", False, False),
        ("jina.wire.maps", False, False),
        ("jina.records.columns", False, False),
        ("jina.wire.header", False, False),
        ("numpy", False, True),
        ("jina.flow", True, False),
    ]


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("jina", {"zmq", "numpy", "msgspec", "pydantic", "yaml", "typer", "rich"}),
        ("jina.runtime.worker", {"yaml", "pydantic", "typer", "rich", "numpy", "cloudpickle"}),
        ("jina.runtime.gateway", {"yaml", "pydantic", "typer", "rich", "numpy", "cloudpickle"}),
        ("jina.client", {"yaml", "pydantic", "typer", "rich", "numpy", "cloudpickle"}),
        (
            "jina.launch.child_supervisor",
            {"yaml", "pydantic", "typer", "rich", "numpy", "cloudpickle"},
        ),
        ("jinacli.post.run", {"yaml", "pydantic", "rich", "numpy", "jina.types", "logging"}),
        ("jinacli.executor.run", {"zmq", "rich", "numpy"}),
    ],
)
def test_importing_loads_only_what_is_needed(module: str, unwanted: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    loaded = set(run.stdout.split())
    assert not unwanted & (loaded | {name.split(".")[0] for name in loaded})
