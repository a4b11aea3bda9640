"""What no state allows, of everything that has states: 409 that says where it stands, and nothing is changed."""

import itertools

from harness import until
from test_executions import Execution, Squad
from test_questions import Talkers
from test_squads import Members
from test_tasks import Project

HOUR = 3600000
BUILD = {'name': 'build', 'max_attempts': 1}
ASKED = {'name': 'ok?', 'kind': 'approval', 'needs': ['build']}


# ---- executions ----

class Case:
    """An execution in a state, and the calls that would move it."""

    def __init__(self, t, state):
        self.squad, self.item = Squad(t), None
        self.execution = getattr(self, f'make_{state}')()
        assert self.execution.state == {'paused': 'blocked'}.get(state, state)

    def make_pending(self):
        return self.squad.add(BUILD, ASKED, start=False)

    def make_queued(self, **more):
        return self.squad.add(BUILD, ASKED, **more)

    def make_in_progress(self, **more):
        execution = self.make_queued(**more)
        self.item = self.squad.claim()
        return execution

    def make_paused(self):
        execution = self.make_queued()
        execution.call('pause').expect(200)
        return execution

    def make_blocked(self):
        execution = self.make_in_progress()
        self.squad.settle(self.item).expect(200)
        return execution

    def make_retrying(self):
        return self.make_failed(max_attempts=2, backoff_ms=HOUR)

    def make_failed(self, **more):
        execution = self.make_in_progress(**more)
        self.squad.settle(self.item, 'fail', error='no', retry=False).expect(200)
        return execution

    def make_completed(self):
        execution = self.make_blocked()
        execution.call('approve', {'step': execution.step('ok?')['id'], 'approve': True}).expect(200)
        return execution

    def make_cancelled(self):
        execution = self.make_in_progress()
        execution.call('cancel').expect(200)
        return execution

    def move(self, verb):
        step = self.execution.show()['steps']
        body = {'approve': {'step': step[1]['id'], 'approve': True}, 'refuse': {'step': step[1]['id'], 'approve': False},
                'signal': {'event': 'deployed'}, 'steps': {'steps': [{'name': 'more'}]}, 'messages': {'text': 'hello'},
                'questions': {'step': step[0]['id'], 'token': self.item['token'] if self.item else '0' * 26, 'text': 'Which?'}}
        return self.execution.call(verb, body.get(verb))


LIVE = ['pending', 'queued', 'in_progress', 'blocked', 'paused', 'retrying']
ENDED = ['completed', 'failed', 'cancelled']
# By the call: where it is taken. Everywhere else it is not.
TAKEN = {'start': LIVE, 'pause': LIVE, 'resume': LIVE, 'cancel': [*LIVE, 'cancelled'], 'retry': ['failed', 'cancelled'],
         'approve': ['blocked'], 'signal': [], 'steps': LIVE, 'messages': LIVE, 'questions': ['in_progress']}


def test_an_execution_makes_no_move_that_its_state_does_not_allow(t):
    """Defects 1 and 6 of the original: it had no guard but that of cancel, and refusing crashed."""
    for state, (verb, taken) in itertools.product(LIVE + ENDED, TAKEN.items()):
        with t.case(f'{verb} where it is {state}'):
            case = Case(t, state)
            before = case.execution.show()
            answer = case.move(verb)
            if state in taken:
                assert answer.status in (200, 201, 202), answer.json
                continue
            answer.expect(409)
            if state in ENDED or verb == 'retry':
                assert before['state'] in answer.json['detail'], answer.json
            assert case.execution.show() == before


