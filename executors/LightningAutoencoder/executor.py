"""Turn handwritten digits into vectors by an autoencoder that Lightning trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from autoencoder import DigitsAutoencoder

from jina import Executor, requests

if TYPE_CHECKING:
    from jina import DocumentArray


class LightningAutoencoder(Executor):
    """Sets `embedding` to the code of the 8 x 8 image in `blob`: similar digits have near codes.

    Args:
        checkpoint: file that train.py wrote; relative to this Executor's folder.
        **kwargs: metas, requests, runtime_args.

    Raises:
        FileNotFoundError: there is no checkpoint.
    """

    def __init__(self, *, checkpoint: str = "digits.ckpt", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ae = DigitsAutoencoder.load_from_checkpoint(
            Path(__file__).parent / checkpoint, map_location="cpu", weights_only=True
        )
        self.ae.freeze()

    @requests(on=["/index", "/update", "/encode", "/search"])
    def encode(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set `embedding` of each Document that has a blob: float32, shape (16,).

        The blobs have shape (8, 8) or (64,), and values from 0 (white) to 16 (black).

        Raises:
            ValueError: no Document has a blob, or their shapes differ.
        """
        if not docs:
            return
        blobs, docs = docs.get_attributes_with_docs("blob")
        with torch.no_grad():
            input_tensor = torch.from_numpy(np.stack(blobs).astype(np.float32))
            output_tensor = self.ae(input_tensor)
        for doc, embedding in zip(docs, output_tensor.detach().numpy(), strict=True):
            doc.embedding = embedding
