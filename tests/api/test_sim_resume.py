"""Checkpoints of real runs, killed and spoiled: a run goes on from the newest one that is whole, or says why it cannot.

Two hundred kills in the middle of saving, files from the future and what else can be wrong in one: test_sim_checkpoint.c.
TENFOLD_SEED=… replays the moments of the kills."""

import json
import os
import random
import re
import resource
import signal
import tempfile
import time

from harness import SLOW, NotHere
from sim import Process

KILLS = 25
BASE = ['--mock-api', '--time-scale', 'max', '--warmup-cycles', '0', '--rate', '0', '--seed', '5']
DECIDED = '''SELECT cycle, agent, kind, number, outcome, calls, kept FROM sim_sessions AS s WHERE kind <> 'cleanup' AND attempt =
    (SELECT max(attempt) FROM sim_cycles AS c WHERE c.run = s.run AND c.cycle = s.cycle) ORDER BY 1, 2, 3, 4'''
VERSION = re.compile(r'"tenfold_checkpoint":1')


def folder(t):
    if t.store != 'sqlite':
        raise NotHere('records go to a file')
    return t.cleanup.enter_context(tempfile.TemporaryDirectory(prefix='tenfold-resume.'))


def begun(t, cycles, *words):
    """A folder with a run of so many cycles, a checkpoint each; its process."""
    run = Process(t, *BASE, '--cycles', str(cycles), '--checkpoint-every', '1', *words, folder=folder(t))
    run.ends()
    return run


def newest(run, back=1):
    return os.path.join(run.dir, 'checkpoints', run.checkpoints()[-back])


def rewrite(path, change):
    with open(path, encoding='utf-8') as f:
        text = f.read()
    changed = change(text)
    assert changed != text
    with open(path, 'w', encoding='utf-8') as f:
        f.write(changed)


def goes_on(t, run, cycles, *words):
    return Process(t, '--resume', '--cycles', str(cycles), *words, folder=run.folder)


def kill_at(t, where, words, moment):
    run = Process(t, *words, folder=where)
    until_ns = time.monotonic_ns() + int(moment * 1e9)
    while time.monotonic_ns() < until_ns and run.process.poll() is None:
        pass
    run.kill()
    return run


def has_ended(run):
    """By itself, or by a kill behind its last checkpoint, as the next one says."""
    return run.process.returncode == 0 or 'the run has ended after 40 cycles' in run.said


def counted(run):
    """In its newest checkpoint, without what was done to clean up behind those who were cut off: a request and a record each."""
    with open(newest(run), encoding='utf-8') as f:
        file = json.load(f)
    totals = file['totals']
    cleanups = totals.pop('cleanups')
    totals['requests'] -= cleanups
    totals['records'] -= cleanups
    return file['cycle'], totals, file['outcomes'], file['kept']


def test_kills_at_random_moments_lose_and_double_nothing(t):
    where, seed = folder(t), int(os.environ.get('TENFOLD_SEED', random.randrange(1 << 32)))
    print(f'  # TENFOLD_SEED={seed}')
    moments = random.Random(seed)
    words = [*BASE, '--agents', '60', '--cycles', '40', '--checkpoint-every', '1']
    run = kill_at(t, where, words, 0.4 * SLOW)
    for _ in range(KILLS):
        if has_ended(run):
            break
        run = kill_at(t, where, ['--resume'], moments.uniform(0.02, 0.3) * SLOW)
        assert 'warning' not in run.said, run.said      # nothing was torn, ever
    if not has_ended(run):
        run = Process(t, '--resume', folder=where)
        run.wait()
        assert has_ended(run), run.said
    whole = Process(t, *words)
    whole.ends()
    assert counted(run) == counted(whole)
    assert run.ask(DECIDED) == whole.ask(DECIDED)


def test_a_spoiled_checkpoint_is_passed_over_and_named(t):
    for what, spoil, says in (
            ('edited counters', lambda text: re.sub(r'"sessions":(\d+)', lambda m: f'"sessions":{int(m[1]) + 1}', text, count=1), 'checksum'),
            ('another version', lambda text: VERSION.sub('"tenfold_checkpoint":2', text), 'version 2'),
            ('torn', lambda text: text[:len(text) * 2 // 3], ''),
            ('emptied', lambda text: '', ''),
            ('no JSON', lambda text: '\0' * len(text), '')):
        run = begun(t, 4, '--agents', '30')
        rewrite(newest(run), spoil)
        name = os.path.basename(newest(run))
        said = goes_on(t, run, 6).ends()
        warning = next((line for line in said.splitlines() if line.startswith('warning') and name in line), '')
        assert warning and says in warning, (what, said)
        assert 'resume    from cycle 3 on' in said, (what, said)
        assert run.ask('SELECT count(DISTINCT cycle) FROM sim_cycles') == [(6,)]


def test_a_checkpoint_without_its_agents_is_passed_over(t):
    run = begun(t, 4, '--agents', '30')
    os.remove(newest(run).replace('.json', '.agents'))
    said = goes_on(t, run, 6).ends()
    assert 'warning' in said and 'resume    from cycle 3 on' in said, said


def test_a_spoiled_checkpoint_that_is_asked_for_is_refused(t):
    run = begun(t, 4, '--agents', '30')
    path = newest(run, back=2)
    rewrite(path, lambda text: text.replace('"agents":30', '"agents":31'))
    said = goes_on(t, run, 6, path).ends(2)
    assert os.path.basename(path) in said and 'checksum' in said, said
    said = goes_on(t, run, 6, newest(run, back=3)).ends()
    assert 'resume    from cycle 2 on' in said, said


def test_without_a_whole_checkpoint_it_goes_on_from_its_beginning(t):
    run = begun(t, 4, '--agents', '30')
    for name in run.checkpoints():
        rewrite(os.path.join(run.dir, 'checkpoints', name), lambda text: text[:100])
    said = goes_on(t, run, 6).ends()
    assert said.count('warning   passed over the checkpoint') == 4 and 'resume    from cycle 0 on' in said, said
    assert run.ask('SELECT cycle, replay FROM sim_cycles WHERE attempt = 1 ORDER BY 1') == [(c, int(c < 4)) for c in range(6)]


def little_room():
    """No file may become longer than what a checkpoint of 4,000 agents needs; like a full disk, it is an error of write."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000))


def test_a_disk_that_fills_during_a_checkpoint_spoils_none_before(t):
    run = begun(t, 3, '--agents', '4000', '--mock-db')
    before = run.checkpoints()
    cut = Process(t, '--resume', '--cycles', '6', folder=run.folder, limit=little_room)
    said = cut.wait()
    assert cut.process.returncode == 3 and 'there is no room' in said, (cut.process.returncode, said)
    assert cut.log().count('no checkpoint of cycle') >= 2, cut.log()
    assert run.checkpoints() == before
    assert not [f for f in os.listdir(os.path.join(run.dir, 'checkpoints')) if not f.endswith(('.json', '.agents'))]
    said = goes_on(t, run, 6).ends()
    assert 'resume    from cycle 3 on' in said and 'warning' not in said, said
