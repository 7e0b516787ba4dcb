"""Options of a Flow that other machines may reach."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from jina.defaults import LEASE_S
from jina.names import LOCAL_HOSTS, tcp_address

WorkerPort = Annotated[
    int | None,
    typer.Option(
        help="Listen on this TCP port for `jina executor serve` on other machines; 0 picks a free "
        "one",
    ),
]
Lease = Annotated[
    str | None,
    typer.Option(
        help="With --worker-port: suspect a machine after so long a silence: 5s, 1m; default 5s",
        rich_help_panel="Start",
    ),
]

On = Annotated[
    Literal["ray"] | None,
    typer.Option("--on", help="Run the Executors on the nodes of a cluster of Ray"),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="With --on ray: address of the cluster; default: $RAY_ADDRESS, or the one that this "
        "machine is a node of",
    ),
]


def listens(
    host: str | None, port: int | None, worker_port: int | None, is_meant: bool
) -> tuple[str, str]:
    """The addresses for clients and for workers; "" for none.

    Args:
        host: of both; None is that of this machine alone.
        port: for clients; None for none.
        worker_port: for workers; None for none.
        is_meant: other machines may reach it: there are keys, or none are wanted.

    Raises:
        typer.BadParameter: that makes no sense, or is not safe.
    """
    for option, number in (("--port", port), ("--worker-port", worker_port)):
        if number is not None and not 0 <= number <= 65535:
            raise typer.BadParameter(f"{number} is not a port: use 0 to 65535", param_hint=option)
    if host is not None and port is None and worker_port is None:
        raise typer.BadParameter("needs --port", param_hint="--host")
    host = host or "127.0.0.1"
    if host not in LOCAL_HOSTS and not is_meant:
        what = "post" if worker_port is None else "post, or take Documents"
        raise typer.BadParameter(
            f"{host} can be reached from other machines, and anyone there could {what}; use "
            "--keys, or --insecure-no-auth if that is what you want",
            param_hint="--host",
        )
    addresses = ["" if n is None else tcp_address(host, n) for n in (port, worker_port)]
    return addresses[0], addresses[1]


def engine_address(on: str | None, ray_address: str | None, *, is_tried: bool = True) -> str:
    """The address of the cluster on which the Executors run; "" where that is this machine.

    Args:
        on: what `--on` says.
        ray_address: what `--ray-address` says.
        is_tried: see whether somebody listens there.

    Raises:
        typer.BadParameter: there is an address, and nothing to run there.
        MissingExtra: Ray is not installed.
        ConfigError: it is not an address.
        ConnectError: no cluster is there.
    """
    if on is None:
        if ray_address is not None:
            raise typer.BadParameter("needs --on ray", param_hint="--ray-address")
        return ""
    if not is_tried:
        return ray_address or "auto"
    # Late: see jinacli.app.
    from jina.ray.connect import address_of, check_installed, probe

    check_installed()
    address = address_of(ray_address or "")
    probe(address)
    return address


def lease_s(lease: str | None) -> float:
    """The lease in seconds.

    Raises:
        typer.BadParameter: it is not a duration.
    """
    from jinacli.durations import seconds_of  # late: see jinacli.app

    seconds = seconds_of(lease, "--lease")
    return LEASE_S if seconds is None else seconds