def test_what_has_ended_stays_ended(t):
    """The sixth defect: what was completed could fail, and be completed twice."""
    for state in ENDED:
        case = Case(t, state)
        before = case.execution.show()
        again = {'completed': ('complete', {}), 'failed': ('fail', {'error': 'no', 'retry': False})}.get(state, (None, None))
        for verb, body in (('complete', {}), ('fail', {'error': 'no', 'retry': False}), ('release', {}), ('progress', {'percent': 50})):
            with t.case(f'{verb} of a step where it is {state}'):
                answer = case.squad.settle(case.item, verb, **body)
                answer.expect(200 if (verb, body) == again else 409)
                assert case.execution.show() == before
        with t.case(f'a note where it is {state}'):
            note = {'item': case.item['id'], 'token': case.item['token'], 'notes': [{'text': 'late'}]}
            case.squad.worker.post(f'/v1/executions/{case.execution.id}/notes', note).expect(409)
            assert case.execution.show() == before
        with t.case(f'the lease where it is {state}'):
            lease = {'items': [{'id': case.item['id'], 'token': case.item['token']}], 'lease_ms': HOUR}
            assert case.squad.worker.post('/v1/work/extend', lease).expect(200).items[0]['error']['code']
        assert case.squad.claim() is None


def test_what_is_so_already_is_no_error_and_no_event(t):
    for state, verb in [('queued', 'start'), ('paused', 'pause'), ('queued', 'resume'), ('cancelled', 'cancel')]:
        with t.case(f'{verb} where it is {state}'):
            case = Case(t, state)
            before = case.execution.show()
            assert case.move(verb).expect(202 if verb == 'start' else 200).json['state'] == before['state']
            assert case.execution.show() == before


def test_a_verdict_is_given_once(t):
    case = Case(t, 'blocked')
    case.execution.call('steps', {'steps': [{'name': 'merge', 'needs': ['ok?']}]}).expect(202)
    case.move('approve').expect(200)
    before = case.execution.show()
    step = case.execution.step('ok?')['id']
    case.execution.call('approve', {'step': step, 'approve': True}).expect(200)
    said = case.execution.call('approve', {'step': step, 'approve': False}).expect(409).json['detail']
    assert 'completed' in said and case.execution.show() == before
    other = case.execution.step('merge')['id']
    assert 'no approval' in case.execution.call('approve', {'step': other, 'approve': True}).expect(409).json['detail']
    case.execution.call('approve', {'step': 'st_0000000000009', 'approve': True}).expect(404)
    assert case.execution.show() == before


# ---- questions ----

def test_a_question_that_has_ended_takes_nothing(t):
    def asked(**rule):
        talk = Talkers(t)
        talk.add('tech_lead')
        if rule:
            talk.squad.operator.post('/v1/routing-rules', {'squad': talk.squad.id, 'to': ['tech_lead'], **rule}).expect(201)
        execution = talk.begin(max_attempts=1)
        return talk, execution, talk.asked(**({'wait_ms': 20, 'again_ms': 20} if rule else {}))

    for state in ('answered', 'cancelled', 'unanswered'):
        talk, execution, question = asked(**({'on_silence': 'fail'} if state == 'unanswered' else {}))
        if state == 'answered':
            talk.answer(question).expect(200)
        elif state == 'cancelled':
            execution.call('cancel').expect(200)
        until(lambda talk=talk, question=question, state=state: talk.show(question)['state'] == state)
        before = talk.show(question), execution.show()
        for verb, body in (('answer', {'answer': 'late'}), ('escalate', {'why': 'late'})):
            with t.case(f'{verb} where it is {state}'):
                said = talk.squad.operator.post(f'/v1/questions/{question}/{verb}', body).expect(409, 'conflict').json['detail']
                assert state in said and (talk.show(question), execution.show()) == before
    with t.case('nobody is above'):
        talk, execution, question = asked()
        talk.squad.operator.post(f'/v1/questions/{question}/escalate', {'why': 'x'}).expect(200)
        before = talk.show(question)
        talk.squad.operator.post(f'/v1/questions/{question}/escalate', {'why': 'x'}).expect(409)
        assert talk.show(question) == before


# ---- squads ----

