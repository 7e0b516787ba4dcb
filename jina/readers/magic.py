"""Tell from its first bytes that a stream is not text as it stands.

A wrong name, or a pipe from the wrong program, would else make each "line" of it an error.
"""

from __future__ import annotations

from jina.excepts import InputError

_MAGICS = {
    b"\x1f\x8b": ("gzip", "gunzip -c … | jina post … --inputs -; a file needs a name in .gz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc … | jina post … --inputs -"),
    b"BZh": ("bzip2", "bzcat … | jina post … --inputs -"),
    b"\xfd7zXZ": ("xz", "xzcat … | jina post … --inputs -"),
    b"PK\x03\x04": ("a zip archive", "name the file with its own ending, such as .npz"),
    b"\x93NUMPY": ("a numpy array", "--inputs FILE --format npy"),
    b"PAR1": ("Parquet", "--inputs FILE --format parquet"),
    b"ARROW1": ("Arrow", "--inputs FILE --format arrow"),
}


def refuse_packed(block: bytes, name: str) -> None:
    """Look at the first block of a stream of text.

    Raises:
        InputError: it is packed, or in UTF-16.
    """
    for magic, (what, hint) in _MAGICS.items():
        if block.startswith(magic):
            raise InputError(f"this is {what}, not text", where=name, hint=hint)
    little = block.startswith(b"\xff\xfe") and block[2:3] != b"\0" and block[3:4] == b"\0"
    big = block.startswith(b"\xfe\xff\0") and block[3:4] not in (b"", b"\0")
    if little or big:
        raise InputError(
            "this is UTF-16, not UTF-8",
            where=name,
            hint="iconv -f UTF-16 -t UTF-8 … | jina post … --inputs -",
        )
