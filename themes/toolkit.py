"""A theme in the toolkit's own terms, so that everything it draws by itself has the same ground."""

from __future__ import annotations

from textual.theme import Theme

from themes.look import Look

ANSI = "ansi-dark"
"""The toolkit's own theme for terminals with their own palette: it knows variables that ours would lack."""


def toolkit_name(look: Look) -> str:
    """What the toolkit calls this theme."""
    return ANSI if look.is_ansi else look.name


def toolkit_theme(look: Look) -> Theme:
    """The theme to register, for a look with colours of its own."""
    primary, warning, error, success = look.colours
    return Theme(
        name=look.name,
        primary=primary,
        warning=warning,
        error=error,
        success=success,
        foreground=look.foreground,
        background=look.background,
        surface=look.background,
        panel=look.background,
        dark=look.is_dark,
    )
