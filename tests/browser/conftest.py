"""Tests of the documentation page in a real browser, and of /openapi.json by schemathesis.

`.ci/browser` installs both and runs them. Without JINA_BROWSER, the path of a Chromium, no file is
collected. JINA_SCREENSHOTS names a folder for pictures of the page.
"""

from __future__ import annotations

import os
from pathlib import Path

CHROMIUM = os.environ.get("JINA_BROWSER", "")
collect_ignore = [] if CHROMIUM else [path.name for path in Path(__file__).parent.glob("test_*.py")]
