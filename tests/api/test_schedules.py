"""Schedules: made, changed, paused; what they enqueue, once for each fire, whatever the clock and the processes do."""

import collections
import datetime
import itertools
import random
import time
from zoneinfo import ZoneInfo

from harness import NotHere, SLOW, until

MINUTE = 60000
NAMES = map('schedule-{}'.format, itertools.count())


def add(caller, **members):
    given = {'name': next(NAMES), 'cron': '* * * * *', 'type': 'scheduled', **members}
    return caller.post('/v1/schedules', given).expect(201).json


def show(caller, schedule):
    return caller.get(f'/v1/schedules/{schedule["id"]}').expect(200).json


def fires(caller, schedule, **query):
    """Oldest first."""
    found, more = [], dict(query)
    while True:
        page = caller.get(f'/v1/schedules/{schedule["id"]}/fires', query=more).expect(200)
        found += page.items
        if not page.json['next_cursor']:
            return found[::-1]
        more['cursor'] = page.json['next_cursor']


def items(caller, type_):
    return caller.get('/v1/work', query={'type': type_, 'limit': 1000}).expect(200).items


def number(id_):
    """An id as its row has it."""
    digits = '0123456789abcdefghjkmnpqrstvwxyz'
    value = 0
    for c in id_.split('_')[1]:
        value = value * 32 + digits.index(c)
    return value


def now_ms():
    return time.time_ns() // 1000000


def ms(text):
    return round(datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp() * 1000)


def minute_ago(n):
    return now_ms() // MINUTE * MINUTE - n * MINUTE


def put_back(server, schedule, next_ms, due_ms=None):
    """As if the schedule had last been looked at then. The server is not running, or it is on PostgreSQL."""
    server.sql(f'UPDATE schedules SET next_ms = {next_ms}, due_ms = {due_ms or next_ms} WHERE id = {number(schedule["id"])}')


def away(t, server, *changes):
    """Stops the server, puts schedules back, and starts it again."""
    server.stop()
    for schedule, next_ms in changes:
        put_back(server, schedule, next_ms)
    server.start()
    return t.caller('first', server=server)


# ---- made and changed ----

def test_one_is_made_shown_listed_changed_and_deleted(t):
    operator = t.caller('operator', tenant='makers')
    made = add(operator, cron='30 9 * * mon-fri', timezone='Europe/Berlin', title='Report', payload={'a': {'b': 1, 'c': 2}}, labels={'k': 'v'})
    assert made['state'] == 'active' and made['missed'] == 'once' and made['overlap'] == 'skip' and made['last_at'] is None
    nine = datetime.datetime.fromtimestamp(ms(made['next_at']) / 1000, ZoneInfo('Europe/Berlin'))
    assert (nine.hour, nine.minute, nine.weekday() < 5) == (9, 30, True)
    assert show(operator, made) == made
    path = f'/v1/schedules/{made["id"]}'
    changed = operator.call('PATCH', path, {'cron': '0 12 * * *', 'title': None, 'payload': {'a': {'b': None}}}).expect(200).json
    assert changed['cron'] == '0 12 * * *' and changed['title'] is None and changed['payload'] == {'a': {'c': 2}}
    assert changed['labels'] == {'k': 'v'} and changed['timezone'] == 'Europe/Berlin' and changed['next_at'] != made['next_at']
    others = [add(operator) for _ in range(3)]
    listed = operator.get('/v1/schedules', query={'limit': 3}).expect(200).json
    assert [s['id'] for s in listed['items']] == [o['id'] for o in others[::-1]]
    rest = operator.get('/v1/schedules', query={'limit': 3, 'cursor': listed['next_cursor']}).expect(200).json
    assert [s['id'] for s in rest['items']] == [made['id']] and rest['next_cursor'] is None
    operator.call('DELETE', path).expect(204)
    operator.get(path).expect(404)
    operator.call('DELETE', path).expect(404)


