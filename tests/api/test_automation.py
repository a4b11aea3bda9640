"""Executions that begin by the clock and by what others send, that tell webhooks, and the tasks they are of."""

import itertools
import json
import time

from harness import SLOW, until
from test_executions import Execution, Squad
from test_hooks import Hook, jira
from test_schedules import MINUTE, away, fires, minute_ago, ms, put_back, show
from test_squads import at_once, etag
from test_tasks import Project
from test_webhooks import ALLOW, Site
from webhook_receiver import Receiver, verify

COUNT = itertools.count()
BUILD = [{'name': 'build'}]


# ---- schedules ----

def add(squad, overlap='skip', missed='all', **execution):
    given = {'name': f'begins-{next(COUNT)}', 'cron': '* * * * *', 'overlap': overlap, 'missed': missed,
             'execution': {'squad': squad.id, 'steps': BUILD, **execution}}
    return squad.operator.post('/v1/schedules', given).expect(201).json


def executions(squad, **query):
    return squad.operator.get('/v1/executions', query={'squad': squad.id, 'limit': 1000, **query}).expect(200).items


def finish(squad):
    squad.settle(squad.claim()).expect(200)


def test_a_fire_begins_an_execution(t):
    squad = Squad(t, server=t.new_server())
    server = squad.operator.server
    made = add(squad, name='Nightly', input={'branch': 'main'}, priority='high', timeout_ms=MINUTE)
    assert made['type'] is None and made['execution']['squad'] == squad.id
    at = minute_ago(0)
    squad.operator = away(t, server, (made, at))
    begun = until(lambda: executions(squad))[0]
    fire = fires(squad.operator, made)[0]
    assert (fire['state'], fire['execution'], fire['item']) == ('started', begun['id'], None)
    shown = Execution(squad, begun['id']).show()
    assert (shown['name'], shown['priority'], shown['state']) == ('Nightly', 'high', 'queued')
    assert shown['created_by'] == f'schedule {made["name"]}' and ms(shown['deadline']) == ms(fire['done_at']) + MINUTE
    assert shown['steps'][0]['input'] == {'branch': 'main'}
    assert show(squad.operator, made)['last_execution'] == begun['id']


def test_overlap_counts_executions_that_have_not_ended(t):
    squad = Squad(t, server=t.new_server())
    made = {p: add(squad, overlap=p, name=p) for p in ('allow', 'skip', 'queue')}
    other = add(squad, overlap='queue')
    first = minute_ago(3)
    squad.operator = away(t, squad.operator.server, (other, first), *((s, first) for s in made.values()))
    until(lambda: all(len(fires(squad.operator, s)) >= 4 for s in made.values()))
    states = {p: [f['state'] for f in fires(squad.operator, s)][:4] for p, s in made.items()}
    assert states == {'allow': ['started'] * 4, 'skip': ['started'] + ['overlapped'] * 3,
                      'queue': ['started', 'waiting', 'overlapped', 'overlapped']}
    with t.case('the one that waits begins when the one before it has ended'):
        queue = made['queue']
        running, waiting = fires(squad.operator, queue)[:2]
        assert waiting['execution'] is None and len([e for e in executions(squad) if e['name'] == 'queue']) == 1
        Execution(squad, running['execution']).call('cancel').expect(200)
        begun = until(lambda: fires(squad.operator, queue)[1]['execution'], 3)
        assert fires(squad.operator, queue)[1]['state'] == 'started'
        assert show(squad.operator, queue)['last_execution'] == begun
    with t.case('also after a kill'):
        squad.operator.server.kill()
        squad.operator.close()
        squad.operator.server.start()
        running, waiting = fires(squad.operator, other)[:2]
        assert waiting['state'] == 'waiting'
        Execution(squad, running['execution']).call('cancel').expect(200)
        until(lambda: fires(squad.operator, other)[1]['execution'], 3)


