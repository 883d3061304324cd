"""alerts.yaml as facts: what the platform's owners want to be alarmed about, and who hears of it."""

from __future__ import annotations

from dataclasses import dataclass

SUMMARY = "summary"
FULL = "full"


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """One rule of the file."""

    section: str
    name: str
    is_enabled: bool = True
    severity: str | None = None
    """info, warn, critical, or whatever else is written there."""
    numbers: tuple[tuple[str, float], ...] = ()
    """threshold_pct, budget_ms, ... as written."""

    @property
    def label(self) -> str:
        """risk.drawdown"""
        return f"{self.section}.{self.name}"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who hears what, and where."""

    name: str
    channels: tuple[str, ...]
    """slack, email."""
    to: tuple[str, ...]
    """Mail addresses."""
    detail: str
    """full or summary."""

    @property
    def is_summary(self) -> bool:
        """Whether they are outsiders; whatever is not plainly `full` is."""
        return self.detail != FULL


@dataclass(frozen=True, slots=True)
class Remark:
    """Something in the file that is kept, and means nothing to the cockpit."""

    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Alerting:
    """The whole file, without anything secret."""

    is_present: bool = False
    rules: tuple[AlertingRule, ...] = ()
    audiences: tuple[Audience, ...] = ()
    is_automatic: bool = False
    """Whether P1 and P2 are told without being asked."""
    has_slack: bool = False
    has_mail: bool = False
    remarks: tuple[Remark, ...] = ()
    thresholds: tuple[tuple[str, float], ...] = ()
    """By the names of the configuration's own thresholds, which these replace."""
    off: tuple[str, ...] = ()
    """Rules of the judgement that are not applied."""
    switched_off: tuple[str, ...] = ()
    """Rules of the file that are not enabled."""
    raised: tuple[str, ...] = ()
    """Rules of the judgement whose findings are critical."""
    early: tuple[tuple[str, str], ...] = ()
    """Rule of the judgement -> severity, as the file names it, of coming close to a limit."""
    changed_at: float = 0.0
    trouble: str = ""
    """Why this is an earlier state of the file and not the present one; empty where it is the present one."""

    def audience(self, name: str) -> Audience | None:
        """The audience of this name."""
        return next((one for one in self.audiences if one.name == name), None)

    def reaches(self, name: str) -> bool:
        """Whether there is a way to tell this audience."""
        found = self.audience(name)
        ways = found.channels if found is not None else ()
        is_mailed = found is not None and self.has_mail and bool(found.to)
        return ("slack" in ways and self.has_slack) or ("email" in ways and is_mailed)
