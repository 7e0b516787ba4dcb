"""Which values complete which option or argument."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jina.names import DEFAULT_ENDPOINT

if TYPE_CHECKING:
    from typer._click import Context, Parameter
    from typer._click.shell_completion import CompletionItem

    from jinacli.completion.running import RunningFlow

Values = Iterator[tuple[str, str]]
_YAML = (".yml", ".yaml")


def attach(params: Sequence[Parameter], path: Sequence[str]) -> None:
    """Tell the parameters of a command how their values are completed.

    Args:
        params: of the command.
        path: the words that name it after `jina`.
    """
    for param in params:
        source = _SOURCES.get((*path, param.name)) or _SOURCES.get((param.name,))
        if source is None and getattr(param, "type_descriptor", None) is not None:
            is_path = param.type_descriptor.is_path  # type: ignore[attr-defined]  # of typer's
            source = _any_file if is_path else None
        if source is not None:
            param._custom_shell_complete = _completing(source)


def _completing(source: Callable[[Context, str], Values]) -> Callable[..., list[CompletionItem]]:
    def complete(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem]:
        # Late: only completion needs it.
        from typer._click.shell_completion import CompletionItem

        given = ctx.params.get(param.name)
        used = given if isinstance(given, list | tuple) else ()
        kind = "file" if source in _OF_FILES else "plain"
        return [
            CompletionItem(value, type=kind, help=text)
            for value, text in source(ctx, incomplete)
            if value.startswith(incomplete) and value not in used
        ]

    return complete


def _any_file(ctx: Context, incomplete: str) -> Values:
    return ((path, "") for path in _files(incomplete, ()))


def _yaml(ctx: Context, incomplete: str) -> Values:
    return ((path, "") for path in _files(incomplete, _YAML))


def _folders(ctx: Context, incomplete: str) -> Values:
    return ((path, "") for path in _files(incomplete, ()) if path.endswith("/"))


def _files(incomplete: str, endings: tuple[str, ...]) -> Iterator[str]:
    """Files with these endings, or all, and folders with a slash, that begin as was typed."""
    typed, name = os.path.split(incomplete)
    folder = os.path.expanduser(typed) or "."
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.startswith(".") and not name.startswith("."):
            continue
        path = os.path.join(typed, entry.name)
        if entry.is_dir():
            yield f"{path}/"
        elif not endings or entry.name.endswith(endings):
            yield path


def _flows(ctx: Context, incomplete: str) -> Values:
    """Names of Flows that run; YAML beside them where a Flow may be named by its file."""
    # Late: for most words it is not needed, and a person waits.
    from jinacli.completion.running import running_flows

    for flow in running_flows():
        yield flow.name, os.path.relpath(flow.file) if flow.file else ""
    yield from _yaml(ctx, incomplete)


def _executor_files(ctx: Context, incomplete: str) -> Values:
    # Late: see _flows.
    from jina.config.catalogue import names

    yield from ((f"catalogue://{name}", "") for name in names())
    if "://" not in incomplete:
        yield from _yaml(ctx, incomplete)


def _endpoints(ctx: Context, incomplete: str) -> Values:
    """Of the Flow that is meant, or of the Executor that is named before."""
    files = ctx.params.get("file") or next(iter(ctx.params.get("files") or ()), "")
    if files:
        # Late: YAML takes a while to load.
        from jina.config import load_executor
        from jinacli.completion.sources import endpoints_of

        yield from ((endpoint, "") for endpoint in endpoints_of(load_executor(files).spec))
        return
    serving: dict[str, list[str]] = {}
    for executor, endpoints in _serving(ctx):
        for endpoint in endpoints:
            serving.setdefault(endpoint, []).append(executor)
    serving.pop(DEFAULT_ENDPOINT, None)  # whatever nobody else serves
    yield from ((endpoint, ", ".join(serving[endpoint])) for endpoint in sorted(serving))


def _executors(ctx: Context, incomplete: str) -> Values:
    for executor, endpoints in _serving(ctx):
        yield executor, ", ".join(endpoints)


def _counts(ctx: Context, incomplete: str) -> Values:
    return ((f"{executor}=", text) for executor, text in _executors(ctx, incomplete))


def _serving(ctx: Context) -> Iterator[tuple[str, list[str]]]:
    """The Executors of the Flow that is meant, and the endpoints of each."""
    # Late: see _flows.
    from jinacli.completion.running import running_flows

    wanted = str(ctx.params.get("flow") or "")
    running = running_flows()
    for flow in running:
        if _is_meant(flow, wanted):
            yield from ((name, ends) for name, ends in flow.endpoints.items() if "/" not in name)
            return
    file = wanted or next((name for name in ("flow.yml", "flow.yaml") if Path(name).is_file()), "")
    if not file.endswith(_YAML):
        return
    # Late: YAML takes a while to load.
    from jina.graph.planning import plan_of
    from jinacli.completion.sources import endpoints_of

    plan = plan_of(Path(file))
    specs = {worker.node: worker.executor for worker in plan.workers}
    yield from ((node.name, endpoints_of(specs[node.name])) for node in plan.executors)


def _is_meant(flow: RunningFlow, wanted: str) -> bool:
    if not wanted:
        return True  # of several, the first: some help is better than none
    return flow.name == wanted or (flow.file != "" and flow.file == os.path.realpath(wanted))


_SOURCES: dict[tuple[Any, ...], Callable[[Context, str], Values]] = {
    ("endpoint",): _endpoints,
    ("executor", "check", "run"): _endpoints,
    ("flow",): _flows,
    ("target",): _executors,
    ("names",): _executors,
    ("replicas",): _counts,
    ("file",): _yaml,
    ("files",): _yaml,
    ("flow", "endpoints", "file"): _flows,
    ("further",): _yaml,
    ("env_file",): _any_file,
    ("errors_to",): _any_file,
    ("only_failed",): _any_file,
    ("executor", "check", "files"): _executor_files,
    ("executor", "install", "files"): _executor_files,
    ("executor", "run", "file"): _executor_files,
    ("inputs",): _any_file,
    ("output",): _any_file,
    ("workspace",): _folders,
    ("venv",): _folders,
    ("python",): _any_file,
}
"""The path of a command and the name of its parameter, or that name alone -> its values."""

_OF_FILES = (_any_file, _yaml, _folders)
