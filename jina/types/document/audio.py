"""Sounds: between WAV files and tensors. Other kinds of files need a library of their own.

A tensor that is a sound has the shape (samples) or (samples, channels), values from -1 to 1.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Self

from jina.excepts import DocumentError
from jina.types.document.images import Images
from jina.types.document.uris import fetched, write

# Bytes of one sample, and the numbers that hold them; those of one byte count from 0.
_TYPES = {1: "|u1", 2: "<i2", 4: "<i4"}


class Audio(Images):
    """Conversions of sounds."""

    __slots__ = ()

    def convert_uri_to_audio_blob(self) -> Self:
        """Read the WAV file that `uri` names into `blob`.

        The blob is float32 from -1 to 1, of shape (samples) or (samples, channels).

        Raises:
            FileNotFoundError: no such file.
            DocumentError: no WAV file, or one of another sample width than 1, 2 or 4 bytes.
        """
        # Late: few Documents are sounds.
        import wave

        import numpy as np  # late: a process that sees only text never loads it

        try:
            with wave.open(BytesIO(fetched(self.uri))) as sound:
                width, channels = sound.getsampwidth(), sound.getnchannels()
                data = sound.readframes(sound.getnframes())
        except (wave.Error, EOFError) as err:
            raise DocumentError(f"{self.uri[:100]!r} is no WAV file: {err}") from err
        samples = np.frombuffer(data, _type_of(width)).astype(np.float32)
        half = np.float32(1 << (8 * width - 1))
        if width == 1:
            samples -= half
        self.blob = samples / half if channels == 1 else (samples / half).reshape(-1, channels)
        return self

    def dump_audio_blob_to_file(
        self, file: str | Path | BinaryIO, sample_rate: int = 44100, sample_width: int = 2
    ) -> Self:
        """Write the sound in `blob` into a WAV file, by its name or open for writing bytes.

        Args:
            file: where to.
            sample_rate: samples in a second.
            sample_width: bytes of a sample: 1, 2 or 4.

        Raises:
            DocumentError: no sound, or values beyond -1 to 1.
        """
        # Late: few Documents are sounds.
        import wave

        import numpy as np

        blob = self._dense_blob()
        if blob.ndim not in (1, 2) or blob.dtype.kind != "f":
            raise DocumentError(
                f"a tensor of dtype {blob.dtype} and shape {blob.shape} is no sound",
                hint="sounds are floats of the shape (samples) or (samples, channels)",
            )
        if not bool((np.abs(blob) <= 1).all()):
            raise DocumentError("the values of a sound are numbers from -1 to 1")
        kind = _type_of(sample_width)
        half = 1 << (8 * sample_width - 1)
        scaled = np.rint(blob.astype(np.float64) * half).clip(-half, half - 1)
        stream = BytesIO()
        with wave.open(stream, "wb") as sound:
            sound.setparams(
                (1 if blob.ndim == 1 else blob.shape[1], sample_width, sample_rate, 0, "NONE", "")
            )
            sound.writeframes((scaled + half * (sample_width == 1)).astype(kind).tobytes())
        write(file, stream.getvalue())
        return self


def _type_of(width: int) -> str:
    kind = _TYPES.get(width)
    if kind is None:
        raise DocumentError(f"samples of {width} bytes; sounds of 1, 2 and 4 bytes are known")
    return kind
