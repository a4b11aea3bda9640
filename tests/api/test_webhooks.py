"""Webhooks as a receiver sees them: signed, at least once, apart from each other, and never into the server's own network."""

import itertools
import os
import signal
import threading

from harness import Caller, until
from webhook_receiver import Receiver, closed_port, verify

ALLOW = ['--webhook-allow', '127.0.0.0/8']
COUNT = itertools.count()


class Site:
    """A server of this test's own that may send to this machine."""

    def __init__(self, t, *args, server=None):
        self.t = t
        self.server = server or t.new_server(*ALLOW, *args)
        self.operator = t.caller('operator', server=self.server)

    def webhook(self, url, **members):
        made = self.operator.post('/v1/webhooks', {'url': url, **members}).expect(201).json
        return {**made['webhook'], 'secret': made['secret']}

    def agent(self, handle=None, **members):
        handle = handle or f'told-{next(COUNT)}'
        return self.operator.post('/v1/agents', {'handle': handle, 'name': handle, **members}).expect(201).json['agent']

    def numbered(self, agent):
        """On PostgreSQL a change gets its number a moment after it was committed."""
        until(lambda: agent['id'] in [c['id'] for c in self.operator.get('/v1/changes', query={'limit': 1000}).expect(200).items])
        return agent

    def show(self, webhook):
        return self.operator.get(f'/v1/webhooks/{webhook["id"]}').expect(200).json

    def deliveries(self, webhook, **query):
        return self.operator.get(f'/v1/webhooks/{webhook["id"]}/deliveries', query=query).expect(200).items

    def delivery(self, delivery):
        return self.operator.get(f'/v1/webhook-deliveries/{delivery["id"]}').expect(200).json

    def ended(self, delivery, state='delivered', timeout_s=20):
        return until(lambda: (d := self.delivery(delivery))['state'] == state and d, timeout_s, state)

    def tried(self, delivery, attempts=1, timeout_s=30):
        """The delivery when its attempt is over."""
        return until(lambda: (d := self.delivery(delivery))['attempts'] >= attempts and d['last_at'] and d, timeout_s,
                     'the end of an attempt')

    def test(self, webhook):
        return self.operator.post(f'/v1/webhooks/{webhook["id"]}/test').expect(202).json


def test_what_happens_to_agents_is_told(t):
    site, receiver = Site(t), Receiver(t)
    before = site.numbered(site.agent())
    webhook = site.webhook(receiver.url)
    agent = site.agent(type='tool', tags=['billing'])
    site.operator.call('PATCH', f'/v1/agents/{agent["id"]}', {'name': 'Other'}).expect(200)
    site.operator.post(f'/v1/agents/{agent["id"]}/heartbeat').expect(200)
    site.operator.call('DELETE', f'/v1/agents/{agent["id"]}').expect(204)
    until(lambda: len(receiver.got) == 4)
    types = {g.event['type']: g for g in receiver.got}
    assert set(types) == {'agent.registered', 'agent.changed', 'agent.status', 'agent.deleted'}
    with t.case('each is signed, and a CloudEvent'):
        for got in receiver.got:
            assert verify(webhook['secret'], got.headers, got.body), got.headers
            assert not verify(webhook['secret'], got.headers, got.body + b' ')
            assert got.headers['content-type'].startswith('application/cloudevents+json')
            assert got.event['specversion'] == '1.0' and got.event['id'] == got.id
            assert got.event['subject'] == agent['id'] == got.event['data']['agent']
            assert got.event['source'].startswith('tenfold:t_') and got.event['time'].endswith('Z')
            assert got.headers['user-agent'].startswith('tenfold/')
    with t.case('what it says'):
        status = types['agent.status'].event['data']
        assert status['was'] == 'unknown' and status['status'] == 'online' and status['tags'] == ['billing']
        assert types['agent.registered'].event['data']['version'] == 1
    with t.case('not what was before'):
        assert before['id'] not in [g.event['subject'] for g in receiver.got]
    with t.case('deliveries are listed'):
        until(lambda: all(d['state'] == 'delivered' for d in site.deliveries(webhook)))
        listed = site.deliveries(webhook)
        assert {d['event'] for d in listed} == set(receiver.ids())
        assert all(d['status'] == 204 and d['attempts'] == 1 and d['error'] is None for d in listed)
        assert site.show(webhook)['waiting'] == 0 and site.show(webhook)['failures'] == 0
        assert site.delivery(listed[0])['data']['agent'] == agent['id']


