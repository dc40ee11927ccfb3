"""Dates, times and numbers as the reader writes them: in the language and region of the request, in its time zone.

The zone is the one that somebody has chosen, else that of their browser, which a script tells with a cookie. Until one
of them is known, times are in UTC and say so; scripts then write them in the browser's own zone. The same
patterns (CLDR) are in `static/js/times.js`, so that nothing looks different once scripts run.
"""

from __future__ import annotations

import functools
import re
import time
import zoneinfo
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

from babel import localedata
from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_datetime_format
from babel.numbers import format_compact_decimal, format_decimal, format_percent
from babel.units import format_unit
from markupsafe import Markup, escape

from web.i18n import translations
from web.i18n.translations import gettext as _

MINUTE, HOUR, DAY = 60, 3600, 86_400
RELATIVE_SECONDS = 7 * DAY  # from then on the date says more
REGIONS = (
    *("Africa", "America", "Antarctica", "Asia", "Atlantic"),
    *("Australia", "Europe", "Indian", "Pacific"),
)
_UNITS = ((DAY, "duration-day"), (HOUR, "duration-hour"), (MINUTE, "duration-minute"))
_LOCALE = re.compile(r"([a-zA-Z]{2,3})(?:[-_]([a-zA-Z]{4}))?[-_]([a-zA-Z]{2}|[0-9]{3})")

_zone: ContextVar[str] = ContextVar("zone", default="")
_region: ContextVar[str] = ContextVar("region", default="")


@functools.cache
def time_zones() -> tuple[str, ...]:
    """Returns the zones that can be chosen, by name: places, without the abbreviations of old."""
    return tuple(sorted(name for name in _all_zones() if name.partition("/")[0] in REGIONS and "/" in name))


@functools.cache
def _all_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def is_time_zone(name: str) -> bool:
    return name in _all_zones()


def set_time_zone(chosen: str, of_browser: str = "") -> None:
    """Sets the zone of the current request: the chosen one, else that of the browser. Unknown names count as none."""
    _zone.set(next((name for name in (chosen, of_browser) if name and is_time_zone(name)), ""))


def current_time_zone() -> str:
    """Returns the name of the reader's zone; '' while it is not known."""
    return _zone.get()


def set_region(accepted: Iterable[str]) -> None:
    """Sets how dates of the current request are written, by the languages that the browser names."""
    _region.set(_choose_region(translations.current_language(), tuple(accepted)[:10]))


@functools.lru_cache(maxsize=1024)
def _choose_region(language: str, accepted: tuple[str, ...]) -> str:
    """Returns the first accepted form of the language that is known, such as en_GB; '' where none is."""
    for name in accepted:
        found = _LOCALE.fullmatch(name)
        if found is None or found[1].lower() != language:
            continue
        script, region = (found[2] or "").title(), found[3].upper()
        locale = "_".join(part for part in (language, script, region) if part)
        if localedata.exists(locale):
            return locale
    return ""


def current_locale() -> str:
    return _region.get() or translations.current_language()


def relative_time(ms: int) -> Markup:
    """Renders how long ago something happened, from a week on its date; `datetime` has the exact time."""
    return _relative_time(ms, _duration, "short")


def time_ago(ms: int) -> Markup:
    """Renders the same with "ago", to stand behind a word: last active 12 min. ago."""
    return _relative_time(ms, _duration_ago, "long")


