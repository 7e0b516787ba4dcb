"""A Flow that other machines may reach: encrypted, and for those alone whose keys are listed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest

from jina import Client, Document
from jina.excepts import ConnectError
from jina.transport.handshakes import LEFT, NO_KEY, OTHER_GATEWAY
from tests.polling import wait_until
from tests.shell import Done, Shell


@pytest.fixture(scope="module")
def address(shared_shell: Shell) -> Iterator[str]:
    """The address of a Flow that lets in `laptop`; `stranger` has a key that it does not list."""
    shell = shared_shell
    for words in (
        ("gate", "--role", "gateway", "--keys", "gate"),
        ("laptop", "--keys", "own"),
        ("stranger", "--keys", "others"),
        ("gate", "--role", "gateway", "--keys", "elsewhere"),
        ("laptop", "--keys", "elsewhere"),
    ):
        assert shell.call("keys", "new", *words).code == 0
    shutil.copy(shell.folder / "own" / "laptop.pub", shell.folder / "gate")
    for folder in ("own", "others"):
        shutil.copy(shell.folder / "gate" / "gate.pub", shell.folder / folder)
    flow = shell.flow("Upper")
    with shell.up(flow, "--host", "0.0.0.0", "--port", "0", "--keys", "gate"):
        tcp = shell.ps()[0]["addresses"][1]
        yield tcp.replace("0.0.0.0", "127.0.0.1")


def posted(shell: Shell, address: str, *words: str) -> Done:
    return shell.call("post", "/", "--text", "a", "--address", address, *words)


def test_a_listed_key_posts_and_so_does_everybody_here(address: str, shared_shell: Shell) -> None:
    done = posted(shared_shell, address, "--keys", "own")
    assert (done.code, done.lines[0]["text"]) == (0, "A")
    assert shared_shell.call("post", "/", "--text", "a").lines[0]["text"] == "A"
    with Client(address, keys=shared_shell.folder / "own") as client:
        (answer,) = client.post("/", Document(text="a"), return_results=True) or []
    assert answer.docs[0].text == "A"


@pytest.mark.parametrize(
    ("words", "told", "here"),
    [
        (
            ("--keys", "others"),
            'the gateway does not list the key "stranger"\n'
            "help: copy stranger.pub into the gateway's folder of keys\n",
            "the key is not listed: ",
        ),
        (
            ("--keys", "elsewhere"),
            "the gateway there does not have the key that is expected of it, or has none\n"
            "help: copy the gateway's .pub file into elsewhere\n",
            OTHER_GATEWAY,
        ),
        (
            (),
            "the gateway lets in only those who have a key\n"
            "help: use --keys DIR; `jina keys new` makes a key\n",
            f"{NO_KEY}|{LEFT}",  # it may leave before the gateway sees that there is none
        ),
    ],
)
def test_others_are_told_why_they_are_not_let_in_and_so_is_the_log(
    address: str, shared_shell: Shell, words: tuple[str, ...], told: str, here: str
) -> None:
    done = posted(shared_shell, address, *words)
    assert (done.code, done.out, done.err) == (4, "", f"error: {address}: {told}")
    line = rf"somebody( at 127\.0\.0\.1)? was not let in: ({here})"
    wait_until(lambda: re.search(line, shared_shell.fork("flow", "logs").out))


def test_the_flow_says_which_key_was_not_let_in(address: str, shared_shell: Shell) -> None:
    shared_shell.call("keys", "new", "nobody", "--keys", "nobody")
    shutil.copy(shared_shell.folder / "gate" / "gate.pub", shared_shell.folder / "nobody")
    text = (shared_shell.folder / "nobody" / "nobody.pub").read_text()
    for _ in range(2):
        assert posted(shared_shell, address, "--keys", "nobody").code == 4
    found = wait_until(
        lambda: re.findall(
            r"somebody at 127\.0\.0\.1 was not let in: the key is not listed: (\S+)",
            shared_shell.call("flow", "logs").out,
        )
    )
    assert len([key for key in found if key in text]) == 1, found


def test_keys_are_added_and_removed_while_it_runs(address: str, shared_shell: Shell) -> None:
    gate, own = shared_shell.folder / "gate", shared_shell.folder / "own"
    shared_shell.call("keys", "new", "second", "--keys", "second")
    shutil.copy(gate / "gate.pub", shared_shell.folder / "second")
    assert posted(shared_shell, address, "--keys", "second").code == 4
    shutil.copy(shared_shell.folder / "second" / "second.pub", gate)
    assert posted(shared_shell, address, "--keys", "second").code == 0
    with Client(address, keys=own) as client:
        client.post("/", Document(text="a"))
        (gate / "laptop.pub").unlink()

        def refusal() -> str:
            """A post over the connection that stands."""
            try:
                client.post("/", Document(text="a"))
            except ConnectError as error:
                return str(error)
            return ""

        assert wait_until(refusal) == (
            f"{address}: the gateway does not list this key any more\n"
            "help: inputs without an outcome were not processed"
        )
    wait_until(lambda: "keys: laptop.pub was removed" in shared_shell.call("flow", "logs").out)
    shutil.copy(own / "laptop.pub", gate)
    wait_until(lambda: posted(shared_shell, address, "--keys", "own").code == 0)


def test_a_worker_key_does_not_post(address: str, shared_shell: Shell) -> None:
    shared_shell.call("keys", "new", "gpu", "--role", "worker", "--keys", "gpu")
    shutil.copy(shared_shell.folder / "gate" / "gate.pub", shared_shell.folder / "gpu")
    shutil.copy(shared_shell.folder / "gpu" / "gpu.pub", shared_shell.folder / "gate")
    done = posted(shared_shell, address, "--keys", "gpu")
    told = "this is the key of a worker; clients need one of their own"
    assert (done.code, done.err) == (4, f"error: {address}: {told}\n")
    line = f'somebody with the key "gpu" was not let in: {told}'
    wait_until(lambda: line in shared_shell.fork("flow", "logs").out)
    (shared_shell.folder / "gate" / "gpu.pub").unlink()


def test_a_damaged_key_concerns_no_other_and_is_told(address: str, shared_shell: Shell) -> None:
    damaged = shared_shell.folder / "gate" / "damaged.pub"
    damaged.write_text("role: client\n")
    wait_until(
        lambda: (
            posted(shared_shell, address, "--keys", "own").code == 0
            and "damaged.pub: no public key" in shared_shell.call("flow", "logs").out
        )
    )
    damaged.unlink()


def test_keys_that_cannot_be_used_are_told_before_anything_starts(shell: Shell) -> None:
    flow = shell.flow("Upper")
    done = shell.call("flow", "up", flow, "--port", "0", "--keys", "nowhere")
    assert done.code == 2
    assert done.err == "error: nowhere: no such folder\nhelp: `jina keys new NAME` makes one\n"
    done = shell.call("flow", "up", flow, "--keys", "nowhere")
    assert "needs --port" in done.err
