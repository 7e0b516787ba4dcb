"""`jina keys`: keys are made and listed."""

from __future__ import annotations

import json

from tests.shell import Shell


def test_keys_are_made_and_listed(shell: Shell) -> None:
    done = shell.call("keys", "new", "search", "--role", "gateway")
    assert (done.code, done.out) == (0, "")
    assert done.err == (
        "keys/search.key: secret, stays here\n"
        "keys/search.pub: copy it to the clients and workers of the Flow\n"
    )
    assert shell.call("keys", "new", "laptop").err == (
        "keys/laptop.key: secret, stays here\n"
        "keys/laptop.pub: copy it into the gateway's folder, to let this key in\n"
    )
    (shell.folder / "keys" / "laptop.key").unlink()
    listed = json.loads(shell.call("keys", "list", "--json").out)
    assert [(key["name"], key["role"], key["has_secret"]) for key in listed] == [
        ("laptop", "client", False),
        ("search", "gateway", True),
    ]
    table = shell.call("keys", "list").out.splitlines()
    assert table[0].split() == ["NAME", "ROLE", "PUBLIC", "KEY", "SECRET"]
    assert table[1].split()[:2] == ["laptop", "client"]
    assert table[2].split()[-1] == "yes"


def test_what_goes_wrong_is_told(shell: Shell) -> None:
    assert shell.call("keys", "list").err == (
        "error: keys: no such folder\nhelp: `jina keys new NAME` makes one\n"
    )
    shell.call("keys", "new", "laptop")
    again = shell.call("keys", "new", "laptop")
    assert again.code == 2
    assert again.err.startswith("error: keys/laptop.key: there is such a key already\n")
    (shell.folder / "keys" / "laptop.key").chmod(0o604)
    assert shell.call("keys", "list").err == (
        "error: keys/laptop.key: others can read this secret key\nhelp: chmod 600 keys/laptop.key\n"
    )