def test_who_wants_what(t):
    site, receiver = Site(t), Receiver(t)
    everything, tools, others, nothing = [Receiver(t) for _ in range(4)]
    site.webhook(everything.url)
    site.webhook(tools.url, events=['agent.registered'], when=['/type=tool', '/tags=a', '/tags=b'])
    site.webhook(others.url, events=['agent.deleted'])
    site.webhook(nothing.url, when=['/type=assistant'])
    theirs = t.caller('operator', server=site.server, tenant='elsewhere')
    theirs.post('/v1/webhooks', {'url': receiver.url}).expect(201)
    agents = [site.agent(type='tool', tags=['b', 'c']), site.agent(type='tool'), site.agent(type='service', tags=['a'])]
    site.operator.call('DELETE', f'/v1/agents/{agents[0]["id"]}').expect(204)
    until(lambda: len(everything.got) == 4 and others.got)
    assert [g.event['subject'] for g in tools.got] == [agents[0]['id']]
    assert [g.event['type'] for g in others.got] == ['agent.deleted']
    assert nothing.got == [] and receiver.got == [], 'another tenant hears nothing'


def test_what_is_refused_names_its_member(t):
    site = Site(t)
    for url in ('ftp://example.org/x', 'example', 'https://', 'http://user:pw@example.org/', 'https://example.org/#x',
                'file:///etc/passwd', 'gopher://example.org', 'https://exa mple.org/'):
        with t.case(url):
            site.operator.post('/v1/webhooks', {'url': url}).expect(422, 'invalid').names('url')
    for members, field in [({'when': ['type=tool']}, 'when'), ({'when': ['/type']}, 'when'), ({'when': ['/a~2=x']}, 'when'),
                           ({'events': ['agent.eaten']}, 'events'), ({'events': ['agent.changed'] * 2}, 'events')]:
        with t.case(str(members)):
            answer = site.operator.post('/v1/webhooks', {'url': 'https://example.org/', **members})
            assert answer.status == 422 and field in answer.body.decode()
    with t.case('more than a hundred'):
        for _ in range(100):
            site.webhook('https://example.org/')
        assert 'at most 100' in site.operator.post('/v1/webhooks', {'url': 'https://example.org/'}).expect(409).json['detail']


# Spellings of addresses that a server must not call on behalf of others.
INSIDE = ['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255',
          '192.168.0.1', '169.254.169.254', '100.64.0.1', '192.0.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255',
          '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::ffff:169.254.169.254]', '[fe80::1]', '[fc00::1]',
          '[fd00:ec2::254]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[ff02::1]', '[2001:db8::1]', '[::127.0.0.1]']


def test_private_addresses_are_refused(t):
    server = t.new_server()
    site = Site(t, server=server)
    for host in INSIDE:
        with t.case(host):
            refused = site.operator.post('/v1/webhooks', {'url': f'http://{host}:80/'}).expect(422, 'invalid').json
            assert 'private network' in refused['detail'], refused
    with t.case('by name: it is the address that counts'):
        receiver = Receiver(t)
        webhook = site.webhook(receiver.url.replace('127.0.0.1', 'localhost'))
        tried = site.tried(site.test(webhook))
        assert tried['state'] == 'waiting' and tried['status'] is None and 'private network' in tried['error'], tried
        assert receiver.got == [] and tried['due_at']


def test_told_at_once(t):
    """Woken while it runs, the job runs again: nothing waits for its period of 5 s."""
    site, receiver = Site(t), Receiver(t)
    site.webhook(receiver.url)
    for _ in range(40):
        agent = site.agent()
        until(lambda: agent['id'] in [g.event['subject'] for g in receiver.got], 4)  # pylint: disable=cell-var-from-loop


def test_a_redirect_is_not_followed(t):
    site, inside = Site(t), Receiver(t)
    receiver = Receiver(t, lambda got: (302, {'Location': inside.url}, b''))
    tried = site.tried(site.test(site.webhook(receiver.url)))
    assert tried['status'] == 302 and tried['state'] == 'waiting' and inside.got == []


