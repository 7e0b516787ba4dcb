"""`python -m jinacli` is `jina`."""

from __future__ import annotations

from jinacli.app import main

if __name__ == "__main__":
    main()
