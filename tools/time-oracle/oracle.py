"""An independent answer to "when does the local clock first read at or after this?" for the test test/build/time-oracle.test.ts.

It stands on Python's zoneinfo and the tz database of the PyPI package `tzdata`, and shares neither code nor method with Rollward: it
reads the transitions out of the compiled zone files, and finds a start by trying minute after minute.

Usage: oracle.py <folder with the tzdata package>. Lines on stdin, lines on stdout, all JSON:
  {"ask": "version"}                                -> {"version": "2026c"}
  {"ask": "names"}                                  -> {"names": [...]}             all zones and links
  {"ask": "places"}                                 -> {"names": [...]}             IANA's preferred name of each place (zone.tab)
  {"ask": "transitions", "zone": Z, "from": s, "to": s}
                                                    -> {"transitions": [[at, offset before, offset after], ...]}   all in seconds
  {"ask": "starts", "zone": Z, "nominal": [s, ...]}   -> {"starts": [s, ...]}         nominal: local seconds, as if the clock hung in UTC
"""

import json
import os
import struct
import sys
from datetime import datetime, timedelta, timezone

FOLDER = sys.argv[1]
sys.path.insert(0, FOLDER)
os.environ["PYTHONTZPATH"] = ""

import tzdata  # noqa: E402
import zoneinfo  # noqa: E402

zoneinfo.reset_tzpath(to=[])
ROOT = os.path.join(os.path.dirname(tzdata.__file__), "zoneinfo")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def offset_at(zone, second):
    """Seconds east of UTC, as zoneinfo says."""
    moment = (EPOCH + timedelta(seconds=second)).astimezone(zone)
    return int(moment.utcoffset().total_seconds())


def written_changes(name):
    """The instants at which the compiled file changes anything, without the rule for the years after it."""
    with open(os.path.join(ROOT, *name.split("/")), "rb") as file:
        content = file.read()
    header = struct.Struct(">4s c 15x 6l")
    _, _, utc, std, leap, times, types, chars = header.unpack_from(content, 0)
    second = header.size + times * 5 + types * 6 + chars + leap * 8 + std + utc
    times = header.unpack_from(content, second)[5]
    return list(struct.unpack_from(">%dq" % times, content, second + header.size))


def first_other(zone, low, high):
    """The first second after `low` with another offset than at `low`; `high` has another one."""
    before = offset_at(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def transitions(name, begin, end):
    """Changes of the offset in [begin, end]: those that the file lists, and those of the rule at its end, looked for two days at a time."""
    zone = zoneinfo.ZoneInfo(name)
    written = written_changes(name)
    candidates = [second for second in written if begin <= second <= end]
    step = 2 * 86400
    at = max([begin] + written)
    offset = offset_at(zone, at)
    while at < end:
        later = offset_at(zone, at + step)
        if later != offset:
            candidates.append(first_other(zone, at, at + step))
        at, offset = at + step, later
    found = []
    for second in sorted(candidates):
        before, after = offset_at(zone, second - 1), offset_at(zone, second)
        if before != after and second <= end:
            found.append([second, before, after])
    return found


QUARTER = 900


def start(zone, nominal):
    """The earliest second at which the clock reads at or after `nominal`, by trying.

    In the years asked for every change falls on a whole minute of UTC (Antarctica/Casey's on the first of an hour), so within a minute
    the clock runs evenly. Minutes are tried one by one in the quarters of an hour in which the reading can be reached at all.
    """
    quarter = nominal - 16 * 3600
    quarter -= quarter % QUARTER
    while True:
        last = quarter + QUARTER - 1
        if last + max(offset_at(zone, quarter), offset_at(zone, last)) >= nominal:
            for minute in range(quarter, quarter + QUARTER, 60):
                offset = offset_at(zone, minute)
                if minute + 59 + offset >= nominal:
                    return max(minute, nominal - offset)
        quarter += QUARTER


def answer(question):
    ask = question["ask"]
    if ask == "version":
        return {"version": tzdata.IANA_VERSION}
    if ask == "names":
        return {"names": sorted(zoneinfo.available_timezones())}
    if ask == "places":
        with open(os.path.join(ROOT, "zone.tab"), encoding="utf-8") as file:
            return {"names": sorted(line.split("\t")[2].strip() for line in file if not line.startswith("#"))}
    if ask == "transitions":
        return {"transitions": transitions(question["zone"], question["from"], question["to"])}
    zone = zoneinfo.ZoneInfo(question["zone"])
    return {"starts": [start(zone, nominal) for nominal in question["nominal"]]}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