def test_bad_receivers(t):
    site = Site(t)
    garbage = Receiver(t, lambda got: b'\x00\x01garbage\r\n\r\n' * 10)
    heads = Receiver(t, lambda got: b'HTTP/1.1 200 OK\r\n' + b'X-Long: ' + b'x' * 1000 + b'\r\n' * 1 + (b'X-Y: ' + b'y' * 8000 + b'\r\n') * 20)
    large = Receiver(t, lambda got: (200, {'Content-Type': 'text/plain'}, b'x' * 10_000_000))
    binary = Receiver(t, lambda got: (500, {}, b'caf\xc3\xa9 \xff\x00 rest'))
    nobody = f'http://127.0.0.1:{closed_port()}/'
    tests = {name: site.test(site.webhook(url)) for name, url in
             [('garbage', garbage.url), ('heads', heads.url), ('large', large.url), ('binary', binary.url), ('nobody', nobody),
              ('unknown', 'http://no-such-host.invalid/'), ('tls', large.url.replace('http:', 'https:'))]}
    tried = {name: site.tried(test) for name, test in tests.items()}
    for name in ('garbage', 'heads', 'nobody', 'unknown', 'tls'):
        with t.case(name):
            assert tried[name]['state'] == 'waiting' and tried[name]['status'] is None and tried[name]['error'], tried[name]
    with t.case('ten megabytes are not read'):
        assert tried['large']['state'] == 'delivered' and tried['large']['answer'] == 'x' * 1024
    with t.case('what is text of an answer'):
        assert tried['binary']['status'] == 500 and tried['binary']['answer'] == 'café '
        assert tried['binary']['state'] == 'waiting' and tried['binary']['due_at']


def test_a_slow_receiver_delays_nobody_else(t):
    site, good = Site(t), Receiver(t)
    slow = [Receiver(t, lambda got: None) for _ in range(8)]
    for receiver in slow:
        site.webhook(receiver.url)
    webhook = site.webhook(good.url)
    agents = [site.agent() for _ in range(60)]
    until(lambda: len(good.got) == len(agents), 12, 'all of them at the good one')
    assert sum(len(r.got) for r in slow) >= 8, 'the slow ones were called'
    assert max(r.most for r in slow) <= 8, 'eight at once and no more'
    assert site.show(webhook)['failures'] == 0


def test_tried_again_until_it_works(t):
    site = Site(t)
    receiver = Receiver(t, lambda got: 503 if len(receiver.got) < 2 else 200)
    webhook = site.webhook(receiver.url)
    test = site.test(webhook)
    tried = site.tried(test)
    assert tried['status'] == 503 and site.show(webhook)['failures'] == 1 and site.show(webhook)['waiting'] == 1
    ended = site.ended(test)
    first, second = receiver.got
    assert ended['attempts'] == 2 and ended['due_at'] is None and first.id == second.id == ended['event']
    assert 3.9 <= second.at - first.at < 12, 'about five seconds later'
    assert verify(webhook['secret'], second.headers, second.body) and first.body == second.body
    shown = site.show(webhook)
    assert shown['failures'] == 0 and shown['waiting'] == 0


def test_retry_after_is_heeded(t):
    site = Site(t)
    receiver = Receiver(t, lambda got: (429, {'Retry-After': '3600'}, b'later'))
    tried = site.tried(site.test(site.webhook(receiver.url)))
    assert tried['due_at'] > tried['last_at'] and tried['answer'] == 'later'
    hours = int(tried['due_at'][11:13]) * 60 + int(tried['due_at'][14:16]) - int(tried['last_at'][11:13]) * 60 - int(tried['last_at'][14:16])
    assert hours % 1440 in (59, 60)


