"""Turn text into sparse vectors: scikit-learn's TF-IDF over a corpus."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.feature_extraction.text import TfidfVectorizer

from jina import Executor, requests

if TYPE_CHECKING:
    from jina import DocumentArray

STOP_WORDS = ("", "english")


class TfidfTextEncoder(Executor):
    """Sets `embedding` to the TF-IDF row of a text: sparse, one column for each word of a corpus.

    The corpus is given as files or, without them, consists of the Documents posted to `/fit`, whose
    texts are kept in the workspace.

    Args:
        corpus: a file or a glob, relative to the current folder: JSON lines with a `text`
            (`.jsonl`), or text whose paragraphs are the texts; empty for what is posted to `/fit`.
        stop_words: "english" leaves out scikit-learn's list of frequent words; empty for none.
        **kwargs: metas, requests, runtime_args.

    Raises:
        ValueError: a value that does not exist, or a corpus without a text.
        FileNotFoundError: no file matches `corpus`.
    """

    def __init__(self, *, corpus: str = "", stop_words: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if stop_words not in STOP_WORDS:
            raise ValueError(f"stop_words: {stop_words!r} is neither empty nor 'english'")
        self.tfidf_vectorizer = TfidfVectorizer(stop_words=stop_words or None)
        self._posted = None if corpus else Path(self.workspace, "corpus.jsonl")
        # A dict, as a repeated text counts once: a request may be repeated after a crash.
        self._texts = dict.fromkeys(_corpus(corpus) if corpus else _kept(self._posted))
        self._is_fitted = False
        if corpus and not self._texts:
            raise ValueError(f"corpus: no text in {corpus}")

    @requests(on="/fit")
    def fit(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Add the texts to the corpus.

        Raises:
            ValueError: the corpus is given by files.
        """
        if self._posted is None:
            raise ValueError("the corpus is given by `corpus`; leave that out to post one to /fit")
        texts = docs.get_attributes("text") if docs is not None else []
        new = [text for text in dict.fromkeys(texts) if text and text not in self._texts]
        with self._posted.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in new)
        self._texts.update(dict.fromkeys(new))
        self._is_fitted = self._is_fitted and not new

    @requests(on=["/index", "/update", "/encode", "/search"])
    def encode(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set `embedding` of each Document: a sparse row, float64, shape (1, words of the corpus).

        Raises:
            ValueError: there is no corpus yet.
        """
        if docs is None:
            return
        if not self._texts:
            raise ValueError("there is no corpus: give `corpus`, or post Documents to /fit first")
        if not self._is_fitted:
            self.tfidf_vectorizer.fit(self._texts)
            self._is_fitted = True
        iterable_of_texts = [text or "" for text in docs.get_attributes("text")]
        embedding_matrix = self.tfidf_vectorizer.transform(iterable_of_texts)
        for i, doc in enumerate(docs):
            doc.embedding = embedding_matrix[i]


def _corpus(pattern: str) -> Iterator[str]:
    """Yield the texts of all files that match.

    Raises:
        FileNotFoundError: there is none.
    """
    files = sorted(path for path in glob(pattern, recursive=True) if Path(path).is_file())
    if not files:
        raise FileNotFoundError(f"corpus: no file matches {pattern}")
    for file in files:
        content = Path(file).read_text(encoding="utf-8")
        if file.endswith(".jsonl"):
            yield from _texts_of_lines(content)
        else:
            yield from filter(str.strip, re.split(r"\n\s*\n", content))


def _kept(file: Path | None) -> Iterator[str]:
    """Yield the texts that were posted; a last line that was cut short by a kill is removed."""
    if file is None or not file.exists():
        return
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(file, len(whole))
    yield from _texts_of_lines(whole.decode("utf-8"))


def _texts_of_lines(lines: str) -> Iterator[str]:
    for line in lines.split("\n"):
        if line.strip() and (text := json.loads(line).get("text")):
            yield text