def _relative_time(ms: int, written: Callable[[int, str, str], str], length: str) -> Markup:
    seconds = int(time.time()) - ms // 1000
    if seconds < MINUTE:
        text = _("now")
    elif seconds < RELATIVE_SECONDS:
        size, unit = next(one for one in _UNITS if seconds >= one[0])
        text = written(seconds // size, unit, current_locale())
    else:
        text = _day(ms, with_year=_local(ms).year != _local(ms + seconds * 1000).year)
    return Markup(f'<time datetime="{iso(ms)}" data-ago="{length}">{escape(text)}</time>')  # noqa: S704


def exact_time(ms: int) -> Markup:
    """Renders the exact time, with the name of the zone where that is not known to be the reader's."""
    zone = current_time_zone()
    text = format_moment(_local(ms))
    return Markup(f'<time datetime="{iso(ms)}" data-exact>{escape(text if zone else f"{text} UTC")}</time>')  # noqa: S704


def exact_utc_time(ms: int) -> Markup:
    """Renders the exact time as `exact_time` does for anybody, for what is kept for readers in many zones."""
    text = f"{format_moment(datetime.fromtimestamp(ms / 1000, UTC), translations.current_language())} UTC"
    return Markup(f'<time datetime="{iso(ms)}" data-exact>{escape(text)}</time>')  # noqa: S704


def format_moment(moment: datetime, locale: str = "") -> str:
    """Returns a date and a time of day, as they are: Nov 23, 2026, 2:05 PM."""
    locale = locale or current_locale()
    pattern = str(get_datetime_format("medium", locale=locale)).replace("'", "")
    day = format_date(moment, "medium", locale=locale)
    return pattern.replace("{1}", day).replace("{0}", format_time(moment, "short", locale=locale))


def format_utc_day(ms: int) -> str:
    """Returns a day without its year, of a count that goes by days in UTC."""
    return _skeleton("MMMd", datetime.fromtimestamp(ms / 1000, UTC), current_locale())


def iso(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def datetime_field(ms: int | None) -> str:
    """Returns a time as the value of a `datetime-local` field, in the reader's zone (`field_zone`); "" for None."""
    return "" if ms is None else f"{_local(ms):%Y-%m-%dT%H:%M}"


def field_zone() -> str:
    """Returns the name of the zone in which times are typed: the reader's, or UTC while it is not known."""
    return current_time_zone() or "UTC"


def parse_datetime_field(text: str, zone: str) -> int:
    """Returns the time that was typed in a field, in milliseconds; without a zone in UTC. Raises ValueError."""
    if zone and zone != "UTC" and not is_time_zone(zone):
        raise ValueError(zone)
    moment = datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone or "UTC"))
    if not 1970 < moment.year < 9999:  # beyond them a zone may have no such time
        raise ValueError(text)
    return int(moment.timestamp() * 1000)


def _day(ms: int, *, with_year: bool) -> str:
    return _skeleton("yMMMd" if with_year else "MMMd", _local(ms), current_locale())


def _local(ms: int) -> datetime:
    name = current_time_zone()
    return datetime.fromtimestamp(ms / 1000, zoneinfo.ZoneInfo(name) if name else UTC)


def _skeleton(name: str, moment: datetime, locale: str) -> str:
    return _format_day(name, moment.year, moment.month, moment.day, locale)


@functools.lru_cache(maxsize=4096)
def _format_day(name: str, year: int, month: int, day: int, locale: str) -> str:
    return format_skeleton(name, datetime(year, month, day), locale=locale)


@functools.lru_cache(maxsize=1024)
def _duration(count: int, unit: str, locale: str) -> str:
    return format_unit(count, unit, "short", locale=locale)


@functools.lru_cache(maxsize=1024)
def _duration_ago(count: int, unit: str, locale: str) -> str:
    ago = timedelta(**{f"{unit.removeprefix('duration-')}s": -count})
    return format_timedelta(ago, threshold=1, add_direction=True, format="short", locale=locale)


def format_number(n: float) -> str:
    """Returns a number in full, with the marks of the language: 12,345."""
    return _decimal(n, None, current_locale())


def short_number(n: int) -> str:
    """Returns a count for the place beside an icon: 950, 1.2K, 34K, 5.6M.

    By the language alone: cells of grids are kept for readers in all regions.
    """
    return _compact(n, translations.current_language())


def percent(n: int) -> str:
    """Returns a percentage: 75%. By the language alone, as `short_number`."""
    return format_percent(n / 100, locale=translations.current_language())


def format_bytes(bytes_: int) -> str:
    """Returns a size in bytes: 640 KB, 12 MB, 3.4 GB."""
    value, unit = bytes_ / 1024, "KB"
    for larger in ("MB", "GB", "TB"):
        if value >= 1000:
            value, unit = value / 1024, larger
    pattern = "0.0" if 0 < value < 10 and unit != "KB" else "0"
    return f"{_decimal(value, pattern, current_locale())} {unit}"


@functools.lru_cache(maxsize=4096)
def _decimal(n: float, pattern: str | None, locale: str) -> str:
    return format_decimal(n, format=pattern, locale=locale)


@functools.lru_cache(maxsize=16_384)
def _compact(n: int, locale: str) -> str:
    # Never up to the next unit: 999,999 are 999K and not 1000K.
    size = next((size for size in (1_000_000_000, 1_000_000, 1000) if n >= size), 1)
    digits = 1 if size > 1 and n < 10 * size else 0
    step = size // 10**digits
    return format_compact_decimal(
        n if size == 1 else n // step * step, format_type="short", locale=locale, fraction_digits=digits
    )
