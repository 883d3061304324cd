"""The README's map of the code is the tree, and its key table is the keymap."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHIPPED = ("cockpit", "widgets", "actions", "themes")


def _between(mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n(.*?)<!-- /{mark} -->", README, re.S)
    assert found, f"README.md has no part marked {mark}"
    return found[1]


def _mapped() -> set[str]:
    return {match[1] for match in re.finditer(r"^ *(\S+?)/ ", _between("map"), re.M)}


def _packages() -> set[str]:
    top = [ROOT / name for name in (*SHIPPED, "tests", "benchmarks")]
    rooms = [path.parent for name in SHIPPED for path in (ROOT / name).glob("*/**/__init__.py")]
    return {path.relative_to(ROOT).as_posix() for path in (*top, *rooms)}


def test_the_map_names_every_package_and_nothing_else() -> None:
    assert _mapped() == _packages()


def test_the_key_table_is_the_keymap() -> None:
    from cockpit.headless.keys import table

    assert _between("keys").strip() == table(is_markdown=True).strip()


def test_every_picture_is_there() -> None:
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)
