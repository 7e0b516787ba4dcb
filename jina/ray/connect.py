"""The way to a cluster of Ray: which one, whether it is there, and the connection to it.

`ray.init` waits for a minute where nobody listens, so the address is tried first. Ray is an extra
and takes a second to import: `connected` imports it, and nothing here does so before.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import platform
import socket
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jina.excepts import ConfigError, ConnectError, MissingExtra

_PROBE_S = 3.0  # until somebody must have taken the connection
_HERE = Path("/tmp/ray/ray_current_cluster")  # where `ray start` writes its address
_LOCAL = ("", "auto")
_CLIENT = "ray://"
_START = "start one with `ray start --head`, and join it elsewhere with `ray start --address`"


def check_installed() -> None:
    """See that Ray can be imported, without importing it.

    Raises:
        MissingExtra: it is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingExtra("--on ray needs the package ray", hint="pip install 'jinacli[ray]'")


def address_of(given: str) -> str:
    """The address of the cluster that is meant, as HOST:PORT.

    Args:
        given: HOST:PORT; or "" or "auto" for $RAY_ADDRESS, else the cluster that this machine is
            a node of.

    Raises:
        ConfigError: it is not such an address.
        ConnectError: there is no cluster here.
    """
    found, where = given, "--ray-address"
    if found in _LOCAL:
        found, where = os.environ.get("RAY_ADDRESS", ""), "$RAY_ADDRESS"
    if found in _LOCAL:
        with contextlib.suppress(OSError):
            found = _HERE.read_text().strip()
        where = str(_HERE)
    if found in _LOCAL:
        raise ConnectError("this machine is not a node of a cluster of Ray", hint=_START)
    if found.startswith(_CLIENT):
        raise ConfigError(
            f"{found} is an address for clients of Ray, which are not nodes",
            where=where,
            hint="run this on a node of the cluster, and give the address that `ray start` says, "
            "such as 10.0.0.5:6379",
        )
    host, _, port = found.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"{found!r} is not an address of a cluster of Ray",
            where=where,
            hint="it is HOST:PORT, as `ray start` says, such as 10.0.0.5:6379",
        )
    return found


def probe(address: str) -> None:
    """See that somebody listens there.

    Args:
        address: HOST:PORT.

    Raises:
        ConnectError: nobody does.
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PROBE_S).close()
    except OSError as error:
        why = "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise ConnectError(f"no cluster of Ray: {why}", where=address, hint=_START) from None


def own_node() -> str:
    """The id of the node on which this process of Ray runs."""
    ray: Any = import_module("ray")
    return str(ray.get_runtime_context().get_node_id())


def connected(address: str, namespace: str = "") -> Any:
    """Become a driver of a cluster, and return the module `ray`.

    What Ray prints on the way is dropped; nothing is sent to its makers.

    Args:
        address: as for `address_of`.
        namespace: of its actors; "" for one of its own.

    Raises:
        MissingExtra: Ray is not installed.
        ConfigError: it is not an address.
        ConnectError: no cluster is there, this machine is not a node of it, or its nodes have
            another Python or Ray.
    """
    check_installed()
    address = address_of(address)
    probe(address)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"  # else it warns
    ray: Any = import_module("ray")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            ray.init(
                address=address,
                namespace=namespace or None,
                configure_logging=False,
                log_to_driver=False,
                include_dashboard=None,
            )
    except RuntimeError as error:  # what it says of versions has several lines
        raise ConnectError(
            f"the cluster does not accept this process: {' '.join(str(error).split())}",
            where=address,
            hint=f"all nodes need the same Ray and the same Python; here are Ray {version('ray')} "
            f"and Python {platform.python_version()}",
        ) from None
    except (ConnectionError, ValueError, OSError) as error:
        raise ConnectError(
            f"this machine is not a node of the cluster: {' '.join(str(error).split())}",
            where=address,
            hint=f"here: ray start --address={address}",
        ) from None
    return ray
