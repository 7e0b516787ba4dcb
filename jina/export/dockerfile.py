"""An image for Executors: Python, this version of jina, and what the Executors need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

USER = 10001
IGNORED = """\
# Everything but the files of the Dockerfile.
*
!requirements*.txt
!files
__pycache__
*.pyc
"""


class Image(NamedTuple):
    """What an image has.

    Attributes:
        python: its version, as 3.11.7.
        version: of jina.
        requirements: names of the requirement files, beside the Dockerfile.
        without_dependencies: the same, whose packages are installed without what they need.
        has_files: there is a folder `files`, with the modules and YAML.
        command: what it runs; nothing for a shell command that says what it has.
    """

    python: str
    version: str
    requirements: Sequence[str] = ()
    without_dependencies: Sequence[str] = ()
    has_files: bool = False
    command: Sequence[str] = ()


def dockerfile(image: Image) -> str:
    """The text of a Dockerfile: one stage installs, the other one has the result alone."""
    names = [*image.requirements, *image.without_dependencies]
    together = "".join(f" -r {name}" for name in image.requirements)
    copied = f"COPY {' '.join(names)} ./\n" if names else ""
    alone = "".join(f" -r {name}" for name in image.without_dependencies)
    more = f" \\\n && /opt/jina/bin/pip install --no-cache-dir --no-deps{alone}" if alone else ""
    files = "COPY files /flow\n" if image.has_files else ""
    words = ", ".join(f'"{word}"' for word in image.command or ("jina", "--version"))
    return f"""\
# docker build -t IMAGE .
FROM python:{image.python}-slim AS build
WORKDIR /build
{copied}RUN python3 -m venv /opt/jina \\
 && /opt/jina/bin/pip install --no-cache-dir "jinacli[http]=={image.version}"{together}{more}

FROM python:{image.python}-slim
COPY --from=build /opt/jina /opt/jina
ENV PATH=/opt/jina/bin:$PATH \\
    PYTHONUNBUFFERED=1 \\
    PYTHONDONTWRITEBYTECODE=1 \\
    JINA_RUN_DIR=/tmp/jina-run \\
    JINA_STATE_DIR=/tmp/jina-state \\
    HOME=/tmp
# Any user may write there: compose and Kubernetes choose one.
RUN mkdir -m 1777 /workspace
{files}WORKDIR /flow
USER {USER}:{USER}
CMD [{words}]
"""