def test_a_squad_that_rests_begins_nothing_by_the_clock(t):
    for rest, why in [('pause', 'the squad is paused'), ('archive', 'the squad is archived')]:
        squad = Squad(t, server=t.new_server())
        made = add(squad, overlap='queue')
        if rest == 'pause':
            squad.pause()
        else:
            squad.operator.call('DELETE', f'/v1/squads/{squad.id}').expect(204)
        squad.operator = away(t, squad.operator.server, (made, minute_ago(1)))
        done = until(lambda: fires(squad.operator, made))
        assert {(f['state'], f['detail'], f['execution']) for f in done} == {('skipped', why, None)}
        assert executions(squad) == []


def test_what_a_schedule_begins_is_of_a_task(t):
    project = Project(t, Squad(t, server=t.new_server()))
    squad = project.squad
    first = project.add()
    task = project.add(needs=[first])
    made = add(squad, task=task)
    squad.operator = project.operator = away(t, squad.operator.server, (made, minute_ago(0)))
    refused = until(lambda: fires(squad.operator, made))[0]
    assert refused['state'] == 'refused' and refused['detail'] == 'the task needs 1 that is not completed'
    project.change(first, status='completed').expect(200)
    squad.operator = project.operator = away(t, squad.operator.server, (made, minute_ago(0) + 1))
    until(lambda: executions(squad), 90)
    assert executions(squad)[0]['task'] == task and project.show(task)['status'] == 'in_progress'


def test_what_a_schedule_begins_is_checked(t):
    project = Project(t)
    squad, other = project.squad, Project(t)
    ask = lambda **members: squad.operator.post('/v1/schedules', {'name': f'bad-{next(COUNT)}', 'cron': '@daily', **members})
    ask().expect(400, 'missing_field').names('type')
    ask(type='x', execution={'squad': squad.id, 'steps': BUILD}).expect(422, 'invalid').names('execution')
    cases = [({'squad': 'sq_0000000000009', 'steps': BUILD}, 'execution.squad'), ({'squad': squad.id}, 'execution.template'),
             ({'squad': squad.id, 'steps': BUILD, 'template': 'software-development'}, 'execution.template'),
             ({'squad': squad.id, 'template': 'none'}, 'template'),
             ({'squad': squad.id, 'steps': BUILD, 'task': other.add()}, 'execution.task')]
    for execution, field in cases:
        with t.case(str(execution)):
            ask(execution=execution).expect(422, 'invalid').names(field)
    made = ask(execution={'squad': squad.id, 'template': 'software-development'}).expect(201).json
    path = f'/v1/schedules/{made["id"]}'
    assert squad.operator.call('PATCH', path, {'type': 'x', 'execution': None}).expect(200).json['execution'] is None
    squad.operator.call('PATCH', path, {'type': None}).expect(400, 'missing_field').names('type')


def test_killed_it_begins_nothing_twice_and_leaves_nothing_out(t):
    squad = Squad(t, server=t.new_server())
    server = squad.operator.server
    schedules = [add(squad, overlap='allow', missed='all') for _ in range(5)]
    for schedule in schedules:
        squad.operator.call('PATCH', f'/v1/schedules/{schedule["id"]}', {'missed_max': 1000}).expect(200)
    server.stop()
    for schedule in schedules:
        put_back(server, schedule, minute_ago(120))
    for _ in range(4):
        server.start(wait_for='up')
        server.kill()
    server.start()
    squad.operator = t.caller('first', server=server)
    until(lambda: all(ms(show(squad.operator, s)['last_at'] or '1970-01-01T00:00:00Z') >= minute_ago(1) for s in schedules), 60)
    begun = [f['execution'] for s in schedules for f in fires(squad.operator, s, limit=1000)]
    assert len(begun) >= 600 and None not in begun
    found = []
    query = {'squad': squad.id, 'limit': 1000}
    while True:
        page = squad.operator.get('/v1/executions', query=query).expect(200)
        found += [e['id'] for e in page.items]
        if not page.json['next_cursor']:
            break
        query['cursor'] = page.json['next_cursor']
    assert sorted(begun) == sorted(found)


