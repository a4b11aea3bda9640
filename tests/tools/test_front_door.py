"""./dev and what it shows: the closing table, the list of packages, what it says when it cannot go on."""

import os
import re
import subprocess
import sys
import tempfile

import tap
import verify_report


def event(id_, kind, state, second):
    return {'id': id_, 'kind': kind, 'state': state, 'at': f'2026-01-01T00:00:{second:06.3f}Z'}


def test_the_table_adds_up():
    tally = verify_report.Tally()
    for taken in [event('a', 'enqueued', 'ready', 0), event('b', 'enqueued', 'blocked', 0), event('a', 'claimed', 'leased', 2),
                  event('a', 'lapsed', 'scheduled', 3), event('a', 'ready', 'ready', 4), event('a', 'claimed', 'leased', 9),
                  event('a', 'completed', 'completed', 10), event('b', 'ready', 'ready', 10),
                  event('b', 'claimed', 'leased', 11), event('b', 'failed', 'failed', 12)]:
        tally.take(taken)
    assert (tally.count('completed'), tally.count('failed'), tally.retried) == (1, 1, 1)
    assert tally.oldest_wait == 5, 'the wait before the second attempt was the longest'
    assert tally.cycles_per_s == 2 / 10
    text = verify_report.table(tally, [('b', '\n'.join(f'missing: /f{n}' for n in range(12)))])
    assert re.search(r'verified +1\n', text) and '/f9' in text and '/f10' not in text and '2 more' in text


def test_the_table_says_what_its_figures_are_and_the_readme_shows_it():
    with open(os.path.join(tap.ROOT, 'README.md'), encoding='utf-8') as f:
        readme = f.read()
    text = verify_report.table(verify_report.Tally(), [])
    for figure, meaning in [('oldest wait', r'[\d.]+ s  (the longest .*)'), ('cycles/s', r'\d+    (packages .*)')]:
        said = re.search(rf'^  {figure} +{meaning}$', text, re.M)
        assert said and re.search(rf'^  {figure} +[\d. s]+ {said[1]}$', readme, re.M), figure


def test_packages_have_a_group_and_a_reason():
    with open(os.path.join(tap.ROOT, 'tools/packages.txt'), encoding='utf-8') as f:
        rows = [line.split(None, 2) for line in f if line.strip() and not line.startswith('#')]
    assert len(rows) > 10 and all(len(row) == 3 for row in rows)
    assert {row[0] for row in rows} == {'build', 'test', 'lint', 'bench'}
    names = [row[1] for row in rows]
    assert len(names) == len(set(names)), 'each package once'


def dev(*words, **env):
    return subprocess.run([os.path.join(tap.ROOT, 'dev'), *words], capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, **env})


def test_dev_alone_lists_what_there_is():
    done = dev()
    assert done.returncode == 0
    for verb in ('run', 'build', 'test', 'bench', 'fuzz', 'lint', 'fmt', 'house', 'docs', 'clean'):
        assert re.search(rf'^  {verb}\b', done.stdout, re.M), verb
    wrong = dev('dance')
    assert wrong.returncode == 2 and 'usage' in wrong.stderr


def programs(folder, fakes, real):
    """A PATH of our own: fakes are shell scripts, and of the machine's programs only those named."""
    for name, text in fakes.items():
        path = os.path.join(folder, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(f'#!/bin/sh\n{text}\n')
        os.chmod(path, 0o755)
    for name in real:
        os.symlink(f'/usr/bin/{name}', os.path.join(folder, name))


def test_a_build_ends_with_where_the_program_is():
    with tempfile.TemporaryDirectory() as folder:
        programs(folder, {'meson': '', 'ninja': ''},
                 ['bash', 'sh', 'dirname', 'env', 'getent', 'cut', 'id', 'nproc', 'rm', 'sed'])
        done = dev('build', PATH=folder, BUILD=f'{folder}/build')
        assert done.returncode == 0 and done.stdout == f'built {folder}/build/tenfold\n', done


def test_without_root_it_names_the_command_and_stops():
    """A machine on which nothing is installed, nobody is root and there is no sudo: played by a PATH of our own."""
    with tempfile.TemporaryDirectory() as folder:
        programs(folder, {'dpkg-query': 'exit 1', 'id': 'echo 1000'},
                 ['bash', 'sh', 'awk', 'dirname', 'env', 'getent', 'cut', 'cat'])
        done = dev('build', PATH=folder)
    assert done.returncode == 2, done
    assert 'apt-get update && apt-get install -y --no-install-recommends gcc ' in done.stdout


if __name__ == '__main__':
    sys.exit(tap.main(sys.modules[__name__]))
