"""The help page of a command: usage, what it does, examples, then text, arguments and options.

Plain text, so that `jina --help` need not wait until rich is loaded.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

import typer
from typer.core import TyperArgument, TyperOption

from jinacli.color import is_colored
from jinacli.commands.values import either, number_range
from jinacli.exits import MEANINGS

Param = TyperOption | TyperArgument
Rows = list[tuple[str, str]]

_MOST_COLUMNS = 100  # longer lines are hard to read
_LEAST_COLUMNS = 40
_NO_BREAK = "\N{NO-BREAK SPACE}"  # where a line should not end
_NARROW = 60  # columns; below, an explanation stands under its option instead of beside it
_STACKED_INDENT = 8  # columns, of such an explanation
_WIDEST_LABEL = 24  # columns; a longer one has its explanation on the next line
_FEW = 12  # options that need no headings

HEADINGS = {
    "Inputs": "--inputs --format --field-resolver --content --text --limit --skip --only-failed",
    "Flow": "--flow --address --strict",
    "Requests": (
        "--parameters --target --request-size --window --allow-unserved --timeout "
        "--request-timeout --unordered --dry-run"
    ),
    "Errors": "--on-error --retries --fail-fast --max-errors --errors-to",
    "Output": "--output --restart --output-format --tensors --select --exclude",
    "Start": "--detach --wait --watch",
    "Addresses": "--host --port --keys --insecure-no-auth",
    "Cluster": "--on --ray-address --lanes --join",
    "HTTP": (
        "--http --http-workers --api-key-file --ssl-certfile --ssl-keyfile --access-log "
        "--log-format"
    ),
    "Messages": "--timing --no-progress --verbose --quiet --color --help",
}
"""Under which heading a long page shows an option; `rich_help_panel` of an option goes before."""

_heading_of = {option: name for name, names in HEADINGS.items() for option in names.split()}


_VALUES = {
    "FILE": "--inputs --output --errors-to --only-failed --ssl-certfile --ssl-keyfile",
    "KEY=VALUE": "--parameters",
    "NAME=FIELD": "--field-resolver",
    "FIELDS": "--select --exclude",
    "DURATION": "--timeout --request-timeout",
    "REGEX": "--target",
    "HOW": "--on-error",
    "FORM": "--tensors",
    "KIND": "--content",
    "FOLDER": "--workspace",
    "WHEN": "--color",
}
"""What the value of an option is called, where the last word of its name says too little."""

_value_of = {option: name for name, names in _VALUES.items() for option in names.split()}


def page(command: Any, ctx: typer.Context, file: TextIO) -> str:
    """The help page of a command or a group of commands.

    Args:
        command: as typer has built it; a group says what its commands do by `summaries()`.
        ctx: of the command.
        file: where it will be shown; on a terminal, headings are bold.
    """
    columns = shutil.get_terminal_size().columns
    draw = _Draw(min(max(columns, _LEAST_COLUMNS), _MOST_COLUMNS), is_bold=is_colored(file))
    summary, examples, text = _parts(command.help or "")
    draw.usage(usage(command, ctx))
    draw.paragraphs([summary])
    draw.examples(examples)
    draw.paragraphs(text)
    if hasattr(command, "summaries"):
        draw.sections({"Commands": list(command.summaries().items())})
    draw.sections(_parameters(command, ctx))
    if ctx.parent is None:
        draw.sections({"Exit codes": [(f"{code:>3}", text) for code, text in MEANINGS.items()]})
    return "\n".join(draw.lines)


def usage(command: Any, ctx: typer.Context) -> str:
    """How the command is typed, such as `jina post [OPTIONS] ENDPOINT`."""
    words = [ctx.command_path, "[OPTIONS]"]
    words += [_argument(param) for param in command.params if isinstance(param, TyperArgument)]
    return " ".join(words + (["COMMAND"] if hasattr(command, "summaries") else []))


def name_of(param: Param) -> str:
    """How a parameter is called in a message: `--output`, `ENDPOINT`."""
    if isinstance(param, TyperArgument):
        return param.metavar or param.name.upper()
    return max(param.opts, key=len)


def _argument(param: TyperArgument) -> str:
    if param.metavar:
        return param.metavar
    name = f"{param.name.upper()}{'...' if param.nargs == -1 else ''}"
    return name if param.required else f"[{name}]"


def _parts(text: str) -> tuple[str, list[str], list[str]]:
    """Summary, examples and other paragraphs of a docstring; indented lines stay as they are."""
    summary, _, rest = text.partition("\n\n")
    before, _, after = f"\n{rest}".partition("\nExamples:\n")
    examples: list[str] = []
    others: list[str] = []
    for line in after.splitlines():
        (others if others or (line and line[0] != " ") else examples).append(line)
    paragraphs = "\n\n".join([before, *"\n".join(others).split("\n\n")]).split("\n\n")
    texts = [text.strip("\n") for text in paragraphs if text.strip()]
    return " ".join(summary.split()), [line for line in examples if line], texts


def _parameters(command: Any, ctx: typer.Context) -> dict[str, Rows]:
    """Heading -> the arguments or options that stand under it."""
    sections: dict[str, Rows] = {}
    shown = [param for param in command.get_params(ctx) if not param.hidden]
    arguments = [param for param in shown if isinstance(param, TyperArgument)]
    if arguments:
        sections["Arguments"] = [(name_of(one), _explained(one, ctx)) for one in arguments]
    options = [param for param in shown if isinstance(param, TyperOption)]
    has_headings = len(options) > _FEW
    *first, last = HEADINGS
    by_heading: dict[str, Rows] = {name: [] for name in (*first, "Options", last)}
    for option in options:
        panel = option.rich_help_panel or (has_headings and _heading_of.get(name_of(option)))
        rows = by_heading.setdefault(panel or "Options", [])
        rows.append((_label(option), _explained(option, ctx)))
    sections.update({name: rows for name, rows in by_heading.items() if rows})
    return sections


def _label(option: TyperOption) -> str:
    """The names of an option and what its value is called: `-o, --output OUTPUT`."""
    names = sorted(option.opts, key=len)
    indent = "" if len(names[0]) == 2 else "    "
    label = f"{indent}{', '.join([*names, *option.secondary_opts])}"
    return label if option.is_flag else f"{label} {_value_name(option)}"


def _value_name(option: TyperOption) -> str:
    if option.metavar:
        return option.metavar
    if option.type_descriptor.annotation in (int, float):
        return "N"
    name = name_of(option)
    return _value_of.get(name) or name.rpartition("-")[2].upper()


def _explained(param: Param, ctx: typer.Context) -> str:
    """What a parameter is for, and in brackets its values, default and variable."""
    if param.name == "help":
        return "Show this help"
    notes = []
    if choices := param.type_descriptor.choices:
        notes.append(either([str(choice) for choice in choices]))
    if param.max is not None:
        notes.append(number_range(param.min, param.max))
    if default := _default(param):
        notes.append(f"default:{_NO_BREAK}{default}")
    if variables := _variables(param, ctx):
        notes.append(f"env:{_NO_BREAK}{variables}")
    words = [param.help or "", f"[{'; '.join(notes)}]" if notes else ""]
    return " ".join(word for word in words if word)


def _default(param: Param) -> str:
    if isinstance(param.show_default, str):
        return param.show_default
    value = param.default
    if not param.show_default or value in (None, False, "", "-") or callable(value):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _variables(param: Param, ctx: typer.Context) -> str:
    """The variables of the environment that stand for an option."""
    if not param.show_envvar:
        return ""
    if isinstance(param.envvar, str):
        return param.envvar
    if param.envvar:
        return ", ".join(param.envvar)
    if isinstance(param, TyperOption) and param.allow_from_autoenv and ctx.auto_envvar_prefix:
        return f"{ctx.auto_envvar_prefix}_{param.name.upper()}" if param.expose_value else ""
    return ""


class _Draw:
    """Puts a page together.

    Args:
        width: columns that a line may take.
        is_bold: headings and names are bold.
    """

    def __init__(self, width: int, *, is_bold: bool) -> None:
        self.lines: list[str] = []
        self._width = width
        self._is_bold = is_bold

    def usage(self, text: str) -> None:
        first, *rest = wrapped(f"Usage: {text}", self._width, indent=2)
        self.lines += [first.replace("Usage:", self._bold("Usage:")), *rest]

    def paragraphs(self, texts: Iterable[str]) -> None:
        for text in texts:
            is_as_it_is = text.startswith(" ")
            lines = text.splitlines() if is_as_it_is else wrapped(text, self._width)
            self.lines += ["", *lines]

    def examples(self, lines: list[str]) -> None:
        if lines:  # never broken: they are there to be copied
            self.lines += ["", self._bold("Examples:"), *lines]

    def sections(self, sections: dict[str, Rows]) -> None:
        """Draw rows under headings; all their explanations begin at one column."""
        labels = [label for rows in sections.values() for label, _ in rows]
        widest = max((len(label) for label in labels if len(label) <= _WIDEST_LABEL), default=0)
        indent = _STACKED_INDENT if self._width < _NARROW else widest + 4
        for heading, rows in sections.items():
            self.lines += ["", self._bold(f"{heading}:")]
            for label, text in rows:
                self.lines += self._row(label, text, indent)

    def _row(self, label: str, text: str, indent: int) -> Iterator[str]:
        name = f"  {self._bold(label)}"
        lines = [f"{'':{indent}}{line}" for line in wrapped(text, self._width - indent)]
        if lines and len(label) + 4 <= indent:
            name += lines.pop(0)[len(label) + 2 :]
        yield name
        yield from lines

    def _bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self._is_bold else text


def wrapped(text: str, width: int, *, indent: int = 0) -> list[str]:
    """The lines of a paragraph; only a word that is longer than a line goes beyond `width`.

    Args:
        text: words; how they are broken into lines does not matter.
        width: columns.
        indent: columns by which all lines but the first are indented.
    """
    # textwrap would do it, and takes longer to load than all pages to draw.
    lines: list[str] = []
    line = ""
    for word in _words(text, width):
        if line.strip() and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = " " * indent + word
        else:
            line += f" {word}" if line.strip() else word
    return [*lines, line] if line.strip() else lines


def _words(text: str, width: int) -> Iterator[str]:
    for word in text.replace("\n", " ").split(" "):
        if len(word) > width:
            yield from word.split()  # also where no break should be
        elif word:
            yield word.replace(_NO_BREAK, " ")
