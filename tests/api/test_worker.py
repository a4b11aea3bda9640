"""tenfold worker run: what a command is given, what becomes of its end, and that nothing is lost or run twice."""

import http.server
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
from datetime import datetime, timedelta, timezone

from harness import BINARY, SLOW, clean_env, until
from test_executions import Squad


class Worker:
    """`tenfold worker run` for one test: started on a type, ended with the test. `env` says where its server is."""

    def __init__(self, t, *command, server=None, flags=(), type_=None, env=None):
        self.server = server or t.server
        env = env or {'TENFOLD_URL': self.server.url, 'TENFOLD_KEY': t.caller('worker', self.server).key,
                      'TENFOLD_HOME': '/nonexistent'}
        kind = [] if type_ == '' else ['--type', type_ or t.type]
        self.errors = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen(
            [BINARY, 'worker', 'run', *kind, '--json', *flags, '--', *command],
            env=clean_env(**env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        t.cleanup.callback(self.end)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=30):
        """The exit status and the summary."""
        said, _ = self.process.communicate(timeout=timeout_s * SLOW)
        return self.process.returncode, json.loads(said) if said.strip() else None

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.errors.close()

    def complaints(self):
        self.errors.seek(0)
        return self.errors.read()


class Gate:
    """Commands wait at a named pipe until it is opened: `: <GATE` in a shell. Then it stays open."""

    def __init__(self, t):
        self.folder = tempfile.TemporaryDirectory()
        t.cleanup.callback(self.folder.cleanup)
        self.path = self.file('gate')
        os.mkfifo(self.path)
        self.t = t

    def open(self):
        # Who opens a pipe for reading waits for a writer; from now on there is one.
        self.t.cleanup.callback(os.close, os.open(self.path, os.O_RDWR))

    def file(self, name):
        return os.path.join(self.folder.name, name)


def run_all(t, *command, flags=()):
    """Works on what there is, and says what it did."""
    worker = Worker(t, *command, flags=['--until-empty', *flags])
    status, summary = worker.wait()
    assert status == 0, (status, summary, worker.complaints())
    return summary


def test_a_worker_of_a_squad(t):
    squad, other = Squad(t), Squad(t, 'others')
    execution = squad.add({'name': 'plan'}, {'name': 'build', 'needs': ['plan'], 'input': {'branch': 'main'}})
    theirs = other.add({'name': 'plan'})
    worker = Worker(t, 'cat', flags=['--until-empty', '--squad', squad.id], type_='')
    status, summary = worker.wait()
    assert (status, summary['completed']) == (0, 2), worker.complaints()
    assert execution.state == 'completed' and theirs.state == 'queued'
    assert json.loads(execution.step('build')['result']['output'])['input'] == {'branch': 'main'}
    status, _ = Worker(t, 'cat', flags=['--squad', squad.id]).wait()
    assert status == 2


def is_gone(pid):
    """Ended, whether or not somebody has reaped it."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as f:
            return f.read().rsplit(')', 1)[1].split()[0] == 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return True


def pid_in(path):
    until(lambda: os.path.exists(path) and os.path.getsize(path) > 1, what=path)
    with open(path, encoding='ascii') as f:
        return int(f.read())


def taken_port(t, address=('127.0.0.1', 0)):
    """Nobody can listen there and nobody answers, for as long as the test lasts."""
    holder = socket.socket()
    t.cleanup.callback(holder.close)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(address)
    return holder.getsockname()


def leased(t, type_, server=None):
    listed = t.caller('worker', server).get('/v1/work', query={'type': type_, 'state': 'leased', 'limit': 1000})
    return [x['id'] for x in listed.expect(200).items]



def test_what_is_told_of_a_failure_does_not_steer_a_terminal(t):
    item = t.worker.add(t.type, key='k\x1b[2J', max_attempts=1)
    worker = Worker(t, 'sh', '-c', "printf 'red \\033[31m\\n' >&2; exit 1", flags=['--until-empty'])
    worker.wait()
    said = worker.complaints()
    assert f'{item["id"]} k\\u001b[2J failed: exit status 1: red \\u001b[31m' in said and '\x1b' not in said, said

def test_the_command_gets_the_payload_and_the_item(t):
    payload = {'text': 'ünïcode', 'long': 'x' * 200000}
    item = t.worker.add(t.type, payload=payload, title='A title', key='k1',
                        trace='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')
    summary = run_all(t, 'sh', '-c', 'cat >"$0"; env | grep ^TENFOLD_WORK_ | sort', '/dev/stderr')
    assert summary['completed'] == 1, summary
    shown = t.worker.show(item)
    output = shown['result']['output']
    assert shown['result']['exit'] == 0
    assert output.endswith(
        'TENFOLD_WORK_ATTEMPT=1\n'
        f'TENFOLD_WORK_ID={item["id"]}\n'
        'TENFOLD_WORK_KEY=k1\n'
        'TENFOLD_WORK_TITLE=A title\n'
        'TENFOLD_WORK_TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n'
        f'TENFOLD_WORK_TYPE={t.type}\n'), output[-600:]
    again = t.worker.add(t.type, payload=payload)
    run_all(t, 'sh', '-c', 'cat | wc -c')
    assert int(t.worker.show(again)['result']['output']) == len(json.dumps(payload))


def test_a_command_need_not_read_its_payload(t):
    item = t.worker.add(t.type, payload={'long': 'x' * 200000})
    assert run_all(t, 'true')['completed'] == 1
    assert t.worker.state(item) == 'completed'


def test_exit_codes(t):
    for code, state, counted in [(0, 'completed', 'completed'), (75, 'scheduled', 'retried'), (3, 'failed', 'failed')]:
        with t.case(f'exit {code}'):
            item = t.worker.add(t.type, backoff={'kind': 'fixed', 'base_ms': 3600000})
            summary = run_all(t, 'sh', '-c', f'echo out; echo why >&2; exit {code}')
            shown = t.worker.show(item)
            assert shown['state'] == state and summary[counted] == 1, (shown, summary)
            if code:
                assert shown['failures'] == 1
            if code == 3:
                assert shown['error'] == 'exit status 3: why'
    with t.case('a signal'):
        item = t.worker.add(t.type)
        run_all(t, 'sh', '-c', 'kill -9 $$')
        assert t.worker.show(item)['error'] == 'killed by signal 9 (Killed)'
    with t.case('the last attempt of a retry has failed'):
        item = t.worker.add(t.type, max_attempts=1)
        assert run_all(t, 'sh', '-c', 'exit 75')['failed'] == 1
        assert t.worker.state(item) == 'failed'


def test_lines_of_progress(t):
    gate, item = Gate(t), t.worker.add(t.type)
    worker = Worker(t, 'sh', '-c', f'echo before; echo "::progress 40 compiling"; : <{gate.path}',
                    flags=['--until-empty'])
    until(lambda: t.worker.show(item)['progress'] == 40, what='40 percent')
    assert t.worker.show(item)['note'] == 'compiling'
    gate.open()
    assert worker.wait()[0] == 0
    assert t.worker.show(item)['result']['output'] == 'before\n'


def test_only_the_end_of_much_output_is_kept(t):
    item = t.worker.add(t.type)
    run_all(t, 'sh', '-c', 'seq 1 200000')
    output = t.worker.show(item)['result']['output']
    assert len(output) == 65536 and output.endswith('\n199999\n200000\n')
    binary = t.worker.add(t.type)
    run_all(t, 'head', '-c', '100000', '/dev/urandom')
    assert t.worker.state(binary) == 'completed'


def test_cancel_kills_the_whole_group(t):
    gate, item = Gate(t), t.worker.add(t.type)
    child = gate.file('child')
    worker = Worker(t, 'sh', '-c', f'sh -c \'echo $$ >{child}; : <{gate.path}\' & wait',
                    flags=['--until-empty', '--lease', '3s'])
    pid = pid_in(child)
    t.operator.post(f'/v1/work/{item["id"]}/cancel').expect(200)
    status, summary = worker.wait()
    assert status == 0 and summary['cancelled'] == 1 and summary['lost'] == 0, summary
    assert f'{item["id"]} was cancelled; its command was stopped' in worker.complaints(), worker.complaints()
    until(lambda: is_gone(pid), what='the end of the grandchild')
    assert t.worker.state(item) == 'cancelled'


def test_a_cancel_is_heard_at_once(t):
    """Through the session: not only when the lease is extended, which is after 20 s."""
    gate, item = Gate(t), t.worker.add(t.type)
    worker = Worker(t, 'sh', '-c', f'echo $$ >{gate.file("child")}; : <{gate.path}', flags=['--until-empty'])
    pid = pid_in(gate.file('child'))
    t.operator.post(f'/v1/work/{item["id"]}/cancel').expect(200)
    until(lambda: is_gone(pid), 5, 'the end of the command')
    assert worker.wait()[0] == 0


def begun_step(t, squad, server=None, **more):
    """A worker with the step of a new execution of the squad, and the process of its command."""
    gate, execution = Gate(t), squad.add({'name': 'build'}, {'name': 'ok?', 'kind': 'approval'}, **more)
    worker = Worker(t, 'sh', '-c', f'echo $$ >{gate.file("child")}; : <{gate.path}', server=server, type_='',
                    flags=['--until-empty', '--squad', squad.id])
    return execution, worker, pid_in(gate.file('child'))


def ends_within_a_second(worker, pid):
    until(lambda: is_gone(pid), 1, 'the end of the command')
    status, summary = worker.wait()
    assert (status, summary['cancelled'], summary['lost']) == (0, 1, 0), worker.complaints()


def test_the_end_of_an_execution_reaches_its_commands_within_a_second(t):
    squad = Squad(t)
    with t.case('cancelled'):
        execution, worker, pid = begun_step(t, squad)
        execution.call('cancel').expect(200)
        ends_within_a_second(worker, pid)
    with t.case('failed by a step beside it'):
        execution, worker, pid = begun_step(t, squad)
        execution.call('approve', {'step': execution.step('ok?')['id'], 'approve': False}).expect(200)
        ends_within_a_second(worker, pid)
    with t.case('its deadline passed'):
        execution, worker, pid = begun_step(t, squad, deadline=(datetime.now(timezone.utc) + timedelta(seconds=3 * SLOW)).isoformat())
        until(lambda: execution.state == 'failed')
        ends_within_a_second(worker, pid)


def test_a_cancel_is_heard_through_a_server_that_stands_by(t):
    owner, other = t.pair()
    squad = Squad(t, server=owner)
    execution, worker, pid = begun_step(t, squad, server=other)
    execution.call('cancel').expect(200)
    ends_within_a_second(worker, pid)


def test_who_ignores_sigterm_is_killed_after_the_grace(t):
    gate, item = Gate(t), t.worker.add(t.type)
    child = gate.file('child')
    worker = Worker(t, 'sh', '-c', f'trap "" TERM; echo $$ >{child}; : <{gate.path}',
                    flags=['--until-empty', '--lease', '3s', '--grace', '200ms'])
    pid = pid_in(child)
    t.operator.post(f'/v1/work/{item["id"]}/cancel').expect(200)
    assert worker.wait()[0] == 0
    assert is_gone(pid)


def test_a_lost_lease_kills(t):
    """A worker that slept through its lease: the successor is not disturbed."""
    gate = Gate(t)
    item = t.worker.add(t.type, backoff={'kind': 'fixed', 'base_ms': 0})
    worker = Worker(t, 'sh', '-c', f'echo $$ >{gate.file("child")}; : <{gate.path}',
                    flags=['--lease', '1s', '--until-empty'])
    pid = pid_in(gate.file('child'))
    worker.signal(signal.SIGSTOP)
    taken = until(lambda: t.worker.claim(t.type, agent='successor', wait_ms=5000, lease_ms=60000), 15, 'the lapse')
    worker.signal(signal.SIGCONT)
    status, summary = worker.wait()
    assert status == 0 and summary['lost'] == 1 and summary['cancelled'] == 0 and is_gone(pid), summary
    said = f'{item["id"]} is no longer ours (its lease ran out); its command was stopped'
    assert said in worker.complaints(), worker.complaints()
    t.worker.settle(taken[0], result='mine').expect(200)
    assert t.worker.show(item)['result'] == 'mine'


def test_an_item_over_its_deadline_stops_its_command(t):
    gate, end = Gate(t), datetime.now(timezone.utc) + timedelta(seconds=3 * SLOW)
    item = t.worker.add(t.type, deadline=end.isoformat(timespec='milliseconds'))
    worker = Worker(t, 'sh', '-c', f'echo $$ >{gate.file("child")}; : <{gate.path}', flags=['--until-empty'])
    pid = pid_in(gate.file('child'))
    status, summary = worker.wait()
    assert status == 0 and summary['lost'] == 1 and is_gone(pid), summary
    assert f'{item["id"]} is no longer ours (its deadline passed, or' in worker.complaints(), worker.complaints()


def test_a_result_that_comes_after_the_cancel_is_told(t):
    server = StandIn(t, {'/v1/work/claim': [(200, {'items': [StandIn.item(1)]}), NOTHING],
                         '/v1/work/settle': [(200, {'items': [{'id': StandIn.item(1)['id'], 'error': {
                             'code': 'cancelled', 'detail': 'the item was cancelled'}}]})]})
    done, summary = server.work('true')
    assert summary['cancelled'] == 1 and summary['lost'] == 0 and 'is not wanted: the item was cancelled' in done.stderr, done


def test_leases_are_extended_while_the_command_runs(t):
    gate, item = Gate(t), t.worker.add(t.type)
    worker = Worker(t, 'sh', '-c', f'echo $$ >{gate.file("child")}; : <{gate.path}',
                    flags=['--lease', '1s', '--until-empty'])
    pid_in(gate.file('child'))
    first = t.worker.show(item)['lease_until']
    until(lambda: t.worker.show(item)['lease_until'] > first, what='a later end of the lease')
    assert t.worker.claim(t.type, wait_ms=1500) == []
    gate.open()
    assert worker.wait()[1]['completed'] == 1
    assert t.worker.show(item)['attempt'] == 1


def test_sigterm_drains(t):
    gate = Gate(t)
    running = t.worker.add(t.type)
    worker = Worker(t, 'sh', '-c', f'echo $$ >{gate.file("child")}; : <{gate.path}')
    pid_in(gate.file('child'))
    worker.signal(signal.SIGTERM)
    until(lambda: 'finishing 1 item' in worker.complaints(), what='the word of the worker')
    waiting = t.worker.add(t.type)
    gate.open()
    status, summary = worker.wait()
    assert status == 143 and summary['completed'] == 1, (status, summary)
    assert t.worker.state(running) == 'completed' and t.worker.state(waiting) == 'ready'


def test_an_idle_worker_stops_at_once(t):
    for number, status in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
        with t.case(str(status)):
            item = t.worker.add(t.type)
            worker = Worker(t, 'true')
            until(lambda: t.worker.state(item) == 'completed', what='one item')  # noqa: B023
            worker.signal(number)
            assert worker.wait(5)[0] == status


def test_a_second_signal_gives_items_back(t):
    gate, item = Gate(t), t.worker.add(t.type)
    worker = Worker(t, 'sh', '-c', f'echo $$ >{gate.file("child")}; : <{gate.path}')
    pid = pid_in(gate.file('child'))
    worker.signal(signal.SIGTERM)
    until(lambda: 'finishing' in worker.complaints(), what='the word of the worker')
    worker.signal(signal.SIGTERM)
    status, summary = worker.wait()
    assert status == 143 and summary['released'] == 1, (status, summary)
    shown = t.worker.show(item)
    assert shown['state'] == 'ready' and shown['failures'] == 0 and is_gone(pid), shown


def test_a_killed_worker_loses_its_items_at_once(t):
    gate, item = Gate(t), t.worker.add(t.type)
    worker = Worker(t, 'sh', '-c', f'echo $$ >{gate.file("child")}; : <{gate.path}')
    pid = pid_in(gate.file('child'))
    worker.signal(signal.SIGKILL)
    until(lambda: t.worker.state(item) == 'ready', 5, 'the release (the lease lasts a minute)')
    assert t.worker.show(item)['failures'] == 0
    until(lambda: is_gone(pid), 5, 'the end of the command')


def test_results_outlive_the_server(t):
    """The server dies while a command runs, and comes back after it has ended."""
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)   # the same one again
    gate, item = Gate(t), t.caller('worker', server).add(t.type)
    worker = Worker(t, 'sh', '-c', f'echo $$ >{gate.file("child")}; : <{gate.path}; echo done',
                    server=server, flags=['--until-empty'])
    pid = pid_in(gate.file('child'))
    server.kill()
    gate.open()
    until(lambda: is_gone(pid), what='the end of the command')
    until(lambda: 'trying again until it answers' in worker.complaints(), what='the word of the worker')
    server.start()
    status, summary = worker.wait(60)
    assert status == 0 and summary['completed'] == 1, (status, summary, worker.complaints())
    shown = t.caller('worker', server).show(item)
    assert shown['state'] == 'completed' and shown['attempt'] == 1 and shown['result']['output'] == 'done\n', shown


def test_a_restart_in_order_takes_no_item_away(t):
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)
    gate, item = Gate(t), t.caller('worker', server).add(t.type)
    worker = Worker(t, 'sh', '-c', f'echo $$ >{gate.file("child")}; : <{gate.path}', server=server,
                    flags=['--until-empty'])
    pid_in(gate.file('child'))
    server.stop()
    server.start()
    # With its new session it asks which of its leases are left.
    until(lambda: server.metric('tenfold_http_requests_total{route="work_extend",status="2xx"}'), what='the worker')
    gate.open()
    status, summary = worker.wait()
    assert status == 0 and summary['completed'] == 1, (status, summary, worker.complaints())
    assert t.caller('worker', server).show(item)['attempt'] == 1


def test_a_server_that_comes_back_on_another_port_is_found(t):
    server = t.new_server()
    worker = Worker(t, 'true', server=server, env={'TENFOLD_HOME': server.data})
    first = t.caller('worker', server).add(t.type)
    until(lambda: t.caller('worker', server).state(first) == 'completed', what='the first item')
    server.kill()
    taken_port(t, server.address)
    until(lambda: 'trying again' in worker.complaints(), what='the word of the worker')
    assert worker.complaints().rstrip().endswith("; start it with 'tenfold serve'; Ctrl-C ends this"), worker.complaints()
    server.start()
    second = t.caller('worker', server).add(t.type)
    until(lambda: t.caller('worker', server).state(second) == 'completed', 30, 'the second item')
    assert f'{server.url} answers again' in worker.complaints(), worker.complaints()


def test_a_worker_of_a_squad_may_be_there_before_its_server(t):
    """It looks at its squad first, and would have ended."""
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)   # the same one again
    squad = Squad(t, server=server)
    execution, key = squad.add({'name': 'build'}), t.caller('worker', server).key
    server.kill()
    worker = Worker(t, 'true', type_='', flags=['--until-empty', '--squad', squad.id],
                    env={'TENFOLD_URL': server.url, 'TENFOLD_KEY': key, 'TENFOLD_HOME': '/nonexistent'})
    until(lambda: 'trying again' in worker.complaints(), what='the word of the worker')
    squad.operator.close()
    server.start()
    status, summary = worker.wait(60)
    assert status == 0 and summary['completed'] == 1, (status, summary, worker.complaints())
    assert execution.state == 'completed'


def test_a_worker_may_be_there_before_its_server(t):
    """Where a crashed server was is all it knows at first; the key is made by the server."""
    server = t.new_server(start=False)
    address, port = taken_port(t)
    with open(os.path.join(server.data, 'server.json'), 'w', encoding='utf-8') as f:
        json.dump({'url': f'http://{address}:{port}', 'pid': 1}, f)
    worker = Worker(t, 'true', server=server, env={'TENFOLD_HOME': server.data})
    until(lambda: 'trying again' in worker.complaints(), what='the word of the worker')
    server.start()
    item = t.caller('first', server).add(t.type)
    until(lambda: t.caller('first', server).state(item) == 'completed', 30, 'the item')


class StandIn:
    """A server that plays a script: {(method, path): [answer, …]}, the last of them again and again. An answer is
    (status, JSON) or (status, JSON, headers), or 'hang up'. What was asked is in `asked`."""

    def __init__(self, t, script):
        self.script, self.asked = script, []
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def answer(self):
                body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
                path = self.path.split('?')[0]
                stand_in.asked.append((path, json.loads(body) if body else None))
                answers = stand_in.script.get(path, [(404, stand_in.problem('no_route'))])
                said = answers.pop(0) if len(answers) > 1 else answers[0]
                if said == 'hang up':
                    self.close_connection = True
                    return
                text = json.dumps(said[1]).encode()
                self.send_response(said[0])
                for name, value in (said[2] if len(said) > 2 else {}).items():
                    self.send_header(name, value)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer   # noqa: N815

            def log_message(self, *_):   # pylint: disable=arguments-differ
                pass

        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()
        t.cleanup.callback(server.server_close)
        t.cleanup.callback(server.shutdown)
        self.url = f'http://127.0.0.1:{server.server_port}'

    @staticmethod
    def problem(code):
        return {'type': f'/problems/{code}', 'title': code, 'status': 400, 'code': code}

    @staticmethod
    def item(number):
        return {'id': f'w_000000000000{number}', 'type': 'x', 'attempt': 1, 'token': f'token{number}',
                'lease_until': '2030-01-01T00:00:00.000Z'}

    def work(self, *command):
        done = subprocess.run([BINARY, 'worker', 'run', '--until-empty', '--concurrency', '8', '--json', '--', *command],
                              env=clean_env(TENFOLD_URL=self.url, TENFOLD_KEY='tf_x', TENFOLD_HOME='/nonexistent'),
                              capture_output=True, text=True, check=False, timeout=30 * SLOW)
        return done, json.loads(done.stdout)

    def settled(self):
        return [[(x['token'], x['outcome']) for x in body['items']] for path, body in self.asked if path.endswith('settle')]


NOTHING = (200, {'items': []})


def test_servers_that_are_not_at_their_best(t):
    two = (200, {'items': [StandIn.item(1), StandIn.item(2)]})
    both = (200, {'items': [{'id': StandIn.item(n)['id'], 'state': 'completed'} for n in (1, 2)]})
    with t.case('one without sessions'):
        server = StandIn(t, {'/v1/work/claim': [two, NOTHING], '/v1/work/settle': [both]})
        done, summary = server.work('true')
        assert done.returncode == 0 and summary['completed'] == 2, done
        assert 'session' not in server.asked[1][1]
    with t.case('one that is overloaded at first'):
        busy = (503, StandIn.problem('overloaded'), {'Retry-After': '0'})
        server = StandIn(t, {'/v1/work/claim': [busy, busy, two, NOTHING], '/v1/work/settle': [busy, both]})
        done, summary = server.work('true')
        assert summary['completed'] == 2 and 'answers again' in done.stderr, done
    with t.case('one whose answer to a settle is lost'):
        server = StandIn(t, {'/v1/work/claim': [two, NOTHING], '/v1/work/settle': ['hang up', both]})
        _, summary = server.work('true')
        first, second = server.settled()[:2]
        assert summary['completed'] == 2 and set(first) <= set(second), server.settled()
    with t.case('one that refuses a settle as a whole: entry by entry'):
        one = [(200, {'items': [{'id': StandIn.item(n)['id'], 'state': 'completed'}]}) for n in (1, 2)]
        refused = (400, StandIn.problem('malformed'))
        server = StandIn(t, {'/v1/work/claim': [two, NOTHING], '/v1/work/settle': [refused, refused, *one]})
        done, summary = server.work('true')
        assert done.returncode == 0 and summary['completed'] + summary['lost'] == 2 and summary['lost'] == 1, done
    with t.case('one that says it is not well'):
        server = StandIn(t, {'/health/ready': [(503, {'status': 'failing', 'detail': 'no disk', 'version': '1'})]})
        done = subprocess.run([BINARY, 'health', '--url', server.url], capture_output=True, text=True, check=False)
        assert done.returncode == 3 and 'is failing: no disk' in done.stderr, done
    with t.case('one that is something else'):
        server = StandIn(t, {'/v1/work/claim': [(200, {'jobs': []})]})
        done, _ = server.work('true')
        assert done.returncode == 3 and 'not understood' in done.stderr, done
        assert len([x for x in server.asked if x[0] == '/v1/work/claim']) == 1


def test_a_newer_server_may_say_more(t):
    more = {'since': 'version 9', 'shards': [{'n': 1}]}
    items = (200, {'items': [{**StandIn.item(1), **more}], **more})
    settled = (200, {'items': [{'id': StandIn.item(1)['id'], 'state': 'completed', **more}], **more})
    server = StandIn(t, {'/v1/work/claim': [items, (200, {'items': [], **more})], '/v1/work/settle': [settled],
                         '/v1/work': [(200, {'items': [], 'next_cursor': None, **more})],
                         '/v1/keys': [(403, {**StandIn.problem('forbidden'), 'detail': 'it is late', **more})],
                         '/health/ready': [(503, {'status': 'failing', 'detail': 'no disk', 'version': '9', **more})]})
    done, summary = server.work('true')
    assert done.returncode == 0 and summary['completed'] == 1, done

    def said(*words):
        return subprocess.run([BINARY, *words, '--url', server.url], capture_output=True, text=True, check=False)

    assert said('work', 'list').stdout == '(none)\n'
    assert 'it is late' in said('key', 'list').stderr
    assert 'no disk' in said('health').stderr


def test_fifty_at_once(t):
    gate = Gate(t)
    for _ in range(120):
        t.worker.add(t.type)
    worker = Worker(t, 'sh', '-c', f'touch {gate.folder.name}/$TENFOLD_WORK_ID; : <{gate.path}',
                    flags=['--until-empty', '--concurrency', '50'])
    until(lambda: len(os.listdir(gate.folder.name)) == 51, 30, 'fifty running')
    assert len(leased(t, t.type)) == 50
    settles = 'tenfold_http_requests_total{route="work_settle",status="2xx"}'
    before = t.server.metric(settles)
    gate.open()
    status, summary = worker.wait()
    assert status == 0 and summary['completed'] == 120, summary
    assert t.server.metric(settles) - before < 120, 'results are settled in batches'


def test_until_empty_ends_with_a_summary(t):
    for _ in range(20):
        t.worker.add(t.type)
    summary = run_all(t, 'true', flags=['--concurrency', '4'])
    assert summary['completed'] == 20 and summary['failed'] == 0 and summary['items_per_s'] > 0, summary
    assert run_all(t, 'true')['completed'] == 0


def test_what_cannot_work_is_said_at_once(t):
    with t.case('no such command'):
        worker = Worker(t, 'no-such-command-anywhere')
        assert worker.wait(5) == (2, None)
        assert "there is no command 'no-such-command-anywhere'" in worker.complaints()
    with t.case('a key that may not'):
        done = subprocess.run([BINARY, 'worker', 'run', '--', 'true'], capture_output=True, text=True, check=False,
                              env=clean_env(TENFOLD_URL=t.server.url, TENFOLD_KEY=t.caller('reader').key),
                              timeout=20 * SLOW)
        assert done.returncode == 1 and 'worker' in done.stderr, done
        assert done.stderr.count('\n') == 1, done.stderr
