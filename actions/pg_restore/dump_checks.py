"""Whether the dump is one that may take the place of the database: judged before anything is touched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from actions.checks import FAIL, PASS, UNKNOWN, WARN, evidence_error
from cockpit.config import PostgresPart
from cockpit.model.backends import Databases, Dump, DumpContents
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot

READ_FIRST = "not read yet: it is read in full first, before anything is touched"


def dump_checks(
    part: PostgresPart, identity: str, databases: Databases, snapshot: Snapshot, now: float
) -> Iterator[Check]:
    """One check a question."""
    unknown = evidence_error("dump", snapshot.dump, now)
    dump = snapshot.dump.value
    if unknown is not None or dump is None:
        yield unknown or Check("dump", FAIL, "not read")
        return
    age_s = snapshot.dump.age_s(now)
    program = shutil.which(part.pg_restore)
    if program is None:
        yield Check("program", FAIL, f"there is no {part.pg_restore}")
    if identity != dump.identity:
        yield Check("dump", FAIL, f"another dump has taken its place: {dump.identity}", age_s)
        return
    yield _whole(dump, age_s)
    if dump.contents is not None:
        yield from content_checks(dump.contents, part, databases)
    elif dump.is_readable:
        yield Check("dump of", UNKNOWN, "the dump does not say what it is of", age_s)


def _whole(dump: Dump, age_s: float | None) -> Check:
    said = dump.detail or ""
    if dump.is_readable is False:
        return Check("dump", FAIL, f"it cannot be restored: {said}", age_s)
    if dump.is_readable:
        return Check("dump", PASS, f"{dump.path}, {dump.size_bytes:,} bytes, read in full", age_s)
    if "unsupported version" in said:
        return Check("dump", FAIL, f"pg_restore is older than the dump: {said}", age_s)
    if said in ("being parsed", "not parsed yet"):
        return Check("dump", WARN, READ_FIRST, age_s)
    return Check("dump", UNKNOWN, said or "not read", age_s)


def content_checks(contents: DumpContents, part: PostgresPart, databases: Databases) -> Iterator[Check]:
    """What it is of."""
    wanted = databases.wanted
    if contents.database != wanted:
        yield Check("dump of", FAIL, f"it is of database {contents.database}, not of {wanted}")
    else:
        yield Check("dump of", PASS, f"database {wanted} of a server {contents.server_version}")
    yield _version(contents, databases)
    foreign = sorted(set(contents.owners) - set(databases.roles) - {"pg_database_owner"})
    if foreign and not databases.is_superuser:
        who = ", ".join(foreign)
        words = f"{databases.role} may not make what belongs to {who}: GRANT {who} TO {databases.role}"
        yield Check("owners", FAIL, words, is_overridable=True)
    missing = [name for name in part.tables if not _has(contents, name)]
    if missing:
        yield Check("tables", FAIL, f"the dump has no rows for {', '.join(missing)}", is_overridable=True)
    else:
        rows = sum(count for _, count in contents.rows)
        yield Check("tables", PASS, f"{len(contents.rows)} tables, {rows:,} rows")


def _version(contents: DumpContents, databases: Databases) -> Check:
    """A newer server's dump may hold what an older one does not know."""
    major, here = contents.server_version.partition(".")[0], databases.version // 10_000
    if not major.isdecimal():
        return Check("version", WARN, "the dump does not say of which server it is")
    if int(major) > here:
        return Check("version", FAIL, f"it is of a server {major}, this one is {here}", is_overridable=True)
    return Check("version", PASS, f"of a server {major}, into a server {here}")


def _has(contents: DumpContents, table: str) -> bool:
    return any(name == table or name.endswith(f".{table}") for name, _ in contents.rows)
