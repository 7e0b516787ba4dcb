"""The code of a Flow's Executors for machines that do not have its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import structs

from jina.config import catalogue
from jina.graph.plan import Plan, WorkerSpec
from jina.launch.bundle import bundle_of, pack, unpack, unpacked_spec


def packed(plan: Plan, project: Path) -> tuple[list[str], list[WorkerSpec], dict[str, bytes]]:
    """Pack the modules of a plan's workers.

    Executors of the catalogue are where jina is, so they are not sent.

    Args:
        plan: of a Flow.
        project: folder in which all modules must be.

    Returns:
        for each worker the name of its bundle, "" for none, and what it runs there; and the
        bundles by name.

    Raises:
        FlowError: a module is outside the project, or there is too much.
        OSError: a file cannot be read.
    """
    names, specs, data = [], [], {}
    known: dict[str, tuple[str, bytes]] = {}
    for worker in plan.workers:
        if not worker.executor.py_modules or _is_catalogued(worker):
            names.append("")
            specs.append(worker)
            continue
        bundle = bundle_of(worker, project)
        if worker.node not in known:
            known[worker.node] = pack(bundle)
        name, packed_bytes = known[worker.node]
        names.append(name)
        specs.append(bundle.spec)
        data[name] = packed_bytes
    return names, specs, data


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


def _is_catalogued(worker: WorkerSpec) -> bool:
    places = [Path(path) for path in worker.executor.py_modules]
    return all(
        any(place.is_relative_to(folder) for folder in catalogue.folders()) for place in places
    )