# ---- hooks ----

ISSUE = {'action': 'opened', 'issue': {'number': 17, 'title': 'Déjà vu', 'body': None, 'labels': ['a']}}


def of_issues(project, **more):
    return {'events': ['issues'], 'when': ['/action=opened'], 'project': project.id, 'title': '/issue/title',
            'external_id': '/issue/number', 'description': '/issue/body', **more}


def test_an_issue_becomes_a_task_and_its_execution(t):
    project = Project(t)
    comments = {'events': ['issue_comment'], 'project': project.id, 'external_id': '/issue/number', 'signal': 'answered', 'payload': '/comment'}
    steps = [{'name': 'ask', 'kind': 'wait', 'event': 'answered'}, {'name': 'build', 'needs': ['ask']}]
    hook = Hook(t, rules=[of_issues(project, steps=steps, priority='high', payload='/issue'), comments])
    done = hook.ended(hook.send(ISSUE, event='issues').expect(202).json)
    assert done['state'] == 'done' and done['work'] is None, done
    task = project.show(done['task'])
    assert (task['title'], task['external_id'], task['priority'], task['status']) == ('Déjà vu', '17', 'high', 'blocked')
    execution = Execution(project.squad, done['execution'])
    shown = execution.show()
    assert (shown['name'], shown['task'], shown['created_by']) == ('Déjà vu', task['id'], f'hook {hook.name}')
    assert shown['steps'][1]['input'] == ISSUE['issue']
    with t.case('delivered again, it is the same'):
        body = json.dumps(ISSUE).encode()
        assert hook.send(body, event='issues').expect(200).json['duplicate']
    with t.case('told again in another delivery, nothing is begun beside it'):
        again = hook.ended(hook.send({**ISSUE, 'more': 1}, event='issues').expect(202).json)
        assert (again['state'], again['task'], again['execution']) == ('done', task['id'], execution.id)
        assert len(executions(project.squad)) == 1
    with t.case('a comment is a signal to it'):
        said = hook.ended(hook.send({'issue': {'number': 17}, 'comment': {'body': 'yes'}}, event='issue_comment').json)
        assert (said['state'], said['task'], said['execution']) == ('done', task['id'], execution.id)
        assert execution.step('ask')['state'] == 'completed' and execution.step('ask')['result'] == {'body': 'yes'}
    with t.case('of what nobody waits for it is noted'):
        heard = hook.ended(hook.send({'issue': {'number': 17}, 'comment': {'body': 'no'}}, event='issue_comment').json)
        assert heard['state'] == 'ignored' and heard['detail'], heard
        unknown = hook.ended(hook.send({'issue': {'number': 18}, 'comment': 1}, event='issue_comment').json)
        assert (unknown['state'], unknown['detail']) == ('ignored', 'no execution that it is for goes on')
    with t.case('ended, the next one begins'):
        finish(project.squad)
        assert project.show(task['id'])['status'] == 'completed'
        next_one = hook.ended(hook.send({**ISSUE, 'more': 2}, event='issues').expect(202).json)
        assert next_one['task'] == task['id'] and next_one['execution'] not in (None, execution.id)


