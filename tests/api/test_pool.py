"""The pool of connections: it grows while calls wait, and nobody waits for ever."""

import threading
import time

from harness import until


def server_that_hangs(t, ms, *args):
    """One whose store takes so long for each call, and an item that it has."""
    server = t.new_server(*args)
    reader = t.caller('reader', server)
    item = t.caller('worker', server).add(t.type)
    server.stop()
    server.args += ['--fault', f'slow@*={ms}']
    server.start(wait_for='up')

    def hangs():   # the faults begin a moment after the start
        began = time.monotonic()
        refused = reader.get(f'/v1/work/{item["id"]}').status == 503
        return refused or time.monotonic() - began >= ms / 1000

    until(hangs, what='a slow answer')
    return server, item


def read_at_once(t, server, item, count):
    """So many reads of it in parallel; their answers, in the order they came."""
    worker, answers = t.caller('reader', server), []

    def read():
        answer = worker.get(f'/v1/work/{item["id"]}')
        answer.came = time.monotonic()
        answers.append(answer)

    threads = [threading.Thread(target=read) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_it_grows_while_calls_wait(t):
    server, item = server_that_hangs(t, 200, '--pool-size', '1', '--pool-overflow', '2')
    for answer in read_at_once(t, server, item, 6):
        answer.expect(200)
    assert server.metric('tenfold_store_connections_open ') == 3
    until(lambda: server.metric('tenfold_store_connections_busy ') == 0, what='rest')
    assert server.metric('tenfold_store_connection_wait_seconds_count') >= 6


def test_nobody_waits_for_ever_for_a_connection(t):
    """One gets the only connection, unless a background job has it."""
    server, item = server_that_hangs(t, 1500, '--pool-size', '1', '--pool-overflow', '0', '--pool-wait', '200ms')
    began = time.monotonic()
    answers = read_at_once(t, server, item, 3)
    late = [a for a in answers if a.status != 200]
    assert len(late) >= 2 and late == answers[:len(late)], [a.status for a in answers]
    for answer in late:
        answer.expect(503, 'overloaded')
        assert int(answer.headers['retry-after']) >= 1
        assert answer.came - began < 1.4, 'while the store was still hanging'
    assert server.metric('tenfold_store_connection_timeouts_total') >= len(late)
