"""The cookbook's rules about Flows, against real ones; each test names its requirement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina import Client, Document, DocumentArray, Executor, Flow, requests
from jina.client.response import Response
from tests.seed import executors as seed

pytestmark = pytest.mark.slow

# The fields that the cookbook lists, in its order.
RUNTIME_ARGS = """
name description workspace log_config quiet quiet_error identity port_ctrl ctrl_with_ipc
timeout_ctrl ssh_server ssh_keyfile ssh_password uses py_modules port_in port_out host_in
host_out socket_in socket_out memory_hwm on_error_strategy num_part entrypoint docker_kwargs
pull_latest volumes host port_expose quiet_remote_logs upload_files workspace_id daemon
runtime_backend runtime_cls timeout_ready env expose_public pea_id pea_role noblock_on_start
uses_before uses_after parallel replicas polling scheduling pod_role peas_hosts
"""


class Served:
    """A Flow that runs, and a post whose connection ends with it."""

    def __init__(self, flow: Flow, folder: Path) -> None:
        self.flow = flow
        self.folder = folder

    def responses(self, on: str, inputs: Any = None, **options: Any) -> list[Response]:
        with Client(self.flow.address) as client:
            found = client.post(on, inputs, return_results=True, continue_on_error=True, **options)
        assert found is not None
        return found

    def docs(self, on: str, inputs: Any = None, **options: Any) -> list[Document]:
        found = self.responses(on, inputs, **options)
        assert not [response for response in found if response.is_error]
        return [doc for response in found for doc in response.docs]

    def tags(self, on: str, inputs: Any = None, **options: Any) -> dict[str, Any]:
        (doc,) = self.docs(on, inputs, **options)
        return dict(doc.tags)

    def texts(self, on: str, inputs: Any = None, **options: Any) -> list[str]:
        return [doc.text for doc in self.docs(on, inputs, **options)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Flow of many Executors; each endpoint concerns one or two of them."""
    folder = tmp_path_factory.mktemp("seed")
    flow = (
        Flow(workspace=str(folder / "flow"))
        .add(name="bindings", uses=seed.Bindings)
        .add(name="empty", uses=seed.Empty)
        .add(name="arguments", uses=seed.Arguments)
        .add(name="returns", uses=seed.Returns)
        .add(name="downstream", uses=seed.Downstream, uses_with={"file": str(folder / "seen")})
        .add(name="encoder", uses=seed.PNEncoder)
        .add(name="segmenter", uses=seed.ConvertSegmenter)
        .add(name="indexer", uses=seed.MyIndexer)
        .add(name="one", uses={"jtype": "Param", "metas": {"name": "my-executor-1"}})
        .add(name="two", uses={"jtype": "Param", "metas": {"name": "my-executor-2"}})
        .add(name="forgetful", uses=seed.Forgetful, uses_metas={"name": "f"})
    )
    with flow:
        yield Served(flow, folder)


def test_r2_the_method_runs_once_with_keywords_and_on_done_gets_one_response() -> None:
    done: list[Response] = []
    flow = Flow().add(uses=seed.Lone)
    with flow as f:
        f.post(on="/random_work", inputs=Document(), on_done=done.append)
    (response,) = done
    assert len(response.docs) == 1
    assert response.docs[0].tags["got"] == [
        "docs",
        "docs_matrix",
        "groundtruths",
        "groundtruths_matrix",
        "parameters",
    ]


def test_r5_r3_a_flow_serves_what_the_yaml_alone_binds(tmp_path: Path) -> None:
    (tmp_path / "foo.py").write_text(
        "from jina import Executor\n\n\n"
        "class MyExecutor(Executor):\n"
        "    def __init__(self, bar: int, **kwargs):\n"
        "        super().__init__(**kwargs)\n"
        "        self.bar = bar\n\n"
        "    def foo(self, docs, **kwargs):\n"
        "        docs[0].tags['said'] = f'{self.bar} {self.metas.name}'\n"
    )
    (tmp_path / "my.yml").write_text(
        "jtype: MyExecutor\nwith: {bar: 123}\n"
        "metas: {name: awesomeness, py_modules: [foo.py]}\nrequests: {/random_work: foo}\n"
    )
    with Flow().add(uses=str(tmp_path / "my.yml")) as f:
        served = Served(f, tmp_path)
        assert served.tags("/random_work", Document()) == {"said": "123 awesomeness"}
        assert served.tags("/other", Document()) == {}