def test_a_comment_becomes_a_message(t):
    project = Project(t)
    comments = {'events': ['issue_comment'], 'project': project.id, 'external_id': '/issue/number', 'message': '/comment/body'}
    hook = Hook(t, rules=[of_issues(project, steps=BUILD), comments])
    execution = Execution(project.squad, hook.ended(hook.send(ISSUE, event='issues').json)['execution'])

    def comment(body, number=17):
        return hook.ended(hook.send({'issue': {'number': number}, 'comment': {'body': body}}, event='issue_comment').expect(202).json)

    def messages():
        found = project.operator.get(f'/v1/executions/{execution.id}/messages', query={'limit': 200}).expect(200).items
        return [(m['text'], m['by'], m['from'], m['to']) for m in found]
    told = comment('Not more than ten.')
    assert (told['state'], told['execution']) == ('done', execution.id), told
    assert messages() == [('Not more than ten.', f'hook {hook.name}', None, None)]
    with t.case('a long one is cut'):
        assert comment('x' * 9000)['state'] == 'done' and len(messages()[1][0]) == 8192
    with t.case('one that says nothing is none'):
        for body in ('', None, {'text': 'x'}):
            assert comment(body)['state'] == 'failed'
    with t.case('nobody is there'):
        assert comment('hello', 18)['detail'] == 'no execution that it is for goes on'
    with t.case('too many in a minute are noted, and can be replayed'):
        for n in range(118):
            project.operator.post(f'/v1/executions/{execution.id}/messages', {'text': f'{n}'}).expect(201)
        late = comment('one more')
        assert late['state'] == 'failed' and '120 messages a minute' in late['detail'], late
    with t.case('and none after the end'):
        execution.call('cancel').expect(200)
        assert comment('too late')['state'] == 'ignored' and len(messages()) == 120


def test_jira_and_an_execution_alone(t):
    project = Project(t)
    hook = Hook(t, 'jira', rules=[
        {'events': ['jira:issue_created'], 'project': project.id, 'title': '/issue/fields/summary', 'external_id': '/issue/key'},
        {'events': ['jira:issue_updated'], 'squad': project.squad.id, 'template': 'software-development', 'title': '/issue/key'},
        {'events': ['told'], 'signal': '/word', 'execution': '/execution', 'payload': '/data'}])
    assert jira(b'{}')['X-Hub-Signature'].startswith('sha256=')
    event = {'webhookEvent': 'jira:issue_created', 'issue': {'key': 'SHOP-7', 'fields': {'summary': 'Limit requests'}}}
    made = hook.ended(hook.send(event).expect(202).json)
    assert made['execution'] is None and project.show(made['task'])['external_id'] == 'SHOP-7'
    begun = hook.ended(hook.send({**event, 'webhookEvent': 'jira:issue_updated'}).expect(202).json)
    assert begun['task'] is None and Execution(project.squad, begun['execution']).show()['name'] == 'SHOP-7'
    waits = project.squad.add({'name': 'hear', 'kind': 'wait', 'event': 'deployed'})
    told = hook.ended(hook.send({'webhookEvent': 'told', 'word': 'deployed', 'execution': waits.id, 'data': [1]}).json)
    assert told['state'] == 'done' and waits.state == 'completed' and waits.step('hear')['result'] == [1]
    wrong = hook.ended(hook.send({'webhookEvent': 'told', 'word': 'deployed', 'execution': 'w_1', 'data': 1}).json)
    assert wrong['state'] == 'failed' and 'no id of an execution' in wrong['detail']


def test_what_cannot_be_made_is_noted_with_what_was(t):
    project = Project(t)
    hook = Hook(t, rules=[of_issues(project, steps=[{'name': 'build', 'role': 'tester'}])])
    failed = hook.ended(hook.send(ISSUE, event='issues').json)
    assert failed['state'] == 'failed' and 'no active member' in failed['detail'] and failed['execution'] is None
    task = failed['task']
    hook.operator.call('PATCH', f'/v1/hooks/{hook.name}', {'rules': [of_issues(project, steps=BUILD)]}).expect(200)
    hook.operator.post(f'/v1/hook-deliveries/{failed["id"]}/replay').expect(202)
    done = hook.ended(failed)
    assert (done['state'], done['task'], done['detail']) == ('done', task, None) and done['execution']
    with t.case('the project is gone'):
        Execution(project.squad, done['execution']).call('cancel').expect(200)
        project.operator.call('DELETE', f'/v1/projects/{project.id}?with_tasks=true').expect(204)
        gone = hook.ended(hook.send({**ISSUE, 'more': 1}, event='issues').json)
        assert gone['state'] == 'failed' and 'no such project' in gone['detail']


