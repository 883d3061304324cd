"""A theme in the toolkit's own terms, so that everything it draws by itself has the same ground."""

from __future__ import annotations

from textual.theme import Theme

from themes.look import Look


def toolkit_theme(look: Look) -> Theme:
    """The theme to register."""
    if look.is_ansi:
        return Theme(
            name=look.name,
            primary="ansi_blue",
            foreground="ansi_default",
            background="ansi_default",
            surface="ansi_default",
            panel="ansi_default",
            dark=True,
            ansi=True,
        )
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
