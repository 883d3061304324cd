"""The errors that the cockpit raises on purpose.

CockpitError
 +- Misused            the command line asks for nothing that can be done
 +- ConfigError        the configuration is wrong; the text says where and what to do
 |   +- SecretLate     the command that a secret comes from did not end in time
 +- BackendError       a backend did not answer usefully
 |   +- Unreachable    refused, no route, no such socket
 |   +- TimedOut       it did not answer within its deadline
 |   +- Refused        it answered no: read-only, no memory, no such thing
 |       +- Denied     it does not let us in, or not do that: credentials, permission
 +- Rejected           a plan may not be run: a check fails, the digest differs, the phrase is wrong
 +- JournalError       the journal or the audit cannot be written or does not verify
 +- SandboxError       the sandbox could not be started or told something
"""

from __future__ import annotations

NOT_OURS = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
"""What reading a text raises that is not what a cockpit, or the platform, writes: JSON and YAML let a person, a newer
version, or somebody hostile write nearly anything."""


class CockpitError(Exception):
    """Anything that is told to the user in one line, without a traceback."""

    exit_code = 1


class Misused(CockpitError):
    """The command line asks for nothing that can be done; the text says what it takes."""

    exit_code = 2


class ConfigError(CockpitError):
    """The configuration is wrong."""

    exit_code = 3


class SecretLate(ConfigError):
    """The command that a secret comes from did not end in time: nobody knows whether it would have."""


class BackendError(CockpitError):
    """A backend did not answer usefully."""

    was_sent = False
    """Whether what was asked may have reached it, so that it may have been done all the same."""


class Unreachable(BackendError):
    """Refused, no route, no such socket."""


NO_ANSWER = "no answer in time"
"""Of a backend that is silent, where nothing is known of the reason: the same words whichever limit ran out first."""


class TimedOut(BackendError):
    """No answer within the deadline."""


class Refused(BackendError):
    """It answered no."""


class Denied(Refused):
    """It answered that we may not: what has to be mended is our configuration, or its rights, not the backend."""


class Rejected(CockpitError):
    """The plan may not be run."""

    exit_code = 4


class JournalError(CockpitError):
    """The journal cannot be written or does not verify."""

    exit_code = 5


class SandboxError(CockpitError):
    """The sandbox could not be started or told something."""

    exit_code = 6