def test_rules_that_make_no_sense_are_refused(t):
    project, operator = Project(t), t.caller('operator')
    cases = [({}, 'rules[0].type'), ({'type': 'a', 'signal': 'b', 'execution': '/c'}, 'rules[0].type'),
             ({'type': 'a', 'steps': BUILD}, 'rules[0].squad'), ({'type': 'a', 'execution': '/b'}, 'rules[0].execution'),
             ({'squad': project.squad.id}, 'rules[0].template'), ({'project': project.id, 'squad': project.squad.id}, 'rules[0].squad'),
             ({'squad': project.squad.id, 'steps': BUILD, 'external_id': '/a'}, 'rules[0].project'),
             ({'project': project.id, 'steps': BUILD, 'template': 'x'}, 'rules[0].template'),
             ({'project': project.id, 'template': 'no-such-template'}, 'rules[0].template'),
             ({'signal': 'a'}, 'rules[0].execution'), ({'signal': 'a', 'project': project.id}, 'rules[0].execution'),
             ({'signal': 'a', 'execution': '/b', 'project': project.id}, 'rules[0].execution'),
             ({'signal': 'a', 'execution': '/b', 'steps': BUILD}, 'rules[0].signal'),
             ({'message': '/a'}, 'rules[0].execution'), ({'message': '/a', 'execution': '/b', 'steps': BUILD}, 'rules[0].message'),
             ({'message': '/a', 'execution': '/b', 'signal': 'c'}, 'rules[0].message'), ({'message': '/a~2', 'execution': '/b'}, 'rules[0].message'),
             ({'message': '/a', 'execution': '/b', 'payload': '/c'}, 'rules[0].message'), ({'message': '/a', 'type': 'x'}, 'rules[0].type'),
             ({'project': 'pj_0000000000009'}, 'rules[0].project'), ({'squad': 'sq_0000000000009', 'steps': BUILD}, 'rules[0].squad'),
             ({'project': project.id, 'external_id': '/a~2'}, 'rules[0].external_id')]
    for rule, field in cases:
        with t.case(str(rule)):
            operator.post('/v1/hooks', {'name': 'bad', 'kind': 'github', 'rules': [rule]}).expect(422, 'invalid').names(field)


def test_hooks_reach_nothing_of_another_tenant(t):
    """Neither by what a rule names nor by what an event names."""
    theirs, operator = Project(t), t.caller('operator', tenant='hooking')
    waits = theirs.squad.add({'name': 'hear', 'kind': 'wait', 'event': 'deployed'})
    for rule, field in (({'project': theirs.id}, 'project'), ({'squad': theirs.squad.id, 'steps': BUILD}, 'squad'),
                        ({'project': theirs.id, 'external_id': '/n', 'signal': 'deployed'}, 'project')):
        with t.case(str(rule)):
            given = {'name': 'reaching', 'kind': 'github', 'rules': [rule]}
            operator.post('/v1/hooks', given).expect(422, 'invalid').names(f'rules[0].{field}')
    before = waits.show()
    hook = Hook(t, 'jira', tenant='hooking', rules=[{'events': ['signal'], 'signal': 'deployed', 'execution': '/execution'},
                                                   {'events': ['message'], 'message': 'hello', 'execution': '/execution'}])
    for event in ('signal', 'message'):
        with t.case(event):
            told = hook.ended(hook.send({'webhookEvent': event, 'execution': waits.id}).expect(202).json)
            assert (told['state'], told['detail'], told['execution']) == ('ignored', 'no execution that it is for goes on', None), told
    assert waits.show() == before


def test_what_a_schedule_begins_is_of_its_tenant(t):
    theirs, operator = Project(t), t.caller('operator', tenant='scheduling')
    ours = Squad(t)
    ours.operator = operator
    ours.id = operator.post('/v1/squads', {'name': 'ours'}).expect(201).json['id']
    for execution, field in (({'squad': theirs.squad.id, 'steps': BUILD}, 'squad'),
                             ({'squad': ours.id, 'steps': BUILD, 'task': theirs.add()}, 'task')):
        with t.case(field):
            given = {'name': f'reaching-{field}', 'cron': '@daily', 'execution': execution}
            operator.post('/v1/schedules', given).expect(422, 'invalid').names(f'execution.{field}')


