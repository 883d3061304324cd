"""The runbook on paper: every line typed by hand, for a night on which there is no cockpit."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from textwrap import wrap

from actions.by_hand import cluster, redis_cli
from cockpit.config import Settings
from cockpit.model.plan import Plan, PlanStep
from cockpit.model.told import Told
from cockpit.secret import Secret

COLUMNS = 80
INDENT = "    "
_KEYS = re.compile(r"Space \w \w\b|^K(?= )")
REDIS_WORDS = ("HSET", "HGETALL", "HDEL", "HGET", "XRANGE", "XLEN", "PING", "DEL", "SET")


def paper(steps: tuple[Told, ...], settings: Settings, now: float) -> str:
    """Markdown of at most 80 columns, but for words that nothing can break."""
    found: list[str] = []
    for line in _lines(steps, settings, now):
        if line or (found and found[-1]):
            found.append(line)
    return "\n".join(found)


def _lines(steps: tuple[Told, ...], settings: Settings, now: float) -> Iterator[str]:
    at = datetime.fromtimestamp(now, UTC)
    yield f"# Recovery by hand: {settings.site} ({settings.world})"
    yield ""
    yield from _words(
        f"Printed {at:%Y-%m-%d %H:%M} UTC. Values are those of the configuration on that day: print it anew once a "
        "month and after every change. Write down what you do, and when, beside the line."
    )
    yield from _stop(settings)
    yield from _call(settings)
    yield from _places(settings)
    numbers = _numbers(steps)
    for _, members in groupby(steps, key=lambda one: one.row.section):
        section = tuple(members)
        yield ""
        yield f"## {section[0].row.section} {section[0].row.section_title}"
        for number, one in enumerate(section, 1):
            yield from _step(number, one, numbers, settings)


def _numbers(steps: Iterable[Told]) -> dict[str, str]:
    """Keys of the cockpit -> where the step stands on the paper."""
    found = {"K": "the kill switch, on the first page,"}
    counts: dict[str, int] = {}
    for row in (one.row for one in steps):
        counts[row.section] = counts.get(row.section, 0) + 1
        found[row.keys] = f"step {counts[row.section]} of {row.section}"
    return found


def _without_keys(text: str, numbers: Mapping[str, str]) -> str:
    """There are no keys on paper.

    >>> _without_keys("Space b o routes it back", {"Space b o": "step 4 of 3.1"})
    'step 4 of 3.1 routes it back'
    """
    return _KEYS.sub(lambda found: numbers.get(found[0], "a step of the cockpit"), text)


def _stop(settings: Settings) -> Iterator[str]:
    """How to halt, rung by rung."""
    yield ""
    yield "## First: stop trading"
    yield ""
    yield from _words("1. The kill switch. Orders that only reduce a position still pass; nothing is cancelled.")
    if settings.redis is not None:
        key = settings.redis.kill_switch_key
        yield from _code([*redis_cli(settings.redis), "HSET", key, "enabled", "true"])
        yield from _words("It must answer. Then look that it stands:")
        yield from _code([*redis_cli(settings.redis), "HGETALL", key])
    else:
        yield from _words("No Redis is configured here.")
    yield ""
    yield from _words("2. Redis does not answer: stop what carries the orders.")
    part = settings.kubernetes
    if part is not None and part.order_deployments:
        for name in part.order_deployments:
            yield from _code([*cluster(settings.kubernetes), "scale", f"deploy/{name}", "--replicas=0"])
    else:
        yield from _words("No deployment that carries orders is configured here.")
    yield ""
    yield from _words(
        "3. Neither works: call the brokers, have them cancel every open order and take no new one, and note the "
        "name of whoever confirms it."
    )


def _call(settings: Settings) -> Iterator[str]:
    yield ""
    yield "## Numbers to call"
    yield ""
    rows = [(f"broker {venue.name}", venue.phone) for venue in settings.venues]
    rows += [(f"{one.name}{f', {one.role}' if one.role else ''}", one.phone) for one in settings.contacts]
    for name, number in rows:
        yield from _words(f"- {name}: {number or '______________________ (not configured)'}")
    if not rows:
        yield from _words("- ______________________ (none is configured: fill in by hand)")


def _places(settings: Settings) -> Iterator[str]:
    """Where things are; of a secret only its place."""
    yield ""
    yield "## Where things are"
    yield ""
    yield from _words(f"- platform: {settings.root}; lines that begin with python are typed in this folder")
    if settings.redis is not None:
        yield from _words(f"- Redis: {settings.redis.url}{_kept(settings.redis.password, 'REDISCLI_AUTH')}")
    if settings.postgres is not None:
        yield from _words(f"- Postgres: {settings.postgres.dsn}{_kept(settings.postgres.password, 'PGPASSWORD')}")
        yield from _words(f"- its dump: {settings.below_root(settings.postgres.dump)}")
    if settings.kubernetes is not None:
        yield from _words(f"- Kubernetes: {shlex.join(cluster(settings.kubernetes))}")
    if settings.docker is not None:
        yield from _words(f"- Docker: export DOCKER_HOST={settings.docker.url}")
    if settings.grafana is not None:
        yield from _words(f"- alerting: {settings.grafana.url}{_kept(settings.grafana.token, 'its token')}")
    for venue in settings.venues:
        backup = f", its backup is {venue.backup}" if venue.backup else ""
        yield from _words(f"- {venue.name}: {venue.probe or 'no address'}{backup}")
    yield from _words(f"- feeds: {', '.join(settings.feeds.names)}, in {settings.below_root(settings.feeds.registry)}")


def _step(number: int, one: Told, numbers: Mapping[str, str], settings: Settings) -> Iterator[str]:
    row = one.row
    yield ""
    yield f"### {number}. {row.title} ({row.danger})"
    yield ""
    yield from _words(_without_keys(row.summary, numbers))
    if one.error or not one.plans:
        yield from _words(f"How is not known here: {one.error or 'nothing is configured for it'}.")
        return
    for plan in one.plans:
        if len(one.plans) > 1:
            yield ""
            yield from _words(f"{plan.target}:")
        yield from _commands(plan, settings)
    first = one.plans[0]
    yield ""
    yield from _words(f"[ ] done when: {'; '.join(first.proofs)}.")
    yield from _words(f"Undo: {_without_keys(first.undo, numbers)}.")


def _commands(plan: Plan, settings: Settings) -> Iterator[str]:
    for step in plan.steps:
        line = _typed(step, settings)
        if line is None:
            yield from _words(f"By eye: {step.meaning} ({step.command}).")
        else:
            yield from _code(line)


def _typed(step: PlanStep, settings: Settings) -> list[str] | None:
    """The line as words, with this Redis' address; None where there is none that could be typed as it is."""
    text = step.by_hand
    if text is None and step.command.split(" ", 1)[0] in REDIS_WORDS:
        text = f"redis-cli {step.command}"
    if text is None or any(sign in text for sign in ("<", "; ", " where ")):
        return None
    try:
        words = [shlex.quote(word) if word != "&&" else word for word in shlex.split(text)]
    except ValueError:
        return text.split()
    if words[0] == "redis-cli" and settings.redis is not None and words[1:2] not in (["-u"], ["-s"]):
        return [*redis_cli(settings.redis), *words[1:]]
    return words


def _kept(secret: Secret | None, name: str) -> str:
    if secret is None:
        return ""
    if secret.env is not None:
        place = f"the environment variable {secret.env}"
    elif secret.file is not None:
        place = f"the file {secret.file}"
    else:
        place = f"what `{shlex.join(secret.command or ())}` prints"
    return f" ({name} is in {place})"


def _words(text: str) -> Iterator[str]:
    """A paragraph."""
    hanging = INDENT if text.startswith(("- ", "[ ]")) or text[:2] in ("1.", "2.", "3.") else ""
    yield from wrap(text, COLUMNS, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)


def _code(words: Iterable[str]) -> Iterator[str]:
    """One line for a shell, continued where it is too long for the page."""
    line = INDENT
    yield ""
    for word in words:
        if len(line) + len(word) + 2 > COLUMNS and line.strip():
            yield f"{line}\\"
            line = INDENT * 2
        line += f"{word} "
    yield line.rstrip()
    yield ""
