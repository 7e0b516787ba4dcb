"""The graph of a Flow as text and as Mermaid."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from jina.excepts import OutputError
from jina.executors.container import ContainerSpec
from jina.executors.spec import ExecutorSpec
from jina.graph.drawing import draw_file, draw_mermaid, draw_text, fitting, form_of
from jina.graph.plan import Plan, PlannedNode, WorkerSpec


def flow(*nodes: tuple[str, list[str]], replicas: int = 1, jtype: str = "") -> Plan:
    """A plan of these names and needs; what else is said holds for the first node."""
    planned = [
        PlannedNode(name=name, needs=needs, replicas=1 if n else replicas)
        for n, (name, needs) in enumerate(nodes)
    ]
    workers = [
        WorkerSpec(
            node=node.name,
            replica=replica,
            executor=ExecutorSpec(jtype=jtype if node is planned[0] else ""),
        )
        for node in planned
        for replica in range(node.replicas)
    ]
    return Plan(name="flow", nodes=planned, workers=workers)


def drawn(text: str) -> str:
    """A drawing as the docstring of a test can hold it: without its indentation."""
    return "".join(f"{line[8:]}\n" for line in text.splitlines()[1:-1])


DIAMOND = flow(
    ("words", ["gateway"]),
    ("picture", ["gateway"]),
    ("joiner", ["picture", "words"]),
    replicas=2,
    jtype="WordEncoder",
)


def test_a_chain_is_one_line() -> None:
    plan = flow(("encoder", ["gateway"]), ("indexer", ["encoder"]), jtype="Encoder")
    assert draw_text(plan) == drawn(
        """
        ●    gateway
        │
        ●    encoder  Encoder
        │
        ●    indexer  passes through
        │
        ●    gateway
        """
    )


def test_a_container_is_named_by_its_image() -> None:
    plan = flow(("encoder", ["gateway"]))
    worker = structs.replace(plan.workers[0], container=ContainerSpec(image="encoder:1"))
    plan = structs.replace(plan, workers=[worker])
    assert "docker://encoder:1" in draw_text(plan)
    assert "passes through" not in draw_text(plan)


def test_branches_part_and_join_again() -> None:
    assert draw_text(DIAMOND) == drawn(
        """
        ●      gateway
        ├─╮
        ● │    words    x2  WordEncoder
        │ │
        │ ●    picture      passes through  needs gateway
        ├─╯
        ●      joiner       passes through  joins picture, words
        │
        ●      gateway
        """
    )


def test_lines_cross_and_several_ends_answer_in_the_order_of_the_flow() -> None:
    plan = flow(
        ("a", ["gateway"]),
        ("b", ["gateway"]),
        ("c", ["gateway"]),
        ("d", ["a"]),
        ("e", ["b", "gateway"]),
        ("f", ["d", "c"]),
    )
    assert draw_text(plan) == drawn(
        """
        ●          gateway
        ├─┬─┬─╮
        ● │ │ │    a        passes through
        │ │ │ │
        │ ● │ │    b        passes through  needs gateway
        │ │ │ │
        │ │ ● │    c        passes through  needs gateway
        │ │ │ │
        ● │ │ │    d        passes through  needs a
        │ ├─┼─╯
        │ ● │      e        passes through  joins b, gateway
        ├─┼─╯
        ● │        f        passes through  joins d, c
        ├─╯
        ●          gateway                  answers with e, f
        """
    )


def test_a_line_takes_a_column_that_has_become_free() -> None:
    plan = flow(
        ("a", ["gateway"]),
        ("b", ["gateway"]),
        ("c", ["gateway"]),
        ("ab", ["a", "b"]),
        ("x", ["ab"]),
        ("y", ["ab"]),
        ("all", ["c", "x", "y"]),
    )
    assert draw_text(plan) == drawn(
        """
        ●        gateway
        ├─┬─╮
        ● │ │    a        passes through
        │ │ │
        │ ● │    b        passes through  needs gateway
        │ │ │
        │ │ ●    c        passes through  needs gateway
        ├─╯ │
        ●   │    ab       passes through  joins a, b
        ├─╮ │
        ● │ │    x        passes through
        │ │ │
        │ ● │    y        passes through  needs ab
        ├─┴─╯
        ●        all      passes through  joins c, x, y
        │
        ●        gateway
        """
    )


def test_nodes_stand_behind_those_that_they_need() -> None:
    plan = flow(("last", ["first"]), ("first", ["gateway"]))
    lines = draw_text(plan).splitlines()
    assert [line.split()[1] for line in lines[::2]] == ["gateway", "first", "last", "gateway"]


def test_without_nodes_the_gateway_answers_itself() -> None:
    assert draw_text(flow()) == "●    gateway\n│\n●    gateway\n"
    assert draw_mermaid(flow()) == (
        'flowchart LR\n    n0(["gateway"])\n    n1(["gateway"])\n    n0 --> n1\n'
    )


def test_mermaid_has_the_needs_in_their_order() -> None:
    text = draw_mermaid(DIAMOND)
    assert text == drawn(
        """
        flowchart LR
            n0(["gateway"])
            n1["words x2<br/>WordEncoder"]
            n2["picture<br/>passes through"]
            n3["joiner<br/>passes through"]
            n4(["gateway"])
            n0 --> n1
            n0 --> n2
            n2 --> n3
            n1 --> n3
            n3 --> n4
        """
    )
    assert draw_mermaid(DIAMOND, vertical=True) == text.replace("LR", "TD")


def test_a_name_cannot_end_its_label_nor_steer_a_terminal() -> None:
    plan = flow(("end", ["gateway"]), jtype='A"]; <b>#`&%%{x}%%\n\x1b[2J\u202e\ud800é')
    assert (
        'n1["end<br/>A#quot;]; #lt;b#gt;#35;#96;#amp;#37;#37;{x}#37;#37;'
        '#92;n#92;x1b[2J#92;u202e#92;ud800é"]'
    ) in draw_mermaid(plan)
    assert 'A"]; <b>#`&%%{x}%%\\n\\x1b[2J\\u202e\\ud800é\n' in draw_text(plan)


def test_where_the_lines_cannot_be_encoded_plain_characters_stand_for_them() -> None:
    plan = flow(
        ("a", ["gateway"]), ("b", ["gateway"]), ("c", ["gateway"]), ("d", ["a", "c"]), jtype="É"
    )
    text = draw_text(plan)
    assert fitting(text, "utf-8") == fitting(text, None) == text
    assert fitting(text, "ascii") == drawn(
        r"""
        o        gateway
        +-.-.
        o | |    a        \xc9
        | | |
        | o |    b        passes through  needs gateway
        | | |
        | | o    c        passes through  needs gateway
        +-+-'
        o |      d        passes through  joins a, c
        +-'
        o        gateway                  answers with b, d
        """
    )


@pytest.mark.parametrize("name", ["flow.mmd", "flow.mermaid", "FLOW.MMD"])
def test_a_mermaid_file_holds_mermaid_alone(name: str) -> None:
    assert draw_file(DIAMOND, Path(name)) == draw_mermaid(DIAMOND)


def test_markdown_holds_a_block_and_a_text_file_the_text() -> None:
    vertical = draw_mermaid(DIAMOND, vertical=True)
    assert draw_file(DIAMOND, Path("a.md"), vertical=True) == f"```mermaid\n{vertical}```\n"
    assert draw_file(DIAMOND, Path("a.txt"), vertical=True) == draw_text(DIAMOND)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "out/flow.svg",
            "out/flow.svg: cannot draw a .svg picture: that needs a browser\n"
            "help: write flow.mmd; `mmdc -i flow.mmd -o flow.svg` of mermaid-cli, or "
            "mermaid.live, makes a picture of it",
        ),
        (
            "flow.yml",
            "flow.yml: .yml is not a known drawing format\nhelp: use .mmd or .md for Mermaid, "
            ".txt for text",
        ),
        (
            "flow",
            "flow: a name without an extension is not a known drawing format\n"
            "help: use .mmd or .md for Mermaid, .txt for text",
        ),
    ],
)
def test_a_picture_or_an_unknown_ending_is_refused(name: str, message: str) -> None:
    with pytest.raises(OutputError) as caught:
        form_of(Path(name))
    assert str(caught.value) == message


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    nodes: list[tuple[str, list[str]]] = []
    for n in range(draw(st.integers(1, 12))):
        names = ["gateway", *(name for name, _ in nodes)]
        needs = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
        nodes.append((f"node{n}", needs))
    return flow(*nodes)


@given(graphs())
def test_whoever_follows_the_lines_finds_every_need(plan: Plan) -> None:
    """Read back from the characters alone: which node each line comes from, and where it ends."""
    needed = {need for node in plan.nodes for need in node.needs}
    wanted = {node.name: sorted(node.needs) for node in plan.nodes}
    wanted["answer"] = sorted(node.name for node in plan.nodes if node.name not in needed)
    assert followed(draw_text(plan)) == wanted


def followed(text: str) -> dict[str, list[str]]:
    """Node -> sorted names of those whose lines lead to it; the last gateway is "answer"."""
    found: dict[str, list[str]] = {}
    lines: dict[int, list[str]] = {}  # column -> where its line, or its lines, come from
    rows = text.splitlines()
    for number, row in enumerate(rows):
        column = row.find("●")
        if column >= 0:
            name = row.split("●")[1].strip(" │").split()[0]
            if number:
                found["answer" if number == len(rows) - 1 else name] = sorted(lines[column])
            lines[column] = [name]
        elif "├" in row:
            start, end = row.index("├"), max(row.rfind("╮"), row.rfind("╯"))
            for other in range(start + 1, end + 1):
                if row[other] in "┬╮":
                    lines[other] = list(lines[start])
                elif row[other] in "┴╯":
                    lines[start] = lines[start] + lines.pop(other)
        assert all(row[each] in "●│├┼┬╮" for each in lines), "a line is broken"
    return found
