"""Sounds go into WAV files and come back."""

from __future__ import annotations

import wave
from io import BytesIO

import numpy as np
import pytest

from jina import Document
from jina.excepts import DocumentError


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("shape", [(100,), (50, 2)])
def test_a_sound_comes_back_as_exactly_as_its_samples_are(tmp_path, width, shape):
    blob = np.linspace(-1, 0.99, 100, dtype=np.float32).reshape(shape)
    path = tmp_path / "a.wav"
    Document(blob=blob).dump_audio_blob_to_file(path, sample_rate=8000, sample_width=width)
    with wave.open(str(path)) as sound:
        assert (sound.getframerate(), sound.getsampwidth()) == (8000, width)
        assert (sound.getnchannels(), sound.getnframes()) == ((*shape, 1)[1], shape[0])
    doc = Document(uri=str(path)).convert_uri_to_audio_blob()
    assert (doc.blob.dtype, doc.blob.shape) == (np.float32, shape)
    assert np.allclose(doc.blob, blob, atol=2.0 ** (1 - 8 * width) + 1e-7)
    stream = BytesIO()
    doc.dump_audio_blob_to_file(stream, 8000, width)
    assert stream.getvalue() == path.read_bytes(), "what was read is written as it was"


def test_what_is_no_sound_says_so(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    for uri in (str(tmp_path / "a.wav"), "data:,x"):
        with pytest.raises(DocumentError, match="is not a WAV file"):
            Document(uri=uri).convert_uri_to_audio_blob()
    for blob, why in (
        (np.ones(3, "<i2"), r"of dtype int16 and shape \(3,\) is not a sound"),
        (np.ones((1, 2, 3)), "is not a sound"),
        (np.full(3, 1.5), "from -1 to 1"),
        (np.full(3, np.nan), "from -1 to 1"),
    ):
        with pytest.raises(DocumentError, match=why):
            Document(blob=blob).dump_audio_blob_to_file(BytesIO())
    with pytest.raises(DocumentError, match="samples of 3 bytes"):
        Document(blob=np.zeros(3)).dump_audio_blob_to_file(BytesIO(), sample_width=3)