def test_what_is_wrong_is_said_of_its_member(t):
    operator = t.caller('operator')
    taken = add(operator)
    cases = [({'cron': '61 * * * *'}, 'cron', "the minute '61' is not one of 0 to 59"), ({'cron': '0 0 30 2 *'}, 'cron', 'never fires'),
             ({'cron': '* * * * * *'}, 'cron', 'needs 5'), ({'timezone': 'Mars/Olympus'}, 'timezone', "there is no time zone 'Mars/Olympus'"),
             ({'timezone': '../../etc/passwd'}, 'timezone', 'there is no time zone'), ({'type': 'tf.own'}, 'type', "the server's own"),
             ({'labels': {'fire': 'x'}}, 'labels', 'given by the server'), ({'jitter_ms': -1}, 'jitter_ms', ''), ({'name': ' '}, 'name', ''),
             ({'missed_max': 1001}, 'missed_max', '')]
    for change, field, says in cases:
        with t.case(str(change)):
            answer = operator.post('/v1/schedules', {'name': next(NAMES), 'cron': '@daily', 'type': 'x', **change}).expect(422).names(field)
            assert says in answer.json['detail'], answer.json
            answer = operator.call('PATCH', f'/v1/schedules/{taken["id"]}', change).expect(422).names(field)
            assert says in answer.json['detail'], answer.json
    with t.case('a name that is taken'):
        operator.post('/v1/schedules', {'name': taken['name'], 'cron': '@daily', 'type': 'x'}).expect(409).names('name')
        other = add(operator)
        operator.call('PATCH', f'/v1/schedules/{other["id"]}', {'name': taken['name']}).expect(409).names('name')
        operator.call('PATCH', f'/v1/schedules/{other["id"]}', {'name': other['name']}).expect(200)
    assert show(operator, taken) == taken
    add(t.caller('operator', tenant='namesakes'), name=taken['name'])


def test_one_that_is_paused_has_no_next_fire(t):
    operator = t.caller('operator')
    made = add(operator)
    paused = operator.post(f'/v1/schedules/{made["id"]}/pause').expect(200).json
    assert paused['state'] == 'paused' and paused['next_at'] is None
    assert operator.post(f'/v1/schedules/{made["id"]}/pause').expect(200).json == paused
    changed = operator.call('PATCH', f'/v1/schedules/{made["id"]}', {'cron': '@hourly'}).expect(200).json
    assert changed['next_at'] is None
    assert operator.get(f'/v1/schedules/{made["id"]}/next', query={'limit': 2}).expect(200).items
    resumed = operator.post(f'/v1/schedules/{made["id"]}/resume').expect(200).json
    assert resumed['state'] == 'active' and ms(resumed['next_at']) > now_ms()


def test_the_next_fires_are_by_the_clock_of_the_zone(t):
    operator = t.caller('operator')
    for zone in 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe':
        made = add(operator, cron='15 4 1,15 * *', timezone=zone, jitter_ms=MINUTE)
        coming = operator.get(f'/v1/schedules/{made["id"]}/next', query={'limit': 48}).expect(200).items
        assert len(coming) == 48 and coming[0]['at'] == made['next_at']
        for fire in coming:
            local = datetime.datetime.fromtimestamp(ms(fire['at']) / 1000, ZoneInfo(zone))
            assert fire['local'] == local.isoformat(timespec='minutes')
            assert (local.hour, local.minute) == (4, 15) and local.day in (1, 15)
            assert 0 <= ms(fire['due_at']) - ms(fire['at']) <= MINUTE
        assert len({f['local'][-6:] for f in coming}) == 2, 'two years have summer and winter'
        assert len({ms(f['due_at']) - ms(f['at']) for f in coming}) > 24, 'each has a jitter of its own'


# ---- fired ----

def test_a_fire_enqueues_an_item_that_says_what_it_is_of(t):
    server = t.new_server()
    operator = t.caller('first', server=server)
    made = add(operator, title='Nightly', payload={'branch': 'main'}, labels={'own': 'yes'}, team='red', priority='high', timeout_ms=MINUTE)
    at = minute_ago(0)
    operator = away(t, server, (made, at))
    item = until(lambda: items(operator, 'scheduled'))[0]
    full = operator.get(f'/v1/work/{item["id"]}').expect(200).json
    done = fires(operator, made)[0]
    assert done['state'] == 'started' and done['item'] == item['id'] and ms(done['at']) == at and done['since'] is None
    assert full['labels'] == {'own': 'yes', 'schedule': made['id'], 'fire': done['at']}
    assert (full['title'], full['payload'], full['team'], full['priority']) == ('Nightly', {'branch': 'main'}, 'red', 'high')
    assert ms(full['deadline']) == ms(done['done_at']) + MINUTE and full['created_by'] == 'schedule'
    after = show(operator, made)
    assert after['last_item'] == item['id'] and ms(after['last_at']) == at and ms(after['next_at']) == at + MINUTE


