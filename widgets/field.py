"""A line of text that is being typed."""

from __future__ import annotations

from widgets.line import Line, line

LONGEST = 200


class Field:
    """Text and a cursor at its end; takes keys by their names."""

    def __init__(self, text: str = "") -> None:
        self.text = text

    def take(self, key: str, character: str | None) -> bool:
        """Whether the key was text or editing; if so it is done.

        >>> field = Field(); [field.take(k, c) for k, c in (("a", "a"), ("space", " "), ("enter", "\\r"))], field.text
        ([True, True, False], 'a ')
        """
        if key == "backspace":
            self.text = self.text[:-1]
        elif key == "ctrl+u":
            self.text = ""
        elif key == "ctrl+w":
            self.text = self.text.rstrip().rpartition(" ")[0]
        elif character is not None and character.isprintable() and len(self.text) < LONGEST:
            self.text += character
        else:
            return False
        return True

    def shown(self, width: int, is_active: bool = True) -> Line:
        """The end of the text with the cursor, in a field of `width` cells."""
        text = self.text[-(width - 1) :] if width > 1 else ""
        rest = " " * max(0, width - len(text) - 1)
        return line((text, "field"), (" ", "cursor" if is_active else "field"), (rest, "field"))
