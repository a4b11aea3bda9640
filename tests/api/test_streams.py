"""The promise of streams of executions, proved: whatever cuts them, wherever they resume, nothing is missed and nothing is
told twice."""

import contextlib
import http.server
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from harness import SLOW, Caller, Skip, until
from test_events import Stream
from test_executions import Squad, chain

CUTS = 1000 // SLOW
CHROMIUM = 'chromium'


class Reader:
    """A client that is cut after any byte. It keeps what was told completely, and the id of the last of it."""

    def __init__(self, path, key):
        self.path, self.key = path, key
        self.last_id, self.events, self.over = None, [], False

    def read(self, server, enough, quiet_s=0.02):
        """Connects, and hangs up when `enough` bytes came or nothing comes for a moment."""
        with socket.create_connection(server.address, 10 * SLOW) as s:
            resume = f'Last-Event-ID: {self.last_id}\r\n' if self.last_id else ''
            s.sendall(f'GET {self.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.key}\r\n{resume}\r\n'.encode())
            got = s.recv(4096)
            s.settimeout(quiet_s * SLOW)
            while len(got) < enough:
                try:
                    more = s.recv(min(65536, enough - len(got)))
                except TimeoutError:
                    break
                if not more:
                    break
                got += more
        self.take(got)

    def take(self, got):
        head, _, body = got.partition(b'\r\n\r\n')
        status = int(head.split()[1])
        self.over = status == 204
        assert status in (200, 204), got
        text = dechunked(body).decode(errors='replace')
        for block in text.split('\n\n')[:-1]:     # the last one is not complete
            self.take_block(dict(line.split(': ', 1) for line in block.split('\n') if ': ' in line))

    def take_block(self, fields):
        self.last_id = fields.get('id', self.last_id)
        if 'data' in fields:
            self.events.append((fields['event'], json.loads(fields['data'])))


def dechunked(body):
    out = b''
    while b'\r\n' in body:
        size, _, body = body.partition(b'\r\n')
        if not size:
            continue
        out += body[:int(size, 16)]
        body = body[int(size, 16):]
    return out


def told_once(reader, executions):
    """Each event of each execution, in order."""
    told = {}
    for _, data in reader.events:
        told.setdefault(data['execution'], []).append(data['number'])
    for execution in executions:
        assert told.get(execution.id) == list(range(1, execution.show()['last_event'] + 1)), execution.id
    assert len(told) == len(executions)


class Busy:
    """A squad whose executions run, one after the other, until it is told to stop."""

    def __init__(self, squad, *steps):
        self.squad, self.steps, self.executions, self.stopping = squad, steps, [], threading.Event()
        self.trouble = None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while not self.stopping.is_set():
                self.executions.append(self.squad.add(*self.steps))
                for _ in self.steps:
                    self.squad.settle(self.squad.claim(wait_ms=5000)).expect(200)
        except Exception as trouble:  # pylint: disable=broad-except
            self.trouble = trouble

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        if self.trouble:
            raise self.trouble


def cut_at_random(reader, servers, goes_on, seed):
    dice = random.Random(seed)
    cuts = 0
    while cuts < CUTS and goes_on():
        reader.read(dice.choice(servers), dice.randint(1, dice.choice([300, 3000])))
        cuts += 1
    return cuts


def drain(reader, servers, count):
    until(lambda: reader.read(servers[0], 8 << 20, 1) or len(reader.events) >= count, 60, 'the rest of the events')


def squad_cut(t, servers):
    squad = Squad(t, server=servers[0])
    reader = Reader(f'/v1/squads/{squad.id}/events', squad.operator.key)
    reader.read(servers[0], 1 << 20)    # from now on
    assert reader.last_id and not reader.events
    with Busy(squad, *chain('plan', 'build', 'test')) as busy:
        cuts = cut_at_random(reader, servers, lambda: True, 7)
    drain(reader, servers, sum(e.show()['last_event'] for e in busy.executions))
    told_once(reader, busy.executions)
    assert cuts == CUTS
    print(f'# {cuts} cuts, {len(busy.executions)} executions, {len(reader.events)} events')


def execution_cut(t, servers):
    squad = Squad(t, server=servers[0])
    execution = squad.add(*chain(*[f's{n}' for n in range(900)]))
    reader = Reader(f'/v1/executions/{execution.id}/events', squad.operator.key)
    over = threading.Event()

    def carry_out():
        item = squad.claim(wait_ms=5000)
        while item:
            squad.settle(item).expect(200)
            item = squad.claim()
        over.set()

    worker = threading.Thread(target=carry_out)
    worker.start()
    cuts = cut_at_random(reader, servers, lambda: True, 8)
    worker.join()
    drain(reader, servers, execution.show()['last_event'])
    told_once(reader, [execution])
    reader.read(servers[0], 1)
    assert over.is_set() and reader.over and cuts == CUTS
    print(f'# {cuts} cuts, {len(reader.events)} events')


def test_a_squad_is_told_once_over_a_thousand_cuts(t):
    squad_cut(t, [t.new_server()])


def test_an_execution_is_told_once_over_a_thousand_cuts(t):
    execution_cut(t, [t.new_server()])


