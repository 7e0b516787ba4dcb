"""Answer a shell that asks what could come next. Whatever goes wrong, the answer is just empty."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from typing import Any

from jinacli.completion.scripts import VARIABLE, WORD_BREAKS


def answer(command_line: Callable[[], Any]) -> None:
    """Print what could come next.

    Args:
        command_line: builds the `jina` command.
    """
    shell, breaks = os.environ.pop(VARIABLE), os.environ.pop(WORD_BREAKS, "")
    line = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        kind, found = completions(command_line(), line)
    except Exception:
        return  # a traceback in the middle of somebody's command line helps nobody
    if shell == "bash":
        cut = _cut(split(line)[1], breaks)
        rows = [value.removeprefix(cut) for value, _ in found]
    else:
        rows = [f"{value}\t{text}" if text else value for value, text in found]
    rows = [row for row in rows if row.isprintable() or "\t" in row]
    sys.stdout.write("".join(f"{row}\n" for row in [kind, *rows]))


def completions(command: Any, line: str) -> tuple[str, list[tuple[str, str]]]:
    """What could come next.

    Args:
        command: the whole command line.
        line: what was typed so far, up to the cursor.

    Returns:
        "files" or "words", and each value with what it means, in a few words or none.
    """
    # Late: only this needs it.
    from typer._click.shell_completion import _resolve_context, _resolve_incomplete

    words, incomplete = split(line)
    ctx = _resolve_context(command, {}, "jina", words[1:])
    if ctx._protected_args:  # a word that is no command
        return "words", []
    asked, value = _resolve_incomplete(ctx, words[1:], incomplete)
    items = asked.shell_complete(ctx, value)
    prefix = ""
    if incomplete.startswith("--") and "=" in incomplete:
        prefix = incomplete.partition("=")[0] + "="
    kind = "files" if items and all(item.type == "file" for item in items) else "words"
    return kind, [(f"{prefix}{item.value}", _in_short(item.help or "")) for item in items]


def split(line: str) -> tuple[list[str], str]:
    """The whole words of a line, without their quotes, and the word at the cursor."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    is_open = not line or line[-1].isspace()
    try:
        words.extend(lexer)
    except ValueError:  # a quote is still open
        words.append(lexer.token)
        is_open = False
    return (words, "") if is_open or not words else (words[:-1], words[-1])


def _cut(incomplete: str, breaks: str) -> str:
    """What bash keeps of the word at the cursor: all up to the last character that breaks it."""
    last = max((incomplete.rfind(char) for char in breaks if char in ":="), default=-1)
    return incomplete[: last + 1]


def _in_short(text: str) -> str:
    return " ".join(text.split())[:80]