def test_killed_each_delivery_makes_its_task_once(t):
    squad = Squad(t, server=t.new_server())
    server = squad.operator.server
    project = Project(t, squad)
    hook = Hook(t, server=server, rules=[{'project': project.id, 'title': '/title', 'steps': BUILD}])
    count = 0
    for _ in range(4):
        for _ in range(10):
            hook.send({'title': f'task {count}'}).expect(202)
            count += 1
        server.kill()
        hook.operator.close()
        hook.anonymous.close()
        squad.operator.close()
        server.start()
    until(lambda: [d['state'] for d in hook.deliveries(limit=100)] == ['done'] * count, 30)
    tasks = squad.operator.get('/v1/tasks', query={'project': project.id, 'limit': 100}).items
    assert sorted(task['title'] for task in tasks) == sorted(f'task {i}' for i in range(count))
    assert sorted(e['task'] for e in executions(squad)) == sorted(task['id'] for task in tasks)


# ---- a squad that rests ----

def fail_each_way(squad):
    """Three executions: a step tried again, an execution tried again, and a step that its worker still has."""
    kinds = ({'name': 'step', 'max_attempts': 2}, {}), ({'name': 'all', 'max_attempts': 1}, {'max_attempts': 2, 'backoff_ms': 1000})
    made = []
    for step, more in kinds:
        made.append(squad.add(step, **more))
        squad.settle(squad.claim(), 'fail', error='not yet').expect(200)
    made.append(squad.add({'name': 'held', 'max_attempts': 2}))
    return made, squad.claim()


def restart(squad):
    squad.operator.server.kill()
    squad.operator.close()
    squad.worker.close()
    squad.operator.server.start()


def rests(squad, executions):
    assert squad.claim() is None
    assert [(e.show()['state'], e.show().get('block')) for e in executions] == [('blocked', 'pause')] * len(executions)


def resumed_after_a_restart(squad, executions):
    """The paused squad rests before and after it; then a step of each is claimed, by claims that wait for them."""
    rests(squad, executions)
    restart(squad)
    rests(squad, executions)
    return at_once(lambda: [squad.claim(wait_ms=10000) for _ in executions], squad.resume)[0]


def test_a_paused_squad_tries_nothing_again_until_it_goes_on(t):
    """Another squad fails in the same ways a moment later: when its times have come, so have those of the one that rests."""
    resting = Squad(t, server=t.new_server())
    going = Squad(t, 'going', server=resting.operator.server)
    made, held = fail_each_way(resting)
    resting.pause()
    resting.settle(held, 'fail', error='not yet').expect(200)
    _, held = fail_each_way(going)
    going.settle(held, 'fail', error='not yet').expect(200)
    assert {going.claim(wait_ms=10000)['payload']['name'] for _ in range(3)} == {'step', 'all', 'held'}

    claimed = resumed_after_a_restart(resting, made)
    assert {item['payload']['name'] for item in claimed} == {'step', 'all', 'held'}
    with t.case('with all its attempts'):
        item = next(item for item in claimed if item['payload']['name'] == 'step')
        resting.settle(item, 'fail', error='not yet').expect(200)
        claimed = [resting.claim(wait_ms=10000)] + [other for other in claimed if other is not item]
        assert (item['attempt'], claimed[0]['attempt'], claimed[0]['payload']['name']) == (1, 2, 'step')
    for item in claimed:
        resting.settle(item).expect(200)
    assert [e.state for e in made] == ['completed'] * 3 and [e.show()['attempt'] for e in made] == [1, 2, 1]