def test_a_squad_is_told_once_over_cuts_between_two_processes(t):
    squad_cut(t, t.pair())


def test_an_execution_is_told_once_over_cuts_between_two_processes(t):
    execution_cut(t, t.pair())


def test_one_that_stands_by_begins_now(t):
    """Also where nobody listened for a while, or ever."""
    owner, other = t.pair()
    squad = Squad(t, server=owner)
    before = squad.add({'name': 'a'})
    squad.settle(squad.claim()).expect(200)
    stream = Stream(t, f'/v1/squads/{squad.id}/events', key=owner.admin_key, server=other)
    assert before.state == 'completed'
    after = squad.add({'name': 'a'})
    assert stream.next()[2]['execution'] == after.id


def test_one_cut_before_its_first_event_misses_none(t):
    squad = Squad(t)
    stream = Stream(t, f'/v1/squads/{squad.id}/events', key=squad.operator.key)
    place = [stream.line() for _ in range(2)][1]
    stream.close()
    execution = squad.add({'name': 'a'})
    again = Stream(t, f'/v1/squads/{squad.id}/events', key=squad.operator.key, last_event_id=place.removeprefix('id: '))
    assert again.next()[2]['execution'] == execution.id


def test_what_is_no_longer_kept_is_a_reset_with_where_things_stand(t):
    server = t.new_server()
    squad = Squad(t, server=server)
    path = f'/v1/squads/{squad.id}/events'
    old = squad.add({'name': 'a'})
    squad.settle(squad.claim()).expect(200)
    live = squad.add(*chain('plan', 'build'))
    last = old.show()['last_event']
    kept = Stream(t, path + '?from=start', key=server.admin_key, server=server).take(last + live.show()['last_event'])
    server.stop()
    server.sql('INSERT INTO execution_events_gone SELECT squad, max(seq) FROM execution_events WHERE execution IN '
               '(SELECT id FROM executions WHERE finished_ms > 0) GROUP BY squad')
    server.sql('DELETE FROM execution_events WHERE execution IN (SELECT id FROM executions WHERE finished_ms > 0)')
    server.start()
    squad.operator.close()
    squad.worker.close()
    stream = Stream(t, path, key=server.admin_key, server=server, last_event_id=kept[1][0])
    place, kind, data = stream.next()
    assert kind == 'reset' and data['squad'] == squad.id
    assert [(e['id'], e['state'], e['last_event']) for e in data['executions']] == [(live.id, 'queued', live.show()['last_event'])]
    squad.settle(squad.claim()).expect(200)
    count = live.show()['last_event'] - data['executions'][0]['last_event']
    rest = stream.take(count)
    assert [e[2]['number'] for e in rest] == list(range(data['executions'][0]['last_event'] + 1, live.show()['last_event'] + 1))
    with t.case('and from there it resumes'):
        assert Stream(t, path, key=server.admin_key, server=server, last_event_id=place).take(count) == rest
    with t.case('one behind what is gone is not reset'):
        assert Stream(t, path, key=server.admin_key, server=server, last_event_id=kept[-1][0]).take(count) == rest


def listen(stream, heard):
    with contextlib.suppress(TimeoutError):     # when there was nothing for long
        for event in iter(stream.next, None):
            heard.append(event)


def test_one_that_does_not_read_is_cut_and_resumes(t):
    server = t.new_server('--idle-timeout', '2s')
    squad = Squad(t, server=server)
    path = f'/v1/squads/{squad.id}/events'
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(20 * SLOW)
    slow.connect(server.address)
    slow.sendall(f'GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.admin_key}\r\n\r\n'.encode())
    until(lambda: server.metric('tenfold_event_stream_subscribers') == 1)
    quick = Stream(t, path, key=server.admin_key, server=server)
    heard, executions = [], []
    listener = threading.Thread(target=listen, args=(quick, heard), daemon=True)
    listener.start()
    for _ in range(150):
        executions.append(squad.add({'name': 'a', 'max_attempts': 1}))
        squad.settle(squad.claim(), 'fail', error='x' * 60000, retry=False).expect(200)
    total = sum(e.show()['last_event'] for e in executions)
    until(lambda: len(heard) == total, 20, 'all events at the quick one')
    until(lambda: server.metric('tenfold_event_stream_subscribers') == 1, 20, 'the end of the slow one')
    reader = Reader(path, server.admin_key)
    got = bytearray()
    try:
        for more in iter(lambda: slow.recv(1 << 20), b''):
            got += more
    except ConnectionResetError:
        pass
    slow.close()
    reader.take(bytes(got))
    cut_off = len(reader.events)
    assert cut_off < total, 'it was cut before it had all'
    drain(reader, [server], total)
    squad.operator.close()     # idle for too long, too
    told_once(reader, executions)
    assert [e[2]['number'] for e in heard] == [data['number'] for _, data in reader.events]
    print(f'# {cut_off} of {total} events before the cut')


# ---- a browser ----

