"""The part `sim`: the simulator beside load generators, on the same server in the same run.

    load     as many requests as fit over 64, 1,000 and 10,000 connections: what nginx counted in a window after all were
             open, and what the generator used meanwhile: processor time, and memory at its most
    stall    a steady rate against a server that stands still for six seconds: what each reports, beside the truth
    agents   populations that send and write nothing, as fast as they go: memory by agents, agent-steps a second; and the
             372 of the default run for real

With --peers what Debian does not have is fetched first.
"""

import json
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time

import generators
import machine
import report
from nginx import Nginx
from servers import BUILD, Unavailable

HOURS = 24
CONNECTIONS = [64, 1000, 10000]
SERVER_CORE, GENERATOR_CORE = 0, 1
LONG_S = 600          # nobody's run ends by itself before it is measured
OPEN_S = 30           # until all are connected and at work
STALL_S, RATE, STEADY_S, STALL_AFTER_S = 6, 400, 30, 12
BUSY = 0.95           # of its core: then the server was the limit
NEARLY = 0.9          # of the connections
USED_TIMES = 3
OURS = generators.TenfoldRun.name
DESCRIPTORS_SPARE = 100


class Plan:
    def __init__(self, quick):
        self.rounds = {64: 1, 1000: 1, 10000: 1} if quick else {64: 3, 1000: 3, 10000: 2}
        self.warm_s, self.window_s = (0.3, 1) if quick else (0.5, 3)
        self.agents = [1000, 10000, 100000] if quick else [1000, 10000, 100000, 1000000]
        self.stall = {'seconds': STEADY_S / 3, 'stall': STALL_S / 3, 'after': STALL_AFTER_S / 3} if quick else \
            {'seconds': STEADY_S, 'stall': STALL_S, 'after': STALL_AFTER_S}

    def runs(self, agents):
        return 1 if agents > 100000 else 3


class Bench:
    def __init__(self, folder, quick, peers):
        self.folder, self.plan, self.left_out, self.others = folder, Plan(quick), {}, []
        self.log = os.path.join(folder, 'output')
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.most = hard if hard != resource.RLIM_INFINITY else soft
        if peers:
            self.fetch()

    def fetch(self):
        for kind in generators.GENERATORS:
            try:
                self.find(kind)
            except Unavailable:
                try:
                    kind(self.folder).fetch()
                except Unavailable as why:
                    print(f'  {kind.name}: {why}', flush=True)

    def find(self, kind):
        one = kind(self.folder)
        one.find()
        return one

    def those_of(self, kinds):
        found = []
        for kind in kinds:
            try:
                found.append(self.find(kind))
            except Unavailable as why:
                self.left_out[kind.name] = str(why)
                print(f'  left out: {kind.name}: {why}', flush=True)
        return found

    def launch(self, command, core=None):
        with open(self.log, 'wb') as log:
            return subprocess.Popen(machine.pinned(core) + command, stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=subprocess.STDOUT, cwd=self.folder)

    def output(self):
        with open(self.log, encoding='utf-8', errors='replace') as f:
            return f.read()


def end(process):
    process.kill()      # none has anything to put in order
    process.wait()


# ---- load ----

def wait_until_it_flows(bench, server, process, users):
    """Until nearly all connections are open and each was used some times, or it takes too long."""
    until = time.monotonic() + OPEN_S

    def flows():
        connected, served = server.connected_and_served()
        return connected >= users * NEARLY and served >= users * USED_TIMES

    while not flows() and time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f'it ended with {process.returncode}: {bench.output()[-500:]}')
        time.sleep(0.05)


def sample(server, process):
    return {'at': time.monotonic(), 'served': server.served(), 'cpu': machine.process_cpu_s(process.pid),
            'server': server.cpu_s(), 'machine': machine.busy_s()}


