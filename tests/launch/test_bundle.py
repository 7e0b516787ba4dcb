"""The code of an Executor in a bundle: what goes along, what does not, what is refused."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from jina.config import catalogue
from jina.excepts import FlowError
from jina.executors.spec import ExecutorSpec
from jina.graph.plan import WorkerSpec
from jina.launch.bundle import bundle_of, pack, unpack, unpacked_spec
from jina.launch.ignoring import kept_files
from jina.names import LEDGER

IGNORED = """
# what is built
*.bin
!kept.bin
/data/
build/
docs/**/*.html
log[0-9].txt
"""
FILES = (
    *(".gitignore", "executor.py", "helper.py", "a.bin", "kept.bin", "data/x.txt", "sub/data/y"),
    *("build/z", "sub/build/z", "docs/a/b/c.html", "docs/a/b/c.md", "log1.txt", "logs.txt"),
    *(".git/config", "__pycache__/executor.pyc", "secret.key", ".env", "env/pyvenv.cfg", "env/x"),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    for name in FILES:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(name)
    (path / ".gitignore").write_text(IGNORED)
    return path


def spec_of(*modules: Path | str, search: list[Path] | None = None) -> WorkerSpec:
    executor = ExecutorSpec(
        jtype="My",
        py_modules=list(map(str, modules)),
        search_paths=list(map(str, search or [])),
        path=["/somewhere"],
        file="flow.yml",
        line=3,
    )
    return WorkerSpec(node="my", replica=0, executor=executor, env={"A": "b"})


def test_what_git_ignores_is_left_out(project: Path) -> None:
    names = [path.relative_to(project).as_posix() for path in kept_files(project)]
    assert sorted(names) == sorted(
        [
            *(".gitignore", "docs/a/b/c.md", "executor.py", "helper.py", "kept.bin", "logs.txt"),
            "sub/data/y",
        ]
    )


def test_git_is_of_the_same_opinion(project: Path) -> None:
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=project, capture_output=True, check=True)
        return done.stdout.decode()

    (project / ".git" / "config").unlink()
    git("init", "--quiet")
    others = git("ls-files", "--others", "--exclude-standard").split()
    kept = [path.relative_to(project).as_posix() for path in kept_files(project)]
    assert set(kept) <= set(others)
    never = {"secret.key", ".env", "env/pyvenv.cfg", "env/x", "__pycache__/executor.pyc"}
    assert set(others) - set(kept) == never


def test_a_bundle_is_unpacked_elsewhere_and_named_by_its_contents(
    project: Path, tmp_path: Path
) -> None:
    bundle = bundle_of(spec_of(project / "executor.py"), project)
    name, data = pack(bundle)
    assert (name, data) == pack(bundle_of(spec_of(project / "executor.py"), project))
    os.utime(project / "helper.py", (1, 1))
    assert pack(bundle)[0] == name
    folder = unpack(name, data, tmp_path / "bundles")
    assert unpack(name, data, tmp_path / "bundles") == folder
    assert os.listdir(tmp_path / "bundles") == [name]
    there = unpacked_spec(bundle.spec, folder)
    (module,) = there.executor.py_modules
    assert Path(module).read_text() == "executor.py"
    assert (Path(module).parent / "helper.py").read_text() == "helper.py"
    assert there.executor.path == []
    assert there.env == {"A": "b"}
    (project / "helper.py").write_text("other")
    assert pack(bundle_of(spec_of(project / "executor.py"), project))[0] != name


def test_packages_and_names_keep_their_folders(project: Path, tmp_path: Path) -> None:
    (project / "package").mkdir()
    (project / "package" / "__init__.py").write_text("")
    bundle = bundle_of(spec_of(project / "package", "helper", search=[project]), project)
    name, data = pack(bundle)
    there = unpacked_spec(bundle.spec, unpack(name, data, tmp_path / "bundles")).executor
    assert (Path(there.py_modules[0]).name, there.py_modules[1]) == ("package", "helper")
    assert (Path(there.py_modules[0]) / "__init__.py").is_file()
    assert (Path(there.search_paths[0]) / "helper.py").is_file()


def test_a_module_outside_the_project_is_refused(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("")
    with pytest.raises(FlowError, match="is outside the project") as caught:
        bundle_of(spec_of(outside), project)
    assert caught.value.where == "flow.yml:3"


def test_results_of_lanes_are_not_sent(project: Path) -> None:
    before = bundle_of(spec_of(project / "executor.py"), project).files
    (project / "out").mkdir()
    (project / "out" / LEDGER).write_text("{}\n")
    (project / "out" / "part-00000.jsonl").write_text("{}\n")
    assert bundle_of(spec_of(project / "executor.py"), project).files == before


def test_executors_of_the_catalogue_are_sent_from_where_they_are(project: Path) -> None:
    folder = catalogue.folders()[0] / "UpperCase"
    bundle = bundle_of(spec_of(folder / "executor.py"), project)
    assert "executor.py" in {Path(file.name).name for file in bundle.files}


def test_links_that_lead_outside_are_left_out(project: Path, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("not ours")
    (project / "link.txt").symlink_to(tmp_path / "other.txt")
    (project / "inner.py").symlink_to(project / "helper.py")
    bundle = bundle_of(spec_of(project / "executor.py"), project)
    assert bundle.left_out == [project / "link.txt"]
    assert "0/project/inner.py" in [file.name for file in bundle.files]


@pytest.mark.parametrize(
    ("limits", "told"),
    [({"most_bytes": 20}, "bytes, more than 20 bytes"), ({"most_files": 3}, "than 3 files")],
)
def test_too_much_is_refused_with_the_largest(
    project: Path, limits: dict[str, int], told: str
) -> None:
    with pytest.raises(FlowError, match=told) as caught:
        bundle_of(spec_of(project / "executor.py"), project, **limits)
    assert re.search(r"the largest are .*/executor\.py \(\d+ bytes\)", caught.value.what)
    assert ".gitignore" in caught.value.hint


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "a//b"])
def test_a_bundle_that_leads_out_of_its_folder_is_refused(name: str, tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    assert_refused(out.getvalue(), tmp_path)


def test_a_bundle_with_a_link_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    assert_refused(out.getvalue(), tmp_path)


def test_a_damaged_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="damaged"):
        unpack("0" * 64, b"no bundle", tmp_path / "bundles")
    assert not (tmp_path / "bundles").exists()


def assert_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="not a file of the bundle"):
        unpack(hashlib.sha256(data).hexdigest(), data, tmp_path / "bundles")
    assert os.listdir(tmp_path / "bundles") == []
    assert sorted(os.listdir(tmp_path)) == ["bundles"]
