"""What a folder of results remembers, whatever ended the command before."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina.client.resume import Place
from jina.excepts import InputError
from jina.names import LEDGER
from jina.ray.job import Part, Report
from jina.ray.lanes import Parts
from jina.ray.ledger import Ledger
from jina.readers import ReadOptions
from jina.readers.ranges import parts_of, whole_files

ABOUT = {"endpoint": "/encode", "inputs": "a"}


def cut(folder: Path) -> list[Part]:
    path = folder / "in.jsonl"
    path.write_text("one\ntwo\nthree\nfour\n")
    found = parts_of(whole_files([str(path)], ReadOptions()), 1)
    return [Part(number, ranges) for number, ranges in enumerate(found)]


def test_what_is_noted_is_found_again(tmp_path: Path) -> None:
    parts = cut(tmp_path)
    out = tmp_path / "out"
    with Ledger(out, ABOUT, restart=False) as ledger:
        mark, size = ledger.begin(lambda: 100)
        ledger.add(parts[0])
        ledger.add(parts[1])
        ledger.complete(0, Place(lines=1, outcomes=1))
        with pytest.raises(InputError, match="another `jina post` is writing"):
            Ledger(out, ABOUT, restart=False)
    with (out / LEDGER).open("ab") as file:
        file.write(b'{"done": 1, "pla')  # the machine lost power
    with Ledger(out, ABOUT, restart=False) as ledger:
        assert ledger.begin(lambda: 7) == (mark, size) == (mark, 100)
        assert ledger.parts == parts[:2]
        assert ledger.done == {0: Place(lines=1, outcomes=1)}
        ledger.complete(1, Place())
        assert not ledger.is_complete
        ledger.end()
        assert ledger.is_complete
    with Ledger(out, ABOUT, restart=False) as ledger:
        assert ledger.is_complete
        assert sorted(ledger.done) == [0, 1]


def test_the_results_of_another_post_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    other = ABOUT | {"endpoint": "/index"}
    with Ledger(out, ABOUT, restart=False) as ledger:
        mark, _ = ledger.begin(lambda: 1)
    with Ledger(out, other, restart=False) as ledger:  # nothing was written there
        assert ledger.begin(lambda: 1)[0] != mark
    part = out / "part-00000.jsonl"
    part.write_text("{}\n")
    with pytest.raises(InputError, match="endpoint: /index then, /encode now"):
        Ledger(out, ABOUT, restart=False)
    with Ledger(out, ABOUT, restart=True) as ledger:
        assert not part.exists()
        assert ledger.begin(lambda: 1)[1] == 1
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(InputError, match="not empty"):
        Ledger(tmp_path, ABOUT, restart=True)


def test_parts_are_handed_out_in_order_and_those_that_were_lost_first(tmp_path: Path) -> None:
    made = cut(tmp_path)
    with Ledger(tmp_path / "out", ABOUT, restart=False) as ledger:
        ledger.begin(lambda: 1)
        parts = Parts(ledger, iter(made))
        first, second = parts.next(), parts.next()
        assert (first, second) == (made[0], made[1])
        parts.ahead(1)
        parts.back(made[0])
        assert parts.next() == made[0]
        for part in made[:2]:
            parts.complete(Report(number=part.number, earlier=Place(), place=Place(lines=1)))
        assert parts.next() == made[2]
        assert parts.next() == made[3]
        assert not parts.is_done
        assert parts.next() is None
        for part in made[2:]:
            parts.complete(Report(number=part.number, earlier=Place(), place=Place(lines=1)))
        assert parts.is_done
        assert ledger.is_complete
