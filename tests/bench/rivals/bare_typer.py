"""The smallest typer program with two commands: the least that `--help` can cost."""

from __future__ import annotations

import typer

app = typer.Typer()


@app.command()
def one() -> None:
    """Do one thing."""


@app.command()
def two() -> None:
    """Do another thing."""


if __name__ == "__main__":
    app()
