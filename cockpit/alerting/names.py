"""Names of machines, people and firms in the configuration: what a summary for outsiders must not have in it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from cockpit.config import Settings
from cockpit.model.snapshot import Snapshot

SHORTEST = 3


UNKNOWN_HELD = "what is held is unknown: look for symbols in the summary before it leaves the house"


def names_held(snapshot: Snapshot | None) -> tuple[str, ...] | None:
    """The symbols held, and the book's name, as last read; None where they never were."""
    risk = snapshot.risk.value if snapshot is not None else None
    return None if risk is None else (*(position.symbol for position in risk.positions), risk.book)


def names_in(settings: Settings) -> tuple[str, ...]:
    """The words.

    >>> from pathlib import Path
    >>> from cockpit.config import GrafanaPart
    >>> names_in(Settings(site="hf-1", root=Path("/srv/hf"), grafana=GrafanaPart(url="https://graf-01:3000")))
    ('graf-01', '/srv/hf', 'yahoo', 'moneycontrol')
    """
    urls = [settings.redis.url if settings.redis else "", settings.grafana.url if settings.grafana else ""]
    urls += [venue.probe or "" for venue in settings.venues]
    urls += [settings.docker.url if settings.docker else ""]
    found = [urlsplit(url).hostname or "" for url in urls] + [str(settings.root)]
    if settings.postgres is not None:
        found += re.findall(r"\b(?:host|hostaddr|dbname|user) *= *([^ ]+)", settings.postgres.dsn)
    if settings.kubernetes is not None:
        found += [settings.kubernetes.context or "", settings.kubernetes.namespace or ""]
    found += [*(venue.name for venue in settings.venues), *settings.feeds.names]
    found += [contact.name for contact in settings.contacts]
    kept = dict.fromkeys(word for word in found if len(word) >= SHORTEST)
    return tuple(sorted(kept, key=lambda word: found.index(word)))
