"""The code of an Executor as a bundle, for where its files are not: made here, unpacked there.

A bundle holds the folders of an Executor's modules, without what git ignores. It is named by its
contents: the same files make the same bytes and the same name, so that whoever has it already need
not be sent it. It holds no installed packages, no workspaces and no environment; of that, a
`WorkerSpec` has what its node sets, and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from jina.config import catalogue
from jina.defaults import BUNDLE_BYTES, BUNDLE_FILES, KIB, MIB
from jina.excepts import FlowError
from jina.graph.plan import WorkerSpec
from jina.launch.ignoring import kept_files

_HERE = "bundle:"  # in a spec, before a path in its bundle


class BundledFile(NamedTuple):
    """A file of a bundle.

    Attributes:
        name: its path in the bundle.
        source: where it is here.
        size: in bytes.
    """

    name: str
    source: Path
    size: int


class Bundle(NamedTuple):
    """What a worker needs of the files of this machine.

    Attributes:
        spec: of the worker; its paths are those in the bundle, see `unpacked_spec`.
        files: by name.
        left_out: links that lead out of their folder.
    """

    spec: WorkerSpec
    files: list[BundledFile]
    left_out: list[Path]

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(file.size for file in self.files)


def bundle_of(
    spec: WorkerSpec,
    project: Path,
    *,
    most_bytes: int = BUNDLE_BYTES,
    most_files: int = BUNDLE_FILES,
) -> Bundle:
    """Look which files a worker needs; nothing is read yet.

    Args:
        spec: of the worker.
        project: folder in which all of them must be, such as that of the Flow's YAML.
        most_bytes: of all files.
        most_files: how many.

    Raises:
        FlowError: a module is outside the project, or there is too much.
    """
    project = project.resolve()
    roots: dict[Path, str] = {}
    moved = {path: _moved(path, project, roots, spec) for path in _paths(spec)}
    files, left_out = _files_in(roots, _workspace(spec))
    _check_fits(spec, files, most_bytes, most_files)
    executor = structs.replace(
        spec.executor,
        py_modules=[moved.get(each, each) for each in spec.executor.py_modules],
        search_paths=[moved[each] for each in spec.executor.search_paths if each in moved],
        path=[],
    )
    return Bundle(structs.replace(spec, executor=executor), files, left_out)


def pack(bundle: Bundle) -> tuple[str, bytes]:
    """Read the files: the name of the bundle, which its contents decide, and its bytes.

    Raises:
        OSError: a file cannot be read.
    """
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file in bundle.files:
            data = file.source.read_bytes()
            member = tarfile.TarInfo(file.name)
            member.size = len(data)
            member.mode = 0o755 if os.access(file.source, os.X_OK) else 0o644
            archive.addfile(member, io.BytesIO(data))
    data = out.getvalue()
    return hashlib.sha256(data).hexdigest(), data


def unpack(name: str, data: bytes, base: Path) -> Path:
    """Unpack a bundle, unless it is there already.

    Args:
        name: of the bundle.
        data: its bytes.
        base: folder of all bundles of this machine; made if it does not exist.

    Returns:
        the folder with its files.

    Raises:
        FlowError: it is damaged, or holds what no bundle holds.
        OSError: it cannot be written.
    """
    folder = base / name
    if folder.is_dir():
        return folder
    if hashlib.sha256(data).hexdigest() != name:
        raise FlowError("a bundle that is damaged", where=name)
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=base, prefix=".new-"))
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                parts = member.name.split("/")
                if not member.isreg() or not {"", ".", ".."}.isdisjoint(parts):
                    raise FlowError("this is not a file of the bundle", where=member.name)
                path = fresh.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                file = archive.extractfile(member)
                path.write_bytes(file.read() if file else b"")
                path.chmod(0o755 if member.mode & 0o100 else 0o644)
        try:
            fresh.rename(folder)  # whole, or not at all
        except OSError:
            if not folder.is_dir():  # somebody else was quicker
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def unpacked_spec(spec: WorkerSpec, folder: Path) -> WorkerSpec:
    """What a worker runs where its bundle was unpacked into `folder`."""

    def there(paths: Iterable[str]) -> list[str]:
        return [
            str(folder / path.removeprefix(_HERE)) if path.startswith(_HERE) else path
            for path in paths
        ]

    executor = structs.replace(
        spec.executor,
        py_modules=there(spec.executor.py_modules),
        search_paths=there(spec.executor.search_paths),
    )
    return structs.replace(spec, executor=executor)


def shown_size(size: int) -> str:
    """A number of bytes as people read it."""
    if size >= MIB:
        return f"{size / MIB:.1f} MiB"
    return f"{size / KIB:.1f} KiB" if size >= KIB else f"{size} bytes"


def _paths(spec: WorkerSpec) -> list[str]:
    """The files and folders of this machine that its modules are, or are searched in."""
    files = [each for each in spec.executor.py_modules if os.path.isabs(each)]
    are_named = len(files) < len(spec.executor.py_modules)
    return files + (spec.executor.search_paths if are_named else [])


def _moved(path: str, project: Path, roots: dict[Path, str], spec: WorkerSpec) -> str:
    """Where a path is in the bundle; its folder becomes a root of it."""
    real = Path(path).resolve()
    if not any(map(real.is_relative_to, [project, *catalogue.folders()])):
        raise FlowError(
            f"a module of {spec.node} is outside the project, and cannot be sent along: {path}",
            where=spec.where,
            hint=f"move it into {project}, or install it where the Executor runs",
        )
    root = real if real.is_dir() else real.parent
    number = roots.setdefault(root, str(len(roots)))
    # The name of a package is that of its folder.
    inside = f"{number}/{root.name}" if root.name else number
    return f"{_HERE}{inside}" if real == root else f"{_HERE}{inside}/{real.name}"


def _workspace(spec: WorkerSpec) -> Path | None:
    """The folder in which the Executor keeps files, which is not sent along."""
    named = spec.executor.metas.get("workspace") or spec.runtime_args.get("workspace")
    return Path(str(named)).resolve() if named else None


def _files_in(
    roots: dict[Path, str], workspace: Path | None
) -> tuple[list[BundledFile], list[Path]]:
    files, left_out = [], []
    for root, number in roots.items():
        for source in kept_files(root):
            if workspace not in (None, root) and source.is_relative_to(workspace or root):
                continue
            if source.is_symlink() and not source.resolve().is_relative_to(root):
                left_out.append(source)
                continue
            name = "/".join([number, *filter(None, [root.name]), *source.relative_to(root).parts])
            files.append(BundledFile(name, source, source.stat().st_size))
    return sorted(files), left_out


def _check_fits(
    spec: WorkerSpec, files: list[BundledFile], most_bytes: int, most_files: int
) -> None:
    size = sum(file.size for file in files)
    if size <= most_bytes and len(files) <= most_files:
        return
    largest = sorted(files, key=lambda file: -file.size)[:3]
    told = ", ".join(f"{file.source} ({shown_size(file.size)})" for file in largest)
    limit = shown_size(most_bytes) if size > most_bytes else f"{most_files} files"
    raise FlowError(
        f"the folders of the modules of {spec.node} have {len(files)} files and "
        f"{shown_size(size)}, more than {limit}; the largest are {told}",
        where=spec.where,
        hint="list what the Executor does not need in a .gitignore there",
    )
