"""Turn encoded images into tensors, and tensors into PNG and data URIs.

The tensor of an image has shape (height, width) or (height, width, channels), and values from 0 to
255. Pillow reads and resizes images; PNG is written without it, as that takes only zlib. This file
loads numpy, so it is imported late.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from importlib import import_module
from io import BytesIO
from struct import pack
from typing import Any

import numpy as np

from jina.excepts import DocumentError, MissingExtra

Image = np.ndarray[Any, Any]


def decoded(data: bytes, width: int | None, height: int | None, channel_axis: int) -> Image:
    """Decode an image of any kind that Pillow knows; see `Document.convert_image_buffer_to_blob`.

    Raises:
        MissingExtra: Pillow is not installed.
        DocumentError: the bytes are not an image.
    """
    image = _pillow()
    try:
        with image.open(BytesIO(data)) as picture:
            picture = picture.convert("RGB")
            if width or height:
                size = (width or picture.width, height or picture.height)
                _check_size(size)
                picture = picture.resize(size, image.Resampling.BILINEAR)
            pixels = np.array(picture)
    except image.UnidentifiedImageError as err:
        raise DocumentError("these bytes are not an image of a known format") from err
    except (OSError, ValueError, SyntaxError, image.DecompressionBombError) as err:
        if isinstance(err, DocumentError):
            raise
        raise DocumentError(f"these bytes are not an image: {err}") from err
    _check_axis(pixels, channel_axis)
    return np.moveaxis(pixels, -1, channel_axis)


def png(blob: Image, channel_axis: int) -> bytes:
    """Encode an image as PNG.

    Raises:
        DocumentError: not an image, or values beyond 0 to 255.
    """
    return _png(_pixels(blob, channel_axis))


def datauri(
    blob: Image, width: int | None, height: int | None, resize_method: str, channel_axis: int
) -> str:
    """Encode an image as PNG in a data URI; see `Document.convert_image_blob_to_uri`."""
    if blob.ndim == 1:
        pixels = _cut(blob, width, height)
    else:
        pixels = _pixels(blob, channel_axis)
        size = (
            pixels.shape[1] if width is None else width,
            pixels.shape[0] if height is None else height,
        )
        if size != (pixels.shape[1], pixels.shape[0]):
            pixels = _resized(pixels, size, resize_method)
    return f"data:image/png;base64,{b64encode(_png(pixels)).decode('ascii')}"


def moved(blob: Image, channel_axis: int, new_axis: int) -> Image:
    """Move the channels of an image."""
    for axis in (channel_axis, new_axis):
        _check_axis(blob, axis)
    return np.moveaxis(blob, channel_axis, new_axis)


def resized(blob: Image, shape: tuple[int, int], channel_axis: int) -> Image:
    """Resize an image to (height, width)."""
    pixels = _resized(_pixels(blob, channel_axis), (shape[1], shape[0]), "BILINEAR")
    return pixels if pixels.ndim == 2 else np.moveaxis(pixels, -1, channel_axis)


def normalized(
    blob: Image, channel_axis: int, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> Image:
    """Scale an image to 0…1, then by each channel's mean and deviation; float32."""
    _check_axis(blob, channel_axis)
    pixels = np.moveaxis(blob, channel_axis, -1).astype(np.float32) / 255
    for values in (mean, deviation):
        if len(values) not in (1, pixels.shape[-1]):
            raise DocumentError(
                f"{len(values)} values for the {pixels.shape[-1]} channels of an image"
            )
    scaled = (pixels - np.array(mean, "<f4")) / np.array(deviation, "<f4")
    return np.moveaxis(scaled, -1, channel_axis)


def _pixels(blob: Image, channel_axis: int) -> Image:
    """Return an image as uint8, channels last."""
    if blob.ndim == 3:
        _check_axis(blob, channel_axis)
        blob = np.moveaxis(blob, channel_axis, -1)
    is_gray = blob.ndim == 2
    if not (is_gray or (blob.ndim == 3 and blob.shape[-1] in (1, 3, 4))) or not blob.size:
        raise DocumentError(
            f"a tensor of shape {blob.shape} is not an image",
            hint="images have the shape (height, width) or (height, width, 1, 3 or 4)",
        )
    return _bytes_of(blob[..., 0] if blob.ndim == 3 and blob.shape[-1] == 1 else blob)


def _cut(blob: Image, width: int | None, height: int | None) -> Image:
    """Cut one dimension into the rows of a grey image."""
    if not width or not height or width * height != blob.size:
        raise DocumentError(
            f"{blob.size} pixels in one dimension do not make an image of {width} x {height}"
        )
    return _bytes_of(blob).reshape(height, width)


def _check_axis(blob: Image, axis: int) -> None:
    if not -blob.ndim <= axis < blob.ndim:
        raise DocumentError(f"a tensor of shape {blob.shape} has no axis {axis}")


def _check_size(size: tuple[int, int]) -> None:
    if min(size) < 1:
        raise DocumentError(f"an image of {size[0]} x {size[1]} pixels; at least 1 x 1")


def _bytes_of(blob: Image) -> Image:
    if blob.dtype == np.uint8:
        return blob
    if blob.dtype.kind not in "biuf" or not bool(((blob >= 0) & (blob <= 255)).all()):
        raise DocumentError("the values of an image are numbers from 0 to 255")
    whole: Image = np.rint(blob).astype(np.uint8)
    return whole


def _png(pixels: Image) -> bytes:
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


def _resized(pixels: Image, size: tuple[int, int], method: str) -> Image:
    image = _pillow()
    resampling = getattr(image.Resampling, method, None)
    if resampling is None:
        known = ", ".join(image.Resampling.__members__)
        raise DocumentError(f"Pillow has no resampling method {method!r}", hint=f"known: {known}")
    _check_size(size)
    return np.array(image.fromarray(pixels).resize(size, resampling))
