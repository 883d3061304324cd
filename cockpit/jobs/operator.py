"""Who sits here, by what the kernel and SSH attest, never by a name that was typed."""

from __future__ import annotations

import os
import pwd
import socket
from contextlib import suppress
from pathlib import Path

from cockpit.model.audit import Operator
from cockpit.text import clean

UNSET_UID = 0xFFFFFFFF
LOGIN_UID = Path("/proc/self/loginuid")


def current_operator() -> Operator:
    """The login user (kept by the kernel through sudo and su), the process' user, host, terminal and SSH origin."""
    user = user_name(os.getuid())
    login_uid = _login_uid()
    return Operator(
        login=user if login_uid is None else user_name(login_uid),
        user=_behind_sudo(user),
        host=clean(socket.gethostname().partition(".")[0], 64),
        tty=_terminal(),
        ssh_from=_ssh_from(os.environ.get("SSH_CONNECTION", "")),
    )


def user_name(uid: int) -> str:
    """The account's name, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def _login_uid() -> int | None:
    """The audit id that PAM set at login; None where nobody did (containers, some service managers)."""
    try:
        uid = int(LOGIN_UID.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if uid == UNSET_UID else uid


def _behind_sudo(user: str) -> str:
    """SUDO_USER is only what the environment says: shown beside the user, never instead of it."""
    claimed = clean(os.environ.get("SUDO_USER", ""), 32)
    return f"{user} (sudo says {claimed})" if claimed and claimed != user else user


def _terminal() -> str | None:
    for descriptor in (0, 1, 2):
        with suppress(OSError):
            return os.ttyname(descriptor)
    return None


def _ssh_from(connection: str) -> str | None:
    """The client's address: the first word of `client port server port`.

    >>> _ssh_from("10.0.0.7 51234 10.0.0.1 22")
    '10.0.0.7'
    """
    words = connection.split()
    return clean(words[0], 64) if len(words) == 4 else None
