"""A DocumentArray, columnar or row-wise, against a naive list of dicts."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jina import Document, DocumentArray
from jina.types import codec

names = st.sampled_from(["a", "b", "c", "d", "e"])
words = st.sampled_from(["", "x", "hello", "ä\n"])
FIELDS = {
    "text": words,
    "modality": words,
    "weight": st.sampled_from([0.0, 0.5, -0.0]),
    "granularity": st.integers(0, 3),
    "buffer": st.sampled_from([b"", b"\x00x"]),
}
DEFAULTS = {"text": "", "modality": "", "weight": 0.0, "granularity": 0, "buffer": b""}


class ArrayAndList(RuleBasedStateMachine):
    """Every step is done to both; what can be seen of both must agree."""

    def __init__(self):
        super().__init__()
        self.docs = DocumentArray()
        self.model = []
        self.stock = [Document(id=name) for name in "abcde" * 8]

    @initialize(ids=st.lists(names, max_size=4))
    def start(self, ids):
        for name in ids:
            self.append(name, "hello")

    @rule(name=names, text=words)
    def append(self, name, text):
        doc = Document(id=name, text=text)
        assert self.docs.append(doc) is doc
        self.model.append({"id": name, **DEFAULTS, "text": text, "tags": {}, "chunks": []})

    @rule()
    def over_the_wire(self):
        self.docs = codec.decode([bytes(frame) for frame in codec.encode(self.docs)])

    @rule()
    def over_the_wire_and_only_looked_at(self):
        docs = codec.decode([bytes(frame) for frame in codec.encode(self.docs)])
        list(docs)
        self.docs = codec.decode([bytes(frame) for frame in codec.encode(docs)])

    @precondition(lambda self: self.model)
    @rule(data=st.data(), field=st.sampled_from(sorted(FIELDS)))
    def set_field(self, data, field):
        at = data.draw(st.integers(0, len(self.model) - 1))
        value = data.draw(FIELDS[field])
        setattr(self.docs[at], field, value)
        self.model[at][field] = value
        for other in {"text", "buffer"} - {field}:
            if field in ("text", "buffer"):
                self.model[at][other] = DEFAULTS[other]

    @precondition(lambda self: self.model)
    @rule(data=st.data(), key=names, value=st.sampled_from([1, 1.0, None, True, [1, "x"]]))
    def set_tag(self, data, key, value):
        at = data.draw(st.integers(0, len(self.model) - 1))
        self.docs[at].tags[key] = value
        self.model[at]["tags"][key] = value

    @precondition(lambda self: self.model)
    @rule(data=st.data(), name=names)
    def rename(self, data, name):
        at = data.draw(st.integers(0, len(self.model) - 1))
        self.docs[at].id = name
        self.model[at]["id"] = name

    @precondition(lambda self: self.model)
    @rule(data=st.data(), text=words)
    def add_chunk(self, data, text):
        at = data.draw(st.integers(0, len(self.model) - 1))
        self.docs[at].chunks.append(Document(text=text))
        self.model[at]["chunks"].append(text)

    @precondition(lambda self: self.model)
    @rule(data=st.data(), field=st.sampled_from(sorted(FIELDS)))
    def pop_field(self, data, field):
        at = data.draw(st.integers(0, len(self.model) - 1))
        self.docs[at].pop(field)
        self.model[at][field] = DEFAULTS[field]

    @rule(data=st.data())
    def set_texts(self, data):
        texts = [data.draw(words) for _ in self.model]
        self.docs.texts = texts
        for row, text in zip(self.model, texts, strict=True):
            row["text"], row["buffer"] = text, b""

    @rule()
    def reverse(self):
        self.docs.reverse()
        self.model.reverse()

    @rule()
    def sort(self):
        self.docs.sort(key=lambda doc: (doc.text, doc.id))
        self.model.sort(key=lambda row: (row["text"], row["id"]))

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def delete(self, data):
        at = data.draw(st.integers(-len(self.model), len(self.model) - 1))
        del self.docs[at]
        del self.model[at]

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def delete_by_id(self, data):
        name = data.draw(st.sampled_from([row["id"] for row in self.model]))
        del self.docs[name]
        del self.model[max(i for i, row in enumerate(self.model) if row["id"] == name)]

    @rule(data=st.data(), name=names)
    def insert(self, data, name):
        at = data.draw(st.integers(0, len(self.model)))
        doc, row = self.fresh(name)
        self.docs.insert(at, doc)
        self.model.insert(at, row)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def slice(self, data):
        start = data.draw(st.integers(0, len(self.model)))
        stop = data.draw(st.integers(start, len(self.model)))
        part = self.docs[start:stop]
        assert all(one is two for one, two in zip(part, list(self.docs)[start:stop], strict=True))
        self.docs, self.model = part, self.model[start:stop]

    def fresh(self, name):
        found = next((doc for doc in self.stock if doc.id == name), None)
        if found is None:
            found = Document(id=name)
        else:
            self.stock = [doc for doc in self.stock if doc is not found]
        return found, {"id": name, **DEFAULTS, "tags": {}, "chunks": []}

    @precondition(lambda self: self.model)
    @rule(data=st.data(), name=names, by_id=st.booleans())
    def replace(self, data, name, by_id):
        at = data.draw(st.integers(0, len(self.model) - 1))
        doc, row = self.fresh(name)
        if by_id:
            id = self.model[at]["id"]
            at = max(i for i, row in enumerate(self.model) if row["id"] == id)
            self.docs[id] = doc
        else:
            self.docs[at - len(self.model)] = doc
        self.model[at] = row

    @rule(data=st.data(), new=st.lists(names, max_size=3))
    def replace_slice(self, data, new):
        start = data.draw(st.integers(0, len(self.model)))
        stop = data.draw(st.integers(start, len(self.model)))
        pairs = [self.fresh(name) for name in new]
        self.docs[start:stop] = [doc for doc, _ in pairs]
        self.model[start:stop] = [row for _, row in pairs]

    @rule(data=st.data())
    def delete_slice_or_mask(self, data):
        keep = [data.draw(st.booleans()) for _ in self.model]
        if data.draw(st.booleans()):
            del self.docs[[not kept for kept in keep]]
            self.model = [row for row, kept in zip(self.model, keep, strict=True) if kept]
        else:
            del self.docs[1:3]
            del self.model[1:3]

    @rule(data=st.data())
    def select(self, data):
        mask = [data.draw(st.booleans()) for _ in self.model]
        positions = [i for i, chosen in enumerate(mask) if chosen]
        whole = list(self.docs)
        for part in (self.docs[mask], self.docs[positions]):
            assert len(part) == len(positions)
            assert all(part[n] is whole[i] for n, i in enumerate(positions))

    @rule(new=st.lists(names, max_size=3), how=st.sampled_from(["extend", "+=", "+"]))
    def add(self, new, how):
        pairs = [self.fresh(name) for name in new]
        docs = [doc for doc, _ in pairs]
        if how == "extend":
            self.docs.extend(docs)
        elif how == "+=":
            self.docs += docs
        else:
            self.docs = self.docs + docs
        self.model += [row for _, row in pairs]

    @precondition(lambda self: self.model)
    @rule(data=st.data(), how=st.sampled_from(["position", "id", "equal"]))
    def take_out(self, data, how):
        at = data.draw(st.integers(0, len(self.model) - 1))
        if how == "position":
            assert self.docs.pop(at).id == self.model[at]["id"]
        elif how == "id":
            id = self.model[at]["id"]
            at = max(i for i, row in enumerate(self.model) if row["id"] == id)
            assert self.docs.pop(id).id == id
        else:
            doc = self.docs[at]
            at = self.docs.index(doc)
            assert self.docs[at] == doc
            assert self.docs.count(doc) >= 1
            self.docs.remove(doc)
        del self.model[at]

    @rule()
    def clear(self):
        if len(self.model) > 5:
            self.docs.clear()
            self.model.clear()

    @precondition(lambda self: self.model)
    @rule(data=st.data(), tags=st.dictionaries(names, st.sampled_from([1, "x", None]), max_size=2))
    def set_tags(self, data, tags):
        at = data.draw(st.integers(0, len(self.model) - 1))
        self.docs[at].tags = dict(tags)
        self.model[at]["tags"] = dict(tags)

    @rule(seed=st.integers(0, 5))
    def shuffle(self, seed):
        before = list(self.docs)
        self.docs = self.docs.shuffle(seed)
        rows = {id(doc): row for doc, row in zip(before, self.model, strict=True)}
        self.model = [rows[id(doc)] for doc in self.docs]

    @rule(name=names)
    def find_by_id(self, name):
        positions = [i for i, row in enumerate(self.model) if row["id"] == name]
        assert (name in self.docs) == bool(positions)
        if positions:
            assert self.docs[name] is self.docs[positions[-1]]

    @rule()
    def set_embeddings(self):
        self.docs.embeddings = np.arange(2.0 * len(self.model)).reshape(-1, 2)
        for i, row in enumerate(self.model):
            row["embedding"] = [2.0 * i, 2.0 * i + 1]

    @invariant()
    def columns_agree(self):
        assert len(self.docs) == len(self.model)
        assert self.docs.texts == [row["text"] for row in self.model]
        assert self.docs.get_attributes("id") == [row["id"] for row in self.model]
        weights = self.docs.get_attributes("weight")
        assert list(map(str, weights)) == [str(row["weight"]) for row in self.model]

    def teardown(self):
        """At the end, as rows: nothing was lost."""
        for doc, row in zip(self.docs, self.model, strict=True):
            assert {name: getattr(doc, name) for name in DEFAULTS} == {
                name: row[name] for name in DEFAULTS
            }
            assert repr(doc.tags) == repr(row["tags"])
            assert doc.chunks.texts == row["chunks"]
            if "embedding" in row:
                assert doc.embedding.tolist() == row["embedding"]


TestArrayAndList = ArrayAndList.TestCase
TestArrayAndList.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
