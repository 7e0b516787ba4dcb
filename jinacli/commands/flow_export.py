"""`jina flow export`: the options of its forms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jina.defaults import MAX_REPLICAS
from jinacli.commands.building import Group
from jinacli.commands.options import EnvFile, FlowFile, FurtherFiles, Settings, given_flow

export_app = typer.Typer(
    help="Write a Flow as files for Kubernetes, compose or docker",
    no_args_is_help=True,
    cls=Group,
)

_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write; empty, or an export")
]
_Images = Annotated[
    list[str],
    typer.Option(
        "--image",
        metavar="[NAME=]IMAGE",
        help="Image with Python and jina; with NAME=, of that Executor alone; repeatable",
    ),
]
_Project = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder that holds all modules; default: that of the Flow's YAML"
    ),
]
_MayBeEmpty = Annotated[
    bool,
    typer.Option("--empty-workspaces", help="Workspaces start empty, even if they have files here"),
]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show only errors")]


@export_app.command()
def kubernetes(
    output: _Output,
    images: _Images,
    file: FlowFile = None,
    further: FurtherFiles = None,
    settings: Settings = None,
    env_file: EnvFile = None,
    project: _Project = None,
    empty_workspaces: _MayBeEmpty = False,
    max_replicas: Annotated[
        int,
        typer.Option(
            min=0,
            max=MAX_REPLICAS,
            help="Add replicas while requests wait, up to this many for each Executor",
        ),
    ] = 0,
    no_secrets: Annotated[
        bool,
        typer.Option("--no-secrets", help="Make no keys; the Secrets exist in the cluster already"),
    ] = False,
    quiet: _Quiet = False,
) -> None:
    """Write Kubernetes manifests that run a Flow

    The gateway serves clients and HTTP; each Executor has pods of its own,
    and a volume for each pod if it keeps files. The files are yours: read
    them, edit them, keep them in git (but not the keys).

    Exporting again writes the same files. Keys are made once and kept.

    Examples:
      jina flow export kubernetes flow.yml -o deploy --image registry/search:1

      jina flow export kubernetes -o deploy --image search:1 --max-replicas 8
    """
    # Late: see jinacli.app.
    from jinacli.flow.export import Export, export_kubernetes

    given = given_flow(file, further, settings, env_file)
    how = Export(
        output, _checked(images), project, empty_workspaces, max_replicas, not no_secrets, quiet
    )
    raise typer.Exit(export_kubernetes(given, how))


@export_app.command()
def compose(
    output: _Output,
    images: _Images,
    file: FlowFile = None,
    further: FurtherFiles = None,
    settings: Settings = None,
    env_file: EnvFile = None,
    project: _Project = None,
    empty_workspaces: _MayBeEmpty = False,
    quiet: _Quiet = False,
) -> None:
    """Write a compose file that runs a Flow on one machine

    With docker or podman: one container for the gateway and HTTP, and one or
    several for each Executor.

    Examples:
      jina flow export compose flow.yml -o deploy --image search:1
    """
    from jinacli.flow.export import Export, export_compose  # late too

    given = given_flow(file, further, settings, env_file)
    how = Export(output, _checked(images), project, empty_workspaces, quiet=quiet)
    raise typer.Exit(export_compose(given, how))


@export_app.command()
def dockerfile(
    output: _Output,
    file: FlowFile = None,
    further: FurtherFiles = None,
    settings: Settings = None,
    env_file: EnvFile = None,
    project: _Project = None,
    quiet: _Quiet = False,
) -> None:
    """Write a Dockerfile for the Executors of a Flow

    The image has Python, this version of jina, and what each Executor's
    requirements.txt lists. Build it, and name it with --image in the other
    forms.

    Examples:
      jina flow export dockerfile flow.yml -o image
    """
    from jinacli.flow.export import Export, export_dockerfile  # late too

    given = given_flow(file, further, settings, env_file)
    how = Export(output, (), project, True, quiet=quiet)
    raise typer.Exit(export_dockerfile(given, how))


def _checked(images: list[str]) -> list[str]:
    """The values of --image.

    Raises:
        typer.BadParameter: none is for every Executor, or one is empty.
    """
    for image in images:
        if not image.rpartition("=")[2] or image.startswith("="):
            raise typer.BadParameter(f"{image!r} is not IMAGE or NAME=IMAGE", param_hint="--image")
    if all("=" in image for image in images):
        raise typer.BadParameter(
            "name an image for the gateway too, without NAME=", param_hint="--image"
        )
    return images
