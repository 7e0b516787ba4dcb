"""`jina post`: Documents from files or standard input through an endpoint."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal

import typer

from jina.defaults import MAX_REQUEST_DOCS, MAX_WINDOW_REQUESTS
from jina.names import with_slash
from jinacli.commands.machines import RayAddress, engine_address
from jinacli.commands.options import (
    Content,
    EnvFile,
    Exclude,
    FieldResolver,
    InputFormat,
    Parameters,
    Select,
    Settings,
    check_env_file,
    check_given,
    given_flow,
    is_text,
)


def _outputs() -> list[str]:
    # Late: see jinacli.app.
    from jinacli.post.output import OUTPUTS

    return list(OUTPUTS)


def _parameters(given: list[str], quiet: bool) -> dict[str, Any]:
    if not given:
        return {}
    # Late: most posts have none.
    from jinacli.post.parameters import parameters_of

    return parameters_of(given, quiet=quiet)


def post(
    endpoint: Annotated[str, typer.Argument(help="Endpoint, such as /index")],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--inputs",
            "-i",
            help="A file, a folder, a quoted glob, a URL, or - for standard input; the extension "
            "determines the format: .jsonl .json .csv .tsv .txt .npy .npz .parquet "
            ".arrow, also with .gz; images, web pages and other files become one "
            "Document each",
        ),
    ] = None,
    form: InputFormat = "auto",
    field_resolver: FieldResolver = None,
    content: Content = "auto",
    text: Annotated[
        list[str] | None, typer.Option("--text", "-t", help="A Document with this text")
    ] = None,
    parameters: Parameters = None,
    flow: Annotated[
        str | None,
        typer.Option(
            "--flow",
            "-f",
            help="Name of a running Flow, or a Flow YAML, which is started if necessary",
        ),
    ] = None,
    address: Annotated[str | None, typer.Option(help="Address of a Flow's gateway")] = None,
    keys: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="For an address that asks for keys: folder of your key; see `jina keys`",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            help="Write results to this file, in the format of its extension: .jsonl .json .csv "
            ".tsv .txt .npy .parquet, also in .gz; rerun the same command to resume",
        ),
    ] = "-",
    restart: Annotated[
        bool, typer.Option("--restart", help="Start --output over, even if it has results")
    ] = False,
    output_format: Annotated[
        str,
        typer.Option(
            help="jsonl, json, csv, tsv, text, npy, parquet, table, or auto: by the extension "
            "of --output, else table on a terminal and jsonl otherwise",
            autocompletion=_outputs,
        ),
    ] = "auto",
    select: Select = None,
    exclude: Exclude = None,
    tensors: Annotated[
        str,
        typer.Option(
            help="How tensors are written: list, typed (lists with their dtype) or base64",
            autocompletion=lambda: ["list", "typed", "base64"],
        ),
    ] = "list",
    target: Annotated[
        str, typer.Option(help="Only Executors whose name starts with this regular expression")
    ] = "",
    allow_unserved: Annotated[
        bool,
        typer.Option(
            "--allow-unserved",
            help="Post even if no Executor serves ENDPOINT; Documents come back unchanged",
        ),
    ] = False,
    on_error: Annotated[
        str,
        typer.Option(
            help="If an Executor raises: split (only Documents that fail on their own fail), "
            "stop (the whole request fails) or continue (Documents go on unchanged); "
            "on_error in the Flow's YAML takes precedence",
            autocompletion=lambda: ["split", "stop", "continue"],
        ),
    ] = "split",
    errors_to: Annotated[
        str | None,
        typer.Option(
            "--errors-to",
            help="Also write errors to this file; they stay in the results too",
        ),
    ] = None,
    fail_fast: Annotated[
        bool,
        typer.Option("--fail-fast", help="Stop at the first failed Document; exit code 1"),
    ] = False,
    max_errors: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after N failed Documents; exit code 1"),
    ] = None,
    retries: Annotated[
        int,
        typer.Option(min=0, max=100, help="Post failed Documents again, up to N times each"),
    ] = 0,
    only_failed: Annotated[
        str | None,
        typer.Option(
            "--only-failed",
            help="Post only the inputs that failed in this file of results; if --output is "
            "the same file, it is completed in place",
        ),
    ] = None,
    request_size: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MAX_REQUEST_DOCS,
            help="Documents per request; 0 for as many as possible (10,000, or 60 MiB); "
            "default: 100, or 400 in a long file, but at most 32 MiB",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="Stop after N lines, not counting those of --skip")
    ] = None,
    skip: Annotated[
        int, typer.Option(min=0, help="Skip the first N lines of the inputs", show_default=False)
    ] = 0,
    window: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_WINDOW_REQUESTS,
            help="Maximum number of requests in progress; default: 16",
        ),
    ] = None,
    unordered: Annotated[
        bool,
        typer.Option(
            "--unordered", help="Write results as they come; such a post cannot be resumed"
        ),
    ] = False,
    on: Annotated[
        Literal["ray"] | None,
        typer.Option(
            help="Where to run the Flow of --flow: ray, on several lanes of a cluster, "
            "each with a whole Flow; then --output is a folder",
        ),
    ] = None,
    lanes: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of lanes; default: as many as the cluster has CPUs for",
        ),
    ] = None,
    ray_address: RayAddress = None,
    join: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="At the end, put the results of all lanes together in this file, in the order "
            "of the inputs",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show what would be posted and where, without sending anything"
        ),
    ] = False,
    timeout: Annotated[
        str | None, typer.Option(help="Give up after TIMEOUT without a reply: 30s, 500ms, 2m")
    ] = None,
    request_timeout: Annotated[
        str | None,
        typer.Option(help="Fail requests that take longer than TIMEOUT: 30s, 500ms, 2m"),
    ] = None,
    timing: Annotated[
        bool,
        typer.Option(
            "--timing", help="Show at the end how long requests waited and ran at each Executor"
        ),
    ] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="Show no progress")] = False,
    settings: Settings = None,
    env_file: EnvFile = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Check the YAML of --flow first, and treat warnings as errors",
            rich_help_panel="Flow",
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Show the target, and the progress even without a terminal"
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only errors")] = False,
) -> None:
    """Stream Documents through an endpoint, and their results back in order

    Results are JSON lines. Without --inputs, standard input is read when it
    is a pipe or a file; from a terminal, one request without Documents is
    sent. Every input line has exactly one outcome: its results, or a line
    {"id": ..., "error": {...}}; then the exit code is 3.

    Examples:
      jina post /index --inputs data.jsonl

      head data.jsonl | jina post /index > results.jsonl

      jina post /index --inputs faq.csv --field-resolver question=text

      jina post /index --inputs 'images/**/*.png'

      jina post /encode --inputs data.jsonl --output vectors.npy

      jina post /search --flow flows/search.yml --text "What is a slice?"

      jina post /encode --flow flow.yml --on ray --inputs 'in/*.jsonl' --output out
    """
    # Late: see jinacli.app.
    from jina.launch.find import looks_like_file
    from jinacli.durations import seconds_of
    from jinacli.flow.unfit import checked_if_unfit
    from jinacli.post.failing import failure_options
    from jinacli.post.options import (
        PostOptions,
        check_expression,
        check_together,
        read_options,
    )
    from jinacli.post.output import checked_fields, checked_form
    from jinacli.post.run import run_post

    check_given(("ENDPOINT", endpoint), ("--flow", flow), ("--output", output))
    check_given(("--address", address), ("--errors-to", errors_to))
    check_given(("--only-failed", only_failed))
    words = [("ENDPOINT", endpoint), ("--address", address or "")]
    for name, word in [*words, *(("--text", each) for each in text or [])]:
        if not is_text(word):
            raise typer.BadParameter(f"{word!r} is not valid UTF-8", param_hint=name)
    if tensors not in ("list", "typed", "base64"):
        raise typer.BadParameter("must be list, typed or base64", param_hint="--tensors")
    if restart and output == "-":
        raise typer.BadParameter("needs --output", param_hint="--restart")
    if flow and address:
        raise typer.BadParameter("use --flow or --address, not both", param_hint="--flow")
    fields = checked_fields(select or [], exclude or [])
    for name, value in (("--strict", strict), ("--set", settings), ("--env-file", env_file)):
        if value and not looks_like_file(flow or ""):
            raise typer.BadParameter("needs --flow with a Flow YAML", param_hint=name)
    check_env_file(env_file)
    options = PostOptions(
        endpoint=with_slash(endpoint),
        inputs=inputs or [],
        reading=read_options(form, field_resolver or [], content),
        texts=text or [],
        parameters=_parameters(parameters or [], quiet),
        flow=flow or "",
        address=address or "",
        keys=keys or "",
        output=output,
        form=checked_form("part.jsonl" if on else output, output_format),
        restart=restart,
        tensors=tensors,
        target=target,
        allow_unserved=allow_unserved,
        failing=failure_options(
            on_error,
            errors_to,
            fail_fast,
            max_errors,
            retries,
            only_failed,
            inputs=inputs,
            output=output,
        ),
        request_size=request_size,
        limit=limit,
        timeout_s=seconds_of(timeout, "--timeout", least_s=0.1),
        request_timeout_s=seconds_of(request_timeout, "--request-timeout"),
        is_timed=timing,
        show_progress=not (no_progress or quiet),
        quiet=quiet,
        is_strict=strict,
        select=fields[0],
        exclude=fields[1],
        skip=skip,
        window=window,
        unordered=unordered,
        is_verbose=verbose and not quiet,
        settings=tuple(settings or ()),
        env_file=env_file,
    )
    check_together(options)
    check_expression(target)
    if on and dry_run:
        raise typer.BadParameter("cannot be used with --on ray", param_hint="--dry-run")
    if not on and (lanes or ray_address or join):
        first = "--lanes" if lanes else "--ray-address" if ray_address else "--join"
        raise typer.BadParameter("needs --on ray", param_hint=first)
    if dry_run:
        # Late too: nothing else needs it.
        from jinacli.post.dry_run import dry_run_post

        raise typer.Exit(dry_run_post(options))
    given = functools.partial(given_flow, flow, [], settings, env_file) if flow else None
    if on:
        # Late too: few posts are that large.
        from jinacli.post.lanes import LaneOptions, refuse_options, run_lanes

        refuse_options(options, join or "")
        asked = LaneOptions(lanes, engine_address(on, ray_address), join or "")
        run = functools.partial(run_lanes, options, asked)
        raise typer.Exit(checked_if_unfit(given, run, quiet=quiet))
    raise typer.Exit(checked_if_unfit(given, lambda: run_post(options), quiet=quiet))
