"""What a Document can turn its content into: texts, bytes, tensors, images and data URIs."""

from __future__ import annotations

from jina.types.document.fields import Fields


class Conversions(Fields):
    """Conversions between uri, text, buffer and blob."""

    __slots__ = ()
