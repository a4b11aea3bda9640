"""The commands in examples/, run by a worker."""

import hashlib
import os
import shutil
import subprocess
import tempfile

from harness import ROOT, Skip
from test_worker import run_all

VERIFY = os.path.join(ROOT, 'examples/verify-package')


class Machine:
    """A Debian of a few files: DPKG_ROOT. With busybox, a command has its shell and its tools and no others."""

    def __init__(self, t, busybox=False):
        self.shell, self.path = [], os.environ['PATH']
        self.folder = tempfile.TemporaryDirectory()
        t.cleanup.callback(self.folder.cleanup)
        self.root = self.folder.name
        self.write('etc/dpkg/dpkg.cfg.d/excludes', 'path-exclude=/usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\n')
        if busybox:
            self.install_busybox()

    def install_busybox(self):
        busybox = shutil.which('busybox')
        if not busybox:
            raise Skip('busybox is not installed')
        self.path = os.path.join(self.root, 'busybox')
        os.mkdir(self.path)
        subprocess.run([busybox, '--install', '-s', self.path], check=True)
        self.shell = [os.path.join(self.path, 'sh')]

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as f:
            f.write(text)

    def package(self, name, files, conffiles=''):
        sums = ''.join(f'{hashlib.md5(text.encode()).hexdigest()}  {path}\n' for path, text in files.items())
        self.write(f'var/lib/dpkg/info/{name}.md5sums', sums)
        if conffiles:
            self.write(f'var/lib/dpkg/info/{name}.conffiles', conffiles)

    def verify(self, *words, **env):
        env = {**os.environ, 'PATH': self.path, 'DPKG_ROOT': self.root, **env}
        return subprocess.run([*self.shell, VERIFY, *words], env=env, capture_output=True, text=True, check=False)


def test_verify_package(t):
    verify_cases(t, Machine(t))


def test_verify_package_under_busybox(t):
    """Its sh, awk, sed and md5sum are others than those of Debian."""
    verify_cases(t, Machine(t, busybox=True))


def verify_cases(t, machine):
    good = {'usr/bin/a': 'a', 'usr/bin/with space': 'b'}
    for path, text in good.items():
        machine.write(path, text)
    with t.case('files that are as they should be'):
        machine.package('good:amd64', good)
        done = machine.verify('good:amd64')
        assert (done.returncode, done.stdout, done.stderr) == (0, '2 files ok, 0 skipped\n', ''), done
    with t.case('what is excluded counts as skipped, what is included again does not'):
        machine.package('docs', {**good, 'usr/share/doc/x/readme': 'r', 'usr/share/doc/x/copyright': 'c'})
        done = machine.verify('docs')
        assert done.returncode == 1 and done.stdout == '2 files ok, 1 skipped\n', done
        assert done.stderr == 'missing: /usr/share/doc/x/copyright\n', done
    with t.case('conffiles are left out'):
        machine.write('etc/conf', 'changed')
        machine.package('conf', {**good, 'etc/conf': 'original'}, 'remove-on-upgrade /etc/old\n/etc/conf\n')
        assert machine.verify('conf').stdout == '2 files ok, 0 skipped\n'
    with t.case('a changed file'):
        machine.package('changed', {**good, 'etc/conf': 'original'})
        done = machine.verify('changed')
        assert done.returncode == 1 and done.stderr == 'changed: /etc/conf\n', done
    with t.case('a diverted file is looked for where it is'):
        machine.write('usr/bin/diverted', 'of another package')
        machine.write('usr/bin/diverted.distrib', 'mine')
        machine.write('var/lib/dpkg/diversions', '/usr/bin/diverted\n/usr/bin/diverted.distrib\nother\n')
        machine.package('diverted', {'usr/bin/diverted': 'mine'})
        assert machine.verify('diverted').stdout == '1 files ok, 0 skipped\n'
    with t.case('no checksums, no package, no name'):
        assert machine.verify('unknown').stdout == 'no checksums\n'
        assert machine.verify('../x').returncode == 2
        assert machine.verify(TENFOLD_WORK_KEY='').returncode == 2
    with t.case('names of files may be anything'):
        odd = {f'd/{name}': 'q' for name in (' two  spaces', '*', 'back\\slash', 'ümlaut')}
        for path in odd:
            machine.write(path, 'q')
        machine.package('odd', {**odd, 'd/gone [x]': 'q'})
        done = machine.verify('odd')
        assert (done.stdout, done.stderr) == ('4 files ok, 0 skipped\n', 'missing: /d/gone [x]\n'), done


def test_verify_package_by_a_worker(t):
    machine = Machine(t)
    good = {'usr/bin/a': 'a', 'usr/bin/b': 'b'}
    for path, text in good.items():
        machine.write(path, text)
    machine.write('etc/conf', 'changed')
    machine.package('good:amd64', good)
    machine.package('changed', {**good, 'etc/conf': 'original'})
    machine.package('conf', {**good, 'etc/conf': 'original'}, '/etc/conf\n')
    os.environ['DPKG_ROOT'] = machine.root
    t.cleanup.callback(os.environ.pop, 'DPKG_ROOT')
    items = {key: t.worker.add(t.type, key=key) for key in ('good:amd64', 'changed', 'conf')}
    summary = run_all(t, VERIFY, flags=['--concurrency', '2'])
    assert summary['completed'] == 2 and summary['failed'] == 1, summary
    assert t.worker.show(items['good:amd64'])['result']['output'] == '2 files ok, 0 skipped\n'
    assert t.worker.show(items['changed'])['error'] == 'exit status 1: changed: /etc/conf'
