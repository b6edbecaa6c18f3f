"""When a schedule fires: Period and Cron, on a clock that can run faster than real time."""

import asyncio
import time
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from modal_proto import api_pb2

SECONDS = {"weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
DAYS_IN_MONTH, DAYS_IN_YEAR = 30.4375, 365.25  # on average
SEARCHED_MINUTES = 5 * 366 * 24 * 60

NAMES = {
    3: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    4: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]  # minute, hour, day, month, day of the week


class Clock:
    """A clock that runs `speed` times as fast as real time, so that you can watch a daily schedule."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._begin = time.time()

    def now(self) -> float:
        """Return seconds since the epoch on this clock."""
        return self._begin + (time.time() - self._begin) * self.speed

    async def sleep_until(self, moment: float) -> None:
        """Sleep until this clock shows `moment`."""
        await asyncio.sleep(max(moment - self.now(), 0) / self.speed)


def next_run(schedule: api_pb2.Schedule, after: float) -> float:
    """Return the next time a schedule fires, in seconds since the epoch. Raises ValueError if it is malformed."""
    if schedule.HasField("period"):
        return after + period_seconds(schedule.period)
    zone: tzinfo = ZoneInfo(schedule.cron.timezone) if schedule.cron.timezone else UTC
    return Cron(schedule.cron.cron_string).next_after(datetime.fromtimestamp(after, zone)).timestamp()


def period_seconds(period: api_pb2.Schedule.Period) -> float:
    """Return the length of a period in seconds."""
    seconds = sum(getattr(period, unit) * length for unit, length in SECONDS.items())
    return float(seconds + (period.months * DAYS_IN_MONTH + period.years * DAYS_IN_YEAR) * SECONDS["days"])


class Cron:
    """Five fields: minute, hour, day of the month, month, day of the week."""

    def __init__(self, text: str) -> None:
        fields = text.lower().split()
        if len(fields) != len(RANGES):
            raise ValueError(f"cron {text!r}: needs five fields, minute hour day month weekday.")
        self._text = text
        self._allowed = [_values(field, place) for place, field in enumerate(fields)]
        self._allowed[4] = {day % 7 for day in self._allowed[4]}  # 0 and 7 are Sunday
        # A rule of cron: if both the day of the month and the weekday are restricted, either may match.
        self._either_day = not fields[2].startswith("*") and not fields[4].startswith("*")

    def next_after(self, moment: datetime) -> datetime:
        """Return the first matching minute after `moment`."""
        candidate = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for _ in range(SEARCHED_MINUTES):
            if not self._day_matches(candidate):
                candidate = candidate.replace(hour=0, minute=0) + timedelta(days=1)
            elif candidate.minute in self._allowed[0] and candidate.hour in self._allowed[1]:
                return candidate
            else:
                candidate += timedelta(minutes=1)
        raise ValueError(f"cron {self._text!r}: never fires.")

    def _day_matches(self, moment: datetime) -> bool:
        day, weekday = moment.day in self._allowed[2], moment.isoweekday() % 7 in self._allowed[4]
        return moment.month in self._allowed[3] and ((day or weekday) if self._either_day else (day and weekday))


def _values(field: str, place: int) -> set[int]:
    return {value for part in field.split(",") for value in _part(part, place)}


def _part(part: str, place: int) -> range:
    low, high = RANGES[place]
    span, _, step = part.partition("/")
    if span != "*":
        first, dash, last = span.partition("-")
        low = _number(first, place)
        high = _number(last, place) if dash else high if step else low
    if not RANGES[place][0] <= low <= high <= RANGES[place][1] or (step and not int(step)):
        raise ValueError(f"cron: {part!r} is not within {RANGES[place][0]} to {RANGES[place][1]}.")
    return range(low, high + 1, int(step or 1))


def _number(text: str, place: int) -> int:
    names = NAMES.get(place, [])
    return names.index(text) + (place == 3) if text in names else int(text)
