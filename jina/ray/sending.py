"""The code of a Flow's Executors for machines that do not have its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from jina.config import catalogue
from jina.excepts import FlowError, OutputError
from jina.graph.plan import Plan, WorkerSpec
from jina.launch.bundle import Bundle, bundle_of, pack, unpack, unpacked_spec


class Sent(NamedTuple):
    """What is sent along, and what is not.

    Attributes:
        names: for each worker the name of its bundle; "" for none.
        workers: what they run there, see `unpacked`.
        bundles: by name.
        notes: what is not sent, and why: it must be there, under the same path.
    """

    names: list[str]
    workers: list[WorkerSpec]
    bundles: dict[str, bytes]
    notes: list[str]


def packed(plan: Plan, project: Path) -> Sent:
    """Pack the modules of a plan's workers.

    Executors of the catalogue are where jina is, so they are not sent.

    Args:
        plan: of a Flow.
        project: folder in which all modules must be.

    Raises:
        OutputError: a file cannot be read.
    """
    sent = Sent([], [], {}, [])
    known: dict[str, tuple[str, WorkerSpec]] = {}
    for worker in plan.workers:
        name, spec = known.get(worker.node, ("", worker))
        if worker.node not in known and not _is_there(worker):
            try:
                bundle = bundle_of(worker, project)
                name, data = _packed(bundle)
                sent.bundles[name] = data
                spec = bundle.spec
            except FlowError as error:
                sent.notes.append(error.what)
        known[worker.node] = (name, spec)
        sent.names.append(name)
        sent.workers.append(structs.replace(worker, executor=spec.executor))
    return sent


def unpacked(plan: Plan, names: list[str], bundles: Mapping[str, bytes]) -> Plan:
    """The plan of a Flow whose workers run what was packed.

    Raises:
        FlowError: a bundle is damaged.
        OSError: it cannot be unpacked.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jina" / "bundles"
    folders = {name: unpack(name, data, base) for name, data in bundles.items()}
    workers = [
        unpacked_spec(worker, folders[name]) if name else worker
        for worker, name in zip(plan.workers, names, strict=True)
    ]
    return structs.replace(plan, workers=workers)


def _packed(bundle: Bundle) -> tuple[str, bytes]:
    try:
        return pack(bundle)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise OutputError(what, where=str(error.filename or bundle.spec.node)) from error


def _is_there(worker: WorkerSpec) -> bool:
    """Whether wherever jina is, so is what a worker runs."""
    places = [Path(path) for path in worker.executor.py_modules]
    return all(
        any(place.is_relative_to(folder) for folder in catalogue.folders()) for place in places
    )
