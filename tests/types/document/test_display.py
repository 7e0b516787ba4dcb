"""Documents and arrays show themselves without any library."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from xml.etree import ElementTree

import pytest
import rich.console
from rich.pretty import pretty_repr

from jina import Document, DocumentArray
from jina.excepts import DocumentError


def family():
    doc = Document(id="root", text='say "<hi>"', embedding=[1.0, 2.0])
    doc.chunks.append(Document(id="part"))
    doc.matches.append(Document(id="near"))
    return doc


def test_a_document_is_drawn_as_mermaid_and_svg(tmp_path):
    assert family().plot() == (
        "graph LR\n"
        '    n0["root: say &quot;&lt;hi&gt;&quot;"]\n'
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


def test_no_id_and_no_text_breaks_a_drawing(tmp_path):
    doc = Document(id='a"]\n#1;`', text="</text>\x00\x1b\ud800&")
    assert doc.plot().splitlines() == [
        "graph LR",
        '    n0["a&quot;] #35;1;#96;: &lt;/text&gt;   &amp;"]',
    ]
    doc.plot(tmp_path / "a.SVG")
    assert ElementTree.parse(tmp_path / "a.SVG").getroot()[0].text == 'a"] #1;`: </text>   &'
    with pytest.raises(DocumentError, match=r"cannot draw a \.png picture\nhelp: .* \.svg"):
        doc.plot(tmp_path / "a.png")


def test_nothing_is_imported_and_nobody_is_asked_for_a_display():
    code = (
        "import sys, socket\n"
        "from jina import Document, DocumentArray\n"
        "def nobody(*a): raise SystemExit('a socket')\n"
        "socket.socket.connect = socket.getaddrinfo = nobody\n"
        "doc = Document(text='x', chunks=[Document()])\n"
        "doc.plot(), repr(doc), str(doc), doc._repr_html_(), list(doc.__rich_repr__())\n"
        "docs = DocumentArray([doc])\n"
        "docs.summary(), repr(docs), str(docs), docs._repr_html_(), list(docs.__rich_repr__())\n"
        "print(sorted({'rich', 'IPython', 'numpy', 'matplotlib'} & set(sys.modules)))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.splitlines()[-1] == "[]"


def test_what_is_long_is_shown_short():
    doc = Document(id="a", text="x" * 10_000, tags={"t": "y" * 10_000}, matches=[Document()] * 7)
    for shown in (repr(doc), doc._repr_html_()):
        assert len(shown) < 2500
        assert "(10000 characters)" in shown
        assert "7 Documents" in shown
    assert "<1000000 bytes>" in repr(Document(buffer=b"x" * 1_000_000))
    assert str(doc) == str(doc.dict()), "printed in full all the same"


def test_no_tags_keep_a_document_from_being_shown():
    loop = Document(id="a")
    loop.tags["me"] = loop.tags
    assert repr(loop).startswith("<jina.types.document.Document id=a tags={'me': {...}} at ")
    deep = Document(id="a")
    for _ in range(100_000):
        deep.tags = {"d": deep.tags}
    docs = DocumentArray([deep])
    for shown in (repr(deep), deep._repr_html_(), docs._repr_html_(), pretty_repr(deep)):
        assert "{…}" in shown


def test_embeddings_are_drawn_into_a_file(tmp_path):
    pytest.importorskip("matplotlib", reason="plotting needs matplotlib").use("agg")
    docs = DocumentArray([Document(id=str(n), embedding=[n, n * n, 1.0]) for n in range(4)])
    docs.visualize(tmp_path / "a.svg", title="four", s=3)
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
    docs[2].embedding = [1.0, float("nan"), 0.0]
    with pytest.raises(DocumentError, match="NaN or infinity in the embeddings of '2'"):
        docs.visualize(tmp_path / "a.svg")
    with pytest.raises(DocumentError, match="at least two numbers"):
        DocumentArray([Document(embedding=[1.0])]).visualize(tmp_path / "a.svg")


def test_without_matplotlib_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from jina import Document, DocumentArray\n"
        "try: DocumentArray([Document(embedding=[1.0, 2.0])] * 2).visualize('a.png')\n"
        "except ImportError as err: print(err)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout == "plotting needs matplotlib\nhelp: pip install 'jinacli[plot]'\n"
