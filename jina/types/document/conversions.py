"""What a Document can turn its content into: texts, bytes, tensors and data URIs.

Every conversion sets the new content, removes the old one, and returns the Document.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Self

from jina.excepts import DocumentError
from jina.records.tensors import little_endian
from jina.types.document.audio import Audio
from jina.types.document.uris import datauri, fetched, read_text, write


class Conversions(Audio):
    """Conversions between uri, text, buffer and blob."""

    __slots__ = ()

    # --- from a URI -----------------------------------------------------------------------------

    def convert_uri_to_buffer(self) -> Self:
        """Read what `uri` names into `buffer`: a path, or a file, data, http or https URI.

        Raises:
            FileNotFoundError: no such file.
            OSError: a file that cannot be read.
            DocumentError: no URI, one of another kind, or one that nobody answers for.
        """
        self.buffer = fetched(self.uri)
        return self

    def convert_uri_to_text(self) -> Self:
        """Read what `uri` names into `text`, as UTF-8, or as a data URI says.

        Raises:
            FileNotFoundError: no such file.
            DocumentError: no URI, one of another kind, or bytes that are no such text.
        """
        mime = self.mime_type
        self.text = read_text(self.uri)
        self.mime_type = mime or "text/plain"
        return self

    load_uri_to_buffer = convert_uri_to_buffer  # the names since Jina 2.6
    load_uri_to_text = convert_uri_to_text

    def convert_uri_to_datauri(self, charset: str = "utf-8", base64: bool = False) -> Self:
        """Replace `uri` by a data URI that holds what it names.

        Args:
            charset: written into the URI.
            base64: as base64, else percent-encoded.
        """
        if not self.uri.startswith("data:"):
            self.uri = datauri(fetched(self.uri), self.mime_type, charset, base64)
        return self

    # --- to a URI -------------------------------------------------------------------------------

    def convert_buffer_to_uri(self, charset: str = "utf-8", base64: bool = False) -> Self:
        """Set `uri` to a data URI that holds the buffer.

        Raises:
            DocumentError: no MIME type is set, so that nobody could read the URI.
        """
        if not self.mime_type:
            raise DocumentError(
                f"`mime_type` of Document {self.id!r} is not set", hint="set it before converting"
            )
        self.uri = datauri(self.buffer, self.mime_type, charset, base64)
        return self

    def convert_text_to_uri(self, charset: str = "utf-8", base64: bool = False) -> Self:
        """Set `uri` to a data URI that holds the text.

        Raises:
            DocumentError: the charset is unknown, or lacks a character of the text.
        """
        try:
            data = self.text.encode(charset)
        except (UnicodeEncodeError, LookupError) as err:
            raise DocumentError(f"`text` of Document {self.id!r}: {err}") from err
        self.uri = datauri(data, self.mime_type or "text/plain", charset, base64)
        return self

    def convert_content_to_uri(self) -> Self:
        """Set `uri` to a data URI that holds the text or the buffer; nothing where there is none.

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

    # --- to a file ------------------------------------------------------------------------------

    def dump_buffer_to_file(self, file: str | Path | BinaryIO) -> Self:
        """Write the buffer into a file, by its name or open for writing bytes."""
        write(file, self.buffer)
        return self

    def dump_uri_to_file(self, file: str | Path | BinaryIO) -> Self:
        """Write what `uri` names into a file, by its name or open for writing bytes."""
        write(file, fetched(self.uri))
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
            shape: of the result, where it is not one dimension.
        """
        import numpy as np  # late: a process that sees only text never loads it

        if not self.buffer:
            raise DocumentError(f"`buffer` of Document {self.id!r} is not set")
        try:
            blob = np.frombuffer(self.buffer, dtype=dtype or float, count=count, offset=offset)
            self.blob = blob if shape is None else blob.reshape(shape)
        except (TypeError, ValueError) as err:
            raise DocumentError(f"`buffer` of Document {self.id!r}: {err}") from err
        return self

    def convert_blob_to_buffer(self) -> Self:
        """Keep the tensor's numbers as bytes; dtype and shape are forgotten."""
        self.buffer = little_endian(self._dense_blob()).tobytes()
        return self

    def convert_text_to_blob(
        self, vocab: dict[str, int], max_length: int | None = None, dtype: str = "int64"
    ) -> Self:
        """Turn the words of the text into their numbers.

        Args:
            vocab: the number of each word, 2 and above; 0 fills up, 1 stands for other words.
            max_length: cut or fill up in front to so many words.
            dtype: of the tensor.
        """
        import numpy as np  # late: a process that sees only text never loads it

        numbers = [vocab.get(word, 1) for word in _words(self.text)]
        if max_length is not None:
            numbers = [0] * (max_length - len(numbers)) + numbers[:max_length]
        self.blob = np.array(numbers, dtype=dtype)
        return self

    def convert_blob_to_text(self, vocab: dict[str, int], delimiter: str = " ") -> Self:
        """Turn the numbers of the blob into their words; the opposite of `convert_text_to_blob`."""
        words = {number: word for word, number in vocab.items()}
        found = [words.get(int(number), "") for number in self._dense_blob().ravel()]
        self.text = delimiter.join(word for word in found if word)
        return self

    def get_vocabulary(self, text_attrs: tuple[str, ...] = ("text",)) -> dict[str, int]:
        """Return how often each word stands in the text."""
        counts: dict[str, int] = {}
        for name in text_attrs:
            for word in _words(getattr(self, name)):
                counts[word] = counts.get(word, 0) + 1
        return counts

    # --- the same under the names of Jina 2.6 ---------------------------------------------------

    dump_buffer_to_datauri = convert_buffer_to_uri
    dump_text_to_datauri = convert_text_to_uri
    dump_content_to_datauri = convert_content_to_uri


def _words(text: str) -> list[str]:
    # Late: few Documents are taken apart into words.
    from re import findall

    return findall(r"\w+", text.lower())
