"""Images: between encoded bytes, tensors and data URIs. Pillow reads and resizes them.

A tensor that is an image has shape (height, width) or (height, width, channels), values 0 to 255.
PNG is written without Pillow, since that takes only zlib.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from importlib import import_module
from io import BytesIO
from pathlib import Path
from struct import pack
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from jina.excepts import DocumentError, MissingExtra
from jina.records.tensors import is_sparse
from jina.types.document.fields import Fields
from jina.types.document.uris import fetched, write

if TYPE_CHECKING:
    import numpy as np


class Images(Fields):
    """Conversions of images."""

    __slots__ = ()

    def convert_image_buffer_to_blob(
        self,
        color_axis: int = -1,
        *,
        width: int | None = None,
        height: int | None = None,
        channel_axis: int | None = None,
    ) -> Self:
        """Decode the image in `buffer` into `blob`, dtype uint8, shape (height, width, 3).

        Args:
            color_axis: where the channels go.
            width: resize to so many pixels.
            height: resize to so many pixels.
            channel_axis: the later name of `color_axis`.

        Raises:
            MissingExtra: Pillow is not installed.
            DocumentError: the bytes are no image.
        """
        if not self.buffer:
            raise DocumentError(f"`buffer` of Document {self.id!r} is not set")
        self.blob = _decoded(self.buffer, width, height, _axis(color_axis, channel_axis))
        return self

    def convert_image_uri_to_blob(
        self,
        color_axis: int = -1,
        uri_prefix: str | None = None,
        *,
        width: int | None = None,
        height: int | None = None,
        channel_axis: int | None = None,
    ) -> Self:
        """Decode the image that `uri` names into `blob`; see `convert_image_buffer_to_blob`.

        Args:
            color_axis: where the channels go.
            uri_prefix: put in front of the URI.
            width: resize to so many pixels.
            height: resize to so many pixels.
            channel_axis: the later name of `color_axis`.
        """
        data = fetched((uri_prefix or "") + self.uri)
        self.blob = _decoded(data, width, height, _axis(color_axis, channel_axis))
        return self

    def load_uri_to_image_blob(
        self,
        width: int | None = None,
        height: int | None = None,
        channel_axis: int = -1,
    ) -> Self:
        """Do what `convert_image_uri_to_blob` does, under its name since Jina 2.6."""
        return self.convert_image_uri_to_blob(channel_axis, width=width, height=height)

    def convert_image_blob_to_buffer(self, channel_axis: int = -1) -> Self:
        """Encode the image in `blob` as PNG into `buffer`."""
        self.buffer = _png(self._pixels(channel_axis))
        self.mime_type = "image/png"
        return self

    def convert_image_blob_to_uri(
        self,
        width: int | None = None,
        height: int | None = None,
        resize_method: str = "BILINEAR",
        channel_axis: int = -1,
    ) -> Self:
        """Encode the image in `blob` as PNG into a data URI in `uri`; the blob stays.

        Args:
            width: of the result; a blob of one dimension is cut into rows of so many pixels.
            height: of the result.
            resize_method: one of Pillow's: NEAREST, BOX, BILINEAR, HAMMING, BICUBIC, LANCZOS.
            channel_axis: where the channels are.

        Raises:
            DocumentError: no image, or values beyond 0 to 255.
            MissingExtra: a resize, and Pillow is not installed.
        """
        blob = self._dense_blob()
        if blob.ndim == 1:
            if not width or not height or width * height != blob.size:
                raise DocumentError(
                    f"{blob.size} pixels in one dimension are no image of {width} x {height}"
                )
            data = _png(_bytes_of(blob).reshape(height, width))
        else:
            pixels = self._pixels(channel_axis)
            size = (
                pixels.shape[1] if width is None else width,
                pixels.shape[0] if height is None else height,
            )
            if size != (pixels.shape[1], pixels.shape[0]):
                pixels = _resized(pixels, size, resize_method)
            data = _png(pixels)
        self.uri = f"data:image/png;base64,{b64encode(data).decode('ascii')}"
        self.mime_type = "image/png"
        return self

    def dump_image_blob_to_file(self, file: str | Path | BinaryIO, channel_axis: int = -1) -> Self:
        """Write the image in `blob` as PNG into a file, by its name or open for writing bytes."""
        write(file, _png(self._pixels(channel_axis)))
        return self

    def set_image_blob_channel_axis(
        self, original_channel_axis: int, new_channel_axis: int
    ) -> Self:
        """Move the channels of the image in `blob`."""
        import numpy as np  # late: a process that sees only text never loads it

        blob = self._dense_blob()
        for axis in (original_channel_axis, new_channel_axis):
            _check_axis(blob, axis)
        self.blob = np.moveaxis(blob, original_channel_axis, new_channel_axis)
        return self

    def set_image_blob_shape(self, shape: tuple[int, int], channel_axis: int = -1) -> Self:
        """Resize the image in `blob` to (height, width)."""
        import numpy as np

        pixels = _resized(self._pixels(channel_axis), (shape[1], shape[0]), "BILINEAR")
        self.blob = pixels if pixels.ndim == 2 else np.moveaxis(pixels, -1, channel_axis)
        return self

    def set_image_blob_normalization(
        self,
        channel_axis: int = -1,
        img_mean: tuple[float, ...] = (0.485, 0.456, 0.406),
        img_std: tuple[float, ...] = (0.229, 0.224, 0.225),
    ) -> Self:
        """Scale the image in `blob` to 0…1 and by each channel's mean and deviation; float32."""
        import numpy as np

        blob = self._dense_blob()
        _check_axis(blob, channel_axis)
        pixels = np.moveaxis(blob, channel_axis, -1).astype(np.float32) / 255
        for values in (img_mean, img_std):
            if len(values) not in (1, pixels.shape[-1]):
                raise DocumentError(
                    f"{len(values)} values for the {pixels.shape[-1]} channels of an image"
                )
        scaled = (pixels - np.array(img_mean, "<f4")) / np.array(img_std, "<f4")
        self.blob = np.moveaxis(scaled, -1, channel_axis)
        return self

    convert_blob_to_uri = convert_image_blob_to_uri
    convert_image_datauri_to_blob = convert_image_uri_to_blob
    convert_buffer_to_image_blob = convert_image_buffer_to_blob
    convert_uri_to_image_blob = convert_image_uri_to_blob
    convert_image_blob_to_datauri = convert_image_blob_to_uri
    dump_image_blob_to_datauri = convert_image_blob_to_uri

    def _dense_blob(self) -> np.ndarray[Any, Any]:
        blob = self.blob
        if blob is None:
            raise DocumentError(f"`blob` of Document {self.id!r} is not set")
        dense: Any = blob
        if is_sparse(blob):
            dense = dense.toarray()
        array: np.ndarray[Any, Any] = dense
        return array

    def _pixels(self, channel_axis: int) -> np.ndarray[Any, Any]:
        """Return the image as uint8, channels last."""
        import numpy as np

        blob = self._dense_blob()
        if blob.ndim == 3:
            _check_axis(blob, channel_axis)
            blob = np.moveaxis(blob, channel_axis, -1)
        is_gray = blob.ndim == 2
        if not (is_gray or (blob.ndim == 3 and blob.shape[-1] in (1, 3, 4))) or not blob.size:
            raise DocumentError(
                f"a tensor of shape {blob.shape} is no image",
                hint="images have the shape (height, width) or (height, width, 1, 3 or 4)",
            )
        return _bytes_of(blob[..., 0] if blob.ndim == 3 and blob.shape[-1] == 1 else blob)


