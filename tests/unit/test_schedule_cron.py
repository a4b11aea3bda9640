#!/usr/bin/python3
"""Cron lines and zones over ten years, beside implementations that are not ours.

    test_schedule_cron.py SCHEDULE_LINES

Offsets are those of Python's zoneinfo. Which minutes a line names is asked of croniter (Debian's python3-croniter), on a
clock without a zone; from them follows by zoneinfo and the rules of src/schedule/cron.h when the line fires. Where
cronsim can be imported (pip install cronsim; it follows Debian's cron) it is asked for the whole, zone and all.
TENFOLD_SEED=… replays a run.
"""

import os
import random
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from croniter import croniter

try:
    from cronsim import CronSim
except ImportError:
    CronSim = None

FOLDER = '/usr/share/zoneinfo'
UTC = timezone.utc
FIRST, LAST = datetime(2020, 1, 1), datetime(2030, 1, 1)
ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Kathmandu',
         'America/Nuuk', 'Asia/Gaza', 'Europe/Dublin', 'Pacific/Chatham', 'America/Havana', 'Asia/Tehran', 'Antarctica/Troll']
TIMES = ['30 2 * * *', '0 3 * * *', '15,45 1-3 * * *', '0 0 * * *', '59 23 L * *', '0 0 1,15 * *', '5 4 * * sun', '0 22 * * 1-5',
         '23 0-20/2 * * *', '0 9 29 2 *', '30 1 8-14 3,11 *', '10 2 13 * fri', '0 12 * jan-mar *', '0 1 * * 1#1', '20 2 * * 7']
RHYTHMS = ['* * * * *', '*/15 * * * *', '0 * * * *', '7 */2 * * *', '*/20 2 * * *', '*/30 1-3 * * sat,sun', '30 * 1-7 * *']
ZONES_OF_RUN = 4


def fires_of(ours, questions):
    """The answers of the program under test to many questions at once."""
    out = subprocess.run([ours, FOLDER], input='\n'.join(questions) + '\n', capture_output=True, text=True, check=True).stdout
    return out.splitlines()


def seconds(naive, zone, fold):
    return int(naive.replace(tzinfo=zone, fold=fold).timestamp())


def exists(naive, zone):
    return naive.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive


def gap_end(naive, zone):
    """When the gap is over in which a local time lies that does not exist. Before and after it differ by its length."""
    low, high = sorted((seconds(naive, zone, 0), seconds(naive, zone, 1)))
    offset = lambda s: datetime.fromtimestamp(s, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
    return high


def expected(line, zone, begin, end, rhythm):
    """Fires between two local times, by croniter's calendar and the rules."""
    found = set()
    calendar = croniter(line, begin - timedelta(minutes=1))
    while (naive := calendar.get_next(datetime)) < end:
        if exists(naive, zone):
            found.add(seconds(naive, zone, 0))
            if rhythm:
                found.add(seconds(naive, zone, 1))
        elif not rhythm:
            found.add(gap_end(naive, zone))
    return sorted(found)


def changes(zone):
    """The local days of the ten years on which the clock changes."""
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days)]
    return [d for d in days if d.replace(tzinfo=zone).utcoffset() != (d + timedelta(days=1)).replace(tzinfo=zone).utcoffset()]


def windows(rng, days, rhythm):
    if not rhythm:
        return [(FIRST, LAST)]
    some = rng.sample(days, min(len(days), 4)) + [datetime(2024, 2, 28, 18)]
    return [(d - timedelta(hours=12), d + timedelta(hours=36)) for d in some]


def cases(rng, zones):
    for name in zones:
        zone = ZoneInfo(name)
        days = changes(zone)
        for line in TIMES + RHYTHMS:
            for begin, end in windows(rng, days, line in RHYTHMS):
                if not exists(begin, zone) or not exists(end, zone):
                    continue
                yield name, line, begin, end, expected(line, zone, begin, end, line in RHYTHMS)


def check_croniter(ours, rng, zones):
    wanted = [c for c in cases(rng, zones) if c[4]]
    asked = [f'fires {name} {seconds(begin, ZoneInfo(name), 0) - 60} {len(fires)} {line}' for name, line, begin, end, fires in wanted]
    for (name, line, begin, end, fires), answer in zip(wanted, fires_of(ours, asked), strict=True):
        got = [int(s) for s in answer.split()]
        for a, b in zip(fires, got, strict=True):
            if a != b:
                sys.exit(f'{line} in {name}: expected {datetime.fromtimestamp(a, UTC)}, fires {datetime.fromtimestamp(b, UTC)}')
    return sum(len(c[4]) for c in wanted)


def check_cronsim(ours, rng, zones):
    """The next 60 fires from somewhere near a change of the clock. It goes by whole hours, so by an hour must it be."""
    asked, wanted = [], []
    for name in set(zones) - {'Australia/Lord_Howe', 'Antarctica/Troll'}:
        zone = ZoneInfo(name)
        days = changes(zone) or [FIRST]
        for line in TIMES + RHYTHMS + ['0 6 * * 5L', '0 6 LW * *']:
            start = (rng.choice(days) - timedelta(days=1)).replace(tzinfo=zone)
            expected = []
            for when in CronSim(line, start):
                at = int(when.timestamp())
                if not expected or at > expected[-1]:
                    expected.append(at)
                if len(expected) == 60:
                    break
            asked.append(f'fires {name} {int(start.timestamp())} 60 {line}')
            wanted.append(expected)
    for question, fires, answer in zip(asked, wanted, fires_of(ours, asked), strict=True):
        if answer != ' '.join(map(str, fires)):
            sys.exit(f'{question}\ncronsim: {fires}\nours:    {answer}')
    return len(asked) * 60


def check_offsets(ours, rng):
    names = [os.path.relpath(os.path.join(folder, f), FOLDER) for folder, _, files in os.walk(FOLDER) for f in files]
    names = sorted(n for n in names if n[0].isupper() and open(os.path.join(FOLDER, n), 'rb').read(5) == b'TZif2')
    asked = [(name, rng.randrange(31536000, 16725225600)) for name in names for _ in range(20)]
    answers = fires_of(ours, [f'offset {name} {at}' for name, at in asked])
    for (name, at), answer in zip(asked, answers, strict=True):
        offset = int(datetime.fromtimestamp(at, ZoneInfo(name)).utcoffset().total_seconds())
        if offset != int(answer):
            sys.exit(f'offset of {name} at {datetime.fromtimestamp(at, UTC)}: {offset} by zoneinfo, {answer} here')
    return len(asked), len(names)


def main():
    seed = int(os.environ.get('TENFOLD_SEED') or time.time())
    print(f'# TENFOLD_SEED={seed}', flush=True)
    rng = random.Random(seed)
    ours = sys.argv[1]
    zones = ['UTC', 'Europe/Berlin'] + rng.sample(ZONES[2:], ZONES_OF_RUN - 2)
    count, names = check_offsets(ours, rng)
    print(f'# {count} offsets in {names} zones')
    print(f'# {check_croniter(ours, rng, zones)} fires in {", ".join(zones)} as croniter and the rules have them')
    if CronSim:
        print(f'# {check_cronsim(ours, rng, zones)} fires as cronsim has them')
    else:
        print('# cronsim is not installed: only croniter was asked')


main()
