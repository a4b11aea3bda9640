"""Single calls of the store fail, here and there: who asks then is told to come again, and nothing is decided by it. Nobody is
signed out, no delivery is given up or counted, a stream misses nothing, and what a server makes for itself is made."""

import random

from harness import until
from people import Person
from test_events import Stream
from test_executions import Squad, chain
from test_webhooks import ALLOW, Site
from webhook_receiver import Receiver

RULES, OF_COMMITS = 32, 8   # of a plan


def restart_with_faults(server, seed, calls=800):
    """Commits end without word, too: one was made, another was not."""
    dice = random.Random(seed)
    rules = [f'{dice.choice(("unknown", "lost"))}@c{n}' for n in dice.sample(range(1, calls // 8), OF_COMMITS)]
    rules += [f'{dice.choice(("fail", "busy", "full"))}@{n}' for n in dice.sample(range(1, calls), RULES - OF_COMMITS)]
    server.stop()
    server.args += ['--fault', ','.join(rules)]
    server.start(wait_for='up')


def answered(call, refused):
    """The first answer that does not say to come again; those that do are noted."""
    def once():
        answer = call()
        if answer.status != 503:
            return answer
        refused.append(answer)
        return None

    return until(once, 30, 'an answer')


def test_nobody_is_signed_out_by_a_store_that_fails(t):
    server = t.new_server('--sign-up', 'open', '--limit-sign-in', '0', '--limit-anonymous', '0')
    people = [Person(t, server) for _ in range(3)]
    restart_with_faults(server, 1)
    refused = []
    for _ in range(15):
        for person in people:
            person.take(answered(person.refresh, refused).expect(200).json)
            answered(lambda who=person: who.get('/v1/account'), refused).expect(200)
        answered(people[0].sign_in, refused).expect(200)
    assert refused, 'some calls failed'


def test_no_delivery_is_given_up_for_a_store_that_fails(t):
    receiver = Receiver(t)
    site = Site(t)
    webhook = site.webhook(receiver.url, events=['agent.registered'])
    restart_with_faults(site.server, 2)
    site.operator.close()
    refused, agents = [], []
    for n in range(40):
        body = {'handle': f'unlost-{n}', 'name': 'x'}
        made = answered(lambda given=body: site.operator.post('/v1/agents', given), refused).expect(201).json
        agents.append(made['agent']['id'])
    until(lambda: {got.event['subject'] for got in receiver.got} == set(agents), 60, 'all of them')
    site.server.stop()
    site.server.args = ALLOW
    site.server.start()
    site.operator.close()
    until(lambda: {d['state'] for d in site.deliveries(webhook, limit=100)} == {'delivered'}, 60, 'the end of all deliveries')
    assert sum(d['attempts'] - 1 for d in site.deliveries(webhook, limit=100)) <= OF_COMMITS, 'only what was taken without word is taken again'
    assert site.show(webhook)['state'] == 'enabled'


def end_of(squad):
    while (item := squad.claim()) is not None:
        squad.settle(item).expect(200)


def test_a_stream_misses_nothing_of_a_store_that_fails(t):
    server = t.new_server()
    squad = Squad(t, server=server)
    executions = [squad.add(*chain('plan', 'build', 'test')) for _ in range(30)]
    end_of(squad)
    wanted = {e.id: list(range(1, e.show()['last_event'] + 1)) for e in executions}
    restart_with_faults(server, 3, calls=400)
    told, last = {e.id: [] for e in executions}, {}
    cut = 0

    def is_over(execution):
        nonlocal cut
        stream = Stream(t, f'/v1/executions/{execution.id}/events', last.get(execution.id), server.admin_key, server)
        if stream.status == 200:
            for last[execution.id], _, data in iter(stream.next, None):
                told[execution.id].append(data['number'])
        cut += stream.status == 503
        return stream.status == 204

    for _ in range(3):
        for execution in executions:
            last.pop(execution.id, None)
            told[execution.id].clear()
            until(lambda asked=execution: is_over(asked), 30, 'the end of a stream')
        assert told == wanted
    assert cut, 'some calls failed'


def test_the_servers_own_schedules_come_though_the_first_try_failed(t):
    server = t.new_server('--fault', 'busy@c1..12', start=False)
    server.start(wait_for='up')
    first = t.caller('first', server=server)
    own = lambda: [s['type'] for s in (first.get('/v1/schedules').json.get('items') or []) if s['builtin']]
    until(lambda: sorted(own()) == ['tf.archive', 'tf.counts', 'tf.health', 'tf.prices'], 30, 'the schedules')