def test_what_a_hook_begins_waits_while_its_squad_is_paused(t):
    squad = Squad(t, server=t.new_server())
    hook = Hook(t, server=squad.operator.server, rules=[{'squad': squad.id, 'title': '/title', 'steps': BUILD, 'payload': '/title'}])
    squad.pause()
    begun = [Execution(squad, hook.ended(hook.send({'title': title}).expect(202).json)['execution']) for title in 'ab']
    claimed = resumed_after_a_restart(squad, begun)
    assert sorted(item['payload']['input'] for item in claimed) == ['a', 'b']
    for item in claimed:
        squad.settle(item).expect(200)
    assert [e.state for e in begun] == ['completed'] * 2 and squad.claim() is None


# ---- webhooks ----

def told(receiver, execution):
    return [(g.event['type'], g.event['data']) for g in sorted(receiver.got, key=lambda g: g.event['data'].get('number', 0))
            if g.event['subject'] == execution.id]


def test_webhooks_are_told_of_executions(t):
    site, receiver, failures = Site(t), Receiver(t), Receiver(t)
    squad = Squad(t, server=site.server)
    webhook = site.webhook(receiver.url)
    site.webhook(failures.url, events=['execution.failed'], when=[f'/squad={squad.id}'])
    elsewhere = Receiver(t)
    t.caller('operator', server=site.server, tenant='elsewhere').post('/v1/webhooks', {'url': elsewhere.url}).expect(201)
    good = squad.add({'name': 'build'}, {'name': 'ok?', 'kind': 'approval', 'needs': ['build']})
    finish(squad)
    good.call('approve', {'step': good.step('ok?')['id'], 'approve': True}).expect(200)
    bad, cancelled = squad.add({'name': 'build'}), None
    squad.settle(squad.claim(), 'fail', error='broken', retry=False).expect(200)
    cancelled = squad.add({'name': 'build'})
    cancelled.call('cancel', {'reason': 'not needed'}).expect(200)
    until(lambda: len(receiver.got) >= 8, 20)
    types = [kind for kind, _ in told(receiver, good)]
    assert sorted(types) == ['approval.waiting', 'execution.blocked', 'execution.completed', 'execution.started'], types
    waiting = dict(told(receiver, good))['approval.waiting']
    assert (waiting['step'], waiting['step_name'], waiting['state']) == (good.step('ok?')['id'], 'ok?', 'blocked')
    assert dict(told(receiver, good))['execution.blocked']['block'] == 'approval'
    assert waiting['name'] == 'an execution' and waiting['squad'] == squad.id
    assert [kind for kind, _ in told(receiver, bad)] == ['execution.started', 'execution.failed']
    assert told(receiver, bad)[1][1]['why'] == 'the step build failed: broken'
    assert told(receiver, cancelled)[1] == ('execution.cancelled', {**told(receiver, cancelled)[1][1], 'why': 'not needed', 'state': 'cancelled'})
    assert all(verify(webhook['secret'], g.headers, g.body) for g in receiver.got)
    until(lambda: failures.got)
    assert [g.event['subject'] for g in failures.got] == [bad.id] and elsewhere.got == []


def test_killed_what_was_answered_is_told(t):
    receiver = Receiver(t)
    site = Site(t, '--owner-lease', '1s')
    squad = Squad(t, server=site.server)
    site.webhook(receiver.url, events=['execution.started'])
    made = []
    for _ in range(4):
        made += [squad.add({'name': 'build'}).id for _ in range(5)]
        site.server.kill()
        for caller in (site.operator, squad.operator, squad.worker):
            caller.close()
        site.server.start()
    until(lambda: {g.event['subject'] for g in receiver.got} == set(made), 60)
    assert len(set(receiver.ids())) == len(made), 'each is one event, however often it is sent'