def flood(bench, server, one, users):
    """One generator at one number of connections."""
    process = bench.launch(one.flood(server.url, users, LONG_S), GENERATOR_CORE)
    try:
        wait_until_it_flows(bench, server, process, users)
        time.sleep(bench.plan.warm_s)
        a = sample(server, process)
        time.sleep(bench.plan.window_s)
        b = sample(server, process)
        took, cpu, of_server, of_all = (b[k] - a[k] for k in ('at', 'cpu', 'server', 'machine'))
        answered = b['served'] - a['served'] - 1    # the second sample asked too
        bench.others.append(max(0, of_all - cpu - of_server) / took / os.cpu_count())
        return {'rate': answered / took, 'cpu_us': cpu / answered * 1e6, 'busy': cpu / took, 'server_busy': of_server / took,
                'mb': machine.peak_memory_mb(process.pid), 'connected': server.connected()}
    finally:
        end(process)


def cannot_connect(found, name, users):
    """As it turned out in a round before."""
    rounds = found.get(name, {}).get(users)
    return bool(rounds) and rounds[-1]['connected'] < users * NEARLY


def load(bench):
    found = {}
    ones = bench.those_of(generators.GENERATORS)
    for users in CONNECTIONS:
        if users + DESCRIPTORS_SPARE > bench.most:
            bench.left_out[f'{users:,} connections'] = f'this process may open {bench.most:,} descriptors (ulimit -n)'
            continue
        for _ in range(bench.plan.rounds[users]):
            for one in ones:
                if cannot_connect(found, one.name, users):
                    continue
                with Nginx(bench.folder, SERVER_CORE) as server:
                    result = flood(bench, server, one, users)
                found.setdefault(one.name, {}).setdefault(users, []).append(result)
                print(f'    {one.name}, {users}: {result["rate"]:,.0f}/s, {result["cpu_us"]:.1f} µs, {result["mb"]:.1f} MB, '
                      f'{result["connected"]:,} connected, its core {result["busy"]:.0%}, the server '
                      f'{result["server_busy"]:.0%}', flush=True)
    return load_text(bench, found), found


def figures(rounds, key):
    return report.spread([r[key] for r in rounds]) if rounds else '–'


def middle(rounds, key):
    return statistics.median([r[key] for r in rounds])


def all_connected(rounds, users):
    return bool(rounds) and middle(rounds, 'connected') >= users * NEARLY


def rate_of(rounds, users):
    if not rounds:
        return '–'
    few = not all_connected(rounds, users)
    return ''.join(['≥ ' if middle(rounds, 'server_busy') >= BUSY else '', figures(rounds, 'rate'),
                    f', {middle(rounds, "connected"):,.0f} connected' if few else ''])


def cost_of(rounds, users, key):
    return figures(rounds, key) if all_connected(rounds, users) else '–'


def ratio(found, name, users, key):
    """How many times ours; of those that had connected all."""
    ours, other = found.get(OURS, {}).get(users), found[name].get(users)
    good = all_connected(ours, users) and all_connected(other, users)
    return report.number(middle(other, key) / middle(ours, key)) if good else '–'


LOAD = '''A GET of 200 bytes, one process of nginx on one core, the generator on another; keep-alive, no pipelining. The \
server counts the requests, in a window of {window} s after all connections were at work; processor time is the \
generator's in that window, memory its most until the end. ≥: the server’s core was full, so the generator could do more. \
Where not all were connected within {patience} s, it says how many were, and no more. Sessions of `tenfold sim run` are \
one GET each; its client alone, wrk, hey and autocannon run no journeys.'''


def load_text(bench, found):
    parts = ['### Requests a second, time and memory by connections', LOAD.format(window=bench.plan.window_s, patience=OPEN_S)]
    columns = [f'{c:,} connections' for c in CONNECTIONS]
    for title, cell in [('requests/s of one core', lambda n, c: rate_of(found[n].get(c), c)),
                        ('processor time, µs a request', lambda n, c: cost_of(found[n].get(c), c, 'cpu_us')),
                        (f'times that of {OURS}', lambda n, c: ratio(found, n, c, 'cpu_us')),
                        ('peak memory, MB', lambda n, c: cost_of(found[n].get(c), c, 'mb')),
                        (f'memory, times that of {OURS}', lambda n, c: ratio(found, n, c, 'mb'))]:
        parts.append(report.table([title] + columns, [[name] + [cell(name, c) for c in CONNECTIONS] for name in found]))
    return '\n\n'.join(parts)


