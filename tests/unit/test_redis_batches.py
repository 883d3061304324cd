"""What is kept of streams of which the server says the same again, and what is not."""

from __future__ import annotations

import json

from cockpit.clients.redis_batches import SIZE, Batch, Together, batches_of
from cockpit.clients.redis_reading import KeyFault, StreamFacts, unpacked


def said(*streams: tuple[int, str, int]) -> bytes:
    """Depth, last id and the number of new entries of each, as redis_streams.lua says it."""
    return b"\n".join(json.dumps([1, depth, last, "1-0", -1, new, -1, {}, {}]).encode() for depth, last, new in streams)


def a_batch() -> Batch:
    return Batch([("a", "count"), ("b", "count")])


def test_the_same_words_are_made_into_facts_once() -> None:
    batch = a_batch()
    batch.take(said((5, "9-0", 0), (7, "8-0", 0)))
    batch.count()
    first = batch.answers
    batch.take(said((5, "9-0", 0), (7, "8-0", 0)))
    assert batch.answers is first
    batch.take(said((5, "9-0", 0), (8, "9-0", 1)))
    assert batch.answers["a"] is first["a"]
    assert isinstance(now := batch.answers["b"], StreamFacts) and (now.depth, now.new) == (8, 1)


def test_the_same_words_of_streams_that_flow_are_read_anew() -> None:
    """New since when: what comes again is one more, not the same one."""
    batch = Batch([("a", "count")])
    for depth in (5, 6, 7):
        batch.take(json.dumps([1, 5, "9-0", "1-0", depth, -1, -1, {}, {}]).encode())
        batch.count()
    assert isinstance(facts := batch.answers["a"], StreamFacts) and facts.new == 1
    batch.take(json.dumps([1, 5, "9-0", "1-0", 7, -1, -1, {}, {}]).encode())
    assert isinstance(facts := batch.answers["a"], StreamFacts) and facts.new == 0


def test_what_was_not_counted_from_is_not_taken_for_what_was() -> None:
    batch = a_batch()
    batch.take(said((5, "9-0", 0), (7, "8-0", 0)))
    batch.count()
    counted = batch.answers
    batch.take(said((6, "10-0", 1), (7, "8-0", 0)))
    assert batch.answers is not counted
    asked = batch.asked()
    assert asked == "a\0009-0\0count\0b\0008-0\0count\0", "rates are counted from the reading before"
    batch.take(said((6, "10-0", 1), (7, "8-0", 0)))
    batch.count()
    assert batch.asked() != asked


def test_plain_commands_and_scripts_say_the_same() -> None:
    batch, plain = a_batch(), a_batch()
    batch.take(b'[0]\n[-1, "NOPERM"]')
    plain.take_each([[0], [-1, "NOPERM"]])
    assert batch.answers == plain.answers == {"a": None, "b": KeyFault("no permission to read it", True)}


def test_all_batches_tell_which_streams_are_anew() -> None:
    batches = batches_of({f"md.{at}": "count" for at in range(SIZE + 1)})
    assert len(batches) == 2
    together = Together()
    words = [said(*[(5, "9-0", 0)] * SIZE), said((5, "9-0", 0))]

    def read() -> tuple[object, set[str], object]:
        for batch, each in zip(batches, words, strict=True):
            batch.take(each)
        streams, anew = together.of(batches)
        for batch in batches:
            batch.count()
        return streams, set(anew.keys), anew.since

    first, keys, _ = read()
    assert len(keys) == SIZE + 1
    second, keys, since = read()
    assert (second is first, keys, since is first) == (True, set(), True)
    words[1] = said((6, "10-0", 1))
    third, keys, since = read()
    assert (keys, since is first) == ({f"md.{SIZE}"}, True)
    assert isinstance(third, dict) and third[f"md.{SIZE}"].depth == 6 and len(third) == SIZE + 1


def test_streams_that_flow_share_no_batch_with_those_that_may_stand_still() -> None:
    batches = batches_of({f"md.{at}": "count" for at in range(SIZE + 2)}, 2)
    for batch in batches:
        batch.take_each([[0]] * len(batch.wanted()))
    assert [len(batch.answers) for batch in batches] == [2, SIZE]


def test_the_times_of_ticks_and_the_names_of_groups_come_as_redis_would_reply_them() -> None:
    line = b'[1, 2, "2-0", "1-0", -1, 2, -1, [["gr\xff", 1, 0, "2-0", 0, 0, "", -1, ""]], [1700, 1690, 1800, -1]]'
    assert unpacked(line)[7:] == [[[b"gr\xff", 1, 0, b"2-0", 0, 0, b"", -1, b""]], [1700, 1690, 1800, -1]]
