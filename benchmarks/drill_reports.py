"""A complete drill of each of the five sections with keys alone on a real terminal, and the report that it leaves."""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.operator import CALM_S, ENTER, TAB, Operator
from benchmarks.outages import OUTAGES, Outage
from benchmarks.ptyprogram import PtyProgram
from cockpit.sandbox import launcher
from cockpit.sandbox.layout import Layout

COLUMNS, ROWS = 160, 45
ESC, PANELS, HOME, DOWN, RUB_OUT = "\x1b", "\x14", "\x1b[1;5H", "\x1b[B", "\x15"
ROLES = ("asha", "ben", "chitra", "dev")


@dataclass(frozen=True, slots=True)
class Words:
    """What people say of one outage."""

    note: str
    summary: str
    impact: str
    cause: str
    follow_up: str


WORDS = {
    "3.1": Words(
        "the gateway of IBKR was stopped on purpose; its desk was told before",
        "The connection to one of our brokers was lost. Trading was stopped, its orders were sent by the backup, and "
        "given back when the broker was up again.",
        "New orders were refused while trading was halted. Nothing was lost: orders and fills agree.",
        "the gateway was stopped by the drill",
        "- [ ] Ask the broker for a second gateway: ben, by 2026-12-15",
    ),
    "3.2": Words(
        "the first feed was stalled on purpose; prices are old until the backup is used",
        "The first data feed stood still. The backup feed was switched to and the gaps in the candles were filled.",
        "Prices were old until the switch. Trading went on by the backup's prices afterwards.",
        "the feed was stalled by the drill",
        "- [ ] Switch back once the first feed was watched for a day: dev, by 2026-11-26",
    ),
    "3.3": Words(
        "Redis was killed on purpose and came back empty; the snapshot before it is whole",
        "Redis was killed and lost its memory. It was restarted with trading halted, entries and positions were "
        "rebuilt from the ledger and compared with it, and trading was released.",
        "Orders stood still from the moment Redis died until trading was released. Nothing of the ledger was lost.",
        "Redis was killed by the drill (kill -9), its file was removed",
        "- [ ] Save every second on the second host too: ben, by 2026-12-15",
    ),
    "3.4": Words(
        "the table of fills was dropped on purpose",
        "A table of the database was lost. The last dump was restored beside the database and swapped in.",
        "Reports were incomplete until the swap. Trading was not affected; rows since the dump stand in the ledger.",
        "the table was dropped by the drill",
        "- [ ] Take away the right to drop tables from who does not need it: dev, by 2026-11-30",
    ),
    "3.5": Words(
        "volatility was raised on purpose until the limit of VaR was passed",
        "The value at risk passed its limit and trading halted by itself. All positions were closed, the scenarios "
        "were run, and trading was released when the risk was within its limits.",
        "All positions were closed at the market. New orders were refused while trading was halted.",
        "the market of the drill",
        "- [ ] Review the limit with the risk officer: asha, by 2026-11-30",
    ),
}


class Hand(Operator):
    """Types where the dialog's field may stand below its question."""

    def take(self, reason: str = "looked at on the wall, and agreed with the commander") -> None:
        """The same with a reason that a reader understands."""
        super().take(reason)

    def type(self, text: str, where: str) -> None:
        """Each letter seen before the next, in a row that does not ask for it."""
        for end in range(1, len(text) + 1):
            self.program.send(text[end - 1])
            self.sees(lambda shown, end=end: any(text[:end] in row for row in answers(shown)))  # type: ignore[misc]
            self.program.drain(0.02)


def answers(shown: str) -> list[str]:
    """The rows in which something may have been typed."""
    return [
        row.partition("to go on:")[2] if "to go on:" in row else row.partition("matches")[2] or row
        for row in shown.splitlines()
    ]


