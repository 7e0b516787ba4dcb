"""The Executors of "Executors in action", with stand-ins in numpy for the frameworks.

The methods are the cookbook's, with its lost lines put back. A stand-in takes and gives what the
real library does, and is as strict about it: where torch warns, ours raises.
"""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.sparse

from jina import DocumentArray, Executor, requests


class Tensor:
    """What the libraries' tensors have in common; every one of them refuses ndarray's methods."""

    def __init__(self, data: Any, dtype: Any = np.float32) -> None:
        self._data = np.array(data, dtype)

    def detach(self) -> Tensor:
        return self

    def numpy(self) -> np.ndarray[Any, Any]:
        return self._data

    def asnumpy(self) -> np.ndarray[Any, Any]:
        return self._data

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape


def _from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    if not array.flags.writeable:
        raise ValueError("The given NumPy array is not writable")
    return Tensor(array, array.dtype)


torch = SimpleNamespace(Tensor=Tensor, from_numpy=_from_numpy, no_grad=nullcontext)


class Network:
    """A layer: the weights are all one, and row `n` of the output is multiplied by its number."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.is_trained = True

    def eval(self) -> Network:
        self.is_trained = False
        return self

    freeze = eval

    def __call__(self, batch: Tensor) -> Tensor:
        flat = batch._data.reshape(len(batch._data), -1).sum(axis=1, keepdims=True)
        return Tensor(flat * np.arange(1, self.width + 1), np.float32)


class ResnetImageEncoder(Executor):
    """R75: fastai."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.model = Network(1000)
        self.model.eval()

    @requests(on="/resnet")
    def encode(self, docs: DocumentArray, **kwargs: Any) -> None:
        batch = torch.Tensor(docs.get_attributes("blob"))
        with torch.no_grad():
            batch_embeddings = self.model(batch).detach().numpy()

        for doc, emb in zip(docs, batch_embeddings):  # noqa: B905 - as printed
            doc.embedding = emb


class PLMwuAutoEncoder(Executor):
    """R76: PyTorch Lightning."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        self.ae = Network(16)
        self.ae.freeze()

    @requests(on="/autoencoder")
    def encode(self, docs: DocumentArray, **kwargs: Any) -> None:
        with torch.no_grad():
            for doc in docs:
                input_tensor = torch.from_numpy(doc.blob)
                output_tensor = self.ae(input_tensor)
                doc.embedding = output_tensor.detach().numpy()


class ErnieTokenizer:
    def encode(self, text: str) -> tuple[list[int], list[int]]:
        return [len(word) for word in text.split()], [0] * len(text.split())


class PaddleErineExecutor(Executor):
    """R77: PaddlePaddle; its constructor never calls super, as printed."""

    def __init__(self, **kwargs: Any) -> None:
        self.tokenizer = ErnieTokenizer()
        self.model = Network(128)

    @requests(on="/ernie")
    def encode(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            ids, _ = self.tokenizer.encode(doc.text)
            ids = Tensor(np.expand_dims(ids, 0))
            pooled = self.model(ids)
            doc.embedding = pooled.numpy()


class InvalidArgumentError(Exception):
    """TensorFlow's."""


def decode_image(contents: bytes, channels: int) -> np.ndarray[Any, Any]:
    """Decode a "picture": its side as one byte, then the pixels."""
    if type(contents) is not bytes:
        raise TypeError(f"Expected binary or unicode string, got type {type(contents)}")
    return np.frombuffer(contents, np.uint8, offset=1).reshape(contents[0], -1, channels)