PAGE = '''<!doctype html><meta charset=utf-8><script>
const heard = [];
const source = new EventSource('/v1/executions/EXECUTION/events');
const kinds = ['execution_started', 'status_update', 'task_status_updated', 'completed'];
for (const kind of kinds)
  source.addEventListener(kind, e => heard.push([e.lastEventId, JSON.parse(e.data).number]));
source.onerror = () => {
  if (source.readyState === EventSource.CLOSED)
    fetch('/heard', {method: 'POST', body: JSON.stringify(heard)});
};
</script>'''


TICKET_PAGE = '''<!doctype html><meta charset=utf-8><script>
const heard = [];
let last = 0, over = false;
async function follow() {
  const ticket = await (await fetch('/ticket')).text();
  const source = new EventSource(`/v1/executions/EXECUTION/events?from=${last}&ticket=${ticket}`);
  for (const kind of ['execution_started', 'status_update', 'task_status_updated', 'completed'])
    source.addEventListener(kind, e => {
      last = Number(e.lastEventId);
      over = kind === 'completed';
      heard.push([e.lastEventId, JSON.parse(e.data).number]);
    });
  source.onerror = () => {
    source.close();     // a ticket is good for once
    if (over)
      fetch('/heard', {method: 'POST', body: JSON.stringify(heard)});
    else
      follow();
  };
}
follow();
</script>'''


class Front(http.server.ThreadingHTTPServer):
    """What stands before a server for browsers: a page, and the calls passed on with a key. It cuts each stream but the last
    after some events."""

    daemon_threads = True

    def __init__(self, server, page, execution):
        super().__init__(('127.0.0.1', 0), FrontCall)
        self.upstream, self.page, self.key = server, page.replace('EXECUTION', execution.id), execution.squad.operator.key
        self.path = f'/v1/executions/{execution.id}/events'
        self.streams, self.resumed, self.heard = 0, [], None


class FrontCall(http.server.BaseHTTPRequestHandler):
    CUT_AFTER = [600, 900, 1200]

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.server.heard = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        self.send_response(204)
        self.end_headers()

    def do_GET(self):
        if self.path == '/':
            self.send_response(200)
            self.send_header('Content-Type', 'text/html')
            self.end_headers()
            self.wfile.write(self.server.page.encode())
        elif self.path == '/ticket':
            self.give_ticket()
        elif self.path.startswith('/v1/'):
            self.pass_on()
        else:
            self.send_error(404)

    def give_ticket(self):
        made = Caller(self.server.upstream, self.server.key).post('/v1/tickets', {'path': self.server.path}).expect(201)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(made.json['ticket'].encode())

    def pass_on(self):
        headers = {} if 'ticket=' in self.path else {'Authorization': f'Bearer {self.server.key}'}
        if self.headers['Last-Event-ID']:
            headers['Last-Event-ID'] = self.headers['Last-Event-ID']
        self.server.resumed.append(self.headers['Last-Event-ID'])
        upstream = self.server.upstream.connect()
        upstream.request('GET', self.path, headers=headers)
        answer = upstream.getresponse()
        self.send_response(answer.status)
        self.send_header('Content-Type', answer.getheader('Content-Type') or 'text/plain')
        self.end_headers()
        left = self.CUT_AFTER[self.server.streams] if self.server.streams < len(self.CUT_AFTER) else 1 << 30
        self.server.streams += 1
        while left > 0:
            more = answer.read1(left)
            if not more:
                break
            self.wfile.write(more)
            left -= len(more)
        upstream.close()


class Browser:
    def __init__(self, url):
        program = shutil.which(CHROMIUM)
        if not program:
            raise Skip('chromium is not installed')
        self.folder = tempfile.mkdtemp(prefix='tenfold-browser.')
        self.process = subprocess.Popen(
            [program, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
             '--disable-background-networking', '--remote-debugging-port=0', f'--user-data-dir={self.folder}', url],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)     # its own children, in a group of their own
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def heard_by_a_browser(t, page):
    squad = Squad(t)
    execution = squad.add(*chain('plan', 'build', 'test'))
    with Front(t.server, page, execution) as front:
        threading.Thread(target=front.serve_forever, daemon=True).start()
        try:
            with Browser('http://{}:{}/'.format(*front.server_address)):
                until(lambda: front.streams, 60, 'the browser')
                for _ in range(3):
                    squad.settle(squad.claim(wait_ms=5000)).expect(200)
                until(lambda: front.heard is not None, 60, 'the end in the browser')
        finally:
            front.shutdown()
    last = execution.show()['last_event']
    assert [number for _, number in front.heard] == list(range(1, last + 1)), front.heard
    assert [i for i, _ in front.heard] == [str(n) for n in range(1, last + 1)]
    return front, last


def test_a_browser_hears_everything_once(t):
    """The EventSource of a real one, over cuts in the middle of an event, until 204 tells it that all was heard."""
    front, last = heard_by_a_browser(t, PAGE)
    assert front.streams == 5 and front.resumed[0] is None and front.resumed[-1] == str(last), front.resumed


def test_a_browser_with_tickets_hears_everything_once(t):
    """Without any key: a ticket for each time that it opens the stream."""
    front, _ = heard_by_a_browser(t, TICKET_PAGE)
    assert front.streams == 4, front.streams