def _axis(color_axis: int, channel_axis: int | None) -> int:
    return color_axis if channel_axis is None else channel_axis


def _check_axis(blob: np.ndarray[Any, Any], axis: int) -> None:
    if not -blob.ndim <= axis < blob.ndim:
        raise DocumentError(f"a tensor of shape {blob.shape} has no axis {axis}")


def _bytes_of(blob: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    if blob.dtype == np.uint8:
        return blob
    if blob.dtype.kind not in "biuf" or not bool(((blob >= 0) & (blob <= 255)).all()):
        raise DocumentError("the values of an image are numbers from 0 to 255")
    whole: np.ndarray[Any, Any] = np.rint(blob).astype(np.uint8)
    return whole


def _png(pixels: np.ndarray[Any, Any]) -> bytes:
    """Encode uint8 pixels, shape (height, width) or (height, width, 3 or 4)."""
    height, width = pixels.shape[:2]
    color = 0 if pixels.ndim == 2 else {3: 2, 4: 6}[pixels.shape[2]]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = [
        (b"IHDR", pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    chunks = [
        pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))
        for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _pillow() -> Any:
    try:
        return import_module("PIL.Image")  # late: optional
    except ImportError as err:
        raise MissingExtra(
            "reading and resizing images needs Pillow", hint="pip install 'jinacli[image]'"
        ) from err


def _decoded(data: bytes, width: int | None, height: int | None, axis: int) -> Any:
    image = _pillow()
    import numpy as np

    try:
        with image.open(BytesIO(data)) as picture:
            picture = picture.convert("RGB")
            if width or height:
                size = (width or picture.width, height or picture.height)
                _check_size(size)
                picture = picture.resize(size, image.Resampling.BILINEAR)
            pixels = np.array(picture)
    except image.UnidentifiedImageError as err:
        raise DocumentError("these bytes are no image of a known kind") from err
    except (OSError, ValueError, SyntaxError, image.DecompressionBombError) as err:
        if isinstance(err, DocumentError):
            raise
        raise DocumentError(f"these bytes are no image: {err}") from err
    _check_axis(pixels, axis)
    return np.moveaxis(pixels, -1, axis)


def _check_size(size: tuple[int, int]) -> None:
    if min(size) < 1:
        raise DocumentError(f"an image of {size[0]} x {size[1]} pixels; at least 1 x 1")


def _resized(pixels: np.ndarray[Any, Any], size: tuple[int, int], method: str) -> Any:
    image = _pillow()
    import numpy as np

    resampling = getattr(image.Resampling, method, None)
    if resampling is None:
        known = ", ".join(image.Resampling.__members__)
        raise DocumentError(f"Pillow has no way to resize named {method!r}", hint=f"known: {known}")
    _check_size(size)
    return np.array(image.fromarray(pixels).resize(size, resampling))
