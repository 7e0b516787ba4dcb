"""The words of a text become numbers and come back."""

from __future__ import annotations

import subprocess
import sys

from jina import Document


def test_texts_become_numbers_of_their_words_and_come_back():
    doc = Document(text="Hello, new world")
    assert doc.get_vocabulary() == {"hello": 1, "new": 1, "world": 1}
    vocab = {"hello": 2, "world": 3}
    assert doc.convert_text_to_blob(vocab, max_length=5).blob.tolist() == [0, 0, 2, 1, 3]
    assert doc.convert_blob_to_text(vocab).text == "hello world"


def test_words_are_counted_without_numpy():
    code = (
        "import sys\n"
        "from jina import Document\n"
        "print(Document(id='b', text='A b a').get_vocabulary(('text', 'id')))\n"
        "print('numpy' in sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout == "{'a': 2, 'b': 2}\nFalse\n"
