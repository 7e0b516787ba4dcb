"""Payload frames and the pieces that the router hands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jina.excepts import WireError
from jina.runtime.steps import Piece
from jina.wire.maps import Part


def pieces_of(parts: Sequence[Part], frames: Sequence[Any]) -> list[Piece]:
    """Give each part its frames.

    Raises:
        WireError: the parts and the frames do not agree in number.
    """
    if len(parts) == 1 and parts[0].frames == len(frames) and parts[0].rows >= 0:  # the usual one
        return [Piece(parts[0], frames)]
    pieces = []
    start = 0
    for part in parts:
        end = start + part.frames
        if part.frames < 0 or part.rows < 0 or end > len(frames):
            raise WireError("a route map that names more frames than came")
        pieces.append(Piece(part, frames[start:end]))
        start = end
    if start != len(frames):
        raise WireError("more frames than the route map names")
    return pieces


def flattened(pieces: Sequence[Piece]) -> tuple[list[Part], Sequence[Any]]:
    """The parts and the frames of pieces, each one behind the other."""
    if len(pieces) == 1:
        return [pieces[0].part], pieces[0].frames
    return (
        [piece.part for piece in pieces],
        [frame for piece in pieces for frame in piece.frames],
    )
