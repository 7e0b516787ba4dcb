"""Find the Flow that is meant, or say which ones there are."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jina.excepts import FlowNotFound
from jina.launch.find import find_flow, looks_like_file, uptime_s, wait_until_ready
from jina.launch.rundir import RunDirectory, claim


class Flows:
    """Flows that run, as far as their directories tell."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def up(self, name: str, file: str = "", *, is_one_shot: bool = False) -> RunDirectory:
        directory = claim(name, file, file, is_one_shot=is_one_shot)
        self._stack.callback(directory.remove)
        return directory


@pytest.fixture
def flows(runtime_dir: Path) -> Iterator[Flows]:
    with ExitStack() as stack:
        yield Flows(stack)


def message(wanted: str = "") -> str:
    with pytest.raises(FlowNotFound) as caught:
        find_flow(wanted)
    return str(caught.value)


def test_the_only_flow_needs_no_name(flows: Flows) -> None:
    flows.up("search")
    assert find_flow().name == "search"


def test_a_flow_is_found_by_name(flows: Flows) -> None:
    flows.up("search")
    flows.up("index")
    assert find_flow("index").name == "index"


def test_a_flow_is_found_by_its_file_however_the_path_is_written(
    flows: Flows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "flow.yml"
    file.touch()
    flows.up("search", str(file))
    flows.up("search")
    monkeypatch.chdir(tmp_path)
    for wanted in (str(file), "flow.yml", "./flow.yml", f"{tmp_path}/../{tmp_path.name}/flow.yml"):
        assert find_flow(wanted).file == str(file)


def test_no_flow_at_all(flows: Flows) -> None:
    assert message() == (
        "no Flow is running\nhelp: start one with `jina flow up flow.yml`, or use --flow flow.yml"
    )
    assert message("search") == (
        'no running Flow is named "search"\n'
        "help: none is running; start one with `jina flow up flow.yml`"
    )


def test_several_flows_and_none_named(flows: Flows) -> None:
    flows.up("search")
    flows.up("index")
    assert message() == ("2 Flows are running: index, search\nhelp: choose one, as in --flow index")


def test_a_name_that_is_nearly_right_and_one_that_is_not(flows: Flows) -> None:
    flows.up("search")
    assert message("serch") == ('no running Flow is named "serch"\nhelp: did you mean "search"?')
    assert message("x") == 'no running Flow is named "x"\nhelp: running: search'


def test_a_file_that_is_not_running_is_not_taken_for_a_name(
    flows: Flows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flow.yml").touch()
    monkeypatch.chdir(tmp_path)
    assert message("flow.yml") == (
        "flow.yml is not running\nhelp: start it with `jina flow up flow.yml`"
    )
    flows.up("flow", "/else/flow.yml")
    assert message("flow.yml") == "flow.yml is not running\nhelp: running: flow"


def test_two_flows_of_one_name_are_told_apart_by_file(flows: Flows, tmp_path: Path) -> None:
    files = sorted([str(tmp_path / "a.yml"), str(tmp_path / "b.yml")])
    for file in files:
        flows.up("search", file)
    text = message("search")
    assert text.startswith('2 running Flows are named "search": ')
    assert all(file in text for file in files)
    assert text.endswith("/b.yml") or text.endswith("/a.yml")
    assert "\nhelp: use the file instead, as in " in text
    several = message()
    assert all(os.path.basename(file) in several for file in files)
    assert re.search(r"help: choose one, as in --flow \S*/[ab]\.yml$", several)


def test_the_hint_names_a_file_as_it_is_written_from_here(
    flows: Flows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.yml", "b.yml"):
        flows.up("search", str(tmp_path / name))
    flows.up("index")
    monkeypatch.chdir(tmp_path)
    assert message().startswith("3 Flows are running: a.yml, b.yml, index\n")


def test_two_flows_of_one_name_without_a_file_have_their_addresses(flows: Flows) -> None:
    for _ in range(2):
        flows.up("search")
    assert message("search").endswith(
        "help: use the address instead; `jina flow ps --json` lists it"
    )


def test_a_flow_that_serves_one_command_is_not_found_by_others(flows: Flows) -> None:
    flows.up("search", "/search.yml", is_one_shot=True)
    for wanted in ("", "search", "/search.yml"):
        with pytest.raises(FlowNotFound):
            find_flow(wanted)
        assert find_flow(wanted, one_shots=True).name == "search"
    flows.up("index")
    assert find_flow().name == "index"


def test_the_clock_may_be_set_while_a_flow_runs(flows: Flows) -> None:
    record = flows.up("search").record
    known = uptime_s(record)
    for record.started_at in (0.0, 1e12):
        assert known <= uptime_s(record) < time.clock_gettime(time.CLOCK_BOOTTIME)


def test_waiting_ends_when_the_flow_is_ready(flows: Flows) -> None:
    directory = flows.up("search")
    record = find_flow()
    directory.record.is_ready = True
    directory.record.addresses = [directory.front]
    directory.save()
    assert wait_until_ready(record, 5).addresses == [directory.front]


def test_waiting_ends_when_the_flow_does(runtime_dir: Path) -> None:
    directory = claim("search", "", "")
    record = find_flow()
    directory.remove()
    with pytest.raises(FlowNotFound, match='the Flow "search" ended while it was starting'):
        wait_until_ready(record, 5)


def test_waiting_ends_with_the_time(flows: Flows) -> None:
    flows.up("search")
    with pytest.raises(FlowNotFound) as caught:
        wait_until_ready(find_flow(), 0.05)
    assert str(caught.value) == (
        'the Flow "search" is still starting after 0.05 s\n'
        "help: see its terminal for what it is waiting for"
    )


@pytest.mark.parametrize(
    ("wanted", "is_file"),
    [
        ("search", False),
        ("flow.yml", True),
        ("flow.yaml", True),
        (f"flows{os.sep}search", True),
        (__file__, True),
    ],
)
def test_a_name_is_told_from_a_path(wanted: str, is_file: bool) -> None:
    assert looks_like_file(wanted) is is_file
