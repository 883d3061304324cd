"""What a job printed, with the text that is looked for marked in it."""

from __future__ import annotations

from collections.abc import Sequence

from widgets.figures import megabytes
from widgets.jobs_rows import ruled
from widgets.line import Line, Span, line


def output_rows(
    lines: Sequence[tuple[int, str]], needle: str, shift: int, width: int, size_bytes: int, is_following: bool
) -> list[Line]:
    """A head that says where one stands, and the lines."""
    if not size_bytes:
        return [ruled("Output", width, line(("nothing printed", "label")))]
    at = f"at {lines[0][0] * 100 // size_bytes} % of {megabytes(size_bytes)}" if lines else megabytes(size_bytes)
    where = f"the end of {megabytes(size_bytes)}" if is_following else f"{at}   End follows"
    head = ruled("Output", width, line((f"{where}{f'   from column {shift + 1}' if shift else ''}", "label")))
    return [head, *(marked(text[shift:], needle) for _, text in lines)]


def marked(text: str, needle: str) -> Line:
    """The text with every place of the needle marked, letters of any case.

    >>> marked("Error: no error", "error")
    (('Error', 'picked'), (': no ', 'text'), ('error', 'picked'))
    """
    if not needle:
        return line(text)
    spans: list[Span] = []
    folded, wanted = text.lower(), needle.lower()
    at = 0
    # Folding changes the length of a few letters: then nothing is marked rather than the wrong cells.
    while len(folded) == len(text) and (found := folded.find(wanted, at)) >= 0:
        spans += [(text[at:found], "text"), (text[found : found + len(wanted)], "picked")]
        at = found + len(wanted)
    return tuple(span for span in (*spans, (text[at:], "text")) if span[0])
