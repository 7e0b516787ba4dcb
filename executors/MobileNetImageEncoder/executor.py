"""Turn pictures into vectors: Keras' MobileNetV2, by TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input
from tensorflow.errors import InvalidArgumentError

from jina import Executor, requests

if TYPE_CHECKING:
    from jina import Document, DocumentArray


class MobileNetImageEncoder(Executor):
    """Sets `embedding` to what MobileNetV2 sees in the picture in `buffer`.

    Without `weights` they are random, the same for the same seed: good to try TensorFlow in a Flow,
    and for nothing else.

    Args:
        weights: a file relative to the current folder, or null for random weights. Either weights
            of Keras' MobileNetV2 (`.weights.h5`), or a whole model (`.keras`, `.h5`) that takes
            pictures as MobileNetV2 does and has a global average pooling.
        include_top: false for the features below the classes, true for the probabilities of
            the classes. With random weights, the latter are the same for every picture.
        image_dim: side of the square that pictures are resized to, in pixels, >= 32. A whole model
            has its own.
        seed: of the random weights.
        **kwargs: metas, requests, runtime_args.

    Raises:
        FileNotFoundError: there is no such file of weights.
        ValueError: a whole model has no global average pooling.
    """

    def __init__(
        self,
        *,
        weights: str | None = None,
        include_top: bool = False,
        image_dim: int = 224,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Looked at here, since Keras takes a missing file for the name of a download.
        if weights and not Path(weights).is_file():
            raise FileNotFoundError(f"weights: there is no file {Path(weights).absolute()}")
        if weights and not weights.endswith(".weights.h5"):
            self.model = _whole_model(weights, include_top)
        else:
            keras.utils.set_random_seed(seed)
            self.model = MobileNetV2(
                weights=weights or None,
                include_top=include_top,
                pooling="avg",
                input_shape=(image_dim, image_dim, 3),
            )
        self.image_dim = self.model.input_shape[1]

    @requests(on=["/index", "/update", "/encode", "/search"])
    def encode(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set `embedding` of each Document that has a buffer: float32, shape (1280,) for features.

        Raises:
            ValueError: a buffer is not a picture that TensorFlow reads.
        """
        pictures = [doc for doc in docs or () if doc.buffer]
        if not pictures:
            return
        resized_tensors = preprocess_input(np.stack([self._resized(doc) for doc in pictures]))
        # Without a progress bar for each request.
        embeds = self.model.predict(resized_tensors, verbose=0)
        for doc, embed in zip(pictures, embeds, strict=True):
            doc.embedding = embed

    def _resized(self, doc: Document) -> np.ndarray[Any, Any]:
        """The picture of a Document, float32, shape (image_dim, image_dim, 3), values 0 to 255."""
        try:
            tensor = tf.io.decode_image(doc.buffer, channels=3, expand_animations=False)
        except InvalidArgumentError as err:
            which = f"Document {doc.id}" + (f" ({doc.uri})" if doc.uri else "")
            raise ValueError(f"{which}: the buffer is not a picture that TensorFlow reads") from err
        size = (self.image_dim, self.image_dim)
        resized = keras.preprocessing.image.smart_resize(tensor, size)
        return np.asarray(resized, np.float32)


def _whole_model(file: str, include_top: bool) -> keras.Model:
    whole = keras.saving.load_model(file, compile=False)
    if include_top:
        return whole
    for layer in reversed(whole.layers):
        if isinstance(layer, keras.layers.GlobalAveragePooling2D):
            return keras.Model(whole.inputs, layer.output)
    raise ValueError(f"weights: {file} has no GlobalAveragePooling2D; use `include_top: true`")
