"""Multiply arrays by a random matrix with MindSpore: the smallest encoder that computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mindspore
import numpy as np
from mindspore import Tensor, context, ops

from jina import Executor, requests

if TYPE_CHECKING:
    from jina import DocumentArray


class MatmulEncoder(Executor):
    """Sets `embedding` to the product of a random matrix and `blob`.

    The matrix is float64 of shape (size, size) and the same for the same seed, so that all replicas
    give the same rows.

    Args:
        size: rows of the blobs, >= 1.
        seed: of the random matrix.
        **kwargs: metas, requests, runtime_args.
    """

    def __init__(self, *, size: int = 5, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        context.set_context(mode=context.PYNATIVE_MODE)
        mindspore.set_device("CPU")
        self.size = size
        self.encoding_mat = Tensor(np.random.default_rng(seed).random((size, size)))

    @requests(on=["/index", "/update", "/encode", "/search"])
    def encode(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set `embedding` of each Document: float64, of the shape of its blob.

        Raises:
            ValueError: a blob is missing, or not of shape (size,) or (size, n).
        """
        matmul = ops.MatMul()
        for doc in docs or ():
            blob = self._column(doc)
            input_tensor = Tensor(blob.reshape(self.size, -1))  # the blob as a matrix
            output_tensor = matmul(self.encoding_mat, input_tensor)
            doc.embedding = output_tensor.asnumpy().reshape(blob.shape)

    def _column(self, doc: Any) -> np.ndarray[Any, Any]:
        """The blob as float64, which is what the matrix is.

        MindSpore must not see a wrong shape: its error stays with the matrix, and every later
        product with it fails too.
        """
        shape = None if doc.blob is None else np.shape(doc.blob)
        if shape is None or len(shape) not in (1, 2) or shape[0] != self.size or 0 in shape:
            found = "there is none" if shape is None else f"its shape is {shape}"
            raise ValueError(
                f"Document {doc.id}: the blob must have the shape ({self.size},) or "
                f"({self.size}, n), but {found}"
            )
        return np.asarray(doc.blob, np.float64)
