"""Draw the graph of a Flow: as text for a terminal, as Mermaid for whatever renders it.

Each node has a row, below those that it needs. Lines on the left lead from each node to those that
take its results. The same Flow always gives the same drawing, byte for byte. Nothing is loaded or
started, and no picture is made: that would need a browser.

    ●      gateway
    ├─╮
    ● │    words    x2  WordEncoder
    │ ●    picture      PictureEncoder  needs gateway
    ├─╯
    ●      joiner       passes through  joins words, picture
    │
    ●      gateway
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path, PurePath
from typing import Literal, NamedTuple

from jina.excepts import OutputError
from jina.graph.course import ends, in_order
from jina.graph.plan import Plan, PlannedNode
from jina.names import GATEWAY
from jina.terminal_text import one_line

Form = Literal["text", "mermaid"]

_FORMS: dict[str, Form] = {
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".md": "mermaid",
    ".txt": "text",
}
_FENCED = (".md",)
_PICTURES = (".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf")

_NODE, _LINE, _OUT, _ACROSS, _CROSSING = "●│├─┼"
_SPLIT, _JOINED = "┬╮", "┴╯"  # on the way, and at the right end
_ASCII = str.maketrans("●│├─┼┬╮┴╯", "o|+-+..''")

# What Mermaid would read as the end of a label, as an entity or as markup.
_ESCAPED = str.maketrans(
    {
        '"': "#quot;",
        "#": "#35;",
        "%": "#37;",
        "&": "#amp;",
        "<": "#lt;",
        ">": "#gt;",
        "\\": "#92;",
        "`": "#96;",
    }
)


class _Vertex(NamedTuple):
    """A node of the drawing. The gateway is two of them: where requests enter, where answers leave.

    Attributes:
        name: of the node.
        times: how many shards and replicas it has, in words; "" for one process.
        does: what runs there; "" for the gateway.
        sources: numbers of the vertices whose results it takes, in the order of `needs`.
    """

    name: str
    times: str
    does: str
    sources: list[int]


def draw_text(plan: Plan) -> str:
    """The graph as lines and names, for a terminal; it ends in a newline."""
    vertices = _vertices(plan)
    rows = _rails(vertices)
    width = max(len(rail) for rail, _ in rows)
    cells = {
        number: (vertex.name, vertex.times, vertex.does, _relation(vertices, number))
        for number, vertex in enumerate(vertices)
    }
    columns = [max(map(len, column)) for column in zip(*cells.values(), strict=True)]
    lines = []
    for rail, number in rows:
        texts = cells.get(number, ())
        shown = [text.ljust(size) for text, size in zip(texts, columns, strict=False) if size]
        lines.append("  ".join([rail.ljust(width + 2), *shown]).rstrip())
    return "\n".join(lines) + "\n"


def draw_mermaid(plan: Plan, *, vertical: bool = False) -> str:
    """The graph in the language of mermaid.js, which GitHub and many editors render.

    Args:
        plan: of the Flow.
        vertical: from top to bottom; else from left to right.
    """
    vertices = _vertices(plan)
    lines = ["flowchart TD" if vertical else "flowchart LR"]
    for number, vertex in enumerate(vertices):
        parts = [f"{vertex.name} {vertex.times}".rstrip(), vertex.does]
        label = "<br/>".join(part.translate(_ESCAPED) for part in parts if part)
        # Numbers, not names: "end" and others are words of the language.
        lines.append(f'    n{number}["{label}"]' if vertex.does else f'    n{number}(["{label}"])')
    lines += [
        f"    n{source} --> n{number}"
        for number, vertex in enumerate(vertices)
        for source in vertex.sources
    ]
    return "\n".join(lines) + "\n"


def draw_file(plan: Plan, path: PurePath, *, vertical: bool = False) -> str:
    """The drawing for a file of this name.

    Args:
        plan: of the Flow.
        path: see `form_of`; in `.md` the Mermaid text is in a fenced block.
        vertical: as for `draw_mermaid`.

    Raises:
        OutputError: see `form_of`.
    """
    if form_of(path) == "text":
        return draw_text(plan)
    text = draw_mermaid(plan, vertical=vertical)
    return fenced(text) if path.suffix.lower() in _FENCED else text


def form_of(path: PurePath) -> Form:
    """The form of drawing that a file's name asks for.

    Raises:
        OutputError: the ending is that of a picture, or unknown.
    """
    ending = path.suffix.lower()
    if ending in _FORMS:
        return _FORMS[ending]
    if ending in _PICTURES:
        instead = path.with_suffix(".mmd").name
        raise OutputError(
            f"cannot draw a {ending} picture: that needs a browser",
            where=str(path),
            hint=f"write {instead}; `mmdc -i {instead} -o {path.name}` of mermaid-cli, or "
            "mermaid.live, makes a picture of it",
        )
    raise OutputError(
        f"{ending or 'a name without an extension'} is not a known drawing format",
        where=str(path),
        hint="use .mmd or .md for Mermaid, .txt for text",
    )


def fenced(mermaid: str) -> str:
    """Mermaid text as a block of Markdown."""
    return f"```mermaid\n{mermaid}```\n"


def fitting(text: str, encoding: str | None) -> str:
    """The text, with ASCII instead of the lines that an encoding does not have.

    Args:
        text: a drawing.
        encoding: of the stream that it goes to; None is UTF-8.
    """
    encoding = encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = text.translate(_ASCII)
        return plain.encode(encoding, "backslashreplace").decode(encoding)
    return text


def plot(plan: Plan, output: str | PurePath | None, *, vertical: bool, inline: bool) -> None:
    """Draw where somebody sees it; see `Flow.plot`.

    Args:
        plan: of the Flow.
        output: file to write to; None for a notebook or standard output.
        vertical: as for `draw_mermaid`.
        inline: in a notebook, show it there.
    """
    is_shown = inline and display(plan, vertical=vertical)
    if output is not None:
        path = Path(output)
        path.write_text(draw_file(plan, path, vertical=vertical), encoding="utf-8")
    elif not is_shown:
        print(fitting(draw_text(plan), getattr(sys.stdout, "encoding", None)), end="")


def display(plan: Plan, *, vertical: bool = False) -> bool:
    """Show the graph if the program runs in a notebook, or in another IPython.

    Args:
        plan: of the Flow.
        vertical: as for `draw_mermaid`.

    Returns:
        whether there is such a place, so that it was shown.
    """
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return False
    text, mermaid = draw_text(plan), fenced(draw_mermaid(plan, vertical=vertical))
    # Each frontend takes the form that it can show.
    ipython.display.display({"text/plain": text, "text/markdown": mermaid}, raw=True)
    return True


def _vertices(plan: Plan) -> list[_Vertex]:
    """Where requests enter, the nodes behind those that they need, where answers leave."""
    classes = {
        worker.node: worker.container.shown if worker.container else worker.executor.jtype
        for worker in plan.workers
    }
    number = {GATEWAY: 0}
    vertices = [_Vertex(GATEWAY, "", "", [])]
    for node in in_order(plan.nodes):
        number[node.name] = len(vertices)
        jtype = classes.get(node.name, "")
        does = one_line(jtype)
        if jtype in ("", "BaseExecutor"):
            does = "reduces" if node.reduces else "passes through"
        if node.is_external:
            does = "external"
        does += ", floating" if node.is_floating else ""
        sources = [number[need] for need in node.needs]
        vertices.append(_Vertex(one_line(node.name), _times(node), does, sources))
    # As the Flow answers: all ends, in the order in which they were written.
    answers = [number[name] for name in ends(plan.nodes)]
    return [*vertices, _Vertex(GATEWAY, "", "", answers or [0])]


def _times(node: PlannedNode) -> str:
    shards = f"{node.shards} shards" if node.shards > 1 else ""
    return f"{shards} x{node.replicas}".strip() if node.replicas > 1 else shards


def _relation(vertices: Sequence[_Vertex], number: int) -> str:
    """What a node needs, in words, where the lines alone are hard to follow."""
    sources = vertices[number].sources
    names = ", ".join(vertices[source].name for source in sources)
    if len(sources) > 1:
        return f"joins {names}" if vertices[number].does else f"answers with {names}"
    return f"needs {names}" if sources and sources[0] != number - 1 else ""


def _rails(vertices: Sequence[_Vertex]) -> list[tuple[str, int]]:
    """The rows of the drawing without text, each with the number of its vertex, or -1 for none."""
    takers: list[list[int]] = [[] for _ in vertices]
    for number, vertex in enumerate(vertices):
        for source in vertex.sources:
            takers[source].append(number)
    rows: list[tuple[str, int]] = []
    columns = [0]  # the vertex that each column's line leads to; -1 where there is none
    for number, following in enumerate(takers):
        ways = [column for column, target in enumerate(columns) if target == number]
        if len(ways) > 1:
            rows.append((_turn(columns, ways, _JOINED), -1))
        elif rows and rows[-1][1] >= 0:
            rows.append((_straight(columns, -1), -1))
        for column in ways[1:]:
            columns[column] = -1
        while columns[-1] < 0:
            columns.pop()
        rows.append((_straight(columns, ways[0]), number))
        ways = _open(columns, ways[0], following)
        if len(ways) > 1:
            rows.append((_turn(columns, ways, _SPLIT), -1))
    return rows


def _open(columns: list[int], column: int, following: Sequence[int]) -> list[int]:
    """Lead a line to each that follows: the first goes straight on, the others to its right."""
    ways: list[int] = []
    if not following:
        columns[column] = -1
    for target in following:
        if ways:
            column += 1
            while column < len(columns) and columns[column] >= 0:
                column += 1
        if column == len(columns):
            columns.append(target)
        columns[column] = target
        ways.append(column)
    return ways


def _straight(columns: Sequence[int], node: int) -> str:
    """A row in which no line turns, with a node in one column; -1 means no node."""
    cells = (_LINE if target >= 0 else " " for target in columns)
    return " ".join(_NODE if column == node else cell for column, cell in enumerate(cells))


def _turn(columns: Sequence[int], ways: Collection[int], corners: str) -> str:
    """A row in which the lines of these columns meet in the leftmost of them."""
    first, last = min(ways), max(ways)
    row = ""
    for column, target in enumerate(columns):
        within = first < column < last
        if column == first:
            row += _OUT
        elif column in ways:
            row += corners[column == last]
        elif target >= 0:
            row += _CROSSING if within else _LINE
        else:
            row += _ACROSS if within else " "
        row += _ACROSS if first <= column < last else " "
    return row.rstrip()
