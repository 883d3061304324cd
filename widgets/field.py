"""A line of text that is being typed."""

from __future__ import annotations

from widgets.line import Line, line

LONGEST = 200


class Field:
    """Text and a cursor at its end; takes keys by their names.

    A proposal is there to be taken or typed over: it stands as if it were selected.
    """

    def __init__(self, text: str = "", is_proposal: bool = False) -> None:
        self.text = text
        self.is_proposal = is_proposal and bool(text)

    def take(self, key: str, character: str | None) -> bool:
        """Whether the key was text or editing; if so it is done.

        >>> field = Field(); [field.take(k, c) for k, c in (("a", "a"), ("space", " "), ("enter", "\\r"))], field.text
        ([True, True, False], 'a ')
        >>> field = Field("P1", is_proposal=True); field.take("p", "P"), field.take("2", "2"), field.text
        (True, True, 'P2')
        """
        if key == "backspace":
            self.text = self.text[:-1]
        elif key == "ctrl+u":
            self.text = ""
        elif key == "ctrl+w":
            self.text = self.text.rstrip().rpartition(" ")[0]
        elif character is not None and character.isprintable():
            if self.is_proposal:
                self.text = ""
            if len(self.text) >= LONGEST:
                return False
            self.text += character
        else:
            return False
        self.is_proposal = False
        return True

    def shown(self, width: int, is_active: bool = True) -> Line:
        """The end of the text with the cursor, in a field of `width` cells."""
        text = self.text[-(width - 1) :] if width > 1 else ""
        rest = " " * max(0, width - len(text) - 1)
        is_selected = self.is_proposal and is_active
        return line(
            (text, "cursor" if is_selected else "field"), (" ", "cursor" if is_active else "field"), (rest, "field")
        )
