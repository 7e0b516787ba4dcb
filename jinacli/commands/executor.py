"""`jina executor`: create, check, run and list Executors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from jina.defaults import MAX_REPLICAS
from jinacli.commands.building import Group
from jinacli.commands.options import (
    Content,
    ErrorOnWarning,
    Exclude,
    ExitZero,
    FieldResolver,
    InputFormat,
    NoImport,
    OutputFormat,
    Parameters,
    Select,
    check_given,
)

executor_app = typer.Typer(
    help="Create, check, run and list Executors", no_args_is_help=True, cls=Group
)

export_app = typer.Typer(
    help="Write an Executor as files for docker", no_args_is_help=True, cls=Group
)
executor_app.add_typer(export_app, name="export")


@executor_app.callback()
def _group() -> None:
    pass


@executor_app.command()
def check(
    files: Annotated[list[str], typer.Argument(help="Executor YAML files, or catalogue://NAME")],
    no_import: NoImport = False,
    run: Annotated[
        str, typer.Option("--run", help="If there are no errors, call this endpoint")
    ] = "",
    inputs: Annotated[
        list[str] | None,
        typer.Option("--inputs", "-i", help="For --run: input files, as in `jina post`"),
    ] = None,
    form: InputFormat = "auto",
    field_resolver: FieldResolver = None,
    content: Content = "auto",
    parameters: Parameters = None,
    output_format: OutputFormat = "full",
    error_on_warning: ErrorOnWarning = False,
    exit_zero: ExitZero = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Do not show what is being imported")
    ] = False,
) -> None:
    """Find all mistakes in an Executor before anything runs

    Importing an Executor's module runs its top-level code; --no-import looks
    at the YAML alone. Exits with 0 when all is well, with 1 when something
    was found, with 2 when a file cannot be read.

    --run constructs the Executor in this process and prints the results as
    JSON lines; findings then go to standard error. --inputs, --format,
    --field-resolver, --content and --parameters are those of `jina post`. Its
    workspace is a temporary folder unless the YAML names one.

    Examples:
      jina executor check my.yml

      jina executor check my.yml --run /index --inputs data.jsonl

      jina executor check my.yml --run /search -i data.jsonl -p top_k=3

      jina executor check my.yml --run /index -i faq.csv --field-resolver question=text
    """
    # Late: see jinacli.app.
    from jinacli.check.run import check_executors

    if not run:
        for option, given in (
            ("--inputs", inputs),
            ("--format", form != "auto"),
            ("--field-resolver", field_resolver),
            ("--content", content != "auto"),
            ("--parameters", parameters),
        ):
            if given:
                raise typer.BadParameter("needs --run", param_hint=option)
        code = check_executors(
            files,
            no_import=no_import,
            form=output_format,
            strict=error_on_warning,
            quiet=quiet,
        )
        raise typer.Exit(0 if exit_zero and code == 1 else code)
    if no_import:
        raise typer.BadParameter(
            "--run has to import the Executor's modules", param_hint="--no-import"
        )
    if len(files) > 1:
        raise typer.BadParameter("takes only one Executor", param_hint="--run")
    # Late too: a check alone reads no inputs and calls nothing.
    from jinacli.check.trial import Trial, run_trial
    from jinacli.post.options import read_options

    reading = read_options(form, field_resolver or [], content)
    trial = Trial(run, inputs or [], reading, parameters or [])
    raise typer.Exit(run_trial(files[0], trial, form=output_format))


@executor_app.command()
def run(
    file: Annotated[str, typer.Argument(help="Executor YAML file, or catalogue://NAME")],
    endpoint: Annotated[str, typer.Argument(help="Endpoint, such as /index")],
    inputs: Annotated[
        list[str] | None, typer.Option("--inputs", "-i", help="Input files, as in `jina post`")
    ] = None,
    form: InputFormat = "auto",
    field_resolver: FieldResolver = None,
    content: Content = "auto",
    text: Annotated[
        list[str] | None, typer.Option("--text", "-t", help="A Document with this text")
    ] = None,
    parameters: Parameters = None,
    output: Annotated[
        str, typer.Option("--output", "-o", help="Write the results to this file")
    ] = "-",
    output_format: Annotated[str, typer.Option(help="As in `jina post`")] = "auto",
    tensors: Annotated[
        Literal["list", "typed", "base64"], typer.Option(help="How tensors are written")
    ] = "list",
    select: Select = None,
    exclude: Exclude = None,
    request_size: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=10_000,
            help="Documents per call; 0 for as many as possible; default: 100, or 400 in a long "
            "file",
        ),
    ] = None,
    workspace: Annotated[
        str, typer.Option(help="Folder for its files, unless set in its YAML")
    ] = ".",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only errors")] = False,
) -> None:
    """Run one Executor in this process, without a Flow

    The quickest way for cheap work, and for a debugger. Results are JSON
    lines in the order of the inputs; a line that fails has an error as its
    outcome, and then the exit code is 3. If the method raises, it is called
    again for fewer Documents, so that only those fail that it raises for.

    Without --inputs, standard input is read when it is a pipe or a file; from
    a terminal, the endpoint is called once without Documents. What the
    Executor prints goes to standard error.

    Examples:
      jina executor run my.yml /encode --inputs data.jsonl > encoded.jsonl

      head data.jsonl | jina executor run my.yml /encode

      jina executor run catalogue://UpperCase /upper --text hello
    """
    # Late: see jinacli.app.
    from jinacli.executor.options import RunOptions
    from jinacli.executor.start import run_executor
    from jinacli.post.inputs import chosen_inputs
    from jinacli.post.options import read_options
    from jinacli.post.output import checked_fields, checked_form
    from jinacli.post.parameters import parameters_of

    check_given(("FILE", file), ("ENDPOINT", endpoint), ("--output", output))
    selected, excluded = checked_fields(select or [], exclude or [])
    options = RunOptions(
        file=file,
        endpoint=endpoint,
        inputs=chosen_inputs(inputs or [], text or []),
        texts=text or [],
        reading=read_options(form, field_resolver or [], content),
        parameters=parameters_of(parameters or [], quiet=quiet),
        output=output,
        form=checked_form(output, output_format),
        tensors=tensors,
        select=selected,
        exclude=excluded,
        request_size=request_size,
        workspace=workspace,
        quiet=quiet,
    )
    raise typer.Exit(run_executor(options))


@executor_app.command()
def serve(
    file: Annotated[str, typer.Argument(help="Executor YAML file, or catalogue://NAME")],
    name: Annotated[str, typer.Option(help="Its name in the YAML of the Flow")],
    gateways: Annotated[
        list[str],
        typer.Option(
            "--gateway",
            metavar="tcp://HOST:PORT",
            help="Address of the Flow, with its --worker-port; repeatable: each Flow gets its own "
            "workers",
        ),
    ],
    keys: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder with a key of role worker; see `jina keys`"),
    ] = None,
    shard: Annotated[
        int | None, typer.Option(min=0, help="Serve only this shard, from 0; default: all")
    ] = None,
    replicas: Annotated[
        int, typer.Option(min=1, max=MAX_REPLICAS, help="Number of workers, of each shard")
    ] = 1,
    workspace: Annotated[
        str, typer.Option("--workspace", metavar="DIR", help="Folder for its files")
    ] = "",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show only errors and what Executors print")
    ] = False,
) -> None:
    """Serve an Executor to a Flow on another machine

    The Flow has `external: true` for it and waits until it is served. Several
    machines may serve one Executor. It waits for a Flow that is not up, and
    connects again by itself. The first Ctrl-C lets requests under way finish,
    the second ends everything at once.

    Examples:
      jina executor serve my.yml --name encoder --gateway tcp://10.0.0.5:5556 --keys keys

      jina executor serve my.yml --name indexer --shard 1 --gateway tcp://10.0.0.5:5556
    """
    # Late: see jinacli.app.
    from jinacli.executor.serve import ServeOptions, serve_executor

    check_given(("--name", name), ("--keys", keys))
    for gateway in gateways:
        if not gateway.startswith("tcp://"):
            raise typer.BadParameter("looks like tcp://10.0.0.5:5556", param_hint="--gateway")
    options = ServeOptions(file, name, gateways, keys or "", shard, replicas, workspace, quiet)
    raise typer.Exit(serve_executor(options))


@executor_app.command()
def install(
    venv: Annotated[
        str,
        typer.Option("--venv", help="Folder of the environment; made if it does not exist"),
    ],
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILES]...", help="Executor YAML files, or catalogue://NAME; none for jina"
        ),
    ] = None,
    python: Annotated[
        str, typer.Option("--python", help="Interpreter to make it with; default: this one")
    ] = "",
    installer: Annotated[
        Literal["auto", "uv", "pip"], typer.Option(help="auto uses uv if it is on $PATH")
    ] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only errors")] = False,
) -> None:
    """Make a virtual environment for Executors, with what they need and this jina

    Installs the requirements.txt beside each Executor, and without their
    dependencies those of requirements-no-deps.txt. Prints the line that lets a
    Flow run the Executor in this environment. Run again, it completes an
    environment that exists.

    Examples:
      jina executor install catalogue://TextEncoder --venv envs/text

      jina executor install my.yml --venv envs/my --python python3.12
    """
    # Late: see jinacli.app.
    from jinacli.executor.install import Install
    from jinacli.executor.install import install as run_install

    check_given(("--venv", venv))
    raise typer.Exit(run_install(Install(files or [], venv, python, installer, quiet)))


@executor_app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
    names: Annotated[bool, typer.Option("--quiet", "-q", help="Print only names")] = False,
) -> None:
    """List the Executors of the catalogue

    Examples:
      jina executor list

      jina executor list --json
    """
    # Late: see jinacli.app.
    from jinacli.executor.list import list_executors

    raise typer.Exit(list_executors(as_json=as_json, names_only=names))


@executor_app.command()
def new(
    name: Annotated[Path, typer.Argument(help="Folder to create; also the name of the class")],
    template: Annotated[
        Literal["counter", "encoder", "indexer", "segmenter", "ranker"],
        typer.Option(
            help="counter (of words), encoder (text to embeddings), indexer (finds the "
            "nearest), segmenter (text to sentences) or ranker (sorts matches)",
        ),
    ] = "counter",
) -> None:
    """Create an Executor project that runs

    Its class, its YAML, a Flow to try it in, data, a test and a README.
    Nothing that exists is overwritten.

    Examples:
      jina executor new MyCounter

      jina executor new MyEncoder --template encoder
    """
    from jinacli.new import new_executor

    raise typer.Exit(new_executor(name, template))


@export_app.command()
def dockerfile(
    file: Annotated[str, typer.Argument(help="Executor YAML file, or catalogue://NAME")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder to write; empty, or an export"),
    ],
    project: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder that holds all modules; default: that of FILE"),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only errors")] = False,
) -> None:
    """Write a Dockerfile for one Executor

    The image has Python, this version of jina, what the Executor's
    requirements.txt lists, its YAML and its modules.

    Examples:
      jina executor export dockerfile my.yml -o image
    """
    from jinacli.executor.export import export_executor

    check_given(("FILE", file))
    raise typer.Exit(export_executor(file, output, project, quiet=quiet))
