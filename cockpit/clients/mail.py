"""One mail to one address by SMTP; known is whether its last line had been sent when something went wrong."""

from __future__ import annotations

import asyncio
import re
import smtplib
import ssl
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate

from cockpit.alerting.routing import MailRoute
from cockpit.clients.bounded import in_daemon_thread
from cockpit.clients.delivery import Outcome, Try, resolved
from cockpit.errors import CockpitError, ConfigError, Refused
from cockpit.text import clean

MARGIN_S = 0.5
OURSELVES = "localhost"
"""Our own name is nobody's business, and looking it up may take long."""
_DOTS = re.compile(rb"^\.", re.MULTILINE)
TEMPORARY = range(400, 500)


@dataclass(frozen=True, slots=True)
class Mail:
    """What is sent."""

    to: str
    subject: str
    body: str
    key: str
    """Names the message for ever: whoever gets it twice can tell."""


@dataclass(slots=True)
class _Way:
    """How far one try has come; a thread cannot be stopped, but it can be kept from the last line."""

    was_sent: bool = False
    """The message's last line is on its way."""
    is_given_up: bool = False
    guard: threading.Lock = field(default_factory=threading.Lock)

    def go(self) -> None:
        """From here on it may be delivered.

        Raises:
            Refused: nobody waits for it any more, and it may be tried again: it must not go out.
        """
        with self.guard:
            if self.is_given_up:
                raise Refused("given up")
            self.was_sent = True

    def give_up(self) -> None:
        """It is not to be sent, unless it is on its way."""
        with self.guard:
            self.is_given_up = True


async def send(route: MailRoute, mail: Mail, is_confined: bool, within_s: float) -> Try:
    """One try."""
    way = _Way()
    work = asyncio.wrap_future(in_daemon_thread(_send, route, mail, is_confined, within_s, way))
    done, _ = await asyncio.wait({work}, timeout=within_s + MARGIN_S)
    if not done:
        way.give_up()
        work.cancel()
        return _broken(f"no answer within {within_s:.3g} s", way)
    try:
        return work.result()
    except (Refused, ConfigError) as error:
        return Try(Outcome.REFUSED, str(error))
    except CockpitError as error:
        return Try(Outcome.LATER, str(error))
    except ssl.SSLError as error:
        return _broken(f"no trustworthy TLS connection: {clean(error.reason or 'broken off', 60)}", way)
    except smtplib.SMTPResponseException as error:
        return _said(error.smtp_code, error.smtp_error, way)
    except smtplib.SMTPNotSupportedError:
        return Try(Outcome.REFUSED, "the server offers no STARTTLS, or no log-in: nothing is sent without")
    except UnicodeError:
        return Try(Outcome.REFUSED, "nothing was sent: an address or the log-in has a letter that SMTP does not take")
    except (smtplib.SMTPException, OSError, EOFError) as error:
        words = "no answer in time" if isinstance(error, TimeoutError) else "the connection broke off"
        return _broken("no connection" if isinstance(error, ConnectionRefusedError) else words, way)


def _send(route: MailRoute, mail: Mail, is_confined: bool, within_s: float, way: _Way) -> Try:
    """Blocks."""
    password = route.password.reveal() if route.password is not None else None
    content = message(route.sender, mail).as_bytes(policy=SMTP_POLICY)
    client = _connected(route, is_confined, within_s)
    try:
        if route.user is not None:
            client.login(route.user, password or "")
        _ask(client.mail(route.sender))
        _ask(client.rcpt(mail.to))
        code, said = client.docmd("DATA")
        if code != 354:
            raise smtplib.SMTPResponseException(code, said)
        client.send(_DOTS.sub(b"..", content))
        way.go()
        client.send(b".\r\n")
        code, said = client.getreply()
        if code // 100 == 2:
            return Try(Outcome.DELIVERED, _words(code, said))
        # Only a plain no says that nobody took it.
        return _said(code, said, way) if code // 100 in (4, 5) else _broken("no answer that could be read", way)
    finally:
        client.close()


def _connected(route: MailRoute, is_confined: bool, within_s: float) -> smtplib.SMTP:
    address = resolved(route.host, route.port, is_confined)
    context = ssl.create_default_context(cafile=None if route.ca is None else str(route.ca))
    # Outside, the certificate must be the named host's; what is confined connects to the address that was judged.
    host = address if is_confined else route.host
    if route.security == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(host, route.port, OURSELVES, timeout=within_s, context=context)
    else:
        client = smtplib.SMTP(host, route.port, OURSELVES, timeout=within_s)
    client.ehlo_or_helo_if_needed()
    if route.security == "starttls":
        code, _ = client.starttls(context=context)
        if code != 220:
            raise smtplib.SMTPNotSupportedError("no STARTTLS")
        client.ehlo_or_helo_if_needed()
    return client


def message(sender: str, mail: Mail) -> EmailMessage:
    """The mail; control characters in a header are an error of the library, so none gets there."""
    made = EmailMessage()
    made["From"] = clean(sender, 200)
    made["To"] = clean(mail.to, 200)
    made["Subject"] = clean(mail.subject, 200)
    made["Date"] = formatdate(localtime=False)
    made["Message-ID"] = f"<{mail.key}@ops-cockpit.invalid>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(mail.body)
    return made


def _ask(reply: tuple[int, bytes]) -> None:
    code, said = reply
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, said)


def _said(code: int, said: bytes | str, way: _Way) -> Try:
    if code < 0:
        return _broken("the connection broke off", way)
    outcome = Outcome.LATER if code in TEMPORARY else Outcome.REFUSED
    return Try(outcome, _words(code, said))


def _words(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return clean(f"{code} {text}", 120).strip()


def _broken(words: str, way: _Way) -> Try:
    if way.was_sent:
        return Try(Outcome.UNKNOWN, f"{words} after the mail was sent")
    return Try(Outcome.LATER, words)
