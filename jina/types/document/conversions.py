"""What a Document can turn its content into: texts, bytes, tensors, data URIs and files.

Every conversion sets the new content, removes the old one, and returns the Document. The work is
done in `uris`, `words`, `vectors`, `images` and `audio`.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Self

from jina.excepts import DocumentError
from jina.records.tensors import is_sparse, little_endian
from jina.types.document import uris, words
from jina.types.document.fields import Fields


class Conversions(Fields):
    """Conversions between uri, text, buffer and blob."""

    __slots__ = ()

    # --- from a URI -----------------------------------------------------------------------------

    def convert_uri_to_buffer(self) -> Self:
        """Read what `uri` names into `buffer`: a path, or a file, data, http or https URI.

        Raises:
            FileNotFoundError: no such file.
            OSError: a file that cannot be read.
            DocumentError: no URI, another scheme, or a server that does not send the content.
        """
        self.buffer = uris.fetched(self.uri)
        return self

    def convert_uri_to_text(self) -> Self:
        """Read what `uri` names into `text`, as UTF-8 or in the charset that a data URI names.

        Raises:
            FileNotFoundError: no such file.
            DocumentError: as for `convert_uri_to_buffer`, or bytes that are not such text.
        """
        mime = self.mime_type
        self.text = uris.read_text(self.uri)
        self.mime_type = mime or "text/plain"
        return self

    load_uri_to_buffer = convert_uri_to_buffer  # the names since Jina 2.6
    load_uri_to_text = convert_uri_to_text

    def convert_uri_to_datauri(self, charset: str = "utf-8", base64: bool = False) -> Self:
        """Replace `uri` with a data URI that holds what it names.

        Args:
            charset: written into the URI.
            base64: encode the data as base64, else percent-encode them.
        """
        if not self.uri.startswith("data:"):
            self.uri = uris.datauri(uris.fetched(self.uri), self.mime_type, charset, base64)
        return self

    # --- to a URI -------------------------------------------------------------------------------

    def convert_buffer_to_uri(self, charset: str = "utf-8", base64: bool = False) -> Self:
        """Set `uri` to a data URI that holds the buffer.

        Raises:
            DocumentError: no MIME type is set, so nobody could read the URI.
        """
        self.uri = uris.of_buffer(self._record, charset, base64)
        return self

    def convert_text_to_uri(self, charset: str = "utf-8", base64: bool = False) -> Self:
        """Set `uri` to a data URI that holds the text.

        Raises:
            DocumentError: the charset is unknown, or lacks a character of the text.
        """
        self.uri = uris.of_text(self._record, charset, base64)
        return self

    def convert_content_to_uri(self) -> Self:
        """Set `uri` to a data URI that holds the text or the buffer; do nothing if neither is set.

        Raises:
            NotImplementedError: the content is a tensor.
        """
        kind = self.content_type
        if kind == "text":
            return self.convert_text_to_uri()
        if kind == "buffer":
            return self.convert_buffer_to_uri()
        if kind == "blob":
            raise NotImplementedError("a tensor has no URI; images have convert_image_blob_to_uri")
        return self

    dump_buffer_to_datauri = convert_buffer_to_uri  # the names since Jina 2.6
    dump_text_to_datauri = convert_text_to_uri
    dump_content_to_datauri = convert_content_to_uri

    # --- to a file ------------------------------------------------------------------------------

    def dump_buffer_to_file(self, file: str | Path | BinaryIO) -> Self:
        """Write the buffer into a file, given by its name or open for writing bytes."""
        uris.write(file, self.buffer)
        return self

    def dump_uri_to_file(self, file: str | Path | BinaryIO) -> Self:
        """Write what `uri` names into a file, given by its name or open for writing bytes."""
        uris.write(file, uris.fetched(self.uri))
        return self

    # --- between buffer, blob and text ----------------------------------------------------------

    def convert_buffer_to_blob(
        self, dtype: Any = None, count: int = -1, offset: int = 0, shape: Any = None
    ) -> Self:
        """Read the buffer as a tensor of one dimension.

        Args:
            dtype: of its numbers; float64 by default.
            count: how many numbers; all by default.
            offset: in bytes, where they begin.
            shape: of the result, if it is not one dimension.
        """
        buffer = self._filled_buffer()
        self.blob = _vectors().of_buffer(buffer, self.id, dtype, count, offset, shape)
        return self

    def convert_blob_to_buffer(self) -> Self:
        """Turn the tensor's numbers into bytes; dtype and shape are lost."""
        self.buffer = little_endian(self._dense_blob()).tobytes()
        return self

    def convert_text_to_blob(
        self, vocab: dict[str, int], max_length: int | None = None, dtype: str = "int64"
    ) -> Self:
        """Turn the words of the text into their numbers.

        Args:
            vocab: the number of each word, 2 or more; 0 is padding, 1 means any other word.
            max_length: cut to this many words, or pad in front.
            dtype: of the tensor.
        """
        self.blob = _vectors().of_numbers(words.numbers(self.text, vocab, max_length), dtype)
        return self

    def convert_blob_to_text(self, vocab: dict[str, int], delimiter: str = " ") -> Self:
        """Turn the numbers of the blob into their words; the opposite of `convert_text_to_blob`."""
        self.text = words.joined(self._dense_blob().ravel(), vocab, delimiter)
        return self

    def get_vocabulary(self, text_attrs: tuple[str, ...] = ("text",)) -> dict[str, int]:
        """Return how often each word occurs in the text."""
        return words.counted(getattr(self, name) for name in text_attrs)

    def get_sparse_blob(self, cls: Any = None, sp_format: str | None = None) -> Any:
        """Return the blob as a sparse matrix, in the format `sp_format` if one is given."""
        return _sparse(self.blob, sp_format)

    def get_sparse_embedding(self, cls: Any = None, sp_format: str | None = None) -> Any:
        """Return the embedding as a sparse matrix, in the format `sp_format` if one is given."""
        return _sparse(self.embedding, sp_format)

    # --- images ---------------------------------------------------------------------------------

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
            width: resize to this many pixels.
            height: resize to this many pixels.
            channel_axis: the later name of `color_axis`.

        Raises:
            MissingExtra: Pillow is not installed.
            DocumentError: the bytes are not an image.
        """
        axis = color_axis if channel_axis is None else channel_axis
        self.blob = _images().decoded(self._filled_buffer(), width, height, axis)
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
            width: resize to this many pixels.
            height: resize to this many pixels.
            channel_axis: the later name of `color_axis`.
        """
        axis = color_axis if channel_axis is None else channel_axis
        data = uris.fetched((uri_prefix or "") + self.uri)
        self.blob = _images().decoded(data, width, height, axis)
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
        self.buffer = _images().png(self._dense_blob(), channel_axis)
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
            width: of the result; a blob of one dimension is cut into rows of this many pixels.
            height: of the result.
            resize_method: one of Pillow's: NEAREST, BOX, BILINEAR, HAMMING, BICUBIC, LANCZOS.
            channel_axis: where the channels are.

        Raises:
            DocumentError: not an image, or values beyond 0 to 255.
            MissingExtra: it has to be resized, and Pillow is not installed.
        """
        blob = self._dense_blob()
        self.uri = _images().datauri(blob, width, height, resize_method, channel_axis)
        self.mime_type = "image/png"
        return self

    def dump_image_blob_to_file(self, file: str | Path | BinaryIO, channel_axis: int = -1) -> Self:
        """Write the image in `blob` as PNG into a file, named or open for writing bytes."""
        uris.write(file, _images().png(self._dense_blob(), channel_axis))
        return self

    def set_image_blob_channel_axis(
        self, original_channel_axis: int, new_channel_axis: int
    ) -> Self:
        """Move the channels of the image in `blob`."""
        blob = self._dense_blob()
        self.blob = _images().moved(blob, original_channel_axis, new_channel_axis)
        return self

    def set_image_blob_shape(self, shape: tuple[int, int], channel_axis: int = -1) -> Self:
        """Resize the image in `blob` to (height, width)."""
        self.blob = _images().resized(self._dense_blob(), shape, channel_axis)
        return self

    def set_image_blob_normalization(
        self,
        channel_axis: int = -1,
        img_mean: tuple[float, ...] = (0.485, 0.456, 0.406),
        img_std: tuple[float, ...] = (0.229, 0.224, 0.225),
    ) -> Self:
        """Scale the image in `blob` to 0…1, then by each channel's mean and deviation; float32."""
        self.blob = _images().normalized(self._dense_blob(), channel_axis, img_mean, img_std)
        return self

    convert_blob_to_uri = convert_image_blob_to_uri
    convert_image_datauri_to_blob = convert_image_uri_to_blob
    convert_buffer_to_image_blob = convert_image_buffer_to_blob
    convert_uri_to_image_blob = convert_image_uri_to_blob
    convert_image_blob_to_datauri = convert_image_blob_to_uri
    dump_image_blob_to_datauri = convert_image_blob_to_uri

    # --- sounds ---------------------------------------------------------------------------------

    def convert_uri_to_audio_blob(self) -> Self:
        """Read the WAV file that `uri` names into `blob`.

        The blob is float32 from -1 to 1, of shape (samples) or (samples, channels).

        Raises:
            FileNotFoundError: no such file.
            DocumentError: not a WAV file, or one of another sample width than 1, 2 or 4 bytes.
        """
        self.blob = _audio().read(self.uri)
        return self

    def dump_audio_blob_to_file(
        self, file: str | Path | BinaryIO, sample_rate: int = 44100, sample_width: int = 2
    ) -> Self:
        """Write the sound in `blob` into a WAV file.

        Args:
            file: its name, or a file open for writing bytes.
            sample_rate: samples per second.
            sample_width: bytes of a sample: 1, 2 or 4.

        Raises:
            DocumentError: not a sound, or values beyond -1 to 1.
        """
        uris.write(file, _audio().wav(self._dense_blob(), sample_rate, sample_width))
        return self

    # --- checks ---------------------------------------------------------------------------------

    def _filled_buffer(self) -> bytes:
        if not self.buffer:
            raise DocumentError(f"`buffer` of Document {self.id!r} is not set")
        return self.buffer

    def _dense_blob(self) -> Any:
        blob: Any = self.blob
        if blob is None:
            raise DocumentError(f"`blob` of Document {self.id!r} is not set")
        return blob.toarray() if is_sparse(blob) else blob


def _vectors() -> ModuleType:
    from jina.types.document import vectors  # late: it loads numpy, which texts never need

    return vectors


def _images() -> ModuleType:
    from jina.types.document import images  # late: see `_vectors`

    return images


def _audio() -> ModuleType:
    from jina.types.document import audio  # late: see `_vectors`

    return audio


def _sparse(value: Any, sp_format: str | None) -> Any:
    if value is None or not is_sparse(value):
        return value
    return value.asformat(sp_format) if sp_format else value
