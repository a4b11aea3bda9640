"""Executions: steps that follow each other through workers, restarts and crashes, each once."""

import threading

from harness import until
from test_cli import Cli

STEP = 'tf.step'


class Squad:
    def __init__(self, t, name='builders', server=None):
        self.operator = t.caller('first' if server else 'operator', server=server)
        self.worker = t.caller('first' if server else 'worker', server=server)
        self.id = self.operator.post('/v1/squads', {'name': name}).expect(201).json['id']

    def add(self, *steps, **more):
        body = {'squad': self.id, 'name': 'an execution', 'steps': list(steps), **more}
        return Execution(self, self.operator.post('/v1/executions', body).expect(202).json['id'])

    def claim(self, **more):
        items = self.worker.post('/v1/work/claim', {'agent': 'grace', 'types': [STEP], 'team': self.id, **more})
        items = items.expect(200).json['items']
        return items[0] if items else None

    def settle(self, item, how='complete', **body):
        return self.worker.post(f'/v1/work/{item["id"]}/{how}', {'token': item['token'], **body})

    def pause(self):
        return self.operator.post(f'/v1/squads/{self.id}/pause').expect(200).json

    def resume(self):
        return self.operator.post(f'/v1/squads/{self.id}/resume').expect(200).json


class Execution:
    def __init__(self, squad, id_):
        self.squad, self.id = squad, id_

    def show(self):
        return self.squad.operator.get(f'/v1/executions/{self.id}').expect(200).json

    def call(self, what, body=None):
        return self.squad.operator.post(f'/v1/executions/{self.id}/{what}', body)

    @property
    def state(self):
        return self.show()['state']

    @property
    def steps(self):
        return ' '.join(f'{step["name"]}:{step["state"]}' for step in self.show()['steps'])

    def step(self, name):
        return next(step for step in self.show()['steps'] if step['name'] == name)


def chain(*names, **more):
    """Steps of these names, each after the one before it."""
    return [{'name': name, **more, **({'needs': [names[i - 1]]} if i else {})} for i, name in enumerate(names)]


def test_steps_follow_each_other(t):
    squad = Squad(t)
    execution = squad.add(*chain('plan', 'build', 'test', input={'branch': 'main'}))
    assert execution.state == 'queued'
    for name in ('plan', 'build', 'test'):
        item = squad.claim()
        assert item['payload'] == {'execution': execution.id, 'step': execution.step(name)['id'], 'squad': squad.id,
                                   'kind': 'command', 'name': name, 'input': {'branch': 'main'}}
        assert execution.state == 'in_progress' and squad.claim() is None
        squad.settle(item, result={'did': name}, used={'agent': 'claude'}).expect(200)
    shown = execution.show()
    assert shown['state'] == 'completed' and shown['finished_at'] and 'why' not in shown
    assert [step['result'] for step in shown['steps']] == [{'did': 'plan'}, {'did': 'build'}, {'did': 'test'}]
    assert [step['agent'] for step in shown['steps']] == ['grace'] * 3
    assert shown['steps'][2]['needs'] == ['build'] and shown['steps'][0]['used'] == {'agent': 'claude'}


def test_what_failed_begins_again(t):
    squad = Squad(t)
    execution = squad.add(*chain('plan', 'build', max_attempts=1), max_attempts=2, backoff_ms=0)
    squad.settle(squad.claim()).expect(200)
    squad.settle(squad.claim(), 'fail', error='no such branch', retry=False).expect(200)
    until(lambda: execution.state == 'queued')
    shown = execution.show()
    assert shown['attempt'] == 2 and execution.steps == 'plan:completed build:ready'
    squad.settle(squad.claim(), 'fail', error='still none', retry=False).expect(200)
    shown = execution.show()
    assert shown['state'] == 'failed' and shown['why'] == 'the step build failed: still none'
    assert execution.call('retry').expect(202).json['state'] == 'queued'
    squad.settle(squad.claim()).expect(200)
    assert execution.state == 'completed'
    assert execution.call('retry').expect(409)


def test_a_person_approves(t):
    squad = Squad(t)
    execution = squad.add({'name': 'merge?', 'kind': 'approval'}, {'name': 'merge', 'needs': ['merge?']})
    assert execution.show()['block'] == 'approval' and squad.claim() is None
    step = execution.step('merge?')['id']
    squad.worker.post(f'/v1/executions/{execution.id}/approve', {'step': step, 'approve': True}).expect(403)
    assert execution.call('approve', {'step': step, 'approve': True, 'note': 'fine'}).expect(200).json['state'] == 'queued'
    squad.settle(squad.claim()).expect(200)
    assert execution.state == 'completed'
    refused = squad.add({'name': 'merge?', 'kind': 'approval'}, {'name': 'merge', 'needs': ['merge?']})
    refused.call('approve', {'step': refused.step('merge?')['id'], 'approve': False, 'note': 'not today'}).expect(200)
    assert refused.show()['why'] == 'the step merge? failed: not today'