def test_410_disables(t):
    site = Site(t)
    receiver = Receiver(t, lambda got: 410)
    webhook = site.webhook(receiver.url)
    ended = site.ended(site.test(webhook), 'dead')
    shown = site.show(webhook)
    assert shown['state'] == 'disabled' and '410' in shown['reason'] and shown['waiting'] == 0
    site.numbered(site.agent())
    assert '410' in site.operator.post(f'/v1/webhooks/{webhook["id"]}/test').expect(409, 'conflict').json['detail']
    site.operator.post(f'/v1/webhook-deliveries/{ended["id"]}/replay').expect(409, 'conflict')
    receiver.answer = lambda got: 200
    site.operator.call('PATCH', f'/v1/webhooks/{webhook["id"]}', {'state': 'enabled'}).expect(200)
    site.agent(handle='after-410')
    until(lambda: any(g.event['type'] == 'agent.registered' for g in receiver.got))
    assert [g.event['data']['handle'] for g in receiver.of('agent.registered')] == ['after-410'], 'not what was between'
    assert site.show(webhook)['reason'] is None


def test_disabled_it_waits(t):
    site, receiver = Site(t), Receiver(t)
    webhook = site.webhook(receiver.url)
    until(lambda: site.ended(site.test(webhook)))
    receiver.answer = lambda got: 500
    test = site.test(webhook)
    site.tried(test)
    etag = site.operator.call('PATCH', f'/v1/webhooks/{webhook["id"]}', {'state': 'disabled'}).expect(200).headers['etag']
    site.operator.call('PATCH', f'/v1/webhooks/{webhook["id"]}', {'state': 'enabled'}, headers={'If-Match': '"1"'}).expect(412)
    receiver.answer = lambda got: 200
    site.operator.call('PATCH', f'/v1/webhooks/{webhook["id"]}', {'state': 'enabled'}, headers={'If-Match': etag}).expect(200)
    assert site.ended(test)['attempts'] == 2


def test_replay(t):
    site, receiver = Site(t), Receiver(t)
    webhook = site.webhook(receiver.url)
    test = site.ended(site.test(webhook))
    again = site.operator.post(f'/v1/webhook-deliveries/{test["id"]}/replay').expect(202).json
    assert again['state'] == 'waiting'
    until(lambda: len(receiver.got) == 2)
    ended = site.ended(test)
    assert ended['attempts'] == 2 and len(set(receiver.ids())) == 1, 'the same id: who has it already can tell'
    assert site.show(webhook)['waiting'] == 0
    with t.case('not while it is sent'):
        receiver.answer = lambda got: None
        test = site.test(webhook)
        until(lambda: len(receiver.got) == 3)
        site.operator.post(f'/v1/webhook-deliveries/{test["id"]}/replay').expect(409, 'conflict')


def test_secrets_rotate_with_overlap(t):
    site, receiver = Site(t), Receiver(t)
    webhook = site.webhook(receiver.url)
    renewed = site.operator.post(f'/v1/webhooks/{webhook["id"]}/secret', {}).expect(200).json
    assert renewed['secret'] != webhook['secret'] and renewed['old_secret_until'] == site.show(webhook)['old_secret_until']
    site.ended(site.test(webhook))
    got = receiver.got[-1]
    assert len(got.headers['webhook-signature'].split(' ')) == 2
    assert verify(renewed['secret'], got.headers, got.body) and verify(webhook['secret'], got.headers, got.body)
    last = site.operator.post(f'/v1/webhooks/{webhook["id"]}/secret', {'overlap_ms': 0}).expect(200).json
    assert last['old_secret_until'] is None
    site.ended(site.test(webhook))
    got = receiver.got[-1]
    assert verify(last['secret'], got.headers, got.body) and not verify(renewed['secret'], got.headers, got.body)
    with t.case('a secret is shown once'):
        for secret in (webhook['secret'], renewed['secret'], last['secret']):
            assert secret not in site.server.log() and secret not in str(site.show(webhook))


