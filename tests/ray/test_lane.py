"""A lane without Ray: a whole Flow through which parts go, in this process."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from msgspec import structs

from jina.client.resume import Place
from jina.config.flows import flow_config
from jina.config.load_state import LoadOptions
from jina.defaults import WINDOW_REQUESTS
from jina.excepts import ConnectError, InputError, OutputError
from jina.graph.planning import plan_from
from jina.launch.threads import OPENMP
from jina.names import LEDGER
from jina.ray.job import Job, Part, Report
from jina.ray.lane import Lane
from jina.ray.sending import packed
from jina.readers import ReadOptions
from jina.readers.ranges import parts_of, whole_files
from jina.wire.maps import SPLIT, Call
from jina.writers import Form

ENCODER = """
from jina import Executor, requests

class Enc(Executor):
    @requests(on="/encode")
    def encode(self, docs, **kwargs):
        for doc in docs:
            if doc.tags.get("bad"):
                raise ValueError("a bad one")
            doc.tags["length"] = len(doc.text)
"""
NOW, LATER = 0.0, 60.0
LINES = 1000


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime_dir: Path) -> Job:
    """A post of some lines, whose Executor's file is gone by the time that the lane starts."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(OPENMP, "1")
    project, out = tmp_path / "project", tmp_path / "out"
    for folder in (project, out):
        folder.mkdir()
    (project / "enc.py").write_text(ENCODER)
    (project / "enc.yml").write_text("jtype: Enc\nmetas: {py_modules: [enc.py]}\n")
    flow = project / "flow.yml"
    flow.write_text("jtype: Flow\nexecutors: [{name: enc, uses: enc.yml}]\n")
    (out / LEDGER).write_text("mark\n")
    return Job(
        plan=plan_from(flow_config(flow, LoadOptions())),
        endpoint="/encode",
        call=Call(lines=True),
        reading=ReadOptions(resolver={}),
        form=Form("jsonl"),
        folder=str(out),
        mark="mark\n",
        about={"endpoint": "/encode"},
        current=os.getcwd(),
        window=WINDOW_REQUESTS,
        on_error=SPLIT,
    )


def parts_in(folder: Path, part_bytes: int) -> list[Part]:
    path = folder / "in.jsonl"
    lines = [{"text": "x" * number, "bad": number == 900} for number in range(LINES)]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    cut = parts_of(whole_files([str(path)], ReadOptions()), part_bytes)
    return [Part(number, ranges) for number, ranges in enumerate(cut)]


def finish(lane: Lane, part: Part | None) -> Report:
    """Post a part to its end."""
    report = lane.work(part, LATER)
    while not report.is_done and report.error is None:
        report = lane.work(None, LATER)
    return report


def test_a_lane_posts_parts_and_resumes_them(job: Job, tmp_path: Path) -> None:
    outside = packed(job.plan, tmp_path / "out")
    assert (outside.names, outside.workers) == ([""], job.plan.workers)
    assert "outside the project" in outside.notes[0]
    sent = packed(job.plan, tmp_path / "project")
    assert sent.notes == []
    job = structs.replace(job, plan=structs.replace(job.plan, workers=sent.workers))
    shutil.rmtree(tmp_path / "project")
    parts = parts_in(tmp_path, 300_000)
    assert len(parts) == 2
    lane = Lane()
    try:
        started = lane.start(job, sent.names, sent.bundles, 1)
        assert started.error is None
        assert started.welcome is not None
        assert started.welcome.endpoints["enc"] == ["/encode"]

        # A lane is killed after a request; another goes on behind it.
        first = lane.work(parts[0], NOW)
        assert not first.is_done
        assert 0 < first.place.outcomes < LINES // 2
        lane._close_part()
        resumed = lane.work(parts[0], NOW)
        assert resumed.earlier == first.place
        done = finish(lane, None)
        assert done.is_done
        assert done.bytes_done == parts[0].size

        # What is complete is not posted again.
        again = lane.work(parts[0], NOW)
        assert (again.is_done, again.place) == (True, done.place)

        # What is damaged, or of another post, is overwritten.
        second = Path(job.path_of(1))
        second.write_text("something else\n")
        failed = finish(lane, parts[1])
        assert failed.place.failed == 1
        assert list(failed.reasons.values()) == ["ValueError in enc: a bad one"]
        results = [
            json.loads(line)
            for part in parts
            for line in Path(job.path_of(part.number)).read_text().splitlines()
        ]
        assert len(results) == LINES
        assert [number for number, each in enumerate(results) if "error" in each] == [900]
        assert results[999]["tags"]["length"] == 999
        assert results[999]["id"].endswith("-1000")

        # An input that is gone, and one that breaks off.
        gone = structs.replace(parts[0].ranges[0], path=str(tmp_path / "gone"), name="gone")
        report = lane.work(Part(2, [gone]), NOW)
        assert isinstance(report.error, InputError)
        assert report.place == Place()
        broken = tmp_path / "broken.json"
        broken.write_text('[{"text": "a"} {"text": "b"}]')
        (whole,) = whole_files([str(broken)], ReadOptions())
        report = finish(lane, Part(3, [whole]))
        assert (report.is_broken, report.place.outcomes) == (True, 1)
    finally:
        lane.stop()


def test_what_keeps_a_lane_from_starting(job: Job, tmp_path: Path) -> None:
    elsewhere = Lane().start(structs.replace(job, mark="another\n"), [""], {}, 1)
    assert isinstance(elsewhere.error, OutputError)
    assert "all nodes of the cluster share" in str(elsewhere.error)
    older = Lane().start(structs.replace(job, version="0.0.1"), [""], {}, 1)
    assert isinstance(older.error, ConnectError)
    assert "0.0.1" in str(older.error)
