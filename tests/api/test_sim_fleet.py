"""A simulated fleet works tenfold itself; the server's own counts are what the run says of itself."""

from sim import Run

ROUTES = {
    'POST /v1/agents/{id}/heartbeat': 'agent_beat', 'POST /v1/agents': 'agent_add', 'GET /v1/search/agents': 'agent_search',
    'GET /v1/agents/{id}': 'agent_show', 'POST /v1/work': 'work_add', 'POST /v1/work/claim': 'work_claim',
    'POST /v1/work/{id}/progress': 'work_progress', 'POST /v1/work/settle': 'work_settle',
    'POST /v1/agents/{id}/status': 'agent_status'}


def fleet(t, server, *words, **more):
    options = {'cycles': 5, 'agents': 100, **more}
    return Run(t, '--scenario', 'fleet', '--target', server.url, '--key', t.caller('operator', server).key, *words, **options)


def requests(server):
    """Of each call that the fleet makes, how often the server has answered it."""
    return {name: server.metric(f'tenfold_http_requests_total{{route="{route}"') for name, route in ROUTES.items()}


def happened(server):
    events = ('enqueued', 'claimed', 'progress', 'completed', 'retrying', 'failed', 'released', 'lapsed')
    return {event: server.metric(f'tenfold_work_events_total{{event="{event}"') for event in events}


def assert_same_counts(run, server, before):
    """Every request is one that the server answered, and every item is where the fleet left it."""
    assert run.counts['requests_failed'] == 0 and run.outcomes['failed'] == 0, run.report
    answered = {name: count - before[name] for name, count in requests(server).items()}
    assert answered == {name: run.endpoints.get(name, 0) for name in ROUTES}
    assert sum(answered.values()) == run.counts['requests'] == run.ask('SELECT sum(calls) FROM sim_sessions')[0][0]


def test_the_servers_counts_are_those_of_the_run(t):
    server = t.new_server()
    before = requests(server)
    run = fleet(t, server)
    assert_same_counts(run, server, before)
    now = happened(server)
    assert run.kept('enqueued') == now['enqueued'] > 200
    assert run.kept('claimed') == now['claimed'] > 200
    assert run.kept('completed') == now['completed'] > 200
    assert run.kept('failed') == now['retrying'] + now['failed'] > 0
    assert run.kept('released') == now['released']   # about five, so now and then none
    assert run.endpoints['POST /v1/work/{id}/progress'] == now['progress'] and now['lapsed'] == 0
    assert run.kept('beats') == server.metric('tenfold_agent_beats_total') == run.counts['sessions']
    # what was enqueued and is neither completed nor failed for good waits
    assert server.metric('tenfold_work_items') == now['enqueued'] - now['completed'] - now['failed']
    there = t.caller('reader', server).get('/v1/agents', query={'count': 'true', 'limit': 1}).expect(200).json
    assert run.kept('registered') == run.endpoints['POST /v1/agents'] == there['count'] > 80


def test_another_run_meets_the_same_agents(t):
    server = t.new_server()
    first = fleet(t, server)
    before = requests(server)
    again = fleet(t, server)
    assert_same_counts(again, server, before)
    assert again.kept('registered') == 0 and again.kept('beats') == again.counts['sessions'] == first.counts['sessions']
    other = fleet(t, server, seed=8)
    assert other.outcomes['failed'] == 0 and 0 <= other.kept('registered') < 20


def test_a_fleet_at_a_process_that_stands_by(t):
    owner, other = t.pair()
    run = fleet(t, other, cycles=2)
    assert run.counts['requests_failed'] == 0 and run.outcomes['failed'] == 0, run.report
    now = happened(owner)
    assert (run.kept('enqueued'), run.kept('claimed'), run.kept('completed')) == (now['enqueued'], now['claimed'], now['completed'])


def test_the_agents_of_the_directory_go_by_their_own_names(t):
    server = t.new_server()
    operator = t.caller('operator', server)
    agents = [{'handle': f'mine-{n}', 'name': f'Mine {n}'} for n in range(12)]
    made = operator.post('/v1/agents/batch', {'items': agents}).expect(201).items
    operator.post(f'/v1/agents/{made[0]["id"]}/status', {'status': 'maintenance'}).expect(200)
    run = fleet(t, server, '--from-directory', agents=None, TENFOLD_URL=server.url, TENFOLD_KEY=operator.key)
    assert run.counts['requests_failed'] == 0 and run.outcomes['failed'] == 0, run.report
    assert run.report['agents'] == 11 and run.kept('registered') == 0 and run.kept('beats') == run.counts['sessions'] > 11
    there = operator.get('/v1/agents', query={'count': 'true', 'limit': 100}).expect(200).json
    lived = {x['handle'] for x in there['items'] if x['status'] != 'unknown' and x['handle'] != 'mine-0'}
    assert there['count'] == 12
    assert {row[0] for row in run.ask('SELECT agent_id FROM sim_sessions')} == lived == {f'mine-{n}' for n in range(1, 12)}


def test_a_key_that_may_not_is_a_failure_that_says_so(t):
    server = t.new_server()
    run = Run(t, '--scenario', 'fleet', '--target', server.url, '--key', t.caller('reader', server).key, '--breaker-percent', '100',
              cycles=1, agents=20)
    assert run.outcomes['failed'] == run.counts['sessions'] > 0
    assert {row[0] for row in run.ask('SELECT failure FROM sim_sessions')} == {'POST /v1/agents/{id}/heartbeat: 403'}
    assert happened(server)['enqueued'] == 0
