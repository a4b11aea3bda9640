"""Alerts of real runs: flags to receivers (receiver.py). What receivers can do to an alert is in test_sim_alerts.c."""

import json
import os
import socket
import subprocess
import sys
import time

from harness import ROOT, NotHere, Skip
from sim import Process


class Receiver:
    def __init__(self, t):
        if t.store != 'sqlite':
            raise NotHere('no store has a part in it')
        self.process = subprocess.Popen([sys.executable, os.path.join(ROOT, 'tests/api/receiver.py')], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        t.cleanup.callback(self.stop)
        ports = self.process.stdout.readline().split()
        if not ports:
            raise Skip('python3-aiosmtpd is not installed')
        self.web, self.mail = (int(port) for port in ports)

    def stop(self):
        self.process.communicate()

    def next(self):
        return json.loads(self.process.stdout.readline())


def nobody(t):
    """An address where nobody listens, for as long as the test runs."""
    bound = t.cleanup.enter_context(socket.socket())
    bound.bind(('127.0.0.1', 0))
    return f'http://127.0.0.1:{bound.getsockname()[1]}'


def test_a_trip_of_the_breaker_is_told_by_webhook_slack_and_mail(t):
    receiver, target = Receiver(t), nobody(t)
    run = Process(t, '--target', target, '--alert-webhook', f'http://127.0.0.1:{receiver.web}/one/ok',
                  '--alert-webhook', f'http://127.0.0.1:{receiver.web}/two/slack', '--alert-email', 'ops@example.com',
                  '--alert-smtp', f'smtp://127.0.0.1:{receiver.mail}', '--alert-from', 'sim@example.com')
    got = [receiver.next() for _ in range(3)]
    plain = next(g['body'] for g in got if g.get('path') == '/one/ok')
    slack = next(g['body'] for g in got if g.get('path') == '/two/slack')
    mail = next(g for g in got if 'mail' in g)
    status = run.ctl('status')
    assert status['state'] == 'paused' and status['held_by'] == ['breaker'], status
    assert plain['event'] == 'breaker_opened' and plain['run'] == status['run'] and plain['target'] == target, plain
    assert plain['trips'] == 1 and plain['dir'] == run.dir and 'found nobody there' in plain['text'], plain
    assert list(slack) == ['text'] and status['run'] in slack['text'], slack
    assert mail['receivers'] == ['ops@example.com'] and 'found nobody there' in mail['mail'], mail
    run.ctl('quit')
    run.ends(1)
    assert run.log().count('alert sent to') == 3, run.log()


def test_a_receiver_that_hangs_delays_no_run(t):
    receiver, begun = Receiver(t), time.monotonic()
    run = Process(t, '--target', nobody(t), '--on-open', 'exit', '--alert-webhook', f'http://127.0.0.1:{receiver.web}/hang',
                  '--alert-webhook', f'http://127.0.0.1:{receiver.web}/404')
    said = run.ends(1)
    assert time.monotonic() - begun < 60      # it has five seconds for what is not delivered yet
    assert 'before the run ended' in run.log() and 'after 1 tries: it answers 404' in run.log(), run.log()
    assert 'ended     the breaker opened' in said


def test_addresses_that_are_none_are_told_before_anything_begins(t):
    for words, says in ((['--alert-webhook', 'hooks.slack.com/x'], 'alert_webhook: must be a URL'),
                        (['--alert-email', 'ops'], 'alert_email: "ops" is no address'),
                        (['--alert-smtp', 'smtp://mail.example.com'], '--alert-email does not say to whom')):
        run = Process(t, '--mock-api', '--mock-db', *words)
        assert says in run.ends(2)
        assert not os.path.exists(run.dir)


def test_webhooks_are_secrets_and_are_not_kept(t):
    receiver = Receiver(t)
    run = Process(t, '--mock-api', '--mock-db', '--cycles', '1', '--time-scale', 'max',
                  '--alert-webhook', f'http://127.0.0.1:{receiver.web}/T0/secret')
    said = run.ends()
    kept = ''.join(open(os.path.join(root, f), encoding='utf-8', errors='replace').read()
                   for root, _, files in os.walk(run.dir) for f in files)
    assert 'secret' not in said + kept
