"""Numbers in options: whole ones within bounds, and a message that says what is expected."""

from __future__ import annotations

import typer


def whole_number(
    text: str | None, option: str, *, least: int = 0, most: int | None = None
) -> int | None:
    """Read a whole number.

    Args:
        text: as it was given; None for none.
        option: for the message.
        least: the smallest that is allowed.
        most: the greatest, if there is one.

    Raises:
        typer.BadParameter: it is not a whole number, or out of bounds.
    """
    if text is None:
        return None
    try:
        number = int(text.replace(",", "").replace("_", ""))
    except ValueError:
        number = least - 1
    if number < least or (most is not None and number > most):
        bounds = f"from {least} to {most:,}" if most is not None else f"of {least} or more"
        raise typer.BadParameter(
            f"{text!r} is not a whole number {bounds}", param_hint=option
        ) from None
    return number