def test_r17_r19_each_endpoint_runs_its_method(served: Served) -> None:
    assert served.texts("/foo", Document(text="x")) == ["foo"]
    assert served.texts("/bar", Document(text="x")) == ["bar"]
    assert served.texts("/baz", Document(text="x")) == ["bar"]


def test_r17_r20_r21_an_endpoint_that_nobody_binds_is_no_error(served: Served) -> None:
    assert served.texts("/blah", Document(text="blah")) == ["blah"]
    assert served.texts("/undecorated", Document(text="blah")) == ["blah"]


def test_r18_r26_the_default_handler_serves_the_rest(tmp_path: Path) -> None:
    with Flow().add(uses=seed.WithDefault) as f:
        served = Served(f, tmp_path)
        for on in ("/blah", "/default", "", "/"):
            assert served.texts(on, Document(text="x")) == ["rest"]
        assert served.texts("foo", Document(text="x")) == ["foo"]


@pytest.mark.parametrize("inputs", [None, [], DocumentArray([])], ids=["omitted", "list", "array"])
def test_r28_zero_documents_are_none(served: Served, inputs: Any) -> None:
    assert served.tags("/arguments", inputs)["docs"] is None


def test_r29_parameters_are_empty_when_omitted(served: Served) -> None:
    assert served.tags("/arguments", Document())["parameters"] == {}


def test_r30_r31_r33_a_single_request_has_no_matrix(served: Served) -> None:
    found = served.tags("/arguments", [Document(text="a"), Document(text="b")])
    assert found["docs"] == ["a", "b"]
    assert (found["docs_matrix"], found["groundtruths"]) == (None, None)
    assert found["groundtruths_matrix"] is True
    assert found["rest"] == ["groundtruths_matrix"]


def test_r31_groundtruths_come_from_pairs(served: Served) -> None:
    pairs = [(Document(text=f"d{n}"), Document(text=f"g{n}")) for n in range(2)]
    found = served.tags("/arguments", pairs)
    assert (found["docs"], found["groundtruths"]) == (["d0", "d1"], ["g0", "g1"])


def test_r34_r40_a_join_is_in_the_order_of_needs_with_duplicates_kept(tmp_path: Path) -> None:
    flow = (
        Flow()
        .add(name="a", uses=seed.Returns, uses_requests={"/arguments": "none"})
        .add(name="b", uses=seed.Bindings, uses_requests={"/arguments": "bar"}, needs="gateway")
        .add(name="join", uses=seed.Arguments, needs=["b", "a"])
    )
    with flow:
        served = Served(flow, tmp_path)
        for _ in range(5):
            found = served.tags("/arguments", Document(text="x"))
            assert found["docs"] == ["bar", "in place"]
            assert found["docs_matrix"] == [["bar"], ["in place"]]
        # R40: where the join has no method, the Documents of all branches go on.
        joined = served.docs("/foo", Document(id="same"))
        assert [doc.id for doc in joined] == ["same", "same"]


@pytest.mark.parametrize(
    ("on", "text"), [("/none", "in place"), ("/new", "new"), ("/copy", "in place")]
)
def test_r35_r36_r37_what_is_returned_goes_downstream(served: Served, on: str, text: str) -> None:
    (doc,) = served.docs(on, Document(text="x"))
    assert (doc.text, doc.tags["seen"]) == (text, text)


def test_r38_another_type_is_an_error_of_that_request_alone(served: Served) -> None:
    (response,) = served.responses("/list", Document(text="x"))
    assert response.error is not None
    assert response.error.type == "TypeError"
    assert "Returns.list returned list" in response.error.message
    assert response.error.executor == "returns"
    assert served.texts("/new", Document()) == ["new"], "the process lives on"


def test_r39_an_empty_array_empties_the_request(served: Served) -> None:
    assert served.docs("/nothing", [Document(), Document()]) == []
    assert (served.folder / "seen").read_text() == "None"


