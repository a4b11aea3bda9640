"""What people make load with when they do not have tenfold. Each is asked to do two things in the way its own manual
says: as much as it can over so many connections, and a steady rate, of which it reports percentiles.

hey and wrk are Debian's. autocannon, Locust and k6 are fetched by --peers into the build directory by npm, pip and Go.
What is not there is left out, and the page says so.
"""

import csv
import json
import os
import re
import shutil
import subprocess

from servers import BUILD, Unavailable

PEERS = os.path.join(BUILD, 'peers')
PACED_USERS = 20     # connections or users that share a steady rate
BUILD_S = 1800


class Generator:
    name = pacing = ''

    def __init__(self, folder):
        self.folder = folder

    def file(self, name, text=None):
        path = os.path.join(self.folder, f'{type(self).__name__.lower()}-{name}')
        if text is not None:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)
        return path

    def fetch(self):
        """Makes it available, by --peers."""

    def find(self):
        """Raises Unavailable."""

    def flood(self, url, users, seconds):
        """The command that keeps so many connections busy."""
        raise NotImplementedError

    def pace(self, url, rate, seconds):
        """The command that makes so many requests a second."""
        raise NotImplementedError

    def reported(self, output):
        """{p50, p95, p99, max: milliseconds} of a paced run, as it says them."""
        raise NotImplementedError


def program(name):
    path = shutil.which(name)
    if not path:
        raise Unavailable(f'{name} is not installed (apt-get install {name})')
    return path


def fetched(path, how):
    path = os.path.join(PEERS, path)
    if not os.path.exists(path):
        raise Unavailable(f'it is not in {os.path.relpath(PEERS)}: --peers fetches it {how}')
    return path


def run_fetch(name, *command, needs, env=None):
    if not shutil.which(needs):
        raise Unavailable(f'{needs} is not installed, which fetches {name}')
    os.makedirs(PEERS, exist_ok=True)
    print(f'  fetching {name}', flush=True)
    done = subprocess.run(command, cwd=PEERS, env={**os.environ, **(env or {})}, capture_output=True, text=True,
                          check=False, timeout=BUILD_S)
    if done.returncode:
        raise Unavailable(f'{needs} could not fetch {name}: {(done.stderr or done.stdout).strip()[-200:]}')


class Wrk(Generator):
    name, pacing = 'wrk', 'as fast as it can on {users} connections; it has no rates'

    def find(self):
        program('wrk')

    def flood(self, url, users, seconds):
        return ['wrk', '-t1', f'-c{users}', f'-d{seconds}s', url]

    def pace(self, url, rate, seconds):
        return ['wrk', '-t1', f'-c{PACED_USERS}', f'-d{seconds}s', '--timeout', '60s', '--latency', url]

    @staticmethod
    def ms(text):
        value, unit = re.fullmatch(r'([\d.]+)(us|ms|s|m)', text).groups()
        return float(value) * {'us': 1e-3, 'ms': 1, 's': 1e3, 'm': 6e4}[unit]

    def reported(self, output):
        at = {q: self.ms(re.search(rf'^\s+{q}%\s+(\S+)', output, re.M)[1]) for q in (50, 99)}
        return {'p50': at[50], 'p95': None, 'p99': at[99], 'max': self.ms(re.search(r'Latency\s+\S+\s+\S+\s+(\S+)', output)[1])}


