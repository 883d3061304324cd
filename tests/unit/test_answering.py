"""HTTP answers, whole and broken, in every way that they can be cut to pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.clients.answering import Answering
from cockpit.errors import BackendError

HEAD = b"HTTP/1.1 200 OK\r\nServer: x\r\n"
LENGTH = HEAD + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n"
WHOLE = (
    (LENGTH, 200, b"hello", True),
    (CHUNKED, 200, b"hello", True),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH, 200, b"hello", True),
    (LENGTH.replace(b"Server: x", b"Connection: Close"), 200, b"hello", False),
    (LENGTH.replace(b"1.1", b"1.0"), 200, b"hello", False),
    (CHUNKED.replace(b"Server: x", b"Content-Length: 9"), 200, b"hello", False),
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    (b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", 404, b"", True),
)
BROKEN = (
    (b"SSH-2.0-OpenSSH_9.2", "begins otherwise"),
    (b"HTTP/1.1 2x0 OK\r\n\r\n", "no status"),
    (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "something else"),
    (HEAD + b" folded: 1\r\n\r\n", "malformed"),
    (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "no number"),
    (HEAD + b"Content-Length: -5\r\n\r\n", "no number"),
    (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "unknown"),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "no size"),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n", "longer than it says"),
    (HEAD + b"Content-Length: 99999999\r\n\r\n", "more than 1 MB"),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", "more than 1 MB"),
    (HEAD + b"\r\n" + b"x" * (2 << 20), "more than 1 MB"),
    (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000, "no end"),
)


def fed(said: bytes, cuts: list[int]) -> tuple[Answering, bool]:
    """The answer after all the pieces, and whether the last one completed it."""
    answering = Answering("http://x", 1 << 20)
    places = sorted({cut % (len(said) + 1) for cut in cuts} | {0, len(said)})
    ends = [answering.feed(said[start:end]) for start, end in pairwise(places)]
    assert not any(ends[:-1])
    return answering, ends[-1]


@given(st.sampled_from(WHOLE), st.lists(st.integers(0, 400), max_size=8))
def test_pieces_make_the_same_whole(case: tuple[bytes, int, bytes, bool], cuts: list[int]) -> None:
    said, status, body, is_kept = case
    answering, is_whole = fed(said, cuts)
    assert is_whole
    assert (answering.status, answering.body, answering.is_kept) == (status, body, is_kept)


@pytest.mark.parametrize(("said", "words"), BROKEN)
def test_what_is_broken_is_said(said: bytes, words: str) -> None:
    with pytest.raises(BackendError, match=words):
        fed(said, [7, 20, 60])


def test_without_a_length_it_ends_when_they_hang_up() -> None:
    answering, is_whole = fed(HEAD + b"\r\nhel", [])
    assert not is_whole
    assert not answering.feed(b"lo")
    assert answering.end()
    assert (answering.body, answering.is_kept) == (b"hello", False)
    cut_short, is_whole = fed(LENGTH[:-1], [])
    assert not is_whole
    assert not cut_short.end()


def test_more_than_was_asked_for_ends_the_connection() -> None:
    answering, is_whole = fed(LENGTH + b"HTTP/1.1 200", [])
    assert is_whole
    assert (answering.body, answering.is_kept) == (b"hello", False)


def test_an_answer_to_head_has_no_body() -> None:
    answering = Answering("http://x", 1 << 20, is_head=True)
    assert answering.feed(LENGTH.removesuffix(b"hello"))
    assert (answering.status, answering.body) == (200, b"")