# ---- stall ----

def truth(plan, share):
    """When calls fall due evenly: those of the stall wait for its end, and nobody else waits."""
    stalled = plan['stall'] / plan['seconds']
    return plan['stall'] * 1e3 * max(0, 1 - (1 - share) / stalled)


def stand_still(server, plan):
    time.sleep(plan['after'])
    server.stall()
    time.sleep(plan['stall'])
    server.go_on()


def steady(bench, ones, plan):
    """All at once, each at its rate, on one server that stalls; by name what each reported."""
    said = {}
    with Nginx(bench.folder) as server:
        before = server.served()
        running = []
        for one in ones:
            bench.log = os.path.join(bench.folder, f'{type(one).__name__}.out')
            running.append((one, bench.log, bench.launch(one.pace(server.url, RATE, math.ceil(plan['seconds'])))))
        try:
            stand_still(server, plan)
            for one, log, process in running:
                process.wait(plan['seconds'] + OPEN_S)
                bench.log = log
                said[one.name] = one.reported(bench.output())
        finally:
            for _, _, process in running:
                end(process)
        print(f'    {len(ones)} at once: {server.served() - before:,} requests served', flush=True)
    return said


def stall(bench):
    plan = bench.plan.stall
    paced = bench.those_of(generators.PACED)
    said = steady(bench, paced, plan)
    wrk = bench.those_of([generators.Wrk])
    said.update(steady(bench, wrk, plan) if wrk else {})
    how = {one.name: one.pacing.format(users=generators.PACED_USERS) for one in paced + wrk}
    true = {'p50': truth(plan, 0.5), 'p95': truth(plan, 0.95), 'p99': truth(plan, 0.99), 'max': truth(plan, 1)}
    for name, one in said.items():
        print(f'    {name}: {one}', flush=True)
    return stall_text(plan, true, said, how), {'truth': true, 'said': said}


STALL = '''nginx stands still for {stall:g} s of {seconds:g}, which nobody who waits for an answer before the next call \
notices more than once. Each makes {rate} calls a second, all at the same time against the same server, wrk alone after \
them. The truth is arithmetic: of calls that fall due evenly, those that fall into the stall wait for its end.'''


def stall_text(plan, true, said, how):
    rows = [['the truth', f'calls fall due every {1000 / RATE:g} ms'] + [report.number(true[k]) for k in true]]
    rows += [[name, how[name]] + [report.number(one[k]) for k in true] for name, one in said.items()]
    return '\n\n'.join(['### A stall of the server, and who sees it', STALL.format(rate=RATE, **plan),
                        report.table(['reported, ms', 'how it paces', 'p50', 'p95', 'p99', 'max'], rows)])


# ---- agents ----

def run_to_its_end(bench, *words):
    """`tenfold sim run` as a process: what it took, and what came of it."""
    came = os.path.join(bench.folder, 'came.json')
    command = [os.path.join(BUILD, 'bench', 'roles_bench'), 'run', os.path.join(BUILD, 'tenfold'), 'sim', 'run',
               '--dir', os.path.join(bench.folder, 'run'), '--fresh', '--json', came, '--warmup-cycles', '0', '--dashboard',
               'none', *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f'{" ".join(command)}: {done.stderr[-500:]}')
        with open(came, encoding='utf-8') as f:
            said = json.load(f)
    finally:
        shutil.rmtree(os.path.join(bench.folder, 'run'), ignore_errors=True)
    counts = {one['name']: one['count'] for one in said['counts']}
    took = json.loads(done.stdout)
    return {'steps': counts['agents_run'], 'requests': counts['requests'], 'failed': counts['failures'],
            'seconds': took['ms'] / 1e3, 'steps_per_s': counts['agents_run'] / took['ms'] * 1e3,
            'steps_per_cpu_s': counts['agents_run'] / took['cpu_ms'] * 1e3, 'mb': took['peak_kb'] * 1024 / 1e6}