class Drill:
    """One section, from its fault to its closed report."""

    def __init__(self, layout: Layout, outage: Outage) -> None:
        self.layout, self.outage, self.words = layout, outage, WORDS[outage.section]
        command = [sys.executable, "-m", "cockpit", "--config", str(layout.config)]
        self.hand = Hand(PtyProgram(command, COLUMNS, ROWS))

    def run(self) -> None:
        """All of it."""
        try:
            self.sees("ACTIVE", "nothing is wrong")
            self.hand.chord(" rs")
            self.hand.take("before the drill")
            self.hand.program.drain(CALM_S)
            launcher.inject(self.layout, self.outage.fault)
            self.sees(f" {self.outage.section} ")
            self.open()
            self.hand.press("1")
            self.hand.program.drain(CALM_S)
            self.recover()
            self.hand.program.drain(CALM_S)
            self.mend()
            self.hand.press("1")
            self.sees("nothing is wrong")
            self.tell()
            self.write()
            self.close()
        finally:
            self.hand.program.close()

    def recover(self) -> None:
        """As the benchmark of recoveries does; after a breach, which halts by itself, one's own halt stands too."""
        if self.outage.section != "3.5":
            self.outage.keys(self.hand, self.mend)
            return
        self.hand.press("K")
        self.hand.take()
        self.hand.program.drain(CALM_S)
        for keys in ("xs", "xf"):
            self.hand.chord(f" {keys}")
            self.hand.take()
            self.hand.program.drain(CALM_S)
        self.mend()
        self.hand.sees(
            lambda text: "ES 97.5" not in text.split("Findings")[-1] and "VaR 99" not in text.split("Findings")[-1]
        )
        self.hand.chord(" bu")
        self.hand.take()

    def mend(self) -> None:
        """The cause outside passes."""
        self.hand.busy(lambda: launcher.clear(self.layout, self.outage.fault))

    def sees(self, *words: str) -> None:
        self.hand.sees(lambda text: all(each in text for each in words))

    def form(self, key: str, title: str, *texts: str) -> None:
        """Fill in what a key asks for; an empty text leaves a field as it is."""
        self.hand.press(key)
        self.sees(title)
        for index, text in enumerate(texts):
            if index:
                self.hand.press(TAB)
            self.put(text)
        self.hand.program.drain(CALM_S)
        self.hand.press(ENTER)
        self.hand.sees(lambda shown: title not in shown)

    def put(self, text: str) -> None:
        """Letter by letter."""
        for letter in text:
            self.hand.program.send(letter)
            self.hand.program.drain(0.02)

    def open(self) -> None:
        """The incident with what is wrong filled in, its roles and a note."""
        self.form("i", "Open an incident")
        self.sees("Incidents 1", "saved")
        self.form("r", "Roles", *ROLES)
        self.form("u", "Next update", "")
        self.form("n", "Note: ", self.words.note)

    def tell(self) -> None:
        """Everybody, by the sandbox's own Slack and mail."""
        self.hand.chord(" ca")
        self.hand.take()
        self.hand.program.drain(CALM_S)

    def write(self) -> None:
        """Summary, impact and what has to change, into the report."""
        self.hand.press("3")
        self.sees("Incidents 1", "saved")
        self.hand.press(ENTER)
        self.sees("leave the text")
        for heading, text in (("Summary", self.words.summary), ("Impact", self.words.impact)):
            self.below(heading)
            self.put(f"\r{text}\r")
        self.hand.press(PANELS)
        self.below("Follow-ups")
        self.put(f"\r{self.words.follow_up}\r")
        self.hand.press(ESC)
        # What follows an Esc at once is taken for one key with it.
        self.hand.program.drain(CALM_S)
        self.hand.sees(lambda text: "leave the text" not in text)

    def below(self, heading: str) -> None:
        """To the empty line below a heading of the report."""
        file = self.file()
        body = file.read_text().split("\n---\n", 1)[1].split("\n")
        self.hand.press(HOME)
        for _ in range(body.index(f"## {heading}") + 1):
            self.hand.press(DOWN)
            self.hand.program.drain(0.02)

    def file(self) -> Path:
        """Where the report is, once what was typed is in it."""
        self.hand.program.drain(2.0)
        return next((self.layout.root / "runbooks" / "incidents").glob("*.md"))

    def close(self) -> None:
        """With its cause, once nothing is missing any more."""
        while True:
            self.hand.press("c")
            self.sees("Close the incident")
            self.hand.program.drain(CALM_S)
            if "Nothing is missing" in self.hand.program.text:
                break
            self.hand.press(ESC)
            self.hand.program.drain(2.0)
        for index, text in enumerate((self.words.cause, "0")):
            if index:
                self.hand.press(TAB)
            self.put(text)
        self.hand.program.drain(CALM_S)
        self.hand.press(ENTER)
        self.sees("closed after")


def report(outage: Outage, folder: Path) -> str:
    """Run the drill; the folder then holds its report and the stakeholders' summary."""
    private = launcher.launch_private()
    try:
        Drill(private.layout, outage).run()
        texts = {}
        for kind in ("full", "summary", "timeline"):
            command = [sys.executable, "-m", "cockpit", "incident", "export", "--as", kind, "2026"]
            command += ["--config", str(private.layout.config)]
            texts[kind] = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            (folder / f"{outage.section}-{kind}.{'json' if kind == 'timeline' else 'md'}").write_text(texts[kind])
        return texts["full"]
    finally:
        private.close()


def main() -> None:
    """Every section, or those named, into a folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drill_reports", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sections", nargs="*", help="3.1 to 3.5; all of them when none is named")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for outage in OUTAGES:
        if not asked.sections or outage.section in asked.sections:
            report(outage, asked.folder)
            print(f"{outage.section} {outage.fault}: {asked.folder}/{outage.section}-full.md", flush=True)


if __name__ == "__main__":
    main()
