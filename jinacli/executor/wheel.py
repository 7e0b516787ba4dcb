"""This jina as a wheel, made of its installed files.

So another environment gets the same code, wherever this one was installed from.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import zipfile
from pathlib import Path

from jina.launch.sources import DISTRIBUTION, ROOT, VERSION, about

# Written by whoever installs, and not part of a wheel.
_OF_INSTALLERS = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json")


def make_wheel(folder: Path) -> Path:
    """Write this jina, as it is installed, as a wheel.

    Args:
        folder: where to write it.

    Raises:
        OSError: it is not installed, a file of it cannot be read, or the wheel cannot be written.
    """
    home = about().name
    wheel = folder / f"{DISTRIBUTION}-{VERSION}-py3-none-any.whl"
    record = []
    with (about() / "RECORD").open(newline="") as lines:
        names = sorted(row[0] for row in csv.reader(lines) if row)
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            parts = name.split("/")
            is_of_installer = parts[0] == home and parts[-1] in _OF_INSTALLERS
            # Scripts are outside of the packages; whoever installs makes them again.
            if os.pardir in parts or "__pycache__" in parts or is_of_installer:
                continue
            data = (ROOT / name).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            archive.writestr(name, data)
            record.append(f'"{name}",sha256={digest},{len(data)}\n')
        archive.writestr(f"{home}/RECORD", "".join([*record, f"{home}/RECORD,,\n"]))
    return wheel