MOCKED = ['--mock-api', '--mock-db', '--time-scale', 'max']


def agents(bench):
    found = {}
    plans = [(f'{n:,} agents, {HOURS} hours', n, [*MOCKED, '--agents', str(n), '--cycles', str(HOURS)], bench.plan.runs(n))
             for n in bench.plan.agents]
    plans.append(('372 agents, 100 hours', 372, [*MOCKED, '--cycles', '100'], 5))
    plans.append(('372 agents for real, 10 hours of a second', 372,
                  ['--cycles', '10', '--time-scale', '3600', '--rate', '0'], 1))
    for name, count, words, rounds in plans:
        found[name] = {'agents': count, 'rounds': [run_to_its_end(bench, *words) for _ in range(rounds)]}
        print(f'    {name}: {found[name]["rounds"][-1]}', flush=True)
    return agents_text(found), found


AGENTS = '''`tenfold sim run` on one thread, the process from its start to its end, population and three checkpoints \
included. An agent-step is one agent in one cycle: its schedule is drawn, and it goes shopping or looks around, or not. All \
but the last send and write nothing (`--mock-api --mock-db --time-scale max`); the last sends to a demo shop of its own, \
counted with it, and writes its records. The authors of the simulator that this one is made after report 9 to 14 \
agent-steps/s of theirs, which was paced.'''


def per_agent(found, name):
    """Bytes that an agent costs more than in the smallest population; the program itself is in both."""
    least = min(found.values(), key=lambda one: (one['agents'] != 1000, one['agents']))
    more = found[name]['agents'] - least['agents']
    if more <= 0:
        return '–'
    return report.number((middle(found[name]['rounds'], 'mb') - middle(least['rounds'], 'mb')) * 1e6 / more)


def agents_text(found):
    rows = [[name] + [figures(one['rounds'], key) for key in ('seconds', 'steps_per_s', 'steps_per_cpu_s', 'requests', 'mb')] +
            [per_agent(found, name)] for name, one in found.items()]
    return '\n\n'.join(['### Agents', AGENTS, report.table(
        ['run', 'seconds', 'agent-steps/s', 'of a processor-second', 'requests', 'peak memory, MB', 'bytes an agent over 1,000'], rows)])


# ---- all of it ----

SECTIONS = {'load': load, 'stall': stall, 'agents': agents}


def head(bench, began):
    facts = [('date', time.strftime('%Y-%m-%d', time.gmtime())), *machine.describe(bench.folder),
             *([('taken by other processes under load', f'{statistics.median(bench.others):.0%} of the machine in the median '
                 f'window, {max(bench.others):.0%} in the worst')] if bench.others else []),
             ('the whole run took', f'{(time.monotonic() - began) / 60:.0f} minutes')]
    facts += [(f'left out: {what}', why) for what, why in bench.left_out.items()]
    return '\n'.join(f'- {what}: {value}' for what, value in facts)


def measure(folder, quick, only, patience_s, peers=False):
    if set(only) - set(SECTIONS):
        sys.exit(f'bench: the sections of sim are {", ".join(SECTIONS)}')
    began = time.monotonic()
    bench = Bench(folder, quick, peers)
    machine.wait_until_quiet(0.1, patience_s)
    parts, raw = [], {}
    for name in only or SECTIONS:
        print(f'{name}:', flush=True)
        try:
            text, raw[name] = SECTIONS[name](bench)
        except Unavailable as why:
            sys.exit(f'bench: {why}')
        parts.append(text)
    return '\n\n'.join([head(bench, began)] + parts), raw
