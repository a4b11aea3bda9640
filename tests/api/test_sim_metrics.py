"""--metrics: a run's figures for Prometheus, held against what the run itself says, and against promtool."""

import http.client
import re
import shutil
import socket
import subprocess

from harness import SLOW, NotHere, Skip, until
from sim import Process

LINE = re.compile(r'([a-z_0-9]+)(\{.*\})? (\S+)$')
MOCKED = ['--mock-api', '--time-scale', 'max', '--warmup-cycles', '0', '--rate', '0', '--agents', '200']


class Measured(Process):
    """A run with --metrics, and what it shows there."""

    def __init__(self, t, *words, **more):
        if t.store != 'sqlite':
            raise NotHere('no store has a part in it')
        super().__init__(t, *words, '--metrics', '0', **more)
        self.port = None

    def get(self, path='/metrics', method='GET'):
        if self.port is None:
            line = next(line for line in self.process.stdout if line.startswith('metrics '))
            self.port = int(re.search(r':(\d+)/metrics', line)[1])
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30 * SLOW)
        connection.request(method, path)
        answer = connection.getresponse()
        return answer, answer.read().decode()

    def figures(self):
        """{name: {labels: value}}"""
        answer, text = self.get()
        assert answer.status == 200 and answer.headers['Content-Type'].startswith('text/plain; version=0.0.4'), answer.status
        found = {}
        for line in text.splitlines():
            if not line.startswith('#'):
                name, labels, value = LINE.match(line).groups()
                found.setdefault(name, {})[labels or ''] = float(value)
        return found

    def settled(self):
        """Paused, with figures that were made since."""
        self.comes_to(lambda s: s['requests'] > 50, 'requests')
        self.ctl('pause')
        status = self.comes_to(lambda s: s['in_flight'] == s['under_way'] == 0 or s['state'] == 'paused', 'a pause')
        until(lambda: self.figures()['tenfold_sim_paused'][''] == 1, 30 * SLOW, 'figures of the pause')
        return status


def test_figures_are_those_of_the_run(t):
    run = Measured(t, *MOCKED)
    run.settled()
    status, figures = run.ctl('status'), run.figures()
    for name, value in (('requests_total', status['requests']), ('sessions_total', status['sessions']), ('cycle', status['cycle']),
                        ('failures_total', status['failures']), ('agents', 200), ('agents_admitted', status['admitted']),
                        ('requests_failed_total', status['requests_failed']), ('breaker_open', 0), ('breaker_trips_total', 0)):
        assert figures['tenfold_sim_' + name][''] == value, (name, value, figures['tenfold_sim_' + name])
    assert sum(figures['tenfold_sim_session_outcomes_total'].values()) == status['sessions']
    assert f'run="{status["run"]}"' in next(iter(figures['tenfold_sim_run_info']))
    assert figures['tenfold_sim_recorder_rows_total'][''] > 0 and figures['tenfold_sim_resident_memory_bytes'][''] > 1 << 20


def test_histograms_add_up(t):
    run = Measured(t, '--agents', '30', '--warmup-cycles', '0', '--time-scale', '3600')     # with a shop of its own
    run.settled()
    figures = run.figures()
    buckets = figures['tenfold_sim_response_seconds_bucket']
    endpoints = {re.search(r'endpoint="([^"]*)"', labels)[1] for labels in buckets}
    assert len(endpoints) >= 2, endpoints
    for endpoint in endpoints:
        counts = [n for labels, n in buckets.items() if f'endpoint="{endpoint}"' in labels]
        assert counts == sorted(counts) and len(counts) == 19, counts
        assert counts[-1] == figures['tenfold_sim_response_seconds_count'][f'{{endpoint="{endpoint}"}}'] > 0
        assert figures['tenfold_sim_response_seconds_sum'][f'{{endpoint="{endpoint}"}}'] > 0
    assert sum(figures['tenfold_sim_service_seconds_count'].values()) <= run.ctl('status')['requests']


def test_promtool_has_nothing_to_say(t):
    if not shutil.which('promtool'):
        raise Skip('promtool is not installed (Debian: prometheus)')
    run = Measured(t, *MOCKED)
    run.settled()
    check = subprocess.run(['promtool', 'check', 'metrics'], input=run.get()[1], capture_output=True, text=True, check=False)
    assert check.returncode == 0 and not check.stderr, check.stderr


def test_an_open_breaker_is_shown(t):
    with socket.socket() as nobody:
        nobody.bind(('127.0.0.1', 0))
        run = Measured(t, '--target', f'http://127.0.0.1:{nobody.getsockname()[1]}', '--mock-db')
        until(lambda: run.figures()['tenfold_sim_breaker_open'][''] == 1, 30 * SLOW, 'the breaker')
        figures = run.figures()
        assert figures['tenfold_sim_breaker_trips_total'][''] == 1 and figures['tenfold_sim_requests_total'][''] > 0


def test_nothing_else_is_served_and_only_to_this_machine(t):
    run = Measured(t, *MOCKED)
    assert run.get()[0].status == 200
    assert run.get('/')[0].status == 404 and run.get(method='DELETE')[0].status == 405
    with socket.socket() as outside:
        try:
            outside.connect((socket.gethostbyname(socket.gethostname()), run.port))
            assert outside.getpeername()[0].startswith('127.')
        except ConnectionRefusedError:
            pass


def test_a_port_that_is_taken_is_told_before_anything_begins(t):
    if t.store != 'sqlite':
        raise NotHere('no store has a part in it')
    with socket.create_server(('127.0.0.1', 0)) as taken:
        run = Process(t, *MOCKED, '--metrics', str(taken.getsockname()[1]))
        assert str(taken.getsockname()[1]) in run.ends(3)
