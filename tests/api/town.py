"""A town for one test: files that the test writes, and stand-ins for agents on a PATH of its own."""

import json
import os
import shutil
import subprocess
import tempfile

from harness import BINARY, SLOW, clean_env

# Says how it was started, as the last line of its output; the file NAME.does, if there is one, is run by a shell first.
STAND_IN = '''#!/usr/bin/python3
import json, os, subprocess, sys
own = sys.argv[0]
does = os.path.join(os.environ['STAND_INS'], os.path.basename(own) + '.does')
status = subprocess.run(['sh', does]).returncode if os.path.exists(does) else 0
print(json.dumps({'argv': [os.path.basename(own)] + sys.argv[1:], 'env': dict(os.environ),
                  'stdin': sys.stdin.read()}), flush=True)
sys.exit(status)
'''

# Every character that means something to a shell, and words that programs take for options.
HOSTILE = ['', ' ', '$(touch HIT)', '`touch HIT`', '; touch HIT', '| touch HIT', "'; touch HIT; '", '"; touch HIT; "',
           'a\nb', '*', '~', '~root', '#x', 'a=b', '^x^y', '%1', '!!', '\\', '\\n', '${HOME}x', '$1', '-rf', '--', '&', '>HIT',
           '<x', 'é😀', '\u202e', "it's", '{a,b}', '[a]', '?', '\t', '$']


class Town:
    """A town of one test: files, stand-ins and a data directory."""

    def __init__(self, t, config=None, rigs=None):
        self.t = t
        self.base = tempfile.mkdtemp(prefix='tenfold-town.')
        t.cleanup.callback(shutil.rmtree, self.base, ignore_errors=True)
        self.path, self.bin = os.path.join(self.base, 'town'), os.path.join(self.base, 'bin')
        self.data = os.path.join(self.base, 'data')
        os.makedirs(self.bin)
        self.write('mayor/town.json', {'type': 'town', 'version': 1, 'name': 'test'})
        self.write('settings/config.json', {'type': 'town-settings', 'version': 1, **(config or {})})
        for rig, settings in ({'alpha': {}} if rigs is None else rigs).items():
            self.write(f'{rig}/settings/config.json', {'type': 'rig-settings', 'version': 1, **settings})
        self.env = clean_env(PATH=f'{self.bin}:/usr/bin:/bin', TENFOLD_HOME=self.data, STAND_INS=self.bin,
                             HOME=self.base)
        for name in [n for n in self.env if n.startswith(('GT_', 'ANTHROPIC_', 'CLAUDE', 'GROQ'))]:
            del self.env[name]

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, content):
        os.makedirs(os.path.dirname(self.file(name)), exist_ok=True)
        with open(self.file(name), 'w', encoding='utf-8') as f:
            f.write(content if isinstance(content, str) else json.dumps(content, indent=2) + '\n')

    def read(self, name):
        with open(self.file(name), encoding='utf-8') as f:
            return f.read()

    def install(self, *names, does=None):
        for name in names:
            with open(os.path.join(self.bin, name), 'w', encoding='utf-8') as f:
                f.write(STAND_IN)
            os.chmod(f.name, 0o755)
            if does:
                with open(f'{f.name}.does', 'w', encoding='utf-8') as f:
                    f.write(does)

    def run(self, *words, env=None, cwd=None, town=True):
        done = subprocess.run([BINARY, 'role', *words, *(['--town', self.path] if town else [])], capture_output=True,
                              text=True, check=False, env={**self.env, **(env or {})}, cwd=cwd or self.base,
                              timeout=60 * SLOW)
        assert 'Sanitizer' not in done.stderr, done.stderr
        return done

    def good(self, *words, **more):
        done = self.run(*words, **more)
        assert done.returncode == 0, done
        return done.stdout

    def json(self, *words, **more):
        return json.loads(self.good(*words, '--json', **more))

    def shell(self, command, shell='sh', env=None):
        """What a stand-in says when a shell runs the command, in a folder where nothing may appear."""
        folder = tempfile.mkdtemp(dir=self.base)
        done = subprocess.run([shell, '-c', command], capture_output=True, text=True, check=False, cwd=folder,
                              env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL, timeout=60 * SLOW)
        assert done.returncode == 0, (command, done)
        assert os.listdir(folder) == [], (command, os.listdir(folder))
        return json.loads(done.stdout.splitlines()[-1])

    def line_of(self, name, text):
        return 1 + [text in line for line in self.read(name).splitlines()].index(True)
