"""Lines with keys of their own: the struct that is made for them reads what a dict would hold."""

from __future__ import annotations

import copy
import json
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina.records import line_shapes
from jina.records.record import OwnTags
from jina.types import codec
from tests.records.strategies import trees, words

KEYS = ["title", "url", "b", "", 'q"', "back\\slash", "ä", "own_0", "x y", "line\nend"]
FEW = st.sampled_from(KEYS)
odd = st.sampled_from([5, None, ["x"], {"id": "y"}])
rows = st.fixed_dictionaries(
    {},
    optional={
        "id": words | odd,
        "text": words | odd,
        "tags": st.dictionaries(words, words, max_size=1) | odd,
        "mime_type": words,
        "mimeType": words,
        "document": odd,
        "groundtruth": odd,
        "content": words,
    },
)
likely = st.fixed_dictionaries({}, optional={"id": words, "text": words | st.none()})


@st.composite
def chunks(draw):
    """Lines that have the same keys of their own, but for a few."""
    usual = draw(st.lists(FEW, min_size=1, max_size=3, unique=True))
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        row = draw(likely) if draw(st.integers(0, 4)) else draw(rows)
        keys = usual if draw(st.integers(0, 4)) else draw(st.lists(FEW, max_size=3, unique=True))
        row |= {key: draw(trees) for key in keys}
        line = json.dumps(row, ensure_ascii=draw(st.booleans()))
        if draw(st.integers(0, 9)) == 0:
            line = draw(
                st.sampled_from(
                    [line[:-1], line.replace("}", ',"b":1,"b":2}', 1), "", "7", line + line]
                )
            )
        lines.append(line.replace("\n", " "))
    return "\n".join(lines).encode()


def read(chunk, least_lines):
    before = line_shapes._WORTH_A_STRUCT
    line_shapes._WORTH_A_STRUCT = least_lines
    try:
        codec.parse_lines(chunk, key="k", first_line=1)  # keys are learned when met again
        return codec.parse_lines(chunk, key="k", first_line=1)
    finally:
        line_shapes._WORTH_A_STRUCT = before


def seen(found):
    """All that can be told of Documents, types included; the order of keys is free."""
    return [
        (
            doc.id,
            doc.text,
            doc.mime_type,
            sorted((key, repr(item)) for key, item in doc.tags.items()),
        )
        for doc in found
    ]


@settings(max_examples=3 * settings.default.max_examples, deadline=None)
@given(chunks())
def test_both_ways_to_read_a_chunk_give_the_same(chunk):
    quick, slow = read(chunk, 1), read(chunk, 1_000_000)
    assert quick.errors == slow.errors
    assert (quick.groundtruths is None) == (slow.groundtruths is None)
    lines = codec.render(quick.docs)
    assert list(map(json.loads, lines.splitlines())) == list(
        map(json.loads, codec.render(slow.docs).splitlines())
    )
    sent = codec.decode([bytes(frame) for frame in codec.encode(quick.docs)])
    assert sent == slow.docs
    assert seen(sent) == seen(quick.docs) == seen(slow.docs)


def chunk_of(count, **more):
    return "".join(
        json.dumps({"title": f"T{i}", "parts": [i, {"n": None}], **more}) + "\n"
        for i in range(count)
    ).encode()


def test_whole_files_of_such_lines_take_the_quick_way_and_are_written_as_they_came():
    found = read(chunk_of(40), 32).docs
    assert all(isinstance(doc._record.tags, OwnTags) for doc in found)
    first, second = codec.render(found).splitlines()[:2]
    assert first == b'{"id":"k-1","tags":{"title":"T0","parts":[0,{"n":null}]}}'
    assert json.loads(second)["id"] == "k-2"
    assert found[1].tags == {"title": "T1", "parts": [1, {"n": None}]}


def test_a_chunk_with_a_line_of_other_keys_is_read_all_the_same():
    found = read(chunk_of(20) + b'{"other":1,"id":"o"}\n' + chunk_of(20), 32).docs
    assert (found[20].id, found[20].tags) == ("o", {"other": 1})
    assert (found[21].id, found[21].tags["title"]) == ("k-22", "T0")


VALUE = '{"title":"t","parts":{"x":1}}'


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ([VALUE + VALUE, ""], 38),
        (['{"title":"t","parts":', '{"x":1}}' + VALUE], 38),
        (['{"title":"t","parts":{"x":1}', "}" + VALUE], 38),
        ([VALUE + '{"title":"t",', '"parts":{"x":1}}'], 38),
        ([VALUE + "," + VALUE], 39),
        (['{"title":"t","parts":[{}', "{}]}"], 38),
        ([" " + VALUE], 40),
        ([VALUE + " "], 40),
        ([VALUE + "\r"], 40),
    ],
)
def test_a_line_is_one_value_whatever_its_neighbours_hold(bad, good):
    """Values that together are as many as the lines, but do not stand one on each."""
    lines = [VALUE] * (40 - len(bad))
    lines[20:20] = bad
    chunk = "".join(line + "\n" for line in lines).encode()
    found = read(chunk, 32)
    assert len(found.docs) == good
    assert len(found.errors) == 40 - good - bad.count("")