def test_it_fires_when_it_is_due_and_not_when_it_is_next_looked(t):
    """By jitter, for the times of cron lines are whole minutes."""
    server = t.new_server()
    operator = t.caller('first', server=server)
    at = minute_ago(0)
    schedules = [add(operator, cron='@yearly', jitter_ms=now_ms() - at + 8000 * SLOW, overlap='allow') for _ in range(40)]
    operator = away(t, server, *((s, at) for s in schedules))
    coming = {s['id']: operator.get(f'/v1/schedules/{s["id"]}/next', query={'limit': 1}).expect(200).items[0] for s in schedules}
    asked = now_ms()
    due = {i: ms(c['due_at']) for i, c in coming.items() if ms(c['at']) == at and ms(c['due_at']) > asked}
    assert due, 'some are still to come'
    for schedule in schedules:
        done = until(lambda s=schedule: fires(operator, s), 20)[0]
        late = ms(done['done_at']) - due.get(schedule['id'], ms(done['done_at']))
        assert 0 <= late < 1000 * SLOW, f'{late} ms late'


def test_making_one_wakes_the_job(t):
    server = t.new_server()
    operator = t.caller('first', server=server)
    runs = lambda: {j['name']: j for j in operator.get('/v1/jobs').expect(200).items}['schedules']['runs']
    before = until(runs)
    made = add(operator)
    until(lambda: runs() > before, what='a run long before the next minute')
    before = runs()
    operator.post(f'/v1/schedules/{made["id"]}/pause').expect(200)
    until(lambda: runs() > before)


def test_what_was_missed_goes_by_the_policy(t):
    server = t.new_server()
    operator = t.caller('first', server=server)
    skip, once, some = [add(operator, type=p, missed=p, missed_max=5, overlap='allow', missed_after_ms=0) for p in ('skip', 'once', 'all')]
    first = minute_ago(90)
    operator = away(t, server, (skip, first), (once, first), (some, first))
    until(lambda: all(show(operator, s)['last_at'] for s in (skip, once, some)))
    with t.case('skip'):
        noted = fires(operator, skip)[0]
        assert noted['state'] == 'missed' and ms(noted['since']) == first and ms(noted['at']) >= minute_ago(2)
        assert len(items(operator, 'skip')) == len([f for f in fires(operator, skip) if f['state'] == 'started']) <= 1
    with t.case('once'):
        fired = fires(operator, once)
        assert [f['state'] for f in fired][:1] == ['started'] and ms(fired[0]['since']) == first
        assert len(items(operator, 'once')) == len(fired) <= 2
    with t.case('all'):
        fired = fires(operator, some)
        assert fired[0]['state'] == 'missed' and ms(fired[0]['since']) == first
        times = [ms(f['at']) for f in fired]
        assert times == list(range(times[0], times[-1] + 1, MINUTE)) and 5 <= len(items(operator, 'all')) == len(times) - 1 <= 6


def test_a_fire_that_comes_too_soon_goes_by_the_policy(t):
    server = t.new_server()
    operator = t.caller('first', server=server)
    made = {p: add(operator, type=p, overlap=p, missed='all') for p in ('allow', 'skip', 'queue')}
    first = minute_ago(3)
    operator = away(t, server, *((s, first) for s in made.values()))
    until(lambda: all(len(fires(operator, s)) >= 4 for s in made.values()))
    states = {p: [f['state'] for f in fires(operator, s)][:4] for p, s in made.items()}
    assert states == {'allow': ['started'] * 4, 'skip': ['started'] + ['overlapped'] * 3,
                      'queue': ['started', 'waiting', 'overlapped', 'overlapped']}
    waiting = items(operator, 'queue')[0]
    assert waiting['state'] == 'blocked' and len(items(operator, 'queue')) == 2
    running = operator.claim('queue')[0]
    operator.settle(running, 'fail', error='broken', retry=False).expect(200)
    assert operator.state(waiting) == 'ready', 'it waited for the end, good or bad'


