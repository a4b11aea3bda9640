"""The store fails, or stops and starts, while a server that was killed takes its executions up again: all go on, none is
stranded, and none fails because of it. The PostgreSQL server is of this test's own."""

import http.client
import os
import random
import signal
import threading

from harness import NotHere, Skip, tool, until
from test_events import Stream
from test_executions import STEP, Squad, chain

EXECUTIONS, WORKERS, ROUNDS = 200, 4, 6
NO_STORE = (3, 6)   # exit status of a server that lost its store at the start: whoever keeps it running starts it again


def cluster_of(t):
    if t.store != 'postgres':
        raise NotHere('a file is not stopped')
    with_postgres = tool('with-postgres')
    try:
        cluster = with_postgres.Cluster(with_postgres.find_programs(), with_postgres.server_user())
    except with_postgres.Unavailable as why:
        raise Skip(str(why)) from None
    t.cleanup.callback(cluster.stop)
    cluster.start()
    return cluster


class Workers:
    """Carry out what there is and note under which attempt each step was completed; some first attempts fail."""

    def __init__(self, t, server):
        self.over, self.lock, self.completed, self.trouble = threading.Event(), threading.Lock(), {}, []
        self.threads = [threading.Thread(target=self.work, args=(t.caller('first', server=server), n)) for n in range(WORKERS)]
        t.cleanup.callback(self.stop)
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def work(self, caller, number):
        try:
            while not self.over.is_set():
                claimed = self.ask(caller, '/v1/work/claim', {'agent': f'w{number}', 'types': [STEP], 'max': 4, 'lease_ms': 3000,
                                                             'wait_ms': 100})
                for item in claimed.json['items'] if claimed else []:
                    self.carry_out(caller, item)
        except Exception as why:  # pylint: disable=broad-except
            self.trouble.append(why)

    def carry_out(self, caller, item):
        fails = item['attempt'] == 1 and item['payload']['name'] == 'build' and int(item['id'][-2:], 36) % 5 == 0
        verb, more = ('fail', {'error': 'not yet'}) if fails else ('complete', {})
        settled = self.ask(caller, f'/v1/work/{item["id"]}/{verb}', {'token': item['token'], **more})
        if settled and settled.status == 200 and not fails:
            with self.lock:
                self.completed.setdefault(item['payload']['step'], set()).add((item['id'], item['attempt']))

    def ask(self, caller, path, body):
        """The answer, however long nobody can give one; None when it is over."""
        while not self.over.is_set():
            try:
                answer = caller.post(path, body, timeout_s=30)
                if answer.status != 503:
                    return answer
            except (OSError, http.client.HTTPException):
                caller.close()
            self.over.wait(0.02)
        return None


def stop_at_once(cluster):
    """As pg_ctl does it with -m immediate, without the time that it takes to say so."""
    with open(os.path.join(cluster.data, 'postmaster.pid'), encoding='utf-8') as f:
        postmaster = int(f.readline())
    os.kill(postmaster, signal.SIGQUIT)
    until(lambda: not os.path.exists(f.name), what='the end of PostgreSQL')


def is_kept_running(server):
    """True when it is ready; one that ended for want of its store is started again."""
    status = server.process.poll()
    assert status is None or status in NO_STORE, f'the server ended with {status}:\n{server.log()}'
    if status is not None:
        server.start(wait_for=None)
    return server.health() == 200


def test_the_store_restarts_while_executions_are_taken_up_again(t):
    cluster, dice = cluster_of(t), random.Random(7)
    server = t.new_server('--owner-lease', '2s', store_url=cluster.url())
    server.listen = '{}:{}'.format(*server.address)
    squad = Squad(t, server=server)
    executions = [squad.add(*chain('plan', 'build', 'test', max_attempts=100), {'name': 'ok?', 'kind': 'approval'})
                  for _ in range(EXECUTIONS)]
    workers = Workers(t, server)
    for number in range(ROUNDS):
        wanted = (number + 1) * EXECUTIONS // ROUNDS
        until(lambda: workers.trouble or len(workers.completed) >= wanted, 60, f'{wanted} steps')
        server.kill()
        server.start(wait_for=None)
        workers.over.wait(dice.uniform(0, 0.15))
        stop_at_once(cluster)
        workers.over.wait(dice.uniform(0, 0.4))
        cluster.begin()
        until(lambda: is_kept_running(server), 30, 'readiness')
    squad.operator.close()
    for execution in executions:
        execution.call('approve', {'step': execution.step('ok?')['id'], 'approve': True}).expect(200)
    until(lambda: workers.trouble or all(e.state == 'completed' for e in executions), 60, 'the end of all executions')
    workers.stop()
    assert not workers.trouble, workers.trouble
    assert len(workers.completed) >= 3 * EXECUTIONS - ROUNDS * WORKERS * 4, 'all but what was answered to nobody'
    assert {len(by) for by in workers.completed.values()} == {1}, 'none under two attempts'
    for execution in executions[::10]:
        told = list(iter(Stream(t, f'/v1/executions/{execution.id}/events', key=server.admin_key, server=server).next, None))
        assert [data['number'] for _, _, data in told] == list(range(1, execution.show()['last_event'] + 1))
        ended = [data['step'] for _, kind, data in told if kind == 'task_status_updated' and data['new_status'] == 'completed']
        assert sorted(ended) == sorted(step['id'] for step in execution.show()['steps'])
    server.stop()


def test_a_statement_that_fails_fails_no_execution(t):
    """What a step was given is read again when its turn comes, at each of the calls of the store sooner or later."""
    server = t.new_server()
    squad = Squad(t, server=server)
    executions = [squad.add(*chain('plan', 'build', 'test', input={'branch': 'main'})) for _ in range(60)]
    server.stop()
    squad.operator.close()
    server.args = ['--fault', ','.join(f'fail@{n}' for n in random.Random(11).sample(range(20, 500), 32))]
    server.start(wait_for='up')
    workers = Workers(t, server)
    until(lambda: workers.trouble or len(workers.completed) >= 3 * len(executions), 60, 'the end of all steps')
    workers.stop()
    assert not workers.trouble, workers.trouble
    server.kill()
    server.args = []
    server.start()
    squad.operator.close()
    assert {(e.state, e.steps) for e in executions} == {('completed', 'plan:completed build:completed test:completed')}
    server.stop()