class TfMobileNetEncoder(Executor):
    """R78: TensorFlow; the helper is no endpoint."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.image_dim = 2
        self.model = Network(1280)

    @requests(on="/mobilenet-tf")
    def encode(self, docs: DocumentArray, **kwargs: Any) -> None:
        buffers, docs = docs.get_attributes_with_docs("buffer")

        tensors = [decode_image(contents=b, channels=3) for b in buffers]
        resized_tensors = np.array(self._resize_images(tensors))

        embeds = self.model(Tensor(np.stack(resized_tensors))).numpy()
        for d, b in zip(docs, embeds):  # noqa: B905 - as printed
            d.embedding = b

    def _resize_images(self, tensors: list[Any]) -> list[Any]:
        resized_tensors = []
        for t in tensors:
            try:  # noqa: SIM105 - as printed
                resized_tensors.append(t[: self.image_dim, : self.image_dim])
            except InvalidArgumentError:
                # this can happen if you include empty or other malformed images
                pass
        return resized_tensors


class MindsporeMwuExecutor(Executor):
    """R79: MindSpore."""

    def __init__(self, **kwargs: Any) -> None:
        self.encoding_mat = Tensor(np.eye(5) * 2, np.float64)

    @requests(on="/matmul")
    def encode(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            input_tensor = Tensor(doc.blob, doc.blob.dtype)
            output_tensor = Tensor(self.encoding_mat._data @ input_tensor._data, np.float64)
            doc.embedding = output_tensor.asnumpy()


class TfidfVectorizer:
    """Counts words; the dimensions are the words that it was fitted to."""

    def fit(self, texts: list[str]) -> None:
        self.words = sorted({word for text in texts for word in text.split()})

    def transform(self, texts: list[str]) -> scipy.sparse.csr_matrix:
        if not all(type(text) is str for text in texts):
            raise AttributeError("object has no attribute 'lower'")
        counts = [[text.split().count(word) for word in self.words] for text in texts]
        return scipy.sparse.csr_matrix(np.array(counts, np.float64))


class TFIDFTextEncoder(Executor):
    """R80: scikit-learn, without the typo of the printed class."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tfidf_vectorizer = TfidfVectorizer()
        tfidf_vectorizer.fit(["the cat", "the dog", "a bird"])
        self.tfidf_vectorizer = tfidf_vectorizer

    @requests(on="/tfidf")
    def encode(self, docs: DocumentArray, *args: Any, **kwargs: Any) -> None:
        iterable_of_texts = docs.get_attributes("text")
        embedding_matrix = self.tfidf_vectorizer.transform(iterable_of_texts)

        for i, doc in enumerate(docs):
            doc.embedding = embedding_matrix[i]


class PytorchMobilNetExecutor(Executor):
    """R81: PyTorch."""

    def __init__(self, **kwargs: Any) -> None:
        self.model = Network(1000)

    @requests(on="/mobilenet-torch")
    def encode(self, docs: DocumentArray, **kwargs: Any) -> None:
        blobs = torch.Tensor(docs.get_attributes("blob"))
        with torch.no_grad():
            embeds = self.model(blobs).detach().numpy()
            for doc, embed in zip(docs, embeds):  # noqa: B905 - as printed
                doc.embedding = embed


class BertTokenizerFast:
    def encode_plus(self, text: str) -> dict[str, list[int]]:
        ids = [len(word) for word in text.split()]
        return {"input_ids": ids, "attention_mask": [1] * len(ids)}


class InferenceSession:
    def run(self, names: None, inputs: dict[str, Any]) -> list[np.ndarray[Any, Any]]:
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        pooled = (ids * mask).sum(axis=1, keepdims=True) * np.ones((1, 768))
        return [np.zeros((*ids.shape, 768), np.float32), pooled.astype(np.float32)]


class ONNXBertExecutor(Executor):
    """R82: ONNX-Runtime."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tokenizer = BertTokenizerFast()
        self.session = InferenceSession()

    @requests(on="/bert")
    def encode(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            tokens = self.tokenizer.encode_plus(doc.text)
            inputs = {name: np.atleast_2d(value) for name, value in tokens.items()}

            output, pooled = self.session.run(None, inputs)  # noqa: RUF059 - as printed
            # assign the encoding results to ``embedding``
            doc.embedding = pooled[0]


class Searcher(Executor):
    """Stands behind them all: says what reached it, and finds the nearest of all it has seen."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seen = DocumentArray()

    @requests
    def see(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            if doc.embedding is not None:
                doc.tags["kind"] = type(doc.embedding).__name__
                doc.tags["dtype"] = str(doc.embedding.dtype)
                doc.tags["shape"] = doc.embedding.shape
        self.seen = DocumentArray(doc for doc in docs if doc.embedding is not None)
        self.seen.match(self.seen, limit=1)
