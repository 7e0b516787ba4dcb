"""Images with an Executor, made from the one that has Python and jina."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.containers.conftest import IMAGE
from tests.containers.engine import engine

EXECUTOR = """\
import os
import subprocess
import time

from jina import Executor, requests


class Up(Executor):
    def __init__(self, suffix="", fails=False, **kwargs):
        super().__init__(**kwargs)
        self.suffix = suffix
        if fails:
            raise ValueError("no weights")
        # Left behind, in another session, as daemons are.
        subprocess.Popen(["sleep", "1000"], start_new_session=True)

    @requests(on="/up")
    def up(self, docs, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper() + self.suffix
            doc.tags["colour"] = os.environ.get("COLOUR", "")
            doc.tags["user"] = os.getuid()

    @requests(on="/write")
    def write(self, docs, **kwargs):
        os.makedirs(self.workspace, exist_ok=True)
        for doc in docs:
            with open(os.path.join(self.workspace, "texts"), "a") as file:
                file.write(doc.text)
            doc.text = open("/data/greeting").read()

    @requests(on="/hang")
    def hang(self, docs, **kwargs):
        time.sleep(1000)

    def close(self):
        print("closed", flush=True)
"""
CONFIG = "jtype: Up\npy_modules: up.py\nwith: {suffix: '?'}\n"


@contextlib.contextmanager
def made(folder: Path, name: str, config: str = CONFIG, file: str = "config.yml") -> Iterator[str]:
    """The image of an Executor, in the way of Jina 2.

    Args:
        folder: for what it is made of.
        name: of the image.
        config: YAML of the Executor; "" for an image without.
        file: the name of that.
    """
    folder.mkdir()
    (folder / "up.py").write_text(EXECUTOR)
    (folder / file).write_text(config or "jtype: Nothing\n")
    (folder / "Containerfile").write_text(f"""\
FROM {IMAGE}
COPY up.py {file} /app/
WORKDIR /app
ENTRYPOINT ["jina", "executor", "--uses", "{file}"]
""")
    image = f"localhost/{name}:1"
    engine("build", "--quiet", "--file", f"{folder}/Containerfile", "--tag", image, str(folder))
    try:
        yield image
    finally:
        engine("rmi", "--force", image)
