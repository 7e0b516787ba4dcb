"""Findings of the models, told as problems at their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from jina.config.near import near_name
from jina.config.problems import Problem
from jina.config.scalars import kind
from jina.config.tree import DataPath, Tree, shown
from jina.config.variables import Unresolved

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}
# Names that pydantic puts into a location for the branch of a union; no part of the data.
_BRANCHES = frozenset({"text", "map", "str", "int", "float", "bool"})
# Keys that take a single text for a list of one.
_ONE_OR_MANY = frozenset({"needs", "py_modules"})
_THINGS = {
    "FlowModel": "a Flow",
    "FlowOptions": "a Flow's `with`",
    "NodeModel": "an executor",
    "ExecutorModel": "an Executor",
    "Metas": "metas",
}


def validated(
    model: type[BaseModel], tree: Tree, data: Any, at: DataPath = ()
) -> tuple[BaseModel | None, list[Problem]]:
    """Check data against a model.

    Args:
        model: of `jina.config.schema`.
        tree: where the data comes from.
        data: what stands at `at`.
        at: path of the data within the tree.

    Returns:
        the model, or None when there are problems; and those.
    """
    try:
        return model.model_validate(data), []
    except ValidationError as err:
        problems: dict[tuple[DataPath, str], Problem] = {}
        for error in err.errors(include_url=False, include_context=True):
            path = (*at, *_real(error["loc"], data))
            if isinstance(error["input"], Unresolved):
                continue
            problem = _told(tree, path, error, model, at)
            # Several branches of a union complain about one and the same value.
            problems.setdefault((path, problem.code), problem)
        return None, list(problems.values())


def usable(
    model: type[BaseModel], data: Mapping[str, Any]
) -> tuple[BaseModel | None, list[DataPath]]:
    """What is right about data: everything is said at once, so it is followed all the same.

    Args:
        model: of `jina.config.schema`.
        data: as for `validated`, which says what is wrong.

    Returns:
        the model of the data without the keys that are wrong, None when nothing can be made of it;
        and the paths of those keys.
    """
    wrong: list[DataPath] = []
    while True:
        try:
            return model.model_validate(data), wrong
        except ValidationError as err:
            found = dict.fromkeys(_real(e["loc"], data) for e in err.errors(include_url=False))
            known = set(wrong)
            paths = [path for path in found if path and path not in known]
            if not paths:
                return None, wrong
            data = _without(data, paths)
            wrong += paths


def _without(data: Mapping[str, Any], paths: Iterable[DataPath]) -> dict[str, Any]:
    """The data without the innermost map's key of each path; each map is copied once."""
    inner: dict[str, list[DataPath]] = {}
    for path in paths:
        inner.setdefault(str(path[0]), []).append(path[1:])
    kept = {key: value for key, value in data.items() if key not in inner}
    for key, rests in inner.items():
        value = data.get(key)
        if all(rests) and isinstance(value, Mapping):
            kept[key] = _without(value, rests)
    return kept


def _real(loc: tuple[str | int, ...], data: Any) -> DataPath:
    """A pydantic location without the parts that are no keys of the data."""
    path: list[str | int] = []
    for n, part in enumerate(loc):
        is_last = n == len(loc) - 1
        if isinstance(data, Mapping):
            if part == "[key]":
                continue
            if part in data or is_last:
                path.append(part)
                data = data.get(part)
            elif part not in _BRANCHES:
                path.append(part)
                data = None
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            path.append(part)
            data = data[part]
        elif isinstance(part, str) and part not in _BRANCHES and not part.startswith("function"):
            path.append(part)
    return tuple(path)


def _told(
    tree: Tree, path: DataPath, error: Mapping[str, Any], model: type[BaseModel], at: DataPath
) -> Problem:
    kind_of_error, value = error["type"], error["input"]
    name = f"`{shown(path)}`" if path else "this"
    if kind_of_error == "extra_forbidden":
        owner = _owner(model, path[len(at) :])
        return unknown_key(tree, path, known_keys(owner), _THINGS.get(owner.__name__, "this map"))
    if kind_of_error == "missing":
        return tree.problem(path[:-1], "missing-key", f"the key `{path[-1]}` is missing here")
    if kind_of_error in _EXPECTED:
        expected = _EXPECTED[kind_of_error]
        hint = ""
        # In Python nothing is quoted.
        quote = "quote it" if tree.source.data is None else "give it as a str"
        if expected == "a list" and path and path[-1] in _ONE_OR_MANY:
            expected = "a name or a list of names"
            if isinstance(value, int | float):
                hint = quote
        if expected == "text" and isinstance(value, int | float | bool):
            hint = quote
        elif expected == "a whole number" and isinstance(value, str) and value.strip().isdigit():
            hint = "remove the quotes"
        elif "a list" in expected and isinstance(value, dict):
            hint = "begin each item with `- `"
        elif expected == "a map" and isinstance(value, list):
            hint = "write `key: value` lines without `- `"
        elif expected == "a map" and isinstance(value, str) and isinstance(path[-1], int):
            hint = f"write `- uses: {value}` or `- name: {value}`"
        return tree.problem(
            path, "wrong-type", f"{name} is {kind(value)}; expected {expected}", hint=hint
        )
    if kind_of_error == "literal_error":
        return _not_among(tree, path, name, value, error)
    if kind_of_error == "string_pattern_mismatch":
        return tree.problem(
            path,
            "bad-value",
            f"{value!r} cannot name an environment variable",
            at="key",
            hint="write `NAME: value`",
        )
    if kind_of_error in ("greater_than_equal", "less_than_equal"):
        context = error["ctx"]
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        return tree.problem(path, "out-of-range", f"{name} is {value}; it must be {bound}")
    return tree.problem(path, "bad-value", f"{name}: {error['msg'].lower()}, got {kind(value)}")


def _not_among(
    tree: Tree, path: DataPath, name: str, value: Any, error: Mapping[str, Any]
) -> Problem:
    # 'add' or 'needs', as pydantic says it.
    expected = str(error["ctx"]["expected"]).replace("'", "")
    choices = expected.replace(" or ", ", ").split(", ")
    close = near_name(str(value), choices)
    return tree.problem(
        path,
        "bad-value",
        f"{name} is {kind(value)}; expected {expected}",
        hint=f"did you mean {close!r}?" if close else "",
    )


def unknown_key(tree: Tree, path: DataPath, known: Iterable[str], thing: str) -> Problem:
    """A key that nobody reads, with the near one or all there are."""
    key = str(path[-1])
    names = sorted(known)
    close = near_key(key, names)
    hint = f"did you mean `{close}`?" if close else f"the keys are: {', '.join(names)}"
    return tree.problem(path, "unknown-key", f"`{key}` is no key of {thing}", at="key", hint=hint)


def near_key(key: str, known: Iterable[str]) -> str:
    """The known key that an unknown one may mean; empty when there is none."""
    # A dash for an underscore, a plural or a letter more are what people type.
    return near_name(key.replace("-", "_").lower(), sorted(known))


def known_keys(model: type[BaseModel]) -> list[str]:
    """The keys of a model as they are written in YAML."""
    return [info.alias or name for name, info in model.model_fields.items()]


def _owner(model: type[BaseModel], path: DataPath) -> type[BaseModel]:
    """The model inside `model` that a key at a path belongs to."""
    owner = model
    for part in path[:-1]:
        if isinstance(part, int):
            continue
        for name, info in owner.model_fields.items():
            if (info.alias or name) == part:
                inner = _model_in(info.annotation)
                owner = inner or owner
    return owner


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The first model inside a type such as `list[NodeModel] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found is not None:
            return found
    return None
