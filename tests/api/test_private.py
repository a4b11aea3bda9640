"""Agents that become private while others read them: who may not see them sees nothing, at no moment."""

import concurrent.futures
import threading

from test_agents import add


def test_who_goes_private_while_lists_are_read_is_shown_to_nobody_else(t):
    """A list reads which agents there are, and then what they are: an agent may have become private in between."""
    handles, stop, others = [f'shy-{i}' for i in range(8)], threading.Event(), t.caller('reader', tenant='peepers')
    for handle in handles:
        add(t, handle, visibility='public', name='shy', capabilities=['legal'])

    def leaks(path):
        seen = []
        while not stop.is_set():
            seen += [a['handle'] for a in others.get(path).expect(200).items if a['visibility'] != 'public']
        return seen

    paths = ['/v1/agents?visibility=public&limit=100', '/v1/capabilities/legal/agents?limit=100']
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(leaks, path) for path in paths]
        for turn in range(100):
            for handle in handles:
                t.operator.call('PATCH', f'/v1/agents/{handle}', {'visibility': 'public' if turn % 2 else 'tenant'})
        stop.set()
        assert [reader.result() for reader in readers] == [[]] * 2


def test_a_card_that_comes_as_its_agent_goes_private_is_shown_to_nobody_else(t):
    add(t, 'shy-card', visibility='public', card={'said': 'to all'})
    stop, others = threading.Event(), t.caller('reader', tenant='peepers')

    def leaks():
        seen = 0
        while not stop.is_set():
            seen += b'to us' in others.get('/v1/agents/shy-card/card').body
        return seen

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(leaks) for _ in range(2)]
        for turn in range(400):
            body = {'visibility': 'public', 'card': {'said': 'to all'}} if turn % 2 else {'visibility': 'tenant', 'card': {'said': 'to us'}}
            t.operator.call('PATCH', '/v1/agents/shy-card', body).expect(200)
        stop.set()
        assert [reader.result() for reader in readers] == [0, 0]
