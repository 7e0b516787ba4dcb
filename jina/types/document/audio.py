"""Turn WAV files into tensors and back; other sound files need a library of their own.

The tensor of a sound has the shape (samples) or (samples, channels), and values from -1 to 1. This
file loads numpy, so it is imported late.
"""

from __future__ import annotations

import wave
from io import BytesIO
from typing import Any

import numpy as np

from jina.excepts import DocumentError
from jina.types.document.uris import fetched

Sound = np.ndarray[Any, Any]

# The dtype of samples by their size in bytes; samples of one byte are unsigned.
_TYPES = {1: "|u1", 2: "<i2", 4: "<i4"}


def read(uri: str) -> Sound:
    """Return the sound in the WAV file that a URI names, as float32.

    Raises:
        FileNotFoundError: no such file.
        DocumentError: not a WAV file, or one of another sample width than 1, 2 or 4 bytes.
    """
    try:
        with wave.open(BytesIO(fetched(uri))) as sound:
            width, channels = sound.getsampwidth(), sound.getnchannels()
            data = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError) as err:
        raise DocumentError(f"{uri[:100]!r} is not a WAV file: {err}") from err
    samples = np.frombuffer(data, _type_of(width)).astype(np.float32)
    half = np.float32(1 << (8 * width - 1))
    if width == 1:
        samples -= half
    return samples / half if channels == 1 else (samples / half).reshape(-1, channels)


def wav(blob: Sound, sample_rate: int, sample_width: int) -> bytes:
    """Encode a sound as a WAV file; see `Document.dump_audio_blob_to_file`."""
    _check(blob)
    kind = _type_of(sample_width)
    half = 1 << (8 * sample_width - 1)
    scaled = np.rint(blob.astype(np.float64) * half).clip(-half, half - 1)
    channels = 1 if blob.ndim == 1 else blob.shape[1]
    stream = BytesIO()
    with wave.open(stream, "wb") as sound:
        sound.setparams((channels, sample_width, sample_rate, 0, "NONE", ""))
        sound.writeframes((scaled + half * (sample_width == 1)).astype(kind).tobytes())
    return stream.getvalue()


def _check(blob: Sound) -> None:
    if blob.ndim not in (1, 2) or blob.dtype.kind != "f":
        raise DocumentError(
            f"a tensor of dtype {blob.dtype} and shape {blob.shape} is not a sound",
            hint="sounds are floats of shape (samples) or (samples, channels)",
        )
    if not bool((np.abs(blob) <= 1).all()):
        raise DocumentError("the values of a sound are numbers from -1 to 1")


def _type_of(width: int) -> str:
    kind = _TYPES.get(width)
    if kind is None:
        raise DocumentError(f"samples of {width} bytes; only 1, 2 and 4 bytes are supported")
    return kind
