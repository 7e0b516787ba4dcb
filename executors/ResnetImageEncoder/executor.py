"""Turn images into vectors by fastai's ResNet18."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torchvision_operators  # noqa: F401 - before fastai, which imports torchvision
from fastai.vision.models import resnet18

from jina import Executor, requests

if TYPE_CHECKING:
    from jina import DocumentArray


class ResnetImageEncoder(Executor):
    """Sets `embedding` to the 1,000 outputs of a ResNet18 for the image in `blob`.

    Args:
        weights: file with the state_dict of a ResNet18, as `torch.save` writes it; relative to the
            current folder. Empty for random weights.
        seed: of the random weights; equal seeds give equal weights in every process.
        **kwargs: metas, requests, runtime_args.

    Raises:
        FileNotFoundError: there is no file of weights.
        RuntimeError: the weights are not those of a ResNet18.
    """

    def __init__(self, *, weights: str = "", seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        torch.manual_seed(seed)
        self.model = resnet18()
        if weights:
            self.model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        self.model.eval()

    @requests(on=["/index", "/update", "/encode", "/search"])
    def encode(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set `embedding` of each Document that has a blob: float32, shape (1000,).

        The blobs have one shape, (3, height, width), of any numbers.

        Raises:
            ValueError: no Document has a blob, or their shapes differ.
        """
        if not docs:
            return
        blobs, docs = docs.get_attributes_with_docs("blob")
        batch = torch.Tensor(np.stack(blobs))
        with torch.no_grad():
            batch_embeddings = self.model(batch).detach().numpy()

        for doc, emb in zip(docs, batch_embeddings, strict=True):
            doc.embedding = emb
