"""Who sits here, by what the kernel and SSH attest, never by a name that was typed."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from cockpit import accounts
from cockpit.model.audit import Operator
from cockpit.text import clean


def current_operator() -> Operator:
    """The login user (kept by the kernel through sudo and su), the process' user, host, terminal and SSH origin."""
    user = accounts.user_name(os.getuid())
    login_uid = accounts.login_uid()
    return Operator(
        login=user if login_uid is None else accounts.user_name(login_uid),
        user=_behind_sudo(user),
        host=clean(socket.gethostname().partition(".")[0], 64),
        tty=_terminal(),
        ssh_from=_ssh_from(os.environ.get("SSH_CONNECTION", "")),
    )


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