def test_lists_page(t):
    site = Site(t)
    made = [site.webhook('https://example.org/', description=str(i), when=[f'/type={i}'])['id'] for i in range(7)]
    seen, cursor = [], None
    while True:
        page = site.operator.get('/v1/webhooks', query={'limit': 3, **({'cursor': cursor} if cursor else {})}).expect(200).json
        seen += [w['id'] for w in page['items']]
        cursor = page['next_cursor']
        if not cursor:
            break
    assert seen == made[::-1]
    site.operator.call('DELETE', f'/v1/webhooks/{made[0]}').expect(204)
    site.operator.get(f'/v1/webhooks/{made[0]}').expect(404)
    changed = site.operator.call('PATCH', f'/v1/webhooks/{made[1]}', {'description': None, 'when': None, 'events': ['agent.deleted'], 'url': 'http://example.com/x'}).expect(200).json
    assert changed['description'] is None and changed['when'] == [] and changed['events'] == ['agent.deleted']
    assert changed['version'] == 2 and changed['url'] == 'http://example.com/x'
    site.operator.call('PATCH', f'/v1/webhooks/{made[1]}', {'url': 'http://[fd00::1]/'}).expect(422).names('url')


# ---- crashes ----

def test_killed_between_commit_and_send(t):
    """What was acknowledged before kill -9 is delivered after it, at least once."""
    receiver = Receiver(t)
    site = Site(t, '--owner-lease', '1s')
    webhook = site.webhook(receiver.url)
    agents = []
    for _ in range(4):
        agents += [site.agent()['id'] for _ in range(5)]
        site.server.kill()
        site.operator.close()
        site.server.start()
    missing = lambda: set(agents) - {g.event['subject'] for g in receiver.of('agent.registered')}
    until(lambda: not missing(), 60, 'all of them')
    per_agent = {}
    for got in receiver.of('agent.registered'):
        per_agent.setdefault(got.event['subject'], set()).add(got.id)
    assert all(len(ids) == 1 for ids in per_agent.values()), 'each is one event, however often it is sent'
    until(lambda: site.show(webhook)['waiting'] == 0, 60)


def test_killed_while_it_was_on_its_way(t):
    receiver = Receiver(t, lambda got: None)
    site = Site(t, '--owner-lease', '1s')
    webhook = site.webhook(receiver.url)
    test = site.test(webhook)
    until(lambda: receiver.got)
    site.server.kill()
    site.operator.close()
    receiver.answer = lambda got: 200
    site.server.start()
    ended = site.ended(test, timeout_s=60)
    assert ended['attempts'] == 2 and len(set(receiver.ids())) == 1


# ---- several processes ----

def test_two_processes_never_send_the_same_at_once(t):
    first, second = t.pair(*ALLOW, '--owner-lease', '2s')
    site = Site(t, server=first)
    other = Site(t, server=second)
    at_once, now, lock = [], {}, threading.Lock()

    def answer(got):
        with lock:
            now[got.id] = now.get(got.id, 0) + 1
            at_once.append(now[got.id])
        with lock:
            now[got.id] -= 1
        return 200

    receiver = Receiver(t, answer)
    site.webhook(receiver.url)
    agents = [(site if i % 2 else other).agent()['id'] for i in range(60)]
    until(lambda: {g.event['subject'] for g in receiver.of('agent.registered')} >= set(agents), 30)
    assert max(at_once) == 1
    assert len(receiver.got) == len(agents), 'and, as nobody died, once'
    with t.case('a test asked of either is sent at once'):
        webhook = other.webhook(receiver.url)
        other.ended(other.test(webhook), timeout_s=3)
    with t.case('another takes over'):
        first.kill()
        site.operator.close()
        agent = other.agent()['id']
        until(lambda: agent in [g.event['subject'] for g in receiver.of('agent.registered')], 30)


def test_a_process_that_slept_sends_nothing_that_is_anothers(t):
    first, second = t.pair(*ALLOW, '--owner-lease', '1s')
    site, other = Site(t, server=first), Site(t, server=second)
    receiver = Receiver(t)
    site.webhook(receiver.url)
    site.agent()
    until(lambda: receiver.got)
    os.kill(first.process.pid, signal.SIGSTOP)
    try:
        agents = [other.agent()['id'] for _ in range(10)]
        until(lambda: {g.event['subject'] for g in receiver.got} >= set(agents), 30)
    finally:
        os.kill(first.process.pid, signal.SIGCONT)
    until(lambda: site.operator.get('/v1/whoami').status == 200)
    more = [site.agent()['id'] for _ in range(10)]
    until(lambda: {g.event['subject'] for g in receiver.got} >= set(more), 30)
    assert len(receiver.ids()) == len(set(receiver.ids())), 'each once'
