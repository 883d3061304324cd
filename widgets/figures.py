"""Numbers as people read them: short, with units and thousands separators; None is a dash, never 0."""

from __future__ import annotations

DASH = "–"


def count(value: float | None) -> str:
    """A whole number.

    >>> count(12345), count(None)
    ('12,345', '–')
    """
    return DASH if value is None else f"{value:,.0f}"


def quantity(value: float | None) -> str:
    """Shares; a part of one in as few digits as tell it from none.

    >>> quantity(12345.0), quantity(0.3), quantity(-1234.56), quantity(0.00001), quantity(None)
    ('12,345', '0.3', '-1,234.6', '1e-05', '–')
    """
    if value is None or value == round(value):
        return count(value)
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.3g}"


def rate(value: float | None) -> str:
    """So many a second, with one decimal below 100.

    >>> rate(51.23), rate(1204.0), rate(None)
    ('51.2', '1,204', '–')
    """
    if value is None:
        return DASH
    return f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"


def age(seconds: float | None) -> str:
    """How long ago, in at most two units.

    >>> [age(s) for s in (0.34, 14.2, 125, 5400, 190000, None)]
    ['0.3 s', '14 s', '2 m 05 s', '1 h 30 m', '2 d 4 h', '–']
    """
    if seconds is None:
        return DASH
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = int(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def short_age(seconds: float | None) -> str:
    """How long ago, in one unit; in seconds until two of the next unit are full, so that it never falls back.

    >>> [short_age(s) for s in (0.34, 14.2, 119, 125, 5400, 190000, None)]
    ['0.3 s', '14 s', '119 s', '2 m', '1 h', '2 d', '–']
    """
    if seconds is not None and 100 <= seconds < 120:
        return f"{int(seconds)} s"
    text = age(seconds)
    return text if seconds is None or seconds < 100 else " ".join(text.split()[:2])


def whole_minutes(seconds: float) -> str:
    """The same for where it must not change more often than once a minute.

    >>> [whole_minutes(s) for s in (34.0, 61.0, 99.0, 125.0, 5400.0)]
    ['<1 m', '1 m', '1 m', '2 m', '1 h']
    """
    if seconds < 120:
        return "<1 m" if seconds < 60 else "1 m"
    return short_age(seconds)


def milliseconds(value: float | None) -> str:
    """A duration in ms, in s from ten seconds on.

    >>> milliseconds(0.42), milliseconds(341.0), milliseconds(12500), milliseconds(None)
    ('0.4 ms', '341 ms', '12.5 s', '–')
    """
    if value is None:
        return DASH
    if value >= 10_000:
        return f"{value / 1000:,.1f} s"
    return f"{value:.1f} ms" if value < 9.95 else f"{value:,.0f} ms"


def megabytes(value: float | None) -> str:
    """Bytes in MB; in GB from ten of them on, in kB below a tenth.

    >>> [megabytes(b) for b in (412e6, 1.7e6, 34e3, 0, 12.4e9, None)]
    ['412 MB', '1.7 MB', '34 kB', '0 kB', '12.4 GB', '–']
    """
    if value is None:
        return DASH
    mega = value / 1e6
    if mega >= 10_000:
        return f"{mega / 1000:,.1f} GB"
    if abs(mega) < 0.1:
        return f"{value / 1000:,.0f} kB"
    return f"{mega:.1f} MB" if abs(mega) < 10 else f"{mega:,.0f} MB"


def money(value: float | None, sign: str = "") -> str:
    """An amount in three figures.

    >>> money(41_200_000), money(1_214_000), money(54_321), money(320), money(None), money(3.1e6, "+")
    ('41.2 M', '1.21 M', '54.3 k', '320', '–', '+3.10 M')
    """
    if value is None:
        return DASH
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            part = value / size
            decimals = 0 if abs(part) >= 100 else 1 if abs(part) >= 10 else 2
            return f"{part:{sign},.{decimals}f}{unit}"
    return f"{value:{sign},.0f}"


def signed(value: float | None) -> str:
    """Money with its sign.

    >>> signed(184210.4), signed(-12.0), signed(None)
    ('+184,210', '-12', '–')
    """
    return DASH if value is None else f"{value:+,.0f}"


def percent(fraction: float | None, decimals: int = 0) -> str:
    """A fraction as percent.

    >>> percent(0.612), percent(0.0081, 1), percent(None)
    ('61 %', '0.8 %', '–')
    """
    return DASH if fraction is None else f"{fraction * 100:.{decimals}f} %"


def plural(number: int, word: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> plural(1, "pod"), plural(2, "pod"), plural(2, "proxy", "proxies")
    ('1 pod', '2 pods', '2 proxies')
    """
    return f"{number:,} {word if number == 1 else many or word + 's'}"
