"""Ties a child's life to its parent's and names it, with Linux' prctl."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_libc = ctypes.CDLL(None, use_errno=True)
"""Loaded here, because between fork and exec nothing may be imported."""


def die_with_parent(death_signal: signal.Signals, parent_pid: int) -> None:
    """In the child: ask for the signal when the parent (its forking thread) ends; end now if it already has."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def tied_to_this_process(death_signal: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn` that ties the child to the calling process; call on the main thread only."""
    parent_pid = os.getpid()
    return lambda: die_with_parent(death_signal, parent_pid)


def name_this_process(name: str) -> None:
    """Set the name that ps and top show (15 bytes)."""
    _libc.prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()[:15]), 0, 0, 0)
