"""`tenfold account`: passwords that are asked for, tokens that are kept, and commands that use them."""

import json
import os
import pty
import select
import shutil
import signal
import stat
import subprocess
import tempfile

from harness import BINARY, SLOW, until
from people import PASSWORD, Person, email_of, organisation
from test_cli import Cli

SERVER_ARGS = ['--sign-up', 'open', '--limit-sign-in', '0', '--limit-anonymous', '0']
OTHER = 'a quiet river under snow'


class Home(Cli):
    """A machine of somebody's: its tokens, and `tenfold` run there."""

    def __init__(self, t, server=None):
        self.config = tempfile.mkdtemp()
        t.cleanup.callback(shutil.rmtree, self.config)
        super().__init__(t, server=server, XDG_CONFIG_HOME=self.config)
        self.path = os.path.join(self.config, 'tenfold/sign-in.json')

    def sign_in(self, email, password=PASSWORD, *words):
        return self.json('account', 'sign-in', email, '--password-stdin', *words, given=password + '\n')

    def kept(self):
        with open(self.path, encoding='utf-8') as f:
            return json.load(f)['servers']

    def keep(self, servers):
        with open(self.path, 'w', encoding='utf-8') as f:
            json.dump({'servers': servers}, f)


class Typist:
    """Somebody at a terminal."""

    def __init__(self, t, home, *words):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(BINARY, [BINARY, *words], home.env)
        self.shown, self.status = '', None
        t.cleanup.callback(self.close)

    def sees(self, text):
        def look():
            if text in self.shown:
                return True
            if select.select([self.terminal], [], [], 0.05)[0]:
                try:
                    self.shown += os.read(self.terminal, 4096).decode()
                except OSError:   # it has ended
                    return True
            return False
        until(look, 20, text)
        assert text in self.shown, self.shown
        return self

    def types(self, text):
        os.write(self.terminal, text.encode())
        return self

    def ends(self):
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        try:
            while True:
                more = os.read(self.terminal, 4096).decode()
                self.shown += more
                if not more:
                    break
        except OSError:
            pass
        return self.status

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.terminal)


def test_from_sign_up_to_sign_out(t):
    home, email = Home(t), email_of()
    with t.case('sign-up'):
        made = home.json('account', 'sign-up', email, '--organisation', 'cli.co', '--password-stdin', given=PASSWORD + '\n')
        assert (made['email'], made['tenant'], made['role']) == (email, 'cli.co', 'owner'), made
        assert 'token' not in str(made)
    with t.case('tokens are its owner\'s alone'):
        assert stat.S_IMODE(os.stat(home.path).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(os.path.dirname(home.path)).st_mode) == 0o700
        assert PASSWORD not in json.dumps(home.kept())
    with t.case('later commands use them'):
        assert home.json('whoami')['tenant_name'] == 'cli.co'
        assert home.json('work', 'add', 'greet')['state'] == 'ready'
        assert home.json('account', 'show')['email'] == email
        assert [s['current'] for s in home.json('account', 'sessions')['items']] == [True]
    with t.case('but not where another key is given'):
        assert home.json('whoami', '--key', t.worker.key)['tenant_name'] == 'default'
        assert json.loads(home.run('whoami', '--json', env={**home.env, 'TENFOLD_KEY': t.worker.key}).stdout)['tenant_name'] == 'default'
    with t.case('nor at another server'):
        other = t.new_server()
        done = home.run('whoami', env={**home.env, 'TENFOLD_URL': other.url})
        assert done.returncode == 1 and 'ta_' not in done.stderr
    with t.case('people and their roles'):
        token = home.json('account', 'invite', '--role', 'member')['invitation']
        bob = Person(t, invitation=token)
        assert bob.email in home.good('account', 'users')
        assert home.json('account', 'role', bob.id, 'admin')['role'] == 'admin'
        assert 'used_at' in str(home.json('account', 'invitations'))
        home.good('account', 'remove', bob.id)
        assert bob.email not in home.good('account', 'users')
    with t.case('a worker'):
        home.good('work', 'add', 'cli-job')
        assert '1 completed' in home.good('worker', 'run', '--type', 'cli-job', '--until-empty', '--', 'true')
    with t.case('signing in again ends the session of before'):
        first = home.kept()[0]['refresh_token']
        home.sign_in(email)
        assert len(home.json('account', 'sessions')['items']) == 1 and home.kept()[0]['refresh_token'] != first
    with t.case('sign-out'):
        assert home.run('account', 'sign-out').stderr == ''
        assert home.kept() == []
        assert home.run('account', 'show').returncode == 1
        again = home.run('account', 'sign-out')
        assert again.returncode == 4 and 'nobody is signed in' in again.stderr, again