def test_a_person_approves_a_step_by_its_name(t):
    squad, cli = Squad(t), Cli(t)
    execution = squad.add({'name': 'merge?', 'kind': 'approval'})
    none = cli.run('execution', 'approve', execution.id, 'merge', 'true')
    assert none.returncode == 4 and "the execution has no step 'merge'" in none.stderr, none
    assert execution.step('merge?')['state'] == 'waiting'
    assert cli.json('execution', 'approve', execution.id, 'merge?', 'true', '--note', 'fine')['state'] == 'completed'
    assert execution.step('merge?')['result'] == 'fine'
    other = squad.add({'name': 'merge?', 'kind': 'approval'})
    assert cli.json('execution', 'approve', other.id, other.step('merge?')['id'], 'false')['state'] == 'failed'


def test_a_squad_goes_by_its_name_on_the_command_line(t):
    server = t.new_server()
    squad = Squad(t, 'first of all', server=server)
    for n in range(1000):   # a page of the list: they stand before it, newest first
        squad.operator.post('/v1/squads', {'name': f'squad {n}'}).expect(201)
    cli = Cli(t, 'first', server=server)
    made = cli.json('execution', 'add', 'first of all', 'Nightly', '--steps', 'name=build')
    assert [e['id'] for e in cli.json('execution', 'list', '--squad', 'first of all')['items']] == [made['id']]
    assert cli.good('worker', 'run', '--squad', 'first of all', '--until-empty', '--', 'true').startswith('1 completed')
    assert cli.json('squad', 'pause', 'squad 7')['name'] == 'squad 7'
    none = cli.run('squad', 'show', 'first')
    assert none.returncode == 4 and none.stderr == \
        "tenfold: squad show: id: there is no squad 'first'; 'tenfold squad list' shows those there are\n", none
    cli.good('squad', 'archive', 'first of all')
    assert cli.json('squad', 'show', 'first of all')['status'] == 'archived', 'nobody else has its name'
    ids = [squad.operator.post('/v1/squads', {'name': 'first of all'}).expect(201).json['id'] for _ in range(2)]
    both = cli.run('squad', 'show', 'first of all')
    assert both.returncode == 2 and all(i in both.stderr for i in ids) and '2 squads are named' in both.stderr, both
    cli.good('squad', 'archive', ids[0])
    assert cli.json('squad', 'show', 'first of all')['id'] == ids[1], 'those that are archived do not count beside it'
    squad.operator.close()
    server.stop()
    gone = cli.run('squad', 'show', 'first of all')
    assert gone.returncode == 3, gone


def test_a_wait_ends_with_its_event(t):
    squad = Squad(t)
    execution = squad.add({'name': 'deployed', 'kind': 'wait', 'event': 'deploy'}, {'name': 'check', 'needs': ['deployed']})
    assert execution.show()['block'] == 'event'
    execution.call('signal', {'event': 'deplo'}).expect(409)
    execution.call('signal', {'event': 'deploy', 'data': {'version': 7}}).expect(200)
    assert execution.step('deployed')['result'] == {'version': 7}
    assert execution.state == 'queued'


def test_cancelling_reaches_the_worker(t):
    squad = Squad(t)
    execution = squad.add(*chain('plan', 'build'))
    item = squad.claim()
    assert execution.call('cancel', {'reason': 'not now'}).expect(200).json['state'] == 'cancelled'
    squad.settle(item).expect(409, 'cancelled')
    assert execution.steps == 'plan:cancelled build:cancelled' and squad.claim() is None
    execution.call('start').expect(409)


def test_a_paused_squad_begins_nothing(t):
    squad = Squad(t)
    execution = squad.add(*chain('plan', 'build'))
    assert squad.pause()['status'] == 'paused'
    assert squad.claim() is None and execution.show()['block'] == 'pause'
    late = squad.add({'name': 'late'})
    assert late.state == 'blocked'
    assert squad.resume()['status'] == 'active'
    assert execution.state == 'queued' and squad.claim() and squad.claim()


def test_one_waits_to_be_started_and_is_paused_by_itself(t):
    squad = Squad(t)
    execution = squad.add(*chain('plan', 'build'), start=False)
    assert execution.state == 'pending' and squad.claim() is None
    assert execution.call('start').expect(202).json['state'] == 'queued'
    assert execution.call('start').expect(202).json['state'] == 'queued'
    item = squad.claim()
    assert execution.call('pause').expect(200).json['state'] == 'in_progress'
    squad.settle(item).expect(200)
    assert execution.show()['block'] == 'pause' and squad.claim() is None
    assert execution.call('resume').expect(200).json['state'] == 'in_progress'
    assert squad.claim()['payload']['name'] == 'build'


def test_an_agent_adds_steps(t):
    squad = Squad(t)
    execution = squad.add({'name': 'plan'})
    item = squad.claim()
    squad.worker.post(f'/v1/executions/{execution.id}/steps',
                      {'steps': [{'name': 'build', 'needs': ['plan']}, {'name': 'test', 'needs': ['build']}]}).expect(202)
    squad.settle(item).expect(200)
    assert execution.steps == 'plan:completed build:ready test:pending'


