"""Check data against the models, and say what they find in our words, at its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from jina.config.keys import unknown_key
from jina.config.problems import Problem
from jina.config.scalars import kind, number
from jina.config.tree import DataPath, Tree, path_text
from jina.config.variables import Unresolved
from jina.suggest import near_name

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
# Names that pydantic puts into a location for the branch of a union; they are not in the data.
_BRANCHES = frozenset({"constrained-str", "text", "map", "str", "int", "float", "bool"})
# Keys that accept a single text as a list of one.
_ONE_OR_MANY = frozenset({"needs", "on", "py_modules", "extra_search_paths", "hosts"})
# What people write for a boolean.
_MEANS = {
    **dict.fromkeys(("true", "on", "y", "yes", "1"), "true"),
    **dict.fromkeys(("false", "off", "n", "no", "0"), "false"),
}
_THINGS = {
    "FlowModel": "a Flow",
    "FlowOptions": "a Flow's `with`",
    "NodeModel": "an executor",
    "ExecutorModel": "an Executor",
    "Metas": "metas",
    "RetriesModel": "`retries`",
    "BatchingModel": "dynamic batching",
    "HttpModel": "`http`",
}


def validated(
    model: type[BaseModel], tree: Tree, data: Any, at: DataPath = ()
) -> tuple[BaseModel | None, list[Problem]]:
    """Check data against a model.

    Args:
        model: of `jina.config.schema`.
        tree: where the data comes from.
        data: the value at `at`.
        at: path of the data within the tree.

    Returns:
        the model, or None when there are problems; and those.
    """
    try:
        return model.model_validate(data), []
    except ValidationError as err:
        # Several branches of a union complain about one and the same value.
        found: dict[DataPath, list[Mapping[str, Any]]] = {}
        for error in err.errors(include_url=False, include_context=True):
            if not isinstance(error["input"], Unresolved):
                real = _data_path(_without_branch(error["loc"], error["input"], data), data)
                found.setdefault((*at, *real), []).append(error)
        return None, [_as_problem(tree, path, errors, model, at) for path, errors in found.items()]


def usable(
    model: type[BaseModel], data: Mapping[str, Any]
) -> tuple[BaseModel | None, list[DataPath]]:
    """The part of the data that is right: a check looks further in spite of a mistake.

    Args:
        model: of `jina.config.schema`.
        data: as for `validated`, which reports what is wrong.

    Returns:
        the model of the data without the keys that are wrong, None when nothing can be made of it;
        and the paths of those keys.
    """
    wrong: list[DataPath] = []
    while True:
        try:
            return model.model_validate(data), wrong
        except ValidationError as err:
            found = dict.fromkeys(_data_path(e["loc"], data) for e in err.errors(include_url=False))
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


def _without_branch(loc: tuple[str | int, ...], value: Any, data: Any) -> tuple[str | int, ...]:
    """A location without the branch of a union at its end: the refused value is before it."""
    if not loc or loc[-1] not in _BRANCHES:
        return loc
    try:
        for part in loc[:-1]:
            data = data[part]
    except (LookupError, TypeError):
        return loc
    return loc[:-1] if data is value else loc


def _data_path(loc: tuple[str | int, ...], data: Any) -> DataPath:
    """A pydantic location without the parts that are not keys of the data."""
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


def _as_problem(
    tree: Tree,
    path: DataPath,
    errors: list[Mapping[str, Any]],
    model: type[BaseModel],
    at: DataPath,
) -> Problem:
    """What pydantic says about one value or key."""
    error = errors[0]
    kind_of_error, value = error["type"], error["input"]
    name = f"`{path_text(path)}`" if path else "this"
    if kind_of_error == "extra_forbidden":
        owner = _owner(model, path[len(at) :])
        return unknown_key(tree, path, known_keys(owner), _THINGS.get(owner.__name__, "this map"))
    if kind_of_error == "missing":
        return tree.problem(path[:-1], "missing-key", f"missing key `{path[-1]}`")
    if kind_of_error == "invalid_key" or error["loc"][-1:] == ("[key]",):
        return _bad_key(tree, path, value, kind_of_error)
    if kind_of_error in _EXPECTED:
        return _wrong_type(tree, path, name, value, [e["type"] for e in errors])
    if kind_of_error == "literal_error":
        return _not_among(tree, path, name, value, error)
    return _bad_value(tree, path, name, error)


def _bad_value(tree: Tree, path: DataPath, name: str, error: Mapping[str, Any]) -> Problem:
    """A value of the right type that cannot be used."""
    kind_of_error, value = error["type"], error["input"]
    if kind_of_error in ("greater_than_equal", "less_than_equal"):
        context = error["ctx"]
        word, bound = ("least", context["ge"]) if "ge" in context else ("most", context["le"])
        message = f"{name} is {number(value)}; it must be at {word} {int(bound)}"  # all are whole
        return tree.problem(path, "out-of-range", message)
    if kind_of_error == "string_pattern_mismatch":
        message = f"{name} contains a NUL character"
        return tree.problem(path, "bad-value", message, hint="remove it")
    if kind_of_error in ("no_time", "no_exception", "no_unit"):
        hint = error.get("ctx", {}).get("hint", "")
        message = f"{name} is {kind(value)}; {error['msg']}"
        return tree.problem(path, "bad-value", message, hint=hint)
    if kind_of_error == "string_unicode":
        return tree.problem(
            path, "bad-value", f"{name} is {kind(value)}, which is not Unicode text"
        )
    return tree.problem(path, "bad-value", f"{name} cannot be {kind(value)}")


def _bad_key(tree: Tree, path: DataPath, key: Any, kind_of_error: str) -> Problem:
    if kind_of_error in ("string_pattern_mismatch", "string_unicode"):
        message, hint = (
            f"{key!r} cannot be the name of an environment variable",
            "write `NAME: value`",
        )
    else:
        # Only in Python: in YAML every key is text.
        message, hint = f"keys must be text, not {kind(key)}", f"write {str(key)!r}"
    return tree.problem(path, "bad-value", message, at="key", hint=hint)


def _wrong_type(tree: Tree, path: DataPath, name: str, value: Any, types: list[str]) -> Problem:
    # Of several only a value of `env` is a choice: text and all that becomes one.
    expected = _EXPECTED[types[0]] if len(types) == 1 else "text, a number, true or false"
    if expected == "a list" and path and path[-1] in _ONE_OR_MANY:
        expected = "a name or a list of names"
    hint = _type_hint(tree, path, value, expected)
    message = f"{name} is {kind(value)}; expected {expected}"
    return tree.problem(path, "wrong-type", message, hint=hint)


def _type_hint(tree: Tree, path: DataPath, value: Any, expected: str) -> str:
    """How a value of another type becomes the expected one; empty where nobody can know."""
    last = path[-1] if path else ""
    if value is None:
        thing = "remove the empty item" if isinstance(last, int) else "leave the key out"
        return f"{thing}, or give it a value"
    if expected in ("text", "a name or a list of names") and isinstance(value, int | float):
        # In Python nothing is quoted.
        return "quote it" if tree.source.data is None else "give it as a str"
    if expected == "a whole number":
        return _number_hint(value)
    if expected == "true or false":
        is_like = isinstance(value, str) or value in (0, 1)
        means = _MEANS.get(str(value).lower()) if is_like else None
        return f"write `{means}`" if means else ""
    if "a list" in expected and isinstance(value, dict):
        return "start each item with `- `"
    if expected == "a map" and isinstance(value, list):
        return "write `key: value` lines without `- `"
    if expected == "a map" and isinstance(value, str) and isinstance(last, int):
        return f"write `- uses: {value}` or `- name: {value}`"
    if expected == "text" and isinstance(value, list) and len(value) == 1:
        is_text = isinstance(value[0], str) and isinstance(last, str)
        return f"write the item alone: `{last}: {value[0]}`" if is_text else ""
    return ""


def _number_hint(value: Any) -> str:
    if isinstance(value, str) and value.strip().isdigit():
        return "remove the quotes"
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return f"write `{int(value)}`" if is_whole else ""


def _not_among(
    tree: Tree, path: DataPath, name: str, value: Any, error: Mapping[str, Any]
) -> Problem:
    # 'add' or 'needs', as pydantic says it.
    expected = str(error["ctx"]["expected"]).replace("'", "")
    choices = expected.replace(" or ", ", ").split(", ")
    close = near_name(value, choices) if isinstance(value, str) else ""
    return tree.problem(
        path,
        "bad-value",
        f"{name} is {kind(value)}; expected {expected}",
        hint=f"did you mean {close!r}?" if close else "",
    )


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