def test_one_is_fired_no_second_time_when_the_clock_goes_back(t):
    server = t.new_server()
    operator = t.caller('first', server=server)
    made = add(operator, missed='all', overlap='allow')
    operator = away(t, server, (made, minute_ago(3)))
    fired = until(lambda: len(fires(operator, made)) >= 4 and fires(operator, made))
    operator = away(t, server, (made, minute_ago(5)))
    until(lambda: show(operator, made)['next_at'] and ms(show(operator, made)['next_at']) > minute_ago(1))
    again = fires(operator, made)
    assert again[:len(fired)] == fired and len(again) <= len(fired) + 1
    assert len(items(operator, 'scheduled')) == len(again)


def assert_each_once(operator, schedules, type_):
    """Every fire that was begun has its item, every item its fire, and no time is left out. While it is compared a minute
    may begin: fires are read after the items, and only those of before must have theirs among them."""
    by_schedule = collections.Counter()
    before = min(ms(show(operator, s)['last_at']) for s in schedules)
    found, cursor = set(), None
    while cursor != '':
        page = operator.get('/v1/work', query={'type': type_, 'limit': 1000, **({'cursor': cursor} if cursor else {})}).expect(200)
        found |= {i['id'] for i in page.items}
        cursor = page.json['next_cursor'] or ''
    begun, due = set(), set()
    for schedule in schedules:
        done = fires(operator, schedule, limit=1000)
        times = [ms(f['at']) for f in done]
        assert times == list(range(times[0], times[-1] + 1, MINUTE)), 'no fire is missing'
        started = [f for f in done if f['state'] == 'started']
        begun |= {f['item'] for f in started}
        due |= {f['item'] for f in started if ms(f['at']) <= before}
        by_schedule[schedule['id']] = len(done)
    assert due <= found <= begun, f'{len(found - begun)} items without a fire, {len(due - found)} fires without an item'
    return by_schedule


def test_a_process_that_is_killed_fires_nothing_twice_and_leaves_nothing_out(t):
    server = t.new_server()
    operator = t.caller('first', server=server)
    schedules = [add(operator, type='killed', missed='all', missed_max=1000, overlap='allow') for _ in range(20)]
    server.stop()
    first = minute_ago(400)
    for schedule in schedules:
        put_back(server, schedule, first)
    rng = random.Random(7)
    for _ in range(6):
        server.start(wait_for='up')
        end = time.monotonic() + rng.uniform(0, 0.25)
        until(lambda e=end: time.monotonic() >= e)
        server.kill()
    server.start()
    operator = t.caller('first', server=server)
    until(lambda: all(ms(show(operator, s)['last_at'] or '1970-01-01T00:00:00Z') >= minute_ago(1) for s in schedules), 60)
    counts = assert_each_once(operator, schedules, 'killed')
    assert all(n >= 400 for n in counts.values())


def test_a_store_that_fails_in_the_middle_undoes_the_items_with_the_fires(t):
    """At each of the calls that a round of the job makes, so also after it has enqueued."""
    server = t.new_server()
    operator = t.caller('first', server=server)
    schedules = [add(operator, type='undone', missed='all', missed_max=1000, overlap='allow') for _ in range(3)]
    server.stop()
    for schedule in schedules:
        put_back(server, schedule, minute_ago(300))
    server.args = ['--fault', ','.join(f'busy@{4 + 11 * n}' for n in range(30))]
    server.start(wait_for='up')
    operator = t.caller('first', server=server)
    page = lambda: operator.get('/v1/schedules')
    until(lambda: page().status == 200, what='an answer')
    until(lambda: all(ms(s['last_at'] or '1970-01-01T00:00:00Z') >= minute_ago(1) for s in (page().json.get('items') or [{'last_at': None}]) if not s.get('builtin')), 60)
    operator.close()
    server.kill()
    server.args = []
    server.start()
    operator = t.caller('first', server=server)
    assert all(n >= 300 for n in assert_each_once(operator, schedules, 'undone').values())


