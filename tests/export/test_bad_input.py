"""What cannot be exported, and what is said of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jina.excepts import ConfigError, OutputError
from jina.export.names import suggested
from tests.export import project
from tests.shell import Shell

_PASSES = "jtype: Flow\nname: search\nexecutors:\n"


def flow(folder: Path, entries: str, name: str = "flow.yml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(_PASSES + entries)
    (folder / "store.py").write_text(project.FILES["store.py"])
    return folder / name


def refused(file: Path, output: Path) -> str:
    with pytest.raises(ConfigError) as error:
        project.kubernetes(file, output)
    assert not output.exists()  # nothing is written, no key either
    return str(error.value)


def test_a_name_that_kubernetes_does_not_take_has_a_place_and_another_name(tmp_path: Path) -> None:
    entry = "  - name: MyStore_2\n    uses: {jtype: Store, py_modules: store.py}\n"
    file = flow(tmp_path / "p", entry)
    assert refused(file, tmp_path / "out") == (
        f"{file}:4:11: error[bad-name]: Kubernetes does not take 'MyStore_2' as a name: it has at "
        "most 45 small letters, digits and `-`, with a letter or digit at both ends\n"
        "  4 |   - name: MyStore_2\n"
        "    |           ^^^^^^^^^\n"
        "help: use 'my-store-2', here and in `needs`"
    )


def test_a_flow_that_has_its_name_from_its_file_is_told_how_to_name_it(tmp_path: Path) -> None:
    file = flow(tmp_path / "p", "  - uses: {jtype: Store, py_modules: store.py}\n", "My Flow.yml")
    file.write_text(file.read_text().replace("name: search\n", "name: My_Flow\n"))
    text = refused(file, tmp_path / "out")
    assert f"{file}:2:7: error[bad-name]: Kubernetes does not take 'My_Flow'" in text
    assert "help: set `name: my-flow` in the YAML, or use --set name=my-flow" in text


@pytest.mark.parametrize(
    ("name", "is_flow", "instead"),
    [
        ("MyEncoder", False, "my-encoder"),
        ("a_b.c", False, "a-b-c"),
        ("__", False, "executor"),
        ("2Words", True, "words"),
        ("x" * 80, False, "x" * 20),
        ("Taken", False, "taken-2"),
    ],
)
def test_suggested_names_are_taken(name: str, is_flow: bool, instead: str) -> None:
    assert suggested(name, room=20, taken={"taken"}, is_flow=is_flow) == instead


def test_a_module_outside_of_the_project_is_refused_unless_the_project_is_named(
    tmp_path: Path,
) -> None:
    file = flow(tmp_path / "flows", "  - uses: {jtype: Store, py_modules: ../store.py}\n")
    (tmp_path / "store.py").write_text(project.FILES["store.py"])
    text = refused(file, tmp_path / "out")
    assert f"{file}:4:11: error[module-outside]: {tmp_path / 'store.py'} is outside of" in text
    assert "--project DIR" in text
    assert project.kubernetes(file, tmp_path / "out", project=tmp_path, quiet=True) == 0
    assert 'path: "flows/flow.yml"' in (tmp_path / "out" / "gateway.yaml").read_text()


def test_a_workspace_with_files_here_is_refused(tmp_path: Path) -> None:
    entry = "  - uses: {jtype: Store, py_modules: store.py}\n    workspace: kept\n"
    file = flow(tmp_path / "p", entry)
    (tmp_path / "p" / "kept").mkdir()
    (tmp_path / "p" / "kept" / "index").touch()
    text = refused(file, tmp_path / "out")
    assert f"{file}:5:16: error[workspace-here]: {tmp_path / 'p' / 'kept'} holds 1 file," in text
    assert project.kubernetes(file, tmp_path / "out", may_be_empty=True, quiet=True) == 0


def test_an_interpreter_of_this_machine_is_refused(tmp_path: Path) -> None:
    entry = "  - {name: a, uses: {jtype: Store, py_modules: store.py}, python: python3}\n"
    text = refused(flow(tmp_path / "p", entry), tmp_path / "out")
    assert "error[interpreter-here]: 'a' runs with an interpreter of this machine" in text
    assert "--image a=IMAGE" in text


def test_a_container_that_the_flow_starts_is_refused(tmp_path: Path) -> None:
    file = flow(tmp_path / "p", "  - {name: a, uses: 'docker://registry/a:1'}\n")
    text = refused(file, tmp_path / "out")
    assert f"{file}:4:21: error[container-here]: 'a' runs in a container that its Flow" in text
    assert "--image a=registry/a:1" in text


def test_a_module_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = flow(tmp_path / "p", "  - uses: {jtype: Store, py_modules: store.py}\n")
    (tmp_path / "p" / "store.py").write_bytes(b"# \xff\n")
    assert "byte 0xff is not valid UTF-8" in refused(file, tmp_path / "out")


def test_more_than_a_config_map_holds_is_refused(tmp_path: Path) -> None:
    file = flow(tmp_path / "p", "  - uses: {jtype: Store, py_modules: store.py}\n")
    with (tmp_path / "p" / "store.py").open("a") as module:
        module.write(f"# {'x' * 1_000_000}\n")
    assert "error[files-too-large]" in refused(file, tmp_path / "out")


def test_a_folder_with_files_of_others_is_left_alone(tmp_path: Path) -> None:
    file = project.write(tmp_path / "search")
    with pytest.raises(OutputError, match="is not empty, and not of an earlier export"):
        project.kubernetes(file, tmp_path / "search")
    project.kubernetes(file, tmp_path / "out")
    with pytest.raises(OutputError):
        project.compose(file, tmp_path / "out")


def test_a_large_file_that_is_named_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = "  - uses: {jtype: Store, py_modules: store.py, with: {model: m.bin, api_key: x}}\n"
    entry += "    dump_path: dumped\n"
    file = flow(tmp_path / "p", entry)
    (tmp_path / "p" / "m.bin").write_bytes(b"\xff\x00")
    project.kubernetes(file, tmp_path / "out")
    told = capsys.readouterr().err
    assert re.search(r"warning\[file-left-out\]: .*/m\.bin is not exported", told)
    assert "flow.yml:5:16: warning[left-out]: `dump_path` is left out" in told
    assert "warning[shown-secret]: the value of `api_key` is written in plain text" in told


def test_keys_that_are_there_are_kept(tmp_path: Path) -> None:
    file = project.write(tmp_path / "search")
    project.kubernetes(file, tmp_path / "out")
    keys = project.contents(tmp_path / "out" / "keys")
    (tmp_path / "out" / "keys" / "gateway" / "client.pub").unlink()
    project.kubernetes(file, tmp_path / "out")
    assert project.contents(tmp_path / "out" / "keys") == keys


def test_the_commands(shell: Shell) -> None:
    project.write(shell.folder / "search")
    done = shell.call("flow", "export", "kubernetes", "search/flow.yml", "-o", "out")
    assert (done.code, done.out) == (2, "")
    assert "--image" in done.err
    words = ("flow", "export", "compose", "search/flow.yml", "-o", "out", "--image")
    done = shell.fork(*words, "encoder=i")
    assert done.code == 2
    assert "name an image for the gateway too" in done.err
    done = shell.fork(*words, "i", "--image", "encodr=j")
    assert (done.code, "'encodr' is not an executor of this Flow" in done.err) == (2, True)
    done = shell.call(
        "flow", "export", "kubernetes", "search/flow.yml", "-o", "out", "--image", "i"
    )
    assert (done.code, done.out) == (0, "")
    assert done.err == 'exported "search" to out; next: kubectl apply -k out\n'
    done = shell.call(
        "executor", "export", "dockerfile", "search/encoder/config.yml", "-o", "image"
    )
    assert done.code == 0, done.err