def test_the_last_line_may_lack_its_end_and_any_line_its_text():
    for chunk in (chunk_of(40)[:-1], chunk_of(39) + b'{"title":"T","parts":[]}'):
        assert len(read(chunk, 32).docs) == 40


@pytest.mark.parametrize("key", ["k", "100%", "%d", "a\0b", "", "ä"])
def test_lines_without_an_id_get_their_number_behind_any_key(key):
    for texts in ({}, {"text": "x"}):
        for _ in range(2):
            docs = codec.parse_lines(chunk_of(40, **texts), key=key, first_line=7).docs
        assert [doc.id for doc in docs] == [f"{key}-{number}" for number in range(7, 47)]


def test_tags_have_the_order_of_their_line_or_of_the_first():
    """As docs/wire.md says: to keep each line's own would cost what the quick way gains."""
    turned = b'{"parts":[1,{"n":null}],"title":"T1"}\n'
    chunk = chunk_of(1) + turned + chunk_of(40)[len(chunk_of(1)) :]
    for least, second in ((32, ["title", "parts"]), (1_000_000, ["parts", "title"])):
        docs = read(chunk, least).docs
        assert [list(doc.tags) for doc in docs[:2]] == [["title", "parts"], second]
        assert docs[1].tags == {"title": "T1", "parts": [1, {"n": None}]}


def is_struct(found):
    return isinstance(found.docs[0]._record.tags, OwnTags)


def test_where_tags_are_read_they_are_made_dicts_at_once():
    """It shows in the time it takes, and nowhere else."""
    line_shapes._shapes.clear()
    for _ in range(2):
        found = codec.parse_lines(chunk_of(40), key="k", first_line=1)
    assert is_struct(found)
    for doc in found.docs[:20]:
        doc.tags["seen"] = 1
    assert is_struct(codec.parse_lines(chunk_of(40), key="k", first_line=1))
    for doc in codec.parse_lines(chunk_of(40), key="k", first_line=1).docs:
        doc.tags["seen"] = 1
    found = codec.parse_lines(chunk_of(40), key="k", first_line=1)
    assert not is_struct(found)
    assert found.docs[1].tags == {"title": "T1", "parts": [1, {"n": None}]}
    found.docs[1].tags["parts"].append(float("nan"))
    with pytest.raises(ValueError, match=r"`tags` of Document 'k-2' cannot be .*parts\[2\]"):
        codec.render(found.docs)
    later = [codec.parse_lines(chunk_of(40), key="k", first_line=1) for _ in range(60)]
    assert any(map(is_struct, later))
    assert codec.render(later[0].docs) == codec.render(later[-1].docs)


def test_no_struct_is_made_for_keys_that_are_met_once_or_for_few_lines():
    keys = ("met", "once")
    assert line_shapes.shape_of(keys) is None
    assert line_shapes.shape_of(keys) is line_shapes.shape_of(keys) is not None
    assert not isinstance(read(chunk_of(31), 32).docs[0]._record.tags, OwnTags)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_share_no_tags_whichever_is_read_first(copied):
    for reads_first in (0, 1):
        doc = read(chunk_of(1), 1).docs[0]
        both = [doc, copied(doc)]
        one, other = both[reads_first], both[1 - reads_first]
        one.tags["parts"].append("new")
        assert other.tags["parts"] == [0, {"n": None}]
        assert one.tags["parts"] == [0, {"n": None}, "new"]


def test_the_same_dict_is_given_to_all_threads():
    docs = list(read(chunk_of(300), 1).docs)
    given = [[] for _ in range(4)]
    start = threading.Barrier(4)

    def work(out):
        start.wait()
        out += [doc.tags for doc in docs]

    threads = [threading.Thread(target=work, args=(out,)) for out in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len({id(tags) for tags in same}) == 1 for same in zip(*given, strict=True))


def test_only_so_many_sets_of_keys_are_remembered():
    for i in range(line_shapes._MAX_SHAPES * 2):
        assert read(f'{{"key{i}":1}}'.encode(), 1).docs[0].tags == {f"key{i}": 1}
    assert len(line_shapes._shapes) <= line_shapes._MAX_SHAPES
    assert line_shapes.shape_of(tuple(map(str, range(line_shapes._MAX_KEYS + 1)))) is None
    assert line_shapes.shape_of(tuple(map(str, range(line_shapes._MAX_KEYS + 1)))) is None
    assert line_shapes.shape_of(()) is line_shapes.shape_of(()) is None
