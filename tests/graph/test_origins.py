"""Which files a plan was made from, and whether they are as they were."""

from __future__ import annotations

from pathlib import Path

from jina.graph.origins import Origins, stamps


def test_a_file_that_is_written_or_gone_has_changed(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("flow.yml", "a.py", "b.py")]
    for file in files:
        file.write_text("x")
    flow, one, two = map(str, files)
    origins = Origins(files=stamps([flow]), modules={"n": stamps([one, two])})
    assert origins.changed() == []
    files[1].write_text("longer")
    files[2].unlink()
    assert origins.changed() == [one, two]


def test_a_part_that_is_restarted_is_made_from_new_files_the_others_from_old_ones() -> None:
    old = Origins(files={"f": (1, 1)}, modules={"a": {"a.py": (1, 1)}, "b": {"b.py": (1, 1)}})
    new = Origins(
        settings=["name=x"],
        files={"f": (2, 2)},
        modules={"a": {"a.py": (2, 2)}, "b": {"b.py": (2, 2)}},
    )
    part = old.after(new, ["a"], is_whole=False)
    assert part.files == old.files
    assert part.modules == {"a": {"a.py": (2, 2)}, "b": {"b.py": (1, 1)}}
    assert part.settings == ["name=x"]
    assert old.after(new, ["a"], is_whole=True).files == new.files
