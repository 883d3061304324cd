"""Accounts of this host, as the kernel knows them: numbers and their names, never a name that was typed."""

from __future__ import annotations

import pwd
from pathlib import Path

UNSET_UID = 0xFFFFFFFF
LOGIN_UID = Path("/proc/self/loginuid")


def user_name(uid: int) -> str:
    """The account's name, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def login_uid() -> int | None:
    """The audit id that PAM set at login; None where nobody did (containers, some service managers)."""
    try:
        uid = int(LOGIN_UID.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if uid == UNSET_UID else uid
