"""`python -m jinacli` is `jina`."""

from __future__ import annotations

import importlib.util
import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        # As for `jina` itself, a file of the current folder must not stand in for a package.
        here = sys.path.pop(0)
        if importlib.util.find_spec("jina") is None:  # it is not installed, this is its source
            sys.path.append(here)
    from jinacli.app import main

    main()
