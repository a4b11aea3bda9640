"""Whether agents are alive: beats, silence, what they say of themselves, and what becomes of it in a crash."""

import datetime
import threading
import time

from agents import Agent
from harness import SLOW, until

SILENCE_MS = 1000 * SLOW
SERVER_ARGS = ['--agent-silence', f'{SILENCE_MS}ms', '--agent-sweep', '50ms']
LONG = ['--agent-silence', '10m', '--agent-sweep', '50ms']


def beat(agent, ref=None, caller=None):
    return (caller or agent.caller).post(f'/v1/agents/{ref or agent.id}/heartbeat')


def say(agent, status):
    return agent.caller.post(f'/v1/agents/{agent.id}/status', {'status': status})


def liveness(agent):
    return agent.operator.get(f'/v1/agents/{agent.id}/liveness').expect(200).json


def status(agent):
    return liveness(agent)['status']


def milliseconds(text):
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp() * 1000


def flips_of(agent, caller):
    """The changes of an agent's liveness that the feed tells of."""
    found, since = [], 0
    while True:
        page = caller.get('/v1/changes', query={'since': since, 'limit': 1000}).expect(200).json
        found += [c for c in page['items'] if c['id'] == agent.id and c['entity'] == 'liveness']
        if page['next_since'] == since:
            return found
        since = page['next_since']


def test_the_first_beat_makes_an_agent_online(t):
    agent = Agent(t, 'first-beat')
    assert liveness(agent) == {'status': 'unknown', 'history': [], 'since': None, 'last_beat': None,
                               'uptime_day': None, 'uptime_week': None, 'uptime_month': None}
    answer = beat(agent).expect(200).json
    seen = liveness(agent)
    assert answer['status'] == seen['status'] == 'online'
    assert milliseconds(answer['due_at']) == milliseconds(seen['last_beat']) + SILENCE_MS / 2
    assert seen['since'] == seen['last_beat'] and [f['status'] for f in seen['history']] == ['online']
    assert agent.show()['status'] == 'online' and agent.show()['status_since'] == seen['since']


def test_who_may_beat(t):
    agent, other = Agent(t, 'who-beats'), Agent(t, 'who-else')
    beat(agent, ref='who-beats').expect(200)
    beat(agent, caller=t.operator).expect(200)
    beat(agent, ref='who-beats', caller=t.operator).expect(200)
    for ref in agent.id, 'who-beats':
        beat(agent, ref, other.caller).expect(403)
        beat(agent, ref, t.caller('worker')).expect(403)
        beat(agent, ref, t.caller('reader')).expect(403)
        beat(agent, ref, t.caller('operator', tenant='elsewhere')).expect(404)
    beat(agent, 'nobody-here').expect(404)
    beat(agent, 'ag_0000000000001').expect(404)


def test_silence_makes_it_suspect_and_then_offline_and_two_beats_bring_it_back(t):
    agent = Agent(t, 'falls-silent')
    beat(agent).expect(200)
    until(lambda: status(agent) == 'offline', what='offline')
    seen = liveness(agent)
    assert [f['status'] for f in seen['history']] == ['offline', 'suspect', 'online']
    offline, suspect, _ = [milliseconds(f['at']) for f in seen['history']]
    last = milliseconds(seen['last_beat'])
    assert suspect > last + SILENCE_MS / 2 and offline > last + SILENCE_MS, 'not before its time'
    assert beat(agent).expect(200).json['status'] == 'suspect'
    assert beat(agent).expect(200).json['status'] == 'online'
    told = until(lambda: len(told := flips_of(agent, t.operator)) >= 5 and told, what='the last of them in the feed')
    assert [c['version'] for c in told] == [1, 2, 3, 4, 5] and {c['op'] for c in told} == {'put'}


def test_who_beats_in_time_stays_online(t):
    agent = Agent(t, 'steady')
    beat(agent).expect(200)
    began = time.monotonic()
    until(lambda: beat(agent).expect(200) and time.monotonic() > began + 2 * SILENCE_MS / 1000, 30)
    seen = liveness(agent)
    assert len(seen['history']) == 1 and seen['uptime_day'] == seen['uptime_week'] == seen['uptime_month'] == 1


def test_what_it_says_of_itself(t):
    agent = Agent(t, 'says-so')
    assert say(agent, 'maintenance').expect(200).json['status'] == 'maintenance'
    other = Agent(t, 'says-nothing')
    beat(other).expect(200)
    until(lambda: status(other) == 'offline')
    assert status(agent) == 'maintenance', 'the sweep leaves it alone'
    assert beat(agent).expect(200).json['status'] == 'online'
    assert say(agent, 'offline').expect(200).json['status'] == 'offline'
    assert say(agent, 'online').expect(200).json['status'] == 'online'
    assert say(agent, 'unknown').expect(422).names('status')
    other.caller.post(f'/v1/agents/{agent.id}/status', {'status': 'offline'}).expect(403)
    uptime = liveness(agent)['uptime_day']
    assert 0 <= uptime < 1 and round(uptime, 6) == uptime


def test_a_beat_is_no_new_version_and_a_flip_is_half_a_one(t):
    agent = Agent(t, 'same-version')

    def etag():
        return t.operator.get(f'/v1/agents/{agent.id}').expect(200).headers['etag']
    before = etag()
    beat(agent).expect(200)
    flipped = until(lambda: etag() != before and etag())
    beat(agent).expect(200)
    assert etag() == flipped and flipped.split('-')[0] == before.split('-')[0]
    agent.change({'name': 'other'}, **{'If-Match': before}).expect(200)
    beat(agent).expect(200)
    assert t.operator.get(f'/v1/agents/{agent.id}').json['name'] == 'other'