def test_signing_out_tells_which_key_is_next(t):
    home, person = Home(t), Person(t)
    home.sign_in(person.email)
    done = home.run('account', 'sign-out', '--data', home.server.data)
    assert (done.returncode, done.stdout) == (0, ''), done
    assert done.stderr == f'Signed out; from now on commands use the key in {home.server.data}/admin.key\n'
    assert json.loads(home.run('whoami', '--json', '--data', home.server.data).stdout)['scope'] == 'admin'


def test_the_password_is_asked_for_and_not_shown(t):
    home, email = Home(t), email_of()
    with t.case('twice when it is new'):
        typist = Typist(t, home, 'account', 'sign-up', email)
        typist.sees('Password: ').types(PASSWORD + '\r').sees('Password again: ').types(PASSWORD + '\r')
        typist.sees('refresh_expires_at')
        assert typist.ends() == 0 and PASSWORD not in typist.shown, typist.shown
    with t.case('two that differ'):
        typist = Typist(t, home, 'account', 'sign-up', email_of())
        typist.sees('Password: ').types(PASSWORD + '\r').sees('Password again: ').types(OTHER + '\r')
        assert typist.ends() == 2 and 'not the same' in typist.shown, typist.shown
    with t.case('keys that take back'):
        typist = Typist(t, home, 'account', 'sign-in', email)
        typist.sees('Password: ').types('nonsense\x15' + PASSWORD + 'ü€x\x7f\x7f\x08\r')
        assert typist.ends() == 0, typist.shown
    with t.case('Ctrl-C gives the terminal back'):
        typist = Typist(t, home, 'account', 'sign-in', email)
        typist.sees('Password: ').types('half\x03')
        assert typist.ends() == 2 and 'cancelled' in typist.shown and 'half' not in typist.shown, typist.shown
    with t.case('a wrong one'):
        typist = Typist(t, home, 'account', 'sign-in', email)
        typist.sees('Password: ').types(OTHER + '\r')
        assert typist.ends() == 1 and 'the address or the password is wrong' in typist.shown, typist.shown
    with t.case('another one'):
        typist = Typist(t, home, 'account', 'password')
        typist.sees('Password there is: ').types(PASSWORD + '\r').sees('New password: ').types(OTHER + '\r')
        typist.sees('New password again: ').types(OTHER + '\r')
        assert typist.ends() == 0, typist.shown
        home.sign_in(email, OTHER)
    with t.case('where there is no terminal'):
        done = subprocess.run(['setsid', BINARY, 'account', 'sign-in', email], env=home.env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 2 and '--password-file' in done.stderr, done


def test_passwords_from_files(t):
    home, email = Home(t), email_of()

    def file_with(text):
        path = os.path.join(home.config, f'password{len(os.listdir(home.config))}')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return path
    first, second = file_with(PASSWORD + '\r\nmore\n'), file_with(OTHER)
    home.good('account', 'sign-up', email, '--password-file', first)
    home.good('account', 'password', '--password-file', first, '--new-password-file', second)
    home.good('account', 'sign-in', email, '--password-file', second)
    with t.case('both as lines'):
        home.good('account', 'password', '--password-stdin', given=f'{OTHER}\n{PASSWORD}\n')
        home.good('account', 'sign-in', email, '--password-file', first)
    with t.case('none'):
        assert home.run('account', 'sign-in', email, '--password-file', '/nonexistent').returncode == 2
        assert home.run('account', 'sign-in', email, '--password-stdin').returncode == 2
    with t.case('by a token of an admin'):
        user = home.json('account', 'show')
        admin = Home(t)
        admin.env['TENFOLD_KEY'] = t.admin.key
        token = admin.json('account', 'reset-token', user['id'], '--tenant', user['tenant_name'])['reset_token']
        home.good('account', 'reset', token, '--password-file', second)
        done = home.run('account', 'show')
        assert done.returncode == 1 and 'revoked' in done.stderr and 'account sign-in' in done.stderr, done
        home.sign_in(email, OTHER)


def test_tokens_are_refreshed_by_themselves(t):
    server = t.new_server(*SERVER_ARGS, '--access-token-life', '31s')   # refreshed when half a minute is left
    home, ada = Home(t, server), Person(t, server)
    home.sign_in(ada.email)
    first = home.kept()[0]
    with t.case('when one is about to expire'):
        home.keep([{**first, 'expires_at': '2020-01-01T00:00:00.000Z'}])
        home.good('whoami')
        second = home.kept()[0]
        assert second['refresh_token'] != first['refresh_token'] and second['access_token'] != first['access_token']
        assert stat.S_IMODE(os.stat(home.path).st_mode) == 0o600
    with t.case('of many commands at once one does it'):
        home.keep([{**second, 'expires_at': '2020-01-01T00:00:00.000Z'}])
        running = [subprocess.Popen([BINARY, 'whoami', '--json'], env=home.env, stdout=subprocess.PIPE, text=True) for _ in range(8)]
        said = {json.loads(p.communicate()[0])['session'] for p in running}
        assert len(said) == 1 and all(p.returncode == 0 for p in running)
    with t.case('when the server takes one no more'):
        boss = organisation(t, server)
        token = boss.post('/v1/invitations', {}).expect(201).json['invitation']
        email = email_of()
        home.json('account', 'sign-up', email, '--invitation', token, '--password-stdin', given=PASSWORD + '\n')
        user = home.json('account', 'show')['id']
        boss.call('PATCH', f'/v1/users/{user}', {'role': 'admin'}).expect(200)
        assert home.json('whoami')['scope'] == 'operator'
    with t.case('by a worker that runs for long'):
        home.good('work', 'add', 'long-job')
        worker = home.start('worker', 'run', '--type', 'long-job', '--', 'true')
        before = home.kept()[0]['access_token']
        until(lambda: home.kept()[0]['access_token'] != before, 40, 'a refresh by the worker')
        item = home.json('work', 'add', 'long-job')['id']
        until(lambda: home.json('work', 'show', item)['state'] == 'completed', 20)
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=20 * SLOW)
    with t.case('a session that has ended says so'):
        home.keep([{**home.kept()[0], 'refresh_token': 'tr_' + '0' * 52, 'access_token': 'ta_' + '0' * 52,
                    'expires_at': '2020-01-01T00:00:00.000Z'}])
        done = home.run('whoami')
        assert done.returncode == 1 and 'does not know this access token' in done.stderr and 'account sign-in' in done.stderr, done


def test_act_elsewhere(t):
    home = Home(t)
    ada = organisation(t)
    home.sign_in(ada.email)
    home.good('account', 'organise', 'elsewhere.co')
    assert home.json('account', 'use', 'elsewhere.co')['tenant'] == 'elsewhere.co'
    assert home.json('whoami')['tenant_name'] == 'elsewhere.co'
    assert home.run('account', 'use', 'nobody.co').returncode == 4
    assert home.json('whoami')['tenant_name'] == 'elsewhere.co', 'the token was not lost'
    assert home.sign_in(ada.email, PASSWORD, '--tenant', ada.session['tenant_name'])['tenant'] == ada.session['tenant_name']
    invitation = organisation(t).post('/v1/invitations', {}).expect(201).json['invitation']
    assert home.json('account', 'join', invitation)['role'] == 'member'
    path = '/v1/squads/sq_0000000000009/events'
    assert home.json('account', 'ticket', path)['path'] == path
    home.good('account', 'end', home.json('account', 'sessions')['items'][-1]['id'])
