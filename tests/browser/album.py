"""The Executors of the Flow that the tests show in a browser: an album, searched by colour."""

from __future__ import annotations

import time

import numpy as np

from jina import Document, DocumentArray, Executor, requests

COLOURS = {
    "red": (196, 58, 49),
    "golden": (230, 138, 46),
    "green": (64, 145, 92),
    "blue": (46, 102, 186),
    "violet": (118, 76, 160),
}


def landscape(colour: tuple[int, int, int]) -> np.ndarray:
    """A sky of that colour above hills, with a sun: uint8, shape (96, 144, 3)."""
    y, x = np.mgrid[0:96, 0:144]
    sky = np.array(colour) * (0.55 + 0.45 * y / 96)[..., None] + (60 * y / 96)[..., None]
    sky[(x - 104) ** 2 + (y - 30) ** 2 < 150] = (255, 236, 190)
    sky[y > 70 + 10 * np.sin(x / 17)] = np.array(colour) * 0.35
    sky[y > 80 + 6 * np.sin(x / 9 + 2)] = np.array(colour) * 0.2
    return sky.clip(0, 255).astype(np.uint8)


class ColourEncoder(Executor):
    """Turns a text or a picture into one colour."""

    @requests(on=["/search", "/describe"])
    def encode(self, docs, **kwargs):
        """Set `embedding` to the mean colour of the picture, or to the one that the text names."""
        for doc in docs:
            if doc.buffer or doc.uri.startswith("data:"):
                picture = Document(doc, copy=True)
                if not doc.buffer:
                    picture.convert_uri_to_buffer()
                picture.convert_image_buffer_to_blob()
                doc.embedding = picture.blob.mean(axis=(0, 1)) / 255
            else:
                words = (doc.text or "").split()
                named = [COLOURS[word] for word in words if word in COLOURS]
                doc.embedding = np.mean(named or [(127, 127, 127)], axis=0) / 255


class Album(Executor):
    """Keeps the pictures."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pictures = DocumentArray(
            Document(
                id=f"{name}-hills",
                tags={"title": f"Hills under a {name} sky", "year": 1990 + at},
            )
            for at, (name, colour) in enumerate(COLOURS.items())
        )
        for picture, colour in zip(self.pictures, COLOURS.values(), strict=True):
            picture.blob = landscape(colour)
            picture.embedding = picture.blob.mean(axis=(0, 1)) / 255
            picture.convert_image_blob_to_buffer()

    @requests(on="/search")
    def search(self, docs, parameters, **kwargs):
        """Set `matches` to the pictures whose colour is nearest.

        A smaller score is nearer.
        """
        top_k = int(parameters.get("top_k", 3))
        for doc in docs:
            doc.matches = [
                Document(picture, copy=True)
                for picture in sorted(
                    self.pictures,
                    key=lambda each: float(np.linalg.norm(each.embedding - doc.embedding)),
                )[:top_k]
            ]
            for match in doc.matches:
                match.scores["distance"].value = float(
                    np.linalg.norm(match.embedding - doc.embedding)
                )
                match.pop("embedding")

    @requests(on="/remove")
    def remove(self, docs, parameters: dict, **kwargs):
        """Fail: this album is only for reading."""
        raise PermissionError("the album is only for reading")

    @requests(on="/wait")
    def wait(self, docs, parameters, **kwargs):
        """Do nothing for a while."""
        time.sleep(float(parameters.get("seconds", 30.0)))


class Words(Executor):
    """Counts words."""

    @requests(on=["/search", "/describe"])
    def count(self, docs, parameters, **kwargs):
        """Put the number of words into the tags, unless `silent`."""
        if not parameters.get("silent", False):
            for doc in docs:
                doc.tags["words"] = len((doc.text or "").split())


class Together(Executor):
    """Makes one Document of those that both branches give."""

    @requests(on=["/search", "/describe"])
    def join(self, docs_matrix, **kwargs):
        """Take the matches and the embedding of one, and the tags of the other."""
        first, *others = docs_matrix
        for at, doc in enumerate(first):
            for other in others:
                doc.tags.update(other[at].tags)
        return first


class Log(Executor):
    """Remembers what was asked."""

    @requests
    def log(self, docs, **kwargs):
        """Take note."""
