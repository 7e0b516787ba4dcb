"""JSON lists: the same elements from blocks of any size, each with its own outcome."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.readers.jsonarray import JsonArrayCutter
from jina.readers.options import Renames
from tests.readers.drained import read


def listed(tmp_path: Path, text: str | bytes, name: str = "a.json") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_elements_are_documents_with_stable_ids(tmp_path: Path) -> None:
    path = listed(
        tmp_path,
        b'\xef\xbb\xbf\r\n [ {"text": "a]}"},\r\n'
        b'{"id": "x", "n": [1, {"m": [[{}]]}]}\n,{"text":\n"b"}]\n',
    )
    found = read(path)
    assert [doc.text for doc in found.docs] == ["a]}", "", "b"]
    assert found.docs[1].tags == {"n": [1, {"m": [[{}]]}]}
    again = read(path, max_lines=1)
    assert [doc.id for doc in again.docs] == [doc.id for doc in found.docs]
    assert found.docs[2].id.endswith("-3")


def test_a_bad_element_is_an_outcome_of_its_own_at_its_line_and_column(tmp_path: Path) -> None:
    path = listed(
        tmp_path,
        '[{"id":"a"},\n 5, {"id":"b","text":7},\n  {"x": nope}, "s",\n[1], null, {"a": "x\ny"},'
        '{"id":"c"}]',
    )
    found = read(path)
    assert [doc.id for doc in found.docs] == ["a", "c"]
    assert found.failures == [
        f"{path}:2:2: a JSON number, expected an object",
        f"{path}:2:5: `text` is an int, expected text",
        f"{path}:3:3: not JSON: expecting value at byte 7",
        f"{path}:3:16: a JSON text, expected an object",
        f"{path}:4:1: a JSON list, expected an object",
        f"{path}:4:6: a JSON null, expected an object",
        f"{path}:4:12: not JSON: invalid control character at byte 9",
    ]
    assert found.places == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("text", "docs", "expected"),
    [
        ('{"a": 1}', 0, "1:1: expected a JSON list, starting with ["),
        ("[{}\n{}]", 1, "2:1: expected a comma or ] after an element"),
        ("[{},]", 1, "1:5: expected an element"),
        ("[,{}]", 0, "1:2: expected an element"),
        ("[{}]\n{}", 1, "2:1: expected nothing after the list"),
        ('[{},\n{"a": 1', 1, "2:1: the list is cut off: no ] at its end"),
        ('[{},{"a": [1}]', 1, "1:15: the list is cut off: no ] at its end"),
        ("[{}", 1, "1:4: the list is cut off: no ] at its end"),
        ("[{} x]", 1, "1:5: expected a comma or ] after an element"),
    ],
)
def test_what_is_wrong_between_elements_ends_the_list_there(
    tmp_path: Path, text: str, docs: int, expected: str
) -> None:
    path = listed(tmp_path, text)
    found = read(path)
    assert len(found.docs) == docs
    assert found.broken.startswith(f"{path}:{expected}\nhelp: ")


def test_nothing_and_an_empty_list_are_no_elements(tmp_path: Path) -> None:
    for text in ("", " \n", "[]", "[\n]\n", "\ufeff"):
        found = read(listed(tmp_path, text))
        assert (found.docs, found.failures, found.broken) == ([], [], "")


@pytest.mark.parametrize("element", ['{"text":"%s"}', '"%s"', '[[[[["%s"]]]]]', "1%s"])
def test_an_element_that_is_too_long_is_an_outcome_of_its_own(tmp_path: Path, element: str) -> None:
    text = '[{"id":"a"},' + element.replace("%s", "1" * 500) + ',{"id":"b"}]'
    path = listed(tmp_path, text)
    found = read(path, max_line_bytes=100)
    assert [doc.id for doc in found.docs] == ["a", "b"]
    size = len(text) - len('[{"id":"a"},,{"id":"b"}]')
    assert found.failures == [
        f"{path}:1:13: an element of more than 100 bytes ({size} bytes seen), which is too long; "
        "put the content in a file, and its path in `uri`"
    ]


def test_keys_get_other_names(tmp_path: Path) -> None:
    path = listed(tmp_path, '[{"q":"a"},{"q":"b","text":"c"}]')
    found = read(path, resolver={"q": "text"})
    assert found.texts == ["a"]
    assert found.failures == [f"{path}:1:12: both `q` and `text` set the field `text`"]


def test_a_packed_list_keeps_what_lies_before_a_cut(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps([{"text": f"line {n}"} for n in range(5000)]).encode())
    path = listed(tmp_path, whole, "a.json.gz")
    assert len(read(path).docs) == 5000
    path.write_bytes(whole[: len(whole) // 2])
    found = read(path)
    assert found.texts == [f"line {n}" for n in range(len(found.docs))]
    assert len(found.docs) > 100
    assert found.broken.startswith(f"{path}: the gzip file is cut off before its end")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(
    st.lists(values, max_size=8),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
    st.integers(1, 40),
    st.integers(1, 4),
)
def test_any_elements_come_back_from_any_blocks(
    elements: list[Any], indent: int | None, is_ascii: bool, size: int, most: int
) -> None:
    data = json.dumps(elements, indent=indent, ensure_ascii=is_ascii)
    data = data.encode("utf-8", "surrogatepass")
    cutter = JsonArrayCutter("a", Renames({}), 1 << 20)
    lines: list[bytes] = []
    places: list[str] = []

    def take() -> None:
        while (cut := cutter.take(most, 1 << 20)) is not None:
            assert cut.first_line == len(lines) + 1
            lines.extend(cut.data.split(b"\n")[:-1])
            places.extend(cut.places)

    for start in range(0, len(data), size):
        cutter.feed(data[start : start + size])
        take()
    cutter.finish()
    take()
    assert [json.loads(line) for line in lines] == elements
    rows = data.split(b"\n")
    for line, place in zip(lines, places, strict=True):
        row, column = map(int, place.split(":"))
        assert rows[row - 1][column - 1 :].startswith(line[:1])