def test_r41_the_encoder_of_chunks(served: Served) -> None:
    doc = Document(chunks=[Document(blob=np.full((2, 2), n, dtype=np.float32)) for n in (1, 2)])
    (found,) = served.docs("/encode", doc)
    assert [chunk.embedding.tolist() for chunk in found.chunks] == [[4.0], [8.0]]
    assert found.chunks[0].embedding.dtype == np.float32


def test_r42_the_segmenter(served: Served, tmp_path: Path) -> None:
    (tmp_path / "mesh.bin").write_bytes(b"\x01\x02\x03\x04")
    (found,) = served.docs("/segment", Document(id="p", uri=str(tmp_path / "mesh.bin")))
    assert [chunk.blob.tolist() for chunk in found.chunks] == [[1, 2], [3, 4]]
    assert [chunk.tags["half"] for chunk in found.chunks] == [0, 1]
    assert {(chunk.granularity, chunk.parent_id) for chunk in found.chunks} == {(1, "p")}
    assert (found.buffer, found.uri) == (b"", "")


def test_r43_the_indexer_answers_ids_and_keeps_its_state(served: Served) -> None:
    for name in ("a", "b"):
        (doc,) = served.docs("/index", Document(id=name, text=name))
        assert (doc.id, doc.text) == (name, "")
    assert served.texts("/kept") == ["a", "b"]


def test_r12_a_constructor_that_drops_its_arguments_keeps_name_and_workspace(
    served: Served,
) -> None:
    found = served.tags("/forgetful")
    assert found == {"name": "f", "workspace": str(served.folder / "flow" / "f" / "0")}