def test_a_step_says_which_part_of_the_work_it_is_of(t):
    """Steps that agents add, too; it outlives a restart, and reaches who carries the step out."""
    server = t.new_server()
    squad = Squad(t, server=server)
    execution = squad.add({'name': 'plan', 'phase': 'investigation'}, {'name': 'ask', 'needs': ['plan'], 'phase': 'none'})
    item = squad.claim()
    assert item['payload']['phase'] == 'investigation'
    added = [{'name': 'build', 'needs': ['plan'], 'phase': 'building'}, {'name': 'test', 'needs': ['build'], 'phase': 'validation'}]
    squad.worker.post(f'/v1/executions/{execution.id}/steps', {'steps': added}).expect(202)
    server.stop()
    server.start()
    squad.operator.close()
    squad.worker.close()
    squad.settle(item).expect(200)
    assert [(s['name'], s.get('phase')) for s in execution.show()['steps']] == [
        ('plan', 'investigation'), ('ask', None), ('build', 'building'), ('test', 'validation')]
    items = {i['payload']['name']: i for i in [squad.claim(), squad.claim()]}
    assert 'phase' not in items['ask']['payload'] and items['build']['payload']['phase'] == 'building'
    of = {'step': execution.step('test')['id']}
    assert squad.worker.get(f'/v1/executions/{execution.id}/brief', query=of).expect(200).json['phase'] == 'validation'
    bad = squad.operator.post('/v1/executions', {'squad': squad.id, 'name': 'x', 'steps': [{'name': 'a', 'phase': 'build'}]})
    assert 'building' in bad.expect(422).names('steps[0].phase').json['detail']


def test_bad_graphs_are_refused_by_their_field(t):
    squad = Squad(t)

    def refused(steps, *fields):
        body = {'squad': squad.id, 'name': 'x', 'steps': steps}
        return squad.operator.post('/v1/executions', body).expect(422).names(*fields).json['detail']

    assert 'or a template' in refused([], 'steps')
    refused([{'name': 'a', 'needs': ['b']}, {'name': 'b'}], 'steps[0].needs[0]')
    refused([{'name': 'a', 'needs': ['a']}], 'steps[0].needs[0]')
    refused([{'name': 'a'}, {'name': 'a'}], 'steps[1].name')
    refused([{'name': 'a', 'kind': 'wait'}], 'steps[0].until')
    refused([{'name': 'a', 'event': 'x'}], 'steps[0].event')
    squad.operator.post('/v1/executions', {'squad': 'sq_0000000000001', 'name': 'x', 'steps': [{'name': 'a'}]}
                        ).expect(422).names('squad')


def test_lists(t):
    squad, other = Squad(t), Squad(t, 'others')
    made = [squad.add({'name': 'a'}).id for _ in range(5)]
    other.add({'name': 'a'})
    seen, cursor = [], {}
    while cursor is not None:
        page = squad.operator.get('/v1/executions', query={'squad': squad.id, 'limit': 2, **cursor}).expect(200).json
        seen += [item['id'] for item in page['items']]
        cursor = {'cursor': page['next_cursor']} if page['next_cursor'] else None
    assert seen == made[::-1]
    assert squad.operator.get('/v1/executions', query={'squad': squad.id, 'state': 'failed'}).expect(200).items == []
    assert {item['name'] for item in squad.operator.get('/v1/squads').expect(200).items} >= {'builders', 'others'}


def test_it_goes_on_where_it_was(t):
    """kill -9 between steps and while one is held; no step runs twice, none is lost."""
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)

    def crash():
        server.kill()
        squad.operator.close()
        squad.worker.close()
        server.start()

    squad = Squad(t, server=server)
    execution = squad.add(*chain('plan', 'build', 'test'), {'name': 'ok?', 'kind': 'approval', 'needs': ['test']})
    squad.settle(squad.claim()).expect(200)
    crash()
    item = until(squad.claim)
    assert item['payload']['name'] == 'build'
    crash()
    until(lambda: squad.operator.get('/health/ready').status == 200)
    squad.settle(item).expect(200)
    squad.settle(squad.claim()).expect(200)
    crash()
    until(lambda: squad.operator.get('/health/ready').status == 200)
    assert execution.steps == 'plan:completed build:completed test:completed ok?:waiting'
    execution.call('approve', {'step': execution.step('ok?')['id'], 'approve': True}).expect(200)
    assert execution.state == 'completed' and squad.claim() is None
    assert [step['attempt'] for step in execution.show()['steps']] == [1, 1, 1, 0]


def test_many_workers_do_each_step_once(t):
    squad = Squad(t)
    executions = [squad.add(*chain('a', 'b', 'c')) for _ in range(30)]
    done, lock = [], threading.Lock()

    def work():
        worker = t.caller('worker')
        while len(done) < 90:
            claim = {'agent': 'grace', 'types': [STEP], 'team': squad.id, 'wait_ms': 200}
            for item in worker.post('/v1/work/claim', claim).expect(200).json['items']:
                with lock:
                    done.append((item['payload']['execution'], item['payload']['name']))
                worker.post(f'/v1/work/{item["id"]}/complete', {'token': item['token']}).expect(200)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted((execution.id, name) for execution in executions for name in 'abc')
    assert {execution.state for execution in executions} == {'completed'}
