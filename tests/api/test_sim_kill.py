"""Runs that are killed, stopped or spoiled, and gone on from: nothing is lost, nothing counted twice."""

import asyncio
import contextlib
import glob
import json
import os
import random
import re
import subprocess

from harness import SLOW, until
from shop import Customer, new_shop, product
from sim import BUSY, FREE, MOCKED, Runs, ended
from sim_target import GOOD, SimTarget, scenario


def test_checkpoint_every_10_cycles_and_five_are_kept(t):
    runs = Runs(t)
    runs.run(*MOCKED, '--cycles', '75')
    kept = [int(re.search(r'_cycle_(\d+)\.json', path)[1]) for path in runs.checkpoints()]
    assert kept == [39, 49, 59, 69, 74], kept
    for path in runs.checkpoints():
        assert re.search(r'/checkpoint_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_cycle_\d+\.json$', path)
        with open(path, encoding='utf-8') as f:
            json.load(f)


def test_a_torn_checkpoint_falls_back_with_a_warning(t):
    runs = Runs(t)
    runs.run(*MOCKED, '--cycles', '25', '--seed', '5')
    newest = runs.checkpoints()[-1]
    with open(newest, 'r+b') as f:
        f.truncate(os.path.getsize(newest) // 2)
    said = runs.run('--resume', '--cycles', '30').stdout
    assert 'warning ' in said and os.path.basename(newest) in said and 'resume    from cycle 20 on' in said, said
    assert runs.came()['cycles'] == 30
    whole = Runs(t)
    whole.run(*MOCKED, '--cycles', '30', '--seed', '5')
    assert runs.decided() == whole.decided()


def killed_in_mid_cycle(runs, target, *words, after):
    """kill -9 when so many requests have come."""
    process = runs.start('--scenario', runs.plain, '--target', target.url, *words)
    until(lambda: len(target.seen) >= after, 60, 'requests')
    process.kill()
    process.wait()


def test_kill_in_mid_cycle_and_resume(t):
    runs = Runs(t, calls=3)
    words = [*FREE, '--agents', '100', '--cycles', '12', '--checkpoint-every', '4', '--seed', '11']

    async def slowly(_seen, _number):
        await asyncio.sleep(0.01)
        return GOOD

    with SimTarget(slowly) as target:
        killed_in_mid_cycle(runs, target, *words, after=300 * 6 + 150)      # in the middle of the seventh
        cut = runs.ask('SELECT max(cycle) FROM sim_sessions')[0][0]
        before = runs.ask('SELECT count(*) FROM sim_sessions WHERE attempt = 0')[0][0]
        at, came_before = len(target.seen), sum(s.method == 'GET' for s in target.seen)
        said = runs.run('--resume').stdout
        cleaned = {s.agent for s in target.seen[at:] if s.method == 'DELETE'}
        again = sum(s.method == 'GET' for s in target.seen[at:])
    assert f'resume    from cycle 4 on; those up to cycle {cut} were seen before' in said, said

    # nothing is lost, nothing counted twice
    assert runs.count('sessions') == 100 * 12 and runs.count('requests') == 300 * 12 + len(cleaned)
    assert again == 300 * 8 and came_before <= 300 * (cut + 2)
    assert len(runs.decided()) == 100 * 12
    assert runs.ask('SELECT count(*) FROM sim_sessions WHERE attempt = 0')[0][0] == before

    # what was run again is marked, up to the last cycle that was seen
    marks = dict(runs.ask("SELECT cycle, max(replay) + min(replay) FROM sim_sessions WHERE attempt = 1 AND kind = 'session' GROUP BY cycle"))
    assert marks == {c: 2 if c <= cut else 0 for c in range(4, 12)}, (cut, marks)
    assert runs.ask('SELECT count(*) FROM sim_cycles WHERE replay <> (cycle BETWEEN 4 AND ' f'{cut}) AND attempt = 1') == [(0,)]

    # who was cut off has cleaned up, and stands in the log
    assert cleaned and len(cleaned) == runs.log().count('may have been in a session') == runs.count('cleanups')
    assert f'orphans   {len(cleaned)} agents' in said, said

    # and all is as if it had never been killed
    whole = Runs(t, calls=3)
    whole.run('--scenario', whole.plain, '--mock-api', *words)
    assert runs.decided() == whole.decided()


def test_a_session_is_written_whole_or_not_at_all(t):
    runs = Runs(t, calls=3)
    with SimTarget() as target:
        killed_in_mid_cycle(runs, target, *FREE, '--agents', '100', '--seed', '3', after=500)
    torn = runs.ask('SELECT count(*) FROM sim_sessions AS s WHERE kind = \'session\' AND calls <> (SELECT count(*) FROM sim_events AS e WHERE '
                    'e.run = s.run AND e.cycle = s.cycle AND e.attempt = s.attempt AND e.agent = s.agent)')
    lost = runs.ask('SELECT count(*) FROM sim_events AS e WHERE NOT EXISTS (SELECT 1 FROM sim_sessions AS s WHERE '
                    'e.run = s.run AND e.cycle = s.cycle AND e.attempt = s.attempt AND e.agent = s.agent)')
    assert torn == lost == [(0,)] and runs.ask('SELECT count(*) > 0 FROM sim_sessions') == [(1,)]


def test_kills_at_random_moments_lose_and_double_nothing(t):
    runs, seed = Runs(t, calls=2), int.from_bytes(os.urandom(4), 'big')
    draws, words = random.Random(seed), ['--agents', '120', '--cycles', '30', '--checkpoint-every', '1', '--warmup-cycles', '6', '--rate', '0']
    process, kills = runs.start('--scenario', runs.plain, '--mock-api', *words, '--time-scale', '36000', '--seed', '8'), 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            out, _ = process.communicate(timeout=draws.uniform(0.05, 0.9) * SLOW)
            # killed at the very end, nothing was left to do
            assert process.returncode == 0 or kills and 'the run has ended after 30 cycles' in out, (seed, out)
            break
        process.kill()
        process.wait()
        kills += 1
        begun = glob.glob(os.path.join(runs.dir, 'runs', '*', 'run.json'))
        process = runs.start(*(['--resume'] if begun else ['--scenario', runs.plain, '--mock-api', *words, '--time-scale', '36000', '--seed', '8']))
    whole = Runs(t, calls=2)
    whole.run('--scenario', whole.plain, '--mock-api', *words, '--time-scale', 'max', '--seed', '8')
    assert runs.decided() == whole.decided(), (seed, kills)
    for name in 'agents_run', 'sessions', 'events', 'failures':
        assert runs.count(name) == whole.count(name), (seed, kills, name)
    assert kills and runs.came()['cycles'] == 30, (seed, kills)


def test_a_run_without_a_checkpoint_goes_on_from_its_beginning(t):
    runs = Runs(t)
    with SimTarget() as target:
        killed_in_mid_cycle(runs, target, *FREE, '--agents', '100', '--checkpoint-every', '0', '--seed', '3', after=450)
        said = runs.run('--resume', '--cycles', '6').stdout
    assert 'no whole checkpoint' in said and 'resume    from cycle 0 on' in said
    assert runs.count('sessions') == 600 and len(runs.decided()) == 600


def test_a_run_killed_behind_its_last_checkpoint_is_reported(t):
    runs = Runs(t)
    runs.run(*MOCKED, '--cycles', '3', '--checkpoint-every', '1')
    run, = glob.glob(os.path.join(runs.dir, 'runs', 'run_*'))
    with open(os.path.join(run, 'under-way'), 'x', encoding='utf-8'):      # as a kill leaves it
        pass
    for path in glob.glob(os.path.join(run, 'report.*')):
        os.remove(path)
    before = runs.ask('SELECT count(*) FROM sim_cycles')
    said = runs.run('--resume').stdout
    assert 'cycles    3, ' in said and 'orphans' not in said, said
    assert os.path.exists(os.path.join(run, 'report.html')) and runs.ask('SELECT count(*) FROM sim_cycles') == before
    runs.refused('--resume', says='--cycles: the run has ended after 3 cycles')


def test_an_older_checkpoint_is_gone_on_from(t):
    runs = Runs(t)
    runs.run('--scenario', runs.plain, *MOCKED, '--cycles', '9', '--checkpoint-every', '3', '--seed', '2', '--agents', '50')
    first = runs.checkpoints()[0]
    said = runs.run('--resume', first, '--cycles', '12').stdout
    assert 'resume    from cycle 3 on; those up to cycle 8 were seen before' in said and 'orphans' not in said, said
    assert runs.count('sessions') == 50 * 12 and runs.count('cleanups') == 0
    marks = dict(runs.ask('SELECT cycle, replay FROM sim_cycles WHERE attempt = 1'))
    assert marks == {c: int(c <= 8) for c in range(3, 12)}
    assert [int(re.search(r'_cycle_(\d+)', path)[1]) for path in runs.checkpoints()] == [2, 5, 8, 11]
    assert len(glob.glob(os.path.join(runs.dir, 'runs', '*', 'checkpoint_*.json'))) == 2     # those it had gone past
    runs.refused('--resume', os.path.join(runs.folder, 'none.json'), '--cycles', '20', says='none.json', code=4)


def test_another_run_sets_checkpoints_aside(t):
    runs = Runs(t)
    runs.run('--scenario', runs.plain, *MOCKED, '--cycles', '4', '--agents', '50')
    kept = os.path.basename(runs.checkpoints()[-1])
    said = runs.run('--scenario', runs.plain, *MOCKED, '--cycles', '2', '--agents', '20').stdout
    assert 'is not gone on with (--resume)' in said, said
    assert 'is not gone on with' not in runs.run('--scenario', runs.plain, *MOCKED, '--cycles', '2', '--agents', '20', '--fresh').stdout
    aside, = glob.glob(os.path.join(runs.dir, 'runs', '*', kept))
    runs.run('--resume', aside, '--cycles', '6')
    assert runs.came()['agents'] == 50 and runs.came()['cycles'] == 6 and runs.came()['attempt'] == 1


def test_a_resume_is_of_the_same_run(t):
    runs = Runs(t)
    runs.refused('--resume', says='there is no run', code=4)
    runs.run('--scenario', runs.plain, *MOCKED, '--cycles', '4', '--seed', '9', '--agents', '50')
    runs.refused('--resume', '--cycles', '8', '--seed', '10', says='--seed: is not what the run was begun with', code=5)
    runs.refused('--resume', '--cycles', '8', '--agents', '60', says='--agents: is not what the run was begun with', code=5)
    runs.refused('--resume', says='--cycles: the run has ended after 4 cycles')
    with open(runs.plain, 'a', encoding='utf-8') as f:
        f.write('\n ')
    runs.refused('--resume', '--cycles', '8', says='scenario', code=5)


def test_real_customers_keep_their_carts_when_those_of_a_killed_run_are_cleaned_up(t):
    runs, shop = Runs(t), new_shop(t)
    anna = Customer(shop, 'anna').choose()
    anna.put(product(shop, 'Vitamin')['id'], 2).expect(200)
    hers = anna.cart()
    process = runs.start('--target', shop.url, *FREE, *BUSY, '--agents', '60', '--cycles', '8', '--seed', '4', '--start', '2026-01-05T14:00:00Z')
    until(lambda: shop.stats()['carts'] > 3, 60, 'carts of shoppers')
    process.kill()
    process.wait()
    assert shop.stats()['carts'] > 1
    said = runs.run('--resume').stdout
    assert 'orphans ' in said, said
    assert shop.stats()['carts'] == 1 and anna.cart() == hers