class Hey(Generator):
    name, pacing = 'hey', '{users} workers with a rate each (`-q`)'

    def find(self):
        program('hey')

    def flood(self, url, users, seconds):
        return ['hey', '-c', str(users), '-z', f'{seconds}s', url]

    def pace(self, url, rate, seconds):
        return ['hey', '-c', str(PACED_USERS), '-q', str(rate // PACED_USERS), '-z', f'{seconds}s', url]

    def reported(self, output):
        at = {int(q): float(s) * 1e3 for q, s in re.findall(r'(\d+)%+ in ([\d.]+) secs', output)}
        return {'p50': at.get(50), 'p95': at.get(95), 'p99': at.get(99),
                'max': float(re.search(r'Slowest:\s+([\d.]+) secs', output)[1]) * 1e3}


class Autocannon(Generator):
    name, pacing = 'autocannon', '{users} connections with a rate (`-R`), which it corrects percentiles for'
    script = 'node_modules/autocannon/autocannon.js'

    def fetch(self):
        run_fetch('autocannon', 'npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix', '.', 'autocannon@8',
                  needs='npm')

    def find(self):
        program('node')
        fetched(self.script, 'by npm')

    def command(self, *words):
        return ['node', os.path.join(PEERS, self.script), *words]

    def flood(self, url, users, seconds):
        return self.command('-c', str(users), '-d', str(seconds), '--json', url)

    def pace(self, url, rate, seconds):
        return self.command('-c', str(PACED_USERS), '-R', str(rate), '-d', str(seconds), '--json', url)

    def reported(self, output):
        said = json.loads(output[output.index('{'):])['latency']
        return {'p50': said['p50'], 'p95': None, 'p99': said['p99'], 'max': said['max']}


class K6(Generator):
    """Its usual way, virtual users that sleep, and below the one that makes calls when they fall due."""

    name, pacing = 'k6', '{users} virtual users that sleep between calls'

    def fetch(self):
        run_fetch('k6', 'go', 'install', 'go.k6.io/k6@v1.8.1', needs='go', env={'GOBIN': os.path.join(PEERS, 'bin')})

    def find(self):
        fetched('bin/k6', 'by Go')

    def command(self, options, body):
        script = self.file('script.js', f'''import http from 'k6/http';
import {{ sleep }} from 'k6';
export const options = {json.dumps({'discardResponseBodies': True,
                                    'summaryTrendStats': ['med', 'p(95)', 'p(99)', 'max'], **options})};
export default function () {{ {body} }}
''')
        return [os.path.join(PEERS, 'bin', 'k6'), 'run', '--quiet', '--no-usage-report', '--summary-export',
                self.file('summary.json'), script]

    def flood(self, url, users, seconds):
        return self.command({'vus': users, 'duration': f'{seconds}s'}, f'http.get({json.dumps(url)});')

    def pace(self, url, rate, seconds):
        return self.command({'vus': PACED_USERS, 'duration': f'{seconds}s'},
                            f'http.get({json.dumps(url)}); sleep({PACED_USERS / rate});')

    def reported(self, output):
        with open(self.file('summary.json'), encoding='utf-8') as f:
            said = json.load(f)['metrics']['http_req_duration']
        return {'p50': said['med'], 'p95': said['p(95)'], 'p99': said['p(99)'], 'max': said['max']}


class K6Arrivals(K6):
    name, pacing = 'k6, open model', '`constant-arrival-rate`, with users to spare'

    def pace(self, url, rate, seconds):
        plan = {'executor': 'constant-arrival-rate', 'rate': rate, 'timeUnit': '1s', 'duration': f'{seconds}s',
                'preAllocatedVUs': PACED_USERS, 'maxVUs': rate * 10}
        return self.command({'scenarios': {'steady': plan}}, f'http.get({json.dumps(url)});')


class Locust(Generator):
    name, pacing = 'Locust', '{users} users of `constant_throughput`'

    def fetch(self):
        run_fetch('Locust', '/usr/bin/python3', '-m', 'venv', 'locust', needs='/usr/bin/python3')
        run_fetch('its libraries', os.path.join(PEERS, 'locust', 'bin', 'pip'), 'install', '--quiet', 'locust==2.47.0',
                  needs=os.path.join(PEERS, 'locust', 'bin', 'pip'))

    def find(self):
        fetched('locust/bin/locust', 'by pip')

    def command(self, url, users, seconds, wait):
        host, path = re.fullmatch(r'(http://[^/]+)(/.*)', url).groups()
        script = self.file('users.py', f'''from locust import FastHttpUser, constant_throughput, task

class Caller(FastHttpUser):
    {wait}
    @task
    def call(self):
        self.client.get({path!r})
''')
        return [os.path.join(PEERS, 'locust', 'bin', 'locust'), '-f', script, '--headless', '-u', str(users), '-r', str(users),
                '-t', f'{seconds}s', '-H', host, '--only-summary', '--csv', self.file('out')]

    def flood(self, url, users, seconds):
        return self.command(url, users, seconds, '')

    def pace(self, url, rate, seconds):
        return self.command(url, PACED_USERS, seconds, f'wait_time = constant_throughput({rate // PACED_USERS})')

    def reported(self, output):
        with open(self.file('out') + '_stats.csv', encoding='utf-8') as f:
            said = next(row for row in csv.DictReader(f) if row['Name'] == 'Aggregated')
        return {'p50': float(said['50%']), 'p95': float(said['95%']), 'p99': float(said['99%']),
                'max': float(said['Max Response Time'])}


class TenfoldClient(Generator):
    """The client by itself, as wrk is: no journeys."""

    name = "tenfold's client alone"

    def find(self):
        if not os.path.exists(os.path.join(BUILD, 'bench', 'client_bench')):
            raise Unavailable('bench/client_bench is not built')

    def flood(self, url, users, seconds):
        return [os.path.join(BUILD, 'bench', 'client_bench'), url, str(users), str(seconds)]


SCENARIO = {
    'tenfold_scenario': 1, 'name': 'one-get', 'about': 'Each session is one GET.', 'model': 'closed',
    'assumes': {'active_share': 1, 'calls_per_agent': 1}, 'schedule': {'sessions_per_week': 168},
    'outcomes': [{'name': 'answered', 'kind': 'completed'}, {'name': 'failed', 'kind': 'failed'}],
    'start': 'ask', 'states': [{'name': 'ask', 'steps': [{'name': 'get', 'request': {'method': 'GET', 'path': '/product'}}],
                                'end': 'answered'}]}


class TenfoldRun(Generator):
    """A population whose sessions are one GET each: with journeys, the engine and its counts, as k6 and Locust have."""

    name, pacing = 'tenfold sim run', '`--arrivals constant`, of response times'

    def find(self):
        if not os.path.exists(os.path.join(BUILD, 'tenfold')):
            raise Unavailable('it is not built')

    def command(self, url, users, *words):
        return [os.path.join(BUILD, 'tenfold'), 'sim', 'run', '--target', url.rsplit('/', 1)[0], '--agents', str(users),
                '--scenario', self.file('scenario.json', json.dumps(SCENARIO)), '--dir', self.file('run'), '--fresh',
                '--json', self.file('came.json'), '--time-scale', '1', '--rate', '0', '--warmup-cycles', '0',
                '--breaker-percent', '100', '--mock-db', '--dashboard', 'none', *words]

    def flood(self, url, users, seconds):
        return self.command(url, users, '--hours', str(seconds / 3600))

    def pace(self, url, rate, seconds):
        return self.command(url, rate * 10, '--arrivals', f'constant:{rate}', '--hours', str(seconds / 3600))

    def reported(self, output):
        with open(self.file('came.json'), encoding='utf-8') as f:
            said = next(e for e in json.load(f)['endpoints'] if e['name'] == '*')['response']
        return {q: said[q] for q in ('p50', 'p95', 'p99', 'max')}


GENERATORS = [TenfoldRun, TenfoldClient, Wrk, Hey, Autocannon, K6, Locust]
PACED = [TenfoldRun, Hey, Autocannon, K6, K6Arrivals, Locust]