def test_a_deleted_agent_is_gone(t):
    agent = Agent(t, 'deleted-beats')
    beat(agent).expect(200)
    t.operator.call('DELETE', f'/v1/agents/{agent.id}').expect(204)
    beat(agent).expect(401)
    beat(agent, caller=t.operator).expect(410, 'gone')
    t.operator.get(f'/v1/agents/{agent.id}/liveness').expect(410, 'gone')
    assert [c['version'] for c in until(lambda: flips_of(agent, t.operator), what='the change in the feed')] == [1]


def test_many_beat_at_once(t):
    server = t.new_server(*LONG)
    operator = t.caller('operator', server=server)
    agents = [Agent(t, f'many-{n}', operator=operator) for n in range(16)]
    faults = []

    def beats(agent):
        for n in range(40):
            answer = beat(agent, ref=agent.handle if n % 3 == 0 else agent.id)
            if answer.status != 200 or answer.json['status'] != 'online':
                faults.append(answer.body)
    threads = [threading.Thread(target=beats, args=(a,)) for a in agents for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:3]
    assert all([f['status'] for f in liveness(a)['history']] == ['online'] for a in agents), 'one flip each'
    assert server.metric('tenfold_agent_beats_total') == 16 * 2 * 40
    assert server.metric('tenfold_agent_flips_total') == 16


def much_later(server, agent, watched):
    """Lets a lot of time pass: since the last beat; and either all the while the sweep has run, or it has not."""
    agent.operator.close()
    server.stop()
    server.sql(f"UPDATE liveness SET beat_ms = beat_ms - 10000000, check_ms = 1 WHERE agent = (SELECT id FROM agents "
               f"WHERE handle = '{agent.handle}')")
    server.sql(f'UPDATE jobs SET {"since_ms = since_ms" if watched else "ended_ms = ended_ms"} - 10000000')
    server.start()


def test_time_without_a_server_does_not_count_as_silence(t):
    server = t.new_server(*LONG)
    agent = Agent(t, 'grace', operator=t.caller('operator', server=server))
    beat(agent).expect(200)
    much_later(server, agent, watched=False)
    runs = sweeps(server)
    until(lambda: sweeps(server) > runs + 2, what='some sweeps')
    assert status(agent) == 'online'


def test_time_before_a_quick_restart_does(t):
    server = t.new_server('--agent-silence', '10m', '--agent-sweep', '30s')
    agent = Agent(t, 'no-grace', operator=t.caller('operator', server=server))
    beat(agent).expect(200)
    until(lambda: sweeps(server) > 0)
    much_later(server, agent, watched=True)
    until(lambda: status(agent) == 'offline')


def sweeps(server):
    return server.metric('tenfold_job_runs_total{job="staleness"}')


def staleness(operator):
    health = operator.get('/health/ready').expect(200).json
    return next(job['result'] for job in health['jobs'] if job['name'] == 'staleness')


def test_who_beat_meanwhile_is_looked_at_once_and_then_in_time(t):
    server = t.new_server(*LONG)
    agent = Agent(t, 'looked-at', operator=t.caller('operator', server=server))
    beat(agent).expect(200)
    agent.operator.close()
    server.stop()
    server.sql('UPDATE liveness SET check_ms = 1')
    server.start()
    runs = until(lambda: sweeps(server), what='a sweep')
    until(lambda: sweeps(server) > runs + 2, what='some sweeps')
    assert staleness(agent.operator) == '0 agents looked at, 0 now suspect, 0 now offline' and status(agent) == 'online'


def test_a_sweep_goes_on_until_nobody_is_due(t):
    """More fell silent at once than one transaction takes."""
    server = t.new_server('--agent-silence', '10m', '--agent-sweep', '1h')
    operator = t.caller('operator', server=server)
    for lot in range(3):
        items = [{'handle': f'hushed-{lot}-{n}', 'name': 'x'} for n in range(1000)]
        operator.post('/v1/agents/batch', {'items': items}).expect(201)
    until(lambda: sweeps(server), what='the first sweep')
    operator.close()
    server.stop()
    server.sql('UPDATE liveness SET status = 1, beat_ms = 1, check_ms = 1')
    server.sql('UPDATE jobs SET since_ms = 1, lease_until_ms = 0, ended_ms = ended_ms - 3600000')
    server.start()
    query = {'status': 'online', 'count': 'true', 'limit': 1, 'visibility': 'tenant'}
    until(lambda: operator.get('/v1/agents', query=query).expect(200).json['count'] == 0, 20, 'the end of all')


def test_answered_beats_outlive_a_crash(t):
    server = t.new_server(*LONG)
    agent = Agent(t, 'outlives', operator=t.caller('operator', server=server))
    answered = []

    def beats():
        try:
            while True:
                answered.append(beat(agent).expect(200).json)
        except (OSError, AssertionError):
            pass
    thread = threading.Thread(target=beats)
    thread.start()
    until(lambda: len(answered) > 50)
    server.kill()
    thread.join()
    server.start()
    agent.operator.close()
    seen = liveness(agent)
    due = max(milliseconds(a['due_at']) for a in answered)
    assert milliseconds(seen['last_beat']) >= due - 5 * 60 * 1000 and seen['status'] == 'online'