def test_r8_r15_r60_r61_r65_name_workspace_runtime_args_and_close(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    flow = (
        Flow(workspace=str(tmp_path / "flow"))
        .add(name="one", uses=seed.Place, uses_requests={"/one": "place"})
        .add(
            name="two",
            uses=seed.Place,
            uses_metas={"name": "named", "workspace": str(tmp_path / "metas")},
            uses_requests={"/two": "place"},
            workspace=str(tmp_path / "pod"),
            uses_with={"closed": str(closed)},
        )
        .add(
            name="three",
            uses=seed.Place,
            uses_requests={"/three": "place"},
            workspace=str(tmp_path / "pod"),
            replicas=2,
        )
    )
    with flow:
        served = Served(flow, tmp_path)
        one, two = served.tags("/one"), served.tags("/two")
        three = [served.tags("/three") for _ in range(8)]
    # R60: the Executor's own, then the pod's, then the Flow's. R61: name, replica, pea.
    assert one["workspace"] == str(tmp_path / "flow" / "Place" / "0")
    assert two["workspace"] == str(tmp_path / "metas" / "named" / "0")
    assert {found["workspace"] for found in three} == {
        str(tmp_path / "pod" / "Place" / str(replica) / "0") for replica in range(2)
    }
    assert all(Path(found["workspace"]).is_dir() for found in (one, two, *three))
    # R8: inside the constructor, all is there.
    assert two["inside"] == ["named", 0, True]
    # R65: every field.
    assert set(RUNTIME_ARGS.split()) <= set(one["fields"])
    assert (one["replica_id"], {found["replica_id"] for found in three}) == (None, {0, 1})
    # R15: once, when the process stops.
    assert closed.read_text() == "closed\n"


def test_r68_a_parameter_overrides_the_default(served: Served) -> None:
    empty = DocumentArray([])
    assert served.tags("/endpoint", empty, parameters={"param": 5})["my-executor-2"] == 5
    assert served.tags("/endpoint", empty)["my-executor-2"] == 1


def test_r69_r70_r71_a_dict_under_an_executors_name_is_for_it_alone(served: Served) -> None:
    found = served.tags(
        "/endpoint",
        DocumentArray([]),
        parameters={"param": 5, "my-executor-1": {"param": 10}, "two": {"param": 7}},
    )
    assert (found["my-executor-1"], found["my-executor-2"]) == (10, 5)
    assert found["nested"] is True
    # A value of that name that is no dict is left alone.
    found = served.tags("/endpoint", None, parameters={"param": 5, "my-executor-1": 3})
    assert (found["my-executor-1"], found["my-executor-2"]) == (5, 5)


def test_r72_parameters_keep_their_types(served: Served) -> None:
    given = {"i": 1, "f": 1.0, "b": True, "n": None, "s": "1", "l": [1], "d": {"x": 1}}
    found = served.tags("/arguments", Document(), parameters=given)
    assert found["kinds"] == {name: type(value).__name__ for name, value in given.items()}
    (doc,) = served.docs("/blah", Document(tags={"i": 1, "f": 2.0}))
    assert (type(doc.tags["i"]), type(doc.tags["f"])) == (int, float)


class Migrated(Executor):
    """The encoder of `jina hello fashion`, as the migration notes describe it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.oth_mat = np.eye(784, 16, dtype=np.float32)

    @requests
    def encode(self, docs: DocumentArray, **kwargs: Any) -> None:
        content = np.stack(docs.get_attributes("content"))
        embeds = (content.reshape([-1, 784]) / 255) @ self.oth_mat
        for doc, embed in zip(docs, embeds, strict=True):
            doc.embedding = embed
            doc.convert_blob_to_uri(width=28, height=28)
            doc.pop("blob")


def test_r73_the_migrated_encoder() -> None:
    pytest.importorskip("PIL", reason="images need pillow")
    docs = DocumentArray([Document(blob=np.full((28, 28), 255, dtype=np.uint8))])
    Migrated()("/index", docs=docs)
    assert docs[0].embedding.tolist() == [1.0] * 16
    assert docs[0].uri.startswith("data:image/png;")
    assert docs[0].blob is None


def test_r74_the_conversion_has_both_of_its_names() -> None:
    assert Document.convert_blob_to_uri is Document.convert_image_blob_to_uri


def test_r57_three_documents_are_shown(served: Served) -> None:
    docs = DocumentArray([Document(id=str(n)) for n in range(5)])
    lines = str(docs).split("\n")
    assert lines[0] == "DocumentArray has 5 items (showing first three):"
    assert lines[1:] == ["{'id': '0'},", "{'id': '1'},", "{'id': '2'}"]
    assert re.fullmatch(
        r"<jina\.types\.arrays\.document\.DocumentArray length=5 at \d+>", repr(docs)
    )


def test_r45_a_package_with_relative_imports_runs_in_a_flow(tmp_path: Path) -> None:
    """`py_modules: [__init__.py]`, as published Executors have it."""
    package = tmp_path / "pkg"
    (package / "parts").mkdir(parents=True)
    (package / "__init__.py").write_text("from .executor import Packaged\n")
    (package / "executor.py").write_text(
        "from jina import Executor, requests\n\n"
        "from .parts import WORD\nfrom .parts.more import END\n"
        "\n\nclass Packaged(Executor):\n"
        "    @requests\n    def say(self, docs, **kwargs):\n"
        "        for doc in docs:\n            doc.text = WORD + END\n"
    )
    (package / "parts" / "__init__.py").write_text("WORD = 'hello'\n")
    (package / "parts" / "more.py").write_text("from . import WORD\n\nEND = f'!{len(WORD)}'\n")
    (package / "config.yml").write_text(
        "jtype: Packaged\nmetas:\n  py_modules:\n    - __init__.py\n"
    )
    (tmp_path / "flow.yml").write_text("jtype: Flow\nexecutors:\n  - uses: pkg/config.yml\n")
    with Flow.load_config(str(tmp_path / "flow.yml")) as flow:
        assert Served(flow, tmp_path).texts("/", Document()) == ["hello!5"]


def test_every_rule_of_the_cookbook_has_a_test() -> None:
    """R1 to R74: the name of a test carries the number."""
    root = Path(__file__).parents[1]
    names = [
        name
        for path in root.rglob("test_*.py")
        for name in re.findall(r"^ *def (test_\w+)", path.read_text(), re.MULTILINE)
    ]
    numbers = {int(n) for name in names for n in re.findall(r"(?<=_r)\d+(?=_)", name)}
    assert set(range(1, 75)) - numbers == set()
