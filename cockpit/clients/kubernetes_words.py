"""What goes wrong between us and a Kubernetes API, in an operator's words."""

from __future__ import annotations

import json

from cockpit.config import KubernetesPart
from cockpit.errors import BackendError, Refused, TimedOut, Unreachable
from cockpit.text import clean

UNSENT = frozenset(
    ("NewConnectionError", "ConnectTimeoutError", "ConnectionRefusedError", "NameResolutionError", "gaierror")
)
"""Where one of these is in the chain, there was no connection to send anything over."""


def in_words(error: Exception, server: str, timeout_s: float) -> BackendError:
    """A failed connection; `was_sent` unless it is certain that nothing was.

    >>> in_words(ConnectionRefusedError(111, "Connection refused"), "https://10.0.0.1:6443", 2.5)
    Unreachable('cannot reach https://10.0.0.1:6443: connection refused')
    """
    chain = _chain(error)
    kinds = {type(link).__name__ for link in chain}
    text = " ".join(str(link) for link in chain)
    told = _told(chain, kinds, text, clean(server), timeout_s)
    # A certificate is looked at before anything is sent.
    told.was_sent = not (kinds & UNSENT or "CERTIFICATE_VERIFY_FAILED" in text)
    return told


def _told(chain: list[BaseException], kinds: set[str], text: str, place: str, timeout_s: float) -> BackendError:
    if kinds & {"ReadTimeoutError", "ConnectTimeoutError", "TimeoutError"}:
        return TimedOut(f"Kubernetes did not answer within {timeout_s:g} s")
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = text.partition("verify failed: ")[2].partition(" (_ssl")[0]
        return Unreachable(f"cannot reach {place}: its certificate is not trusted: {clean(reason, 80)}")
    if "SSLError" in kinds:
        return Unreachable(f"cannot reach {place}: it does not speak TLS as we do")
    if "ConnectionRefusedError" in kinds:
        return Unreachable(f"cannot reach {place}: connection refused")
    if "gaierror" in kinds or "NameResolutionError" in kinds:
        return Unreachable(f"cannot reach {place}: its name is not known")
    if kinds & {"RemoteDisconnected", "ConnectionResetError", "IncompleteRead"}:
        return BackendError(f"{place} hung up without a whole answer")
    if kinds & {"BadStatusLine", "LineTooLong"}:
        return BackendError(f"{place} does not speak HTTP")
    return Unreachable(f"cannot reach {place}: {clean(chain[-1], 120)}")


def of_status(status: int, body: bytes) -> BackendError:
    """An answer that is not 200.

    >>> of_status(401, b'{"kind":"Status","message":"Unauthorized"}')
    Refused('401: the token is refused')
    >>> of_status(403, b'{"message":"deployments.apps is forbidden: User \\\\"ops\\\\" cannot list"}')
    Refused('403: deployments.apps is forbidden: User "ops" cannot list')
    """
    try:
        said = json.loads(body)
        message = clean(said["message"], 140)
    except (ValueError, KeyError, TypeError, RecursionError):
        message = ""
    if status == 401:
        return Refused("401: the token is refused")
    if status == 403:
        return Refused(f"403: {message or 'the credentials lack a permission'}")
    if 300 <= status < 400:
        return BackendError(f"answered {status}: it sends us elsewhere")
    return BackendError(f"answered {status}" + (f": {message}" if message else ""))


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what caused it, by either of Python's links and urllib3's own `reason`."""
    links: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in links:
        links.append(link)
        reason = getattr(link, "reason", None)
        link = reason if isinstance(reason, BaseException) else link.__cause__ or link.__context__
    return links


def all_deployments(part: KubernetesPart) -> tuple[str, ...]:
    """Every deployment that the configuration names."""
    return tuple(dict.fromkeys((*part.deployments, *part.trading_deployments, *part.order_deployments)))