def test_an_archived_squad_is_only_looked_at(t):
    members = Members(t)
    project = Project(t, members.squad)
    squad, task, member = members.squad, project.add(), members.add('tester')
    held = squad.add(BUILD)
    squad.settle(squad.claim(), 'fail', error='no', retry=False).expect(200)
    rule = squad.operator.post('/v1/routing-rules', {'squad': squad.id, 'to': ['tester']}).expect(201).json['id']
    path = f'/v1/squads/{squad.id}'
    squad.operator.call('DELETE', path).expect(204)

    def seen():
        return [squad.operator.get(p).expect(200).json for p in (
            path, f'/v1/executions/{held.id}', f'/v1/tasks/{task}', f'/v1/projects/{project.id}', f'/v1/squad-members/{member["id"]}',
            f'/v1/routing-rules/{rule}')]
    before = seen()
    execution = {'squad': squad.id, 'name': 'x', 'steps': [BUILD]}
    for method, url, body in [
            ('POST', path + '/pause', {}), ('POST', path + '/resume', {}), ('PATCH', path, {'name': 'x'}),
            ('POST', path + '/members', {'role': 'tester'}), ('POST', '/v1/executions', execution),
            ('POST', '/v1/executions', {**execution, 'task': task}), ('POST', f'/v1/executions/{held.id}/retry', {}),
            ('POST', '/v1/projects', {'squad': squad.id, 'name': 'x'}), ('POST', '/v1/tasks', {'project': project.id, 'title': 'x'}),
            ('PATCH', f'/v1/tasks/{task}', {'status': 'completed'}), ('PATCH', f'/v1/projects/{project.id}', {'name': 'x'}),
            ('PATCH', f'/v1/squad-members/{member["id"]}', {'model': 'x'}), ('DELETE', f'/v1/squad-members/{member["id"]}', None),
            ('POST', f'/v1/squad-members/{member["id"]}/deactivate', {}), ('POST', '/v1/routing-rules', {'squad': squad.id, 'to': ['tester']}),
            ('PATCH', f'/v1/routing-rules/{rule}', {'priority': 7}), ('DELETE', f'/v1/routing-rules/{rule}', None)]:
        with t.case(f'{method} {url}'):
            assert 'archived' in squad.operator.call(method, url, body).expect(409).json['detail']
    assert seen() == before


# ---- schedules ----

def test_a_schedule_that_is_gone_or_paused(t):
    operator = t.caller('operator')
    given = {'name': 'moves', 'cron': '0 3 * * *', 'type': 'nightly'}
    path = f'/v1/schedules/{operator.post("/v1/schedules", given).expect(201).json["id"]}'
    for verb in ('resume', 'pause'):
        first = operator.post(f'{path}/{verb}').expect(200).json
        assert operator.post(f'{path}/{verb}').expect(200).json == first
    operator.call('DELETE', path).expect(204)
    for method, url, body in (('POST', path + '/pause', {}), ('POST', path + '/resume', {}), ('PATCH', path, {'title': 'x'}),
                              ('DELETE', path, None), ('GET', path + '/next', None)):
        operator.call(method, url, body).expect(404)


# ---- tasks ----

def test_a_task_is_not_written_while_an_execution_says_where_it_stands(t):
    """Of the sixth defect: anybody could say where a task stands while it was executed, and the end wrote over it."""
    project = Project(t)
    task = project.add()
    execution = Execution(project.squad, project.start(task, steps=[BUILD]).expect(202).json['id'])
    before = project.show(task)
    for status in ('pending', 'in_progress', 'running', 'blocked', 'completed', 'failed'):
        with t.case(status):
            assert execution.id in project.change(task, status=status).expect(409, 'conflict').json['detail']
    assert project.show(task) == before
    assert project.operator.call('DELETE', f'/v1/tasks/{task}').expect(409).json['detail'] and project.show(task) == before
    project.change(task, title='another').expect(200)
    execution.call('cancel').expect(200)
    project.change(task, status='completed').expect(200)


def test_running_is_another_word_for_in_progress(t):
    """Of the first defect: what workers called running the model did not know."""
    case = Case(t, 'in_progress')
    for word in ('running', 'in_progress'):
        found = case.squad.operator.get('/v1/executions', query={'squad': case.squad.id, 'state': word}).expect(200).items
        assert [(e['id'], e['state']) for e in found] == [(case.execution.id, 'in_progress')]
    project = Project(t, case.squad)
    task = project.add()
    assert project.change(task, status='running').expect(200).json['status'] == 'in_progress'
    found = project.operator.get('/v1/tasks', query={'project': project.id, 'status': 'running'}).expect(200).items
    assert [item['id'] for item in found] == [task]
    case.squad.operator.get('/v1/executions', query={'state': 'runnin'}).expect(422).names('state')
