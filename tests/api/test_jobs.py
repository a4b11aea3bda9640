"""Background jobs: each in one process at a time, taken over when that one goes, and seen to be well or not."""

import signal
import time

from harness import NotHere, until

NAMES = {'sqlite': {'staleness', 'expiry', 'tombstones', 'webhooks', 'hooks', 'schedules', 'fires', 'accounts', 'archive'}}
NAMES['postgres'] = NAMES['sqlite'] | {'sequencer'}
QUICK = ['--agent-sweep', '20ms', '--owner-lease', '1s']


def jobs(caller):
    return {j['name']: j for j in caller.get('/v1/jobs').expect(200).items}


def test_jobs_are_listed(t):
    found = until(lambda: all(j['runs'] for j in jobs(t.admin).values()) and jobs(t.admin))
    assert set(found) == NAMES[t.store]
    for job in found.values():
        assert job['runs_in'] == 'here' and job['failures'] == 0 and not job['late'] and job['result']
        assert 0 <= job['age_ms'] < 60000, job
    assert found['tombstones']['result'] == '0 deleted agents cleared away'
    t.operator.get('/v1/jobs').expect(403)


def test_health_tells_of_them(t):
    until(lambda: all(j['runs'] for j in jobs(t.admin).values()))
    said = {j['name']: j for j in t.anonymous().get('/health/ready').expect(200).json['jobs']}
    assert set(said) == NAMES[t.store]
    assert not any(j['late'] for j in said.values()) and all(j['result'] for j in said.values())
    assert t.server.metric('tenfold_job_runs_total{job="staleness"}') >= 1
    assert t.server.metric('tenfold_job_age_seconds{job="staleness"}') < 60


def test_a_deleted_agent_is_cleared_away_and_its_handle_free(t):
    server = t.new_server()
    operator, admin = t.caller('operator', server=server), t.caller('first', server=server)
    agent = operator.post('/v1/agents', {'handle': 'buried', 'name': 'x', 'card': {'a': 1}}).expect(201).json['agent']
    operator.call('DELETE', f'/v1/agents/{agent["id"]}').expect(204)
    operator.post('/v1/agents', {'handle': 'buried', 'name': 'y'}).expect(409)
    operator.close()
    admin.close()
    server.stop()
    server.sql('UPDATE agents SET deleted_ms = 1 WHERE deleted_ms > 0')
    server.start()
    until(lambda: jobs(admin)['tombstones']['result'] == '1 deleted agents cleared away')
    operator.get(f'/v1/agents/{agent["id"]}').expect(404)
    operator.post('/v1/agents', {'handle': 'buried', 'name': 'y'}).expect(201)


def test_what_has_expired_is_cleared_away(t):
    server = t.new_server()
    admin = t.caller('first', server=server)
    key = admin.post('/v1/keys', {'name': 'short', 'expires_at': '2099-01-01T00:00:00.000Z'}).expect(201).json
    admin.close()
    server.stop()
    server.sql('UPDATE keys SET expires_ms = 5 WHERE expires_ms > 0')
    server.sql("INSERT INTO challenges (id, public_key, nonce, expires_ms) VALUES (7, 'k', 'n', 5)")
    server.sql('INSERT INTO signatures (id, expires_ms) VALUES (7, 5)')
    server.sql('INSERT INTO liveness_log (id, agent, was, status, at_ms) VALUES (7, 7, 0, 1, 5)')
    server.start()
    cleared = '1 challenges, 1 signatures, 1 keys, 1 flips of liveness and 0 changes cleared away'
    until(lambda: jobs(admin)['expiry']['result'] == cleared)
    until(lambda: (key['id'], 'delete') in [(c['id'], c['op']) for c in admin.get('/v1/changes').expect(200).items])


# ---- several processes ----

def two_servers(t, *args):
    t.needs_several_processes()
    one = t.new_server(*args)
    first = t.caller('first', server=one)
    until(lambda: all(j['runs_in'] == 'here' for j in jobs(first).values()))
    two = t.new_server(*args, store_url=one.store_url)
    second = t.caller('first', server=two)
    until(lambda: all(j['runs_in'] == 'elsewhere' for j in jobs(second).values()))
    return one, first, two, second


def runs(server):
    return server.metric('tenfold_job_runs_total{job="staleness"}')


def test_each_runs_in_one_process(t):
    one, first, two, second = two_servers(t, *QUICK)
    before = runs(one)
    until(lambda: runs(one) > before + 30)
    assert runs(two) == 0
    seen = until(lambda: jobs(second)['staleness']['runs'] > before and jobs(second))
    assert all(j['runs_in'] == 'elsewhere' and not j['late'] and j['age_ms'] < 60000 for j in seen.values()), \
        'what runs elsewhere is known here'
    one.stop()
    until(lambda: all(j['runs_in'] == 'here' for n, j in jobs(second).items() if n in ('staleness', 'sequencer')))
    assert first and runs(two) > 0


def test_one_that_dies_is_followed_within_its_lease(t):
    one, _, two, second = two_servers(t, *QUICK)
    one.kill()
    began = time.monotonic()
    until(lambda: runs(two) > 0, 20)
    took = time.monotonic() - began
    assert took < 5, f'{took:.2f} s, and the lease is 1 s'
    until(lambda: jobs(second)['sequencer']['runs_in'] == 'here')


def test_no_run_is_done_twice_though_a_process_sleeps_through_its_lease(t):
    one, _, two, second = two_servers(t, *QUICK)

    def counted():
        return runs(one) + runs(two)
    for _ in range(3):
        one.process.send_signal(signal.SIGSTOP)
        before = runs(two)
        until(lambda b=before: runs(two) > b + 5, 20, 'the other process')
        one.process.send_signal(signal.SIGCONT)
        two.process.send_signal(signal.SIGSTOP)
        before = runs(one)
        until(lambda b=before: runs(one) > b + 5, 20, 'the one that slept')
        two.process.send_signal(signal.SIGCONT)
    before = counted()
    stored = jobs_stored(one)
    assert before <= stored <= counted() + 1, 'the table has one for each run that was counted'
    assert second


def jobs_stored(server):
    """Runs of the job `staleness` as the table has them."""
    return int(server.database.ask('SELECT runs FROM jobs WHERE id = 2'))


def test_one_that_fails_says_so_tries_again_and_is_late_after_a_while(t):
    if t.store == 'sqlite':
        raise NotHere('no other process can break the file while it is served')
    server = t.new_server(*QUICK)
    admin = t.caller('first', server=server)
    until(lambda: jobs(admin)['staleness']['runs'] > 3)
    server.database.ask('ALTER TABLE liveness RENAME TO hidden')
    failed = until(lambda: jobs(admin)['staleness']['failures'] and jobs(admin)['staleness'])
    assert failed['result'] == 'tenfold failed to handle the request' and not failed['late']
    until(lambda: jobs(admin)['staleness']['late'], 20, 'late')
    health = t.anonymous(server).get('/health/ready').expect(200).json
    assert [j['late'] for j in health['jobs'] if j['name'] == 'staleness'] == [True]
    server.database.ask('ALTER TABLE hidden RENAME TO liveness')
    well = until(lambda: not jobs(admin)['staleness']['late'] and jobs(admin)['staleness'], 70)
    assert well['failures'] >= failed['failures'] and 'agents looked at' in well['result']
