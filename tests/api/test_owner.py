"""One process owns the queue: the second is refused or stands by, takes over, and the deposed cannot write."""

import json
import os
import shutil
import signal
import socket
import tempfile
import time

from harness import Caller, until


def refused(server):
    """Starts a server that must end by itself; its exit status and what it said."""
    server.start(wait_for=None)
    status = server.process.wait(20)
    server.process = None
    return status, server.log()


def test_a_second_server_on_one_data_directory(t):
    first = t.new_server()
    second = t.new_server(start=False, data=first.data, store_url=first.store_url)
    status, said = refused(second)
    assert status == 3, (status, said)
    assert str(first.process.pid) in said, f'it names who holds it: {said}'
    first.check_alive()
    with open(os.path.join(first.data, 'server.json'), encoding='utf-8') as f:
        assert json.load(f)['pid'] == first.process.pid, 'the first one\'s address still stands'


def test_a_second_server_on_one_sqlite_file(t):
    folder = tempfile.mkdtemp(prefix='tenfold-test.')
    t.cleanup.callback(shutil.rmtree, folder, True)
    url = f'sqlite:{folder}/shared.db'
    first = t.new_server(store='sqlite', store_url=url)
    status, said = refused(t.new_server(start=False, store='sqlite', store_url=url))
    assert status == 3, (status, said)
    assert str(first.process.pid) in said and 'shared.db' in said, said


def test_a_taken_port(t):
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', 0))
        holder.listen()
        port = holder.getsockname()[1]
        status, said = refused(t.new_server(start=False, listen=f'127.0.0.1:{port}'))
    assert status == 3 and f'127.0.0.1:{port}' in said, (status, said)
    with t.case('held by another tenfold'):
        host, port = t.server.address
        status, said = refused(t.new_server(start=False, listen=f'{host}:{port}'))
        assert status == 3 and str(port) in said, (status, said)


def test_a_crash_leaves_no_lock(t):
    server = t.new_server()
    item = t.caller('worker', server).add('x')
    server.kill()
    began = time.monotonic()
    server.start()
    took = time.monotonic() - began
    assert t.caller('worker', server).state(item) == 'ready'
    assert took < 3, f'ready after {took:.1f} s: a restart takes its own row back at once, not after the owner\'s lease'


def pair(t):
    """An owner and a standby, with a short lease."""
    return t.pair('--owner-lease', '2000')


def owns(server):
    """Does it own the queue itself? Standing by it is ready too, because it passes calls on."""
    return Caller(server).get('/health/ready').json['queue'] == 'ok'


def at(t, server, worker):
    """A worker's key at another process, which learns of it within two seconds."""
    there = t.anonymous(server)
    there.key = worker.key
    until(lambda: there.get('/v1/whoami').status == 200, 6, 'the key, at the other process')
    return there


def test_keys_and_tenants_of_one_process_at_the_other(t):
    first, second = pair(t)
    made = t.caller('admin', first).post('/v1/keys', {'name': 'x', 'scope': 'reader'}).expect(201).json
    there = t.anonymous(second)
    there.key = made['secret']
    until(lambda: there.get('/v1/whoami').status == 200, what='the new key')
    t.caller('admin', first).call('DELETE', f'/v1/keys/{made["id"]}').expect(204)
    until(lambda: there.get('/v1/whoami').status == 401, what='its revocation')
    reader = at(t, second, t.caller('reader', first, 'elsewhere'))
    assert reader.get('/v1/whoami').expect(200).json['tenant_name'] == 'elsewhere'
    admin = at(t, second, t.caller('first', first))
    t.caller('first', first).post('/v1/tenants', {'name': 'empty'}).expect(201)
    until(lambda: admin.get('/v1/whoami', headers={'X-Tenant': 'empty'}).status == 200, what='a tenant without keys')


def test_the_first_key_of_one_data_directory_at_the_other(t):
    first, second = pair(t)
    third = t.new_server(store_url=first.store_url)
    key = t.caller('first', third)
    assert key.key != t.caller('first', second).key
    until(lambda: at(t, second, key).get('/v1/whoami').status == 200, what='the new admin key')


def test_a_standby_takes_over_from_the_dead(t):
    first, second = pair(t)
    worker = t.caller('worker', first)
    worker.add('x', lease_ms=60000)
    claimed = worker.claim('x')[0]
    first.kill()
    began = time.monotonic()
    until(lambda: owns(second), 20, 'the take-over')
    assert time.monotonic() - began < 8
    there = at(t, second, worker)
    there.settle(claimed).expect(200)
    there.add('x')


def test_an_orderly_stop_hands_over_at_once(t):
    first, second = pair(t)
    first.stop()
    began = time.monotonic()
    until(lambda: owns(second), 10, 'the take-over')
    assert time.monotonic() - began < 2, 'the lease ends with the owner'


def test_the_deposed_cannot_write(t):
    first, second = pair(t)
    worker = t.caller('worker', first)
    worker.add('x')
    first.process.send_signal(signal.SIGSTOP)
    until(lambda: owns(second), 20, 'the take-over')
    first.process.send_signal(signal.SIGCONT)
    worker.close()
    answer = worker.post('/v1/work', {'type': 'x', 'title': 'from the deposed'})
    assert answer.status in (201, 503), answer.body     # passed on, or asked before it knew
    there = at(t, second, worker)
    assert len(there.get('/v1/work', query={'type': 'x'}).items) == 1 + (answer.status == 201)
    assert len(there.claim('x')) == 1, 'the new owner works'
    until(lambda: not owns(first), 10, 'the deposed one\'s standing by')


def test_a_newer_schema_is_refused(t):
    server = t.new_server()
    server.stop()
    server.sql("INSERT INTO schema_version (version, name, applied_ms) VALUES (9999, 'from the future', 0)")
    status, said = refused(server)
    assert status == 3 and '9999' in said, (status, said)
