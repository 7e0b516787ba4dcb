"""Documents and arrays show themselves without any library."""

from __future__ import annotations

from io import StringIO

import rich.console
from rich.pretty import pretty_repr

from jina import Document, DocumentArray


def family():
    doc = Document(id="root", text='say "<hi>"', embedding=[1.0, 2.0])
    doc.chunks.append(Document(id="part"))
    doc.matches.append(Document(id="near"))
    return doc


def test_a_document_is_drawn_as_mermaid_and_svg(tmp_path):
    assert family().plot() == (
        "graph LR\n"
        '    n0["root: say &quot;<hi>&quot;"]\n'
        '    n1["part"]\n'
        "    n0 -- chunk --> n1\n"
        '    n2["near"]\n'
        "    n0 -- match --> n2\n"
    )
    family().plot(tmp_path / "a.svg")
    picture = (tmp_path / "a.svg").read_text()
    assert picture.startswith("<svg ")
    assert "&lt;hi&gt;" in picture
    family().plot(tmp_path / "a.mmd")
    assert (tmp_path / "a.mmd").read_text() == family().plot()


def test_a_notebook_shows_tables_with_escaped_texts():
    assert "<td>say &quot;&lt;hi&gt;&quot;</td>" in family()._repr_html_()
    html = DocumentArray([family()])._repr_html_()
    assert "DocumentArray of 1" in html
    assert "<th>text</th>" in html
    assert "<hi>" not in html


def test_rich_prints_the_set_fields():
    assert "embedding='<ndarray float64 (2,)>'" in pretty_repr(family())
    console = rich.console.Console(file=StringIO())
    console.print(DocumentArray([family()]))
    assert "length=1" in console.file.getvalue()


def test_a_summary_counts_the_set_fields(capsys):
    docs = DocumentArray([family(), Document(id="other")])
    docs.summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 Documents"
    assert "  id         2" in lines
    assert "  embedding  1  float64(2,) x 1" in lines
