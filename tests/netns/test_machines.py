"""A Flow over two machines, with its client on a third: killed, cut off, and asked by strangers.

The machines are network namespaces; this is skipped where there can be none, which takes root and a
kernel that allows it. All share one Flow, with a far and a near agent; the last three tests
end these. With JINA_TEST_LEASE=5s it is the case of users; what is printed is in docs/scaling.md.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from jina.transport.handshakes import LEFT, NO_KEY, OTHER_GATEWAY
from tests.netns.machines import (
    CLIENT,
    CLIENT_ADDRESS,
    FAR,
    FAR_ADDRESS,
    FRONT,
    GATE,
    LEASE,
    Site,
    site_of,
)
from tests.polling import wait_until
from tests.shell import Shell, is_alive, json_lines

Kill = Callable[[], None]

LINES = 300  # of 20 ms each, by two workers
FEW = 120


@pytest.fixture(scope="module")
def site(shared_shell: Shell) -> Iterator[Site]:
    with site_of(shared_shell) as site:
        site.shell.write("lines.jsonl", json_lines(LINES))
        site.shell.write("few.jsonl", json_lines(FEW))
        yield site


def ids_of(lines: list[bytes]) -> list[str]:
    return [line.partition(b'"id":"')[2].partition(b'"')[0].decode() for line in lines]


def test_the_link_is_cut_and_mended(site: Site) -> None:
    far = site.far
    post = site.post("lines.jsonl")
    lines = [post.read_line() for _ in range(LINES // 10)]
    seen = len(far.err)
    cut = time.monotonic()
    site.machines.link("down")
    longest = 0.0
    while line := post.read_line():
        now = time.monotonic()
        longest, cut = max(longest, now - cut), now
        lines.append(line)
        if len(lines) == LINES * 7 // 10:
            far.wait_for("nothing was heard of the gateway")
            site.machines.link("up")
    assert post.end().code == 0, post.err
    print(f"lease {LEASE}: no result for {longest:.2f} s after the cut, at most")
    assert ids_of(lines) == [f"d{n}" for n in range(LINES)]
    wait_until(lambda: "is ready" in far.err[seen:], what=far.err)


def a_worker(site: Site) -> Kill:
    pid = site.worker(site.far)

    def kill() -> None:
        os.kill(pid, signal.SIGKILL)
        site.far.wait_for("restarting in 0.1 s")
        wait_until(lambda: site.worker(site.far) not in (0, pid), what="another one is there")
        assert not is_alive(pid)

    return kill


def an_agent(site: Site) -> Kill:
    agent = site.serve(FAR, "--keys", "spare")
    agent.wait_for("is ready")
    worker = wait_until(lambda: site.worker(agent))

    def kill() -> None:
        agent.process.kill()
        site.flow.wait_for(f"agent {agent.pid} on {os.uname().nodename} is lost")
        wait_until(lambda: not is_alive(worker), what="the worker ends with its agent")
        agent.end()

    return kill


def the_gateway(site: Site) -> Kill:
    pid, worker = site.shell.gateway(), site.worker(site.far)

    def kill() -> None:
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: site.shell.processes("jina.runtime.gateway") not in ([], [pid]))
        wait_until(lambda: site.worker(site.far) == worker, what="the worker stays, and is known")

    return kill


@pytest.mark.parametrize("prepare", [a_worker, an_agent, the_gateway])
def test_every_line_has_one_outcome_whoever_is_killed(
    site: Site, prepare: Callable[[Site], Kill]
) -> None:
    kill = prepare(site)
    post = site.post("few.jsonl")
    lines = [post.read_line() for _ in range(FEW // 10)]
    kill()
    lines += iter(post.read_line, b"")
    assert post.end().code == 0, post.err
    assert ids_of(lines) == [f"d{n}" for n in range(FEW)]


def test_who_is_not_let_in_is_told_on_both_sides(site: Site) -> None:
    """Somebody with a key that is not listed, without keys, with the key of another gateway."""
    asked: list[tuple[str, str]] = []
    for words, there, here in (
        (("--keys", "stranger"), 'does not list the key "stranger"', "the key is not listed"),
        ((), "the gateway lets in only those who have a key", f"{NO_KEY}|{LEFT}"),
        (("--keys", "lost"), "does not have the key that is expected of it", OTHER_GATEWAY),
    ):
        began = time.monotonic()
        post = ("post", "/", "--text", "a", "--address", FRONT, *words)
        for command in (site.serve(FAR, *words), site.start(CLIENT, *post)):
            done = command.end()
            assert (done.code, there in done.err, done.out) == (4, True, ""), done
        print(f"{words}: an agent and a client told within {time.monotonic() - began:.2f} s")
        asked += [(FAR_ADDRESS, here), (CLIENT_ADDRESS, here)]
    log = site.logs()
    assert log.count("the key is not listed") == 1  # once, whoever shows it
    for address, here in asked:
        # From close by: the address is not known of who left before the gateway looked.
        where = "at .+ " if here == "the key is not listed" else f"(at {address} )?"
        assert re.search(f"somebody {where}was not let in: ({here})", log), log


def test_a_key_that_is_removed_while_it_is_used_is_told_on_both_sides(site: Site) -> None:
    agent = site.serve(FAR, "--keys", "spare")
    agent.wait_for("is ready")
    keys = site.shell.folder / GATE
    kept = {name: (keys / f"{name}.pub").read_bytes() for name in ("spare", CLIENT)}
    post = site.post("lines.jsonl", "--output", "removed.jsonl")
    results = site.shell.folder / "removed.jsonl"
    wait_until(lambda: results.exists() and results.stat().st_size)
    for name, command in (("spare", agent), (CLIENT, post)):
        began = time.monotonic()
        (keys / f"{name}.pub").unlink()
        done = command.end()
        print(f"{name} was told within {time.monotonic() - began:.2f} s")
        assert (done.code, "does not list this key any more" in done.err) == (4, True), done.err
    log = site.logs()
    for told in ("spare.pub was removed", f"{CLIENT}.pub was removed", "is lost: the gateway does"):
        assert told in log
    assert 0 < results.read_bytes().count(b"\n") < LINES
    for name, text in kept.items():
        (keys / f"{name}.pub").write_bytes(text)
    wait_until(lambda: f"{CLIENT}.pub was added" in site.logs())
    assert site.post("lines.jsonl", "--output", "removed.jsonl").end().code == 0
    assert ids_of(results.read_bytes().splitlines()) == [f"d{n}" for n in range(LINES)]


def test_what_only_a_machine_that_is_cut_off_serves_waits(site: Site) -> None:
    assert site.near.end(signal.SIGINT).code == 0, site.near.err
    seen = len(site.flow.err)
    site.machines.link("down")
    with site.shell.start("post", "/", "--text", "a") as post:
        wait_until(lambda: "is lost: nothing was heard of it" in site.flow.err[seen:])
        wait_until(lambda: not site.shell.processes("jina.runtime.worker"))
        site.machines.link("up")
        done = post.end()
        assert (done.code, len(done.lines)) == (0, 1)


def test_a_supervisor_that_is_killed_leaves_nothing_and_a_post_is_resumed(site: Site) -> None:
    words = ("few.jsonl", "--output", "killed.jsonl")
    post = site.post(*words)
    results = site.shell.folder / "killed.jsonl"
    wait_until(lambda: results.exists() and results.stat().st_size)
    seen = len(site.far.err)
    site.flow.process.kill()
    site.flow.process.wait()
    wait_until(lambda: not site.shell.directories(), what="the run directory is gone")
    done = post.end()
    assert (done.code, "the Flow is gone" in done.err) == (4, True), done.err
    wait_until(lambda: "nothing was heard of the gateway" in site.far.err[seen:])
    wait_until(lambda: not site.shell.processes("jina.runtime"), what="only the agent is left")
    assert 0 < results.read_bytes().count(b"\n") < FEW
    assert site.far.end(signal.SIGINT).code == 0, site.far.err
    site.begin()
    assert site.post(*words).end().code == 0
    assert ids_of(results.read_bytes().splitlines()) == [f"d{n}" for n in range(FEW)]
    site.end()


LOCKS = """\
import fcntl
import pathlib
from jina import Executor


class Locks(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.file = (pathlib.Path(self.workspace) / "lock").open("w")
        fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""


def test_files_have_one_writer_though_the_gateway_is_replaced_after_a_cut(site: Site) -> None:
    site.shell.write("locks.py", LOCKS)
    site.shell.write("locks.yml", "jtype: Locks\npy_modules: [locks.py]\n")
    words = ("--workspace", "files", "--keys")
    site.end()  # if this test runs alone
    site.begin_flow()
    site.far = site.serve(FAR, *words, FAR, file="locks.yml")
    site.far.wait_for("slow/0 is ready")
    site.machines.link("down")
    os.kill(site.shell.gateway(), signal.SIGKILL)
    site.near = site.serve(GATE, *words, "near", file="locks.yml")
    site.near.wait_for("may still be alive; it may serve in")
    site.near.wait_for("slow/0 is ready")  # it has the lock
    assert "nothing was heard of the gateway" in site.far.err
    site.machines.link("up")
    site.far.wait_for("slow/1 is ready")  # with files of its own
    site.end()