def test_two_processes_fire_each_once_and_one_takes_over(t):
    t.needs_several_processes()
    one = t.new_server('--owner-lease', '1s')
    two = t.new_server('--owner-lease', '1s', store_url=one.store_url)
    first, second = t.caller('first', server=one), t.caller('first', server=two)
    schedules = [add(c, type='two', missed='all', missed_max=1000, overlap='allow') for c in (first, second) for _ in range(10)]
    for schedule in schedules:
        put_back(one, schedule, minute_ago(300))
    until(lambda: fires(second, schedules[0], limit=1), 20)
    one.kill()
    until(lambda: all(ms(show(second, s)['last_at'] or '1970-01-01T00:00:00Z') >= minute_ago(1) for s in schedules), 60)
    until(lambda: second.get('/v1/work').status == 200, 20, 'the end of the lease of the one that was killed')
    counts = assert_each_once(second, schedules, 'two')
    assert all(n >= 300 for n in counts.values())


def test_a_zone_that_is_gone_stops_nothing_else(t):
    if t.store != 'sqlite':
        raise NotHere('the same on both')
    server = t.new_server('--zoneinfo', '/usr/share/zoneinfo')
    operator = t.caller('first', server=server)
    lost, well = add(operator, timezone='Europe/Berlin', type='lost'), add(operator, type='well')
    server.stop()
    server.sql(f"UPDATE schedules SET definition = replace(definition, 'Europe/Berlin', 'Europe/Atlantis') WHERE id = {number(lost['id'])}")
    operator = away(t, server, (lost, minute_ago(0)), (well, minute_ago(0)))
    until(lambda: items(operator, 'well'))
    assert items(operator, 'lost') == [] and fires(operator, lost) == [] and 'schedule.unreadable' in server.log()
    operator.get(f'/v1/schedules/{lost["id"]}/next').expect(422)
    operator.call('PATCH', f'/v1/schedules/{lost["id"]}', {'timezone': 'Europe/Rome'}).expect(200)


def test_without_zones_it_says_what_to_install(t):
    server = t.new_server('--zoneinfo', '/nowhere')
    operator = t.caller('operator', server=server)
    answer = operator.post('/v1/schedules', {'name': 'x', 'cron': '@daily', 'type': 'x'}).expect(422).names('timezone')
    assert 'tzdata' in answer.json['detail']


# ---- the server's own ----

def test_the_servers_own_are_listed_and_switched_by_admins(t):
    server = t.new_server()
    admin, operator = t.caller('first', server=server), t.caller('operator', server=server)
    own = lambda: {s['name']: s for s in admin.get('/v1/schedules').expect(200).items if s['builtin']}
    until(lambda: len(own()) == 4)
    assert {s['type'] for s in own().values()} == {'tf.archive', 'tf.counts', 'tf.health', 'tf.prices'}
    path = f'/v1/schedules/{own()["tenfold-archive"]["id"]}'
    operator.post(path + '/pause').expect(403, 'forbidden')
    assert admin.post(path + '/pause').expect(200).json['state'] == 'paused'
    for refused in (admin.call('DELETE', path), admin.call('PATCH', path, {'cron': '@daily'})):
        assert 'built in' in refused.expect(409, 'conflict').json['detail']
    admin = away(t, server, *((s, minute_ago(1)) for n, s in own().items() if n != 'tenfold-archive'))
    until(lambda: all(fires(admin, s) for n, s in own().items() if n != 'tenfold-archive'))
    done = {n: fires(admin, s) for n, s in own().items()}
    assert done['tenfold-archive'] == [] and own()['tenfold-archive']['state'] == 'paused'
    assert 'of them late' in done['tenfold-health'][0]['detail'] and 'counts what ended before' in done['tenfold-counts'][0]['detail']
    assert 'prices of models are of before 20' in done['tenfold-prices'][0]['detail'], done
    assert admin.get('/v1/work').expect(200).items == [], 'they enqueue nothing'