def test_of_two_processes_one_tells(t):
    first, second = t.pair(*ALLOW, '--owner-lease', '2s')
    receiver = Receiver(t)
    Site(t, server=second).webhook(receiver.url, events=['execution.started', 'execution.cancelled'])
    squads = [Squad(t, server=first), Squad(t, server=second)]
    made = [squads[i % 2].add({'name': 'build'}) for i in range(20)]
    for execution in made:
        execution.call('cancel').expect(200)
    until(lambda: len(receiver.got) == 40, 20)
    assert len(set(receiver.ids())) == 40
    with t.case('another takes the queue over'):
        first.kill()
        until(lambda: squads[1].operator.post('/v1/executions', {'squad': squads[1].id, 'name': 'x', 'steps': BUILD}).status == 202, 30)
        until(lambda: len(receiver.got) >= 41, 30)


# ---- tasks ----

def test_the_newest_of_several_executions_of_a_task_counts(t):
    """Those that change in one batch: PostgreSQL took the row of any of them, SQLite that of the last it was given."""
    project = Project(t)
    waits, lapses = {'name': 'a', 'kind': 'wait'}, {'name': 'a', 'kind': 'approval'}
    tasks = []
    at = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 3 * SLOW))
    for steps in ((waits, lapses), (lapses, waits), (waits, lapses, waits), (lapses, waits, lapses)):
        task = project.add()
        tasks.append((task, 'completed' if steps[-1] is waits else 'failed'))
        for step in steps:
            project.start(task, steps=[{**step, 'until': at}]).expect(202)
    for task, status in tasks:
        assert until(lambda: (s := project.show(task)['status']) != 'blocked' and s) == status


def test_a_task_is_deleted_when_nothing_needs_it(t):
    project = Project(t)
    first = project.add()
    second = project.add(needs=[first])
    delete = lambda task, **headers: project.operator.call('DELETE', f'/v1/tasks/{task}', **headers)
    refused = delete(first).expect(409, 'conflict').json
    assert refused['detail'] == '1 other task needs it; take it from their needs first'
    running = Execution(project.squad, project.start(first, steps=BUILD).expect(202).json['id'])
    refused = delete(first).expect(409).json
    assert refused['detail'] == f'its execution {running.id} has not ended; cancel it first'
    running.call('cancel').expect(200)
    shown = project.operator.get(f'/v1/tasks/{second}').expect(200)
    project.change(second, title='changed').expect(200)
    delete(second, headers=etag(shown)).expect(412)
    delete(second).expect(204)
    delete(second).expect(404)
    delete(first).expect(204)
    project.operator.get(f'/v1/tasks/{first}').expect(404)
    assert running.show()['task'] == first, 'what has ended stays'


def test_a_project_is_deleted_with_its_tasks_when_told_so(t):
    project = Project(t)
    a = project.add()
    project.add(needs=[a])
    path = f'/v1/projects/{project.id}'
    refused = project.operator.call('DELETE', path).expect(409, 'conflict').json
    assert refused['detail'] == 'the project has 2 tasks; delete them first, or with_tasks (--with-tasks)'
    running = Execution(project.squad, project.start(a, steps=BUILD).expect(202).json['id'])
    assert running.id in project.operator.call('DELETE', path + '?with_tasks=true').expect(409).json['detail']
    running.call('cancel').expect(200)
    project.operator.call('DELETE', path + '?with_tasks=true').expect(204)
    project.operator.get(path).expect(404)
    project.operator.get(f'/v1/tasks/{a}').expect(404)
    empty = Project(t, project.squad)
    empty.operator.call('DELETE', f'/v1/projects/{empty.id}').expect(204)


def test_nothing_begins_of_what_is_deleted(t):
    """Deleting and beginning at once: either the task is gone, or it has an execution."""
    project = Project(t)
    for _ in range(10):
        task = project.add()
        begun, deleted = at_once(lambda: project.start(task, steps=BUILD), lambda: project.operator.call('DELETE', f'/v1/tasks/{task}'))
        assert (begun.status, deleted.status) in ((202, 409), (422, 204)), (begun.status, deleted.status)
        if begun.status == 202:
            project.operator.post(f'/v1/executions/{begun.json["id"]}/cancel').expect(200)
