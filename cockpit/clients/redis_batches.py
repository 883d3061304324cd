"""The streams that are asked for together: what was said of them last, and what was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from cockpit.clients.redis_pipelines import Wanted
from cockpit.clients.redis_reading import Anew, StreamAnswer, StreamFacts, is_still, stream_answer, unpacked
from cockpit.clients.resp import packed

SIZE = 250
"""Streams a round trip: each costs the server some 10 us, during which it serves nobody else."""
Answers = dict[str, StreamAnswer]


class Batch:
    """Most of a thousand streams stand still: what is made of the same words twice is kept."""

    def __init__(self, modes: Iterable[tuple[str, str]]) -> None:
        self._modes = tuple(modes)
        self.answers: Answers = {}
        """As last made."""
        self._counted: Answers = {}
        """Those that rates are counted from."""
        self._call: tuple[Answers, Sequence[str], bytes] | None = None
        self._said: bytes | None = None
        self._each_said: Sequence[Any] = ()
        self._is_still = False

    def call(self, script: Sequence[str]) -> bytes:
        """What is sent to have redis_streams.lua, which `script` runs, say all of it."""
        if self._call is None or self._call[0] is not self._counted or self._call[1] != script:
            self._call = self._counted, script, packed((*script, 0, self.asked()))
        return self._call[2]

    def asked(self) -> str:
        """The script's argument."""
        return "\0".join([part for want in self.wanted() for part in want]) + "\0"

    def wanted(self) -> list[Wanted]:
        """The same, a stream each."""
        return [(key, _last_id(self._counted.get(key)), mode) for key, mode in self._modes]

    def take(self, said: bytes) -> None:
        """The answer of redis_streams.lua."""
        if said != self._said or not self._is_still or self.answers is not self._counted:
            self.take_each(said.split(b"\n"))
            self._said = said

    def take_each(self, said: Sequence[Any]) -> None:
        """An answer a stream, as a line of the script or as plain commands bring it."""
        last = self._each_said or [None] * len(said)
        made: Answers = {}
        for (key, _), raw, raw_before in zip(self._modes, said, last, strict=True):
            known = self._counted.get(key)
            if raw == raw_before and is_still(known) and self.answers.get(key) is known:
                made[key] = known
            else:
                made[key] = stream_answer(unpacked(raw) if isinstance(raw, bytes) else raw, known)
        is_same = made.keys() == self._counted.keys() and all(made[key] is self._counted[key] for key in made)
        self.answers = self._counted if is_same else made
        self._said, self._each_said = None, said
        self._is_still = all(map(is_still, made.values()))

    def count(self) -> None:
        """Rates are counted from these answers now."""
        self._counted = self.answers


class Together:
    """All batches' answers as one mapping, which is another only when one of them is."""

    def __init__(self) -> None:
        self._parts: list[Answers] = []
        self._streams: Answers = {}

    def of(self, batches: Sequence[Batch]) -> tuple[Mapping[str, StreamAnswer], Anew]:
        """The answers, and which of them are not those of the time before."""
        parts, before = [batch.answers for batch in batches], self._streams
        new = [part for part, old in zip_longest(parts, self._parts) if part is not old]
        if new:
            # Each batch answers for the same streams every time: the others' are copied as a whole.
            self._parts, self._streams = parts, dict(before)
            for part in new:
                self._streams.update(part)
        keys = [key for part in new for key, answer in part.items() if key not in before or before[key] is not answer]
        return self._streams, Anew(before, frozenset(keys))


def batches_of(streams: Mapping[str, str], first: int = 0) -> list[Batch]:
    """The streams and what is wanted of each, in batches, of which the first so many are one.

    Streams that flow are made into facts every time: those that stand still are not to share a batch with them.
    """
    modes = list(streams.items())
    apart = [modes[:first]] if first else []
    return [Batch(some) for some in (*apart, *(modes[at : at + SIZE] for at in range(first, len(modes), SIZE)))]


def _last_id(answer: StreamAnswer) -> str:
    return answer.last_id if isinstance(answer, StreamFacts) else ""
