"""Messages within executions: events that are appended, listed in order, of the tenant alone."""

import json
import threading

from test_events import Stream
from test_squads import Members


class Chat(Members):
    def __init__(self, t):
        super().__init__(t)
        self.ada, self.bob = self.add('tech_lead', name='ada')['id'], self.add('tester', name='bob')['id']
        self.execution = self.squad.add({'name': 'build'})
        self.messages = f'/v1/executions/{self.execution.id}/messages'

    def send(self, text='hello', caller=None, **more):
        return (caller or self.squad.worker).post(self.messages, {'text': text, **more})

    def say(self, text, **more):
        return self.send(text, **more).expect(201).json

    def listed(self, **query):
        return self.squad.operator.get(self.messages, query=query).expect(200)


def test_members_talk(t):
    chat = Chat(t)
    said = [chat.say('to all', **{'from': chat.ada}), chat.say('to bob', **{'from': chat.ada, 'to': chat.bob}), chat.say('from a person')]
    assert (said[0]['from'], said[0]['from_role'], said[0]['to']) == (chat.ada, 'tech_lead', None)
    assert (said[1]['to'], said[1]['to_name'], said[1]['to_role']) == (chat.bob, 'bob', 'tester')
    assert said[2]['from'] is None and said[2]['by'] == 'test worker'
    assert chat.listed().items == said
    assert [m['text'] for m in chat.listed(member=chat.ada).items] == ['to all', 'from a person']
    assert [m['text'] for m in chat.listed(member=chat.bob).items] == ['to all', 'to bob', 'from a person']
    with t.case('they are events of the execution'):
        stream = Stream(t, f'/v1/executions/{chat.execution.id}/events', key=chat.squad.operator.key)
        chat.execution.call('cancel').expect(200)
        told = [data for _, kind, data in iter(stream.next, None) if kind == 'message']
        assert [e['number'] for e in told] == [m['number'] for m in said]
        first = json.loads(told[0]['message'])
        assert first == {'from': chat.ada, 'from_name': 'ada', 'from_role': 'tech_lead', 'text': 'to all'}
    with t.case('they can be read after its end, and not be added to'):
        assert chat.listed().items == said
        chat.send().expect(409)


def test_messages_are_listed_by_pages(t):
    """The fourteenth defect: lists read everything and then cut it."""
    chat = Chat(t)
    said = []
    for n in range(7):
        said.append(chat.say(f'message {n}', **({'to': chat.bob} if n % 2 else {})))
        chat.squad.pause()
        chat.squad.resume()
    seen, cursor, pages = [], {}, 0
    while cursor is not None:
        page = chat.listed(limit=3, **cursor).json
        assert len(page['items']) <= 3
        seen += page['items']
        cursor, pages = {'cursor': page['next_cursor']} if page['next_cursor'] else None, pages + 1
    assert seen == said and pages == 3
    assert [m['number'] for m in chat.listed(limit=4, member=chat.ada).items] == [m['number'] for m in said[::2]]
    chat.squad.operator.get(chat.messages, query={'cursor': 'x'}).expect(422).names('cursor')


def test_messages_said_at_once_are_all_kept(t):
    """The fifth defect: what was logged at the same time was read, changed and written over."""
    chat = Chat(t)
    threads = [threading.Thread(target=lambda n=n, c=t.caller('worker'): [chat.send(f'{n}.{k}', caller=c).expect(201) for k in range(10)])
               for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listed = chat.listed(limit=200).items
    assert sorted(m['text'] for m in listed) == sorted(f'{n}.{k}' for n in range(8) for k in range(10))
    assert [m['number'] for m in listed] == sorted(m['number'] for m in listed)


def test_messages_are_not_of_other_tenants_and_squads(t):
    """The seventh defect: a list of messages crossed tenants, and members of any squad were taken."""
    chat, other = Chat(t), Chat(t)
    chat.say('secret')
    theirs = t.caller('admin', tenant='listeners')
    theirs.get(chat.messages).expect(404)
    theirs.post(chat.messages, {'text': 'x'}).expect(404)
    chat.send(**{'from': other.ada}).expect(422).names('from')
    chat.send(to=other.bob).expect(422).names('to')
    chat.send(**{'from': chat.ada, 'to': chat.ada}).expect(422).names('to')
    chat.squad.operator.post(f'/v1/squad-members/{chat.bob}/deactivate').expect(200)
    chat.send(to=chat.bob).expect(422).names('to')
    t.anonymous().get(chat.messages).expect(401)
    chat.send(caller=t.caller('reader')).expect(403)
    assert [m['text'] for m in chat.listed().items] == ['secret']


def test_messages_have_limits(t):
    chat = Chat(t)
    chat.send('').expect(422).names('text')
    chat.send('x' * 8193).expect(422).names('text')
    for n in range(120):
        chat.say(f'{n}')
    refused = chat.send('one more').expect(429, 'rate_limited')
    assert 1 <= int(refused.headers['retry-after']) <= 60
    assert len(chat.listed(limit=200).items) == 120
