"""`jina schema`: the JSON Schema of the YAML, for editors and other checkers."""

from __future__ import annotations

from typing import Annotated, Literal

import typer


def schema(
    what: Annotated[Literal["flow", "executor"], typer.Argument(help="Whose schema to print")],
) -> None:
    """Print the JSON Schema (draft-07) of a Flow's or an Executor's YAML

    Editors complete and check the YAML by it, once its first line names the
    file:

      # yaml-language-server: $schema=flow.schema.json

    Examples:
      jina schema flow > flow.schema.json
    """
    # Late: see jinacli.app.
    import json

    from jina.config.reference import json_schema

    typer.echo(json.dumps(json_schema(what), indent=2, ensure_ascii=False))
