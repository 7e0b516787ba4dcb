"""What the YAML parser says, in plain words, and what usually fixes it.

The parser has terms of its own: its "flow node" has nothing to do with a Flow.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """A mistake in plain words.

    Attributes:
        message: what is wrong.
        hint: what to do about it; "" if nobody knows.
    """

    message: str
    hint: str


_INDENT = "check the indentation, and that quotes and brackets are closed"
_BRACKET = (
    "close the bracket; put a value that contains braces on its own line, such as "
    "`size: ${SIZE}`, or quote it if it is text"
)
_ESCAPE = r"write `\\` for a backslash, or use single quotes"
_TAG = "a tag is `!ClassName`; quote text that starts with !"
_DIRECTIVE = "remove the line; quote text that starts with %"
_CONTROL = "remove the control character"

# A part of what is said about the place, a part of what is said about what is around it.
_WORDS: dict[tuple[str, str], Words] = {
    ("mapping values are not allowed", ""): Words(
        "a `key: value` pair is not allowed here",
        "quote values that contain `: `, or check the indentation",
    ),
    ("mapping keys are not allowed", ""): Words("a key is not allowed here", _INDENT),
    ("sequence entries are not allowed", ""): Words(
        "a list item is not allowed here", "start the list on a new line; quote text that has `- `"
    ),
    ("expected key", ""): Words("expected a new `key: value` pair", _INDENT),
    ("expected '-'", ""): Words(
        "expected another item of this list",
        "all items of a list must start with `-` in the same column",
    ),
    ("expected ',' or ']'", ""): Words("expected `,` or `]` in this list", _BRACKET),
    ("expected ',' or '}'", ""): Words("expected `,` or `}` in this map", _BRACKET),
    ("expected node content", "flow"): Words(
        "expected a value in these brackets",
        "close each bracket with one of its kind, and remove commas without a value",
    ),
    ("expected node content", ""): Words(
        "expected a value", "remove what is not one, or quote it if it is text"
    ),
    ("expected ':'", ""): Words(
        "expected `:` after this key", "write `key: value`; quote text that spans several lines"
    ),
    ("expected <document start>", ""): Words(
        "nothing can follow here", "remove it, or check the indentation and brackets before it"
    ),
    ("undefined alias", ""): Words(
        "undefined alias", "define the anchor with `&` before using it with `*`"
    ),
    ("second occurrence", ""): Words("this anchor is defined twice", "rename one of them"),
    ("alphabetic or numeric", "alias"): Words(
        "`*` needs the name of an anchor", "quote text that starts with *"
    ),
    ("alphabetic or numeric", "anchor"): Words("`&` needs a name", "quote text that starts with &"),
    ("undefined tag handle", ""): Words("unknown tag", _TAG),
    ("incompatible YAML", ""): Words("unknown version of YAML", "remove the line with %YAML"),
    ("directive", ""): Words("not a valid directive", _DIRECTIVE),
    ("", "directive"): Words("not a valid directive", _DIRECTIVE),
    ("", "a tag"): Words("not a valid tag", _TAG),
    ("unexpected end of stream", ""): Words("this quote is never closed", "close it"),
    ("unexpected document indicator", ""): Words(
        "the document ends inside a quoted text", "close the quote"
    ),
    ("unknown escape character", ""): Words("unknown escape sequence in a quoted text", _ESCAPE),
    ("hexdecimal number", ""): Words("incomplete escape sequence in a quoted text", _ESCAPE),
    ("Unicode character escape", ""): Words("not an escape sequence of a character", _ESCAPE),
    ("expected comment or line break", ""): Words(
        "only a comment can follow here", "start the text on the next line, indented"
    ),
    ("indicator equal to 0", ""): Words("the indentation must be 1 to 9", "remove the 0"),
    ("found a tab character", ""): Words("tabs are not allowed here", "YAML indents with spaces"),
    ("unexpected ':'", ""): Words("unexpected `:`", "quote values that contain `:`"),
    ("characters are not allowed", ""): Words("control characters are not allowed", _CONTROL),
    ("UTF-8", ""): Words("not valid UTF-8", "save the file as UTF-8"),
}


def in_words(message: str, context: str) -> Words:
    """What the parser says, in plain words.

    Args:
        message: about the place.
        context: what the parser was doing there; "" if it does not say.
    """
    for (said, around), words in _WORDS.items():
        if said in message and around in context:
            return words
    return Words(message, "check the YAML around this place")
