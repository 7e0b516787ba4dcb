"""`jina flow scale` and `restart` of a node with shards, a head and a tail."""

from __future__ import annotations

from tests.shell import ZOO, Shell, json_lines


def test_a_sharded_node_is_scaled_shard_by_shard_and_restarted_whole(shell: Shell) -> None:
    head = f"uses_before: {{jtype: Counter, py_modules: [{ZOO}]}}"
    shell.flow(f"Upper, shards: 2, polling: ALL, {head}", "Counter")
    shell.write("lines.jsonl", json_lines(2000))
    with shell.up("flow.yml"):
        before = {each["pid"] for each in shell.ps()[0]["workers"]}
        arguments = ("post", "/", "--inputs", "lines.jsonl", "--request-size", "5", "--quiet")
        out = shell.folder / "out.jsonl"
        with shell.start(*arguments, "--output", out) as post:
            done = shell.call("flow", "scale", "upper=2")
            assert "note: upper keeps its 2 shards; each will have 2 replicas\n" in (done.err)
            assert [(each["node"], each["shard"], each["replica"]) for each in workers(shell)] == [
                ("upper/head", None, 0),
                *(("upper", shard, replica) for shard in (0, 1) for replica in (0, 1)),
                ("upper/tail", None, 0),
                ("counter", None, 0),
            ]
            assert shell.call("flow", "restart", "upper").code == 0
            assert shell.call("flow", "scale", "upper=1").code == 0
            posted = post.end()
        assert posted.code == 0, posted.err
        lines = posted._replace(out=out.read_text()).lines
        assert [line["text"] for line in lines] == [f"LINE {n}" for n in range(2000)]
        kept = {each["pid"] for each in workers(shell)} & before
        assert kept == {each["pid"] for each in workers(shell) if each["node"] == "counter"}
        done = shell.call("flow", "scale", "upper/head=2")
        assert (done.code, done.err) == (
            2,
            'error: "upper/head" always has one worker\nhelp: scale "upper" itself\n',
        )
        text = (shell.folder / "flow.yml").read_text()
        shell.write("flow.yml", text.replace("shards: 2", "shards: 3"))
        done = shell.call("flow", "restart")
        assert done.code == 2
        assert '"upper" has new needs or options; stop and start the Flow to apply this' in done.err


def workers(shell: Shell) -> list[dict[str, object]]:
    found: list[dict[str, object]] = shell.ps()[0]["workers"]
    return found
