"""Questions that steps ask: who is asked, when again, what becomes of the step; through crashes too."""

import json
import os
import signal
import threading

from harness import BINARY, until
from test_events import Stream
from test_executions import Squad
from test_schedules import ms
from test_squads import Members
from test_worker import Gate, Worker


class Talkers(Members):
    """A squad with members, whose steps ask."""

    def begin(self, **step):
        self.execution = self.squad.add({'name': 'build', **step}, {'name': 'test', 'needs': ['build']})
        return self.execution

    def inquire(self, text='Which branch?', item=None, caller=None, **more):
        item = item or self.squad.claim(wait_ms=5000)
        body = {'step': item['payload']['step'], 'token': item['token'], 'text': text, **more}
        return (caller or self.squad.worker).post(f'/v1/executions/{item["payload"]["execution"]}/questions', body)

    def asked(self, *given, **more):
        return self.inquire(*given, **more).expect(202).json['id']

    def show(self, question):
        return self.squad.operator.get(f'/v1/questions/{question}').expect(200).json

    def answer(self, question, answer='main', caller=None, **more):
        return (caller or self.squad.operator).post(f'/v1/questions/{question}/answer', {'answer': answer, **more})

    def turns(self, question):
        return [turn['kind'].removeprefix('question_') for turn in self.show(question)['turns']]

    def listed(self, **query):
        return [q['id'] for q in self.squad.operator.get('/v1/questions', query=query).expect(200).items]


def test_a_step_asks_and_goes_on_with_the_answer(t):
    talk = Talkers(t)
    lead, developer = talk.add('tech_lead')['id'], talk.add('backend_developer')['id']
    execution = talk.begin(role='backend_developer', input={'n': 1})
    item = talk.squad.claim()
    asked = talk.inquire(item=item).expect(202).json
    assert (asked['state'], asked['level'], asked['role'], asked['member']) == ('open', 0, 'tech_lead', lead)
    assert execution.show()['block'] == 'question' and execution.steps == 'build:waiting test:pending'
    assert talk.squad.claim() is None
    with t.case('the lease has ended; a command that ends well is not refused'):
        talk.squad.worker.post('/v1/work/extend', {'items': [{'id': item['id'], 'token': item['token']}], 'lease_ms': 1000})
        talk.inquire(item=item).expect(409, 'stale_token')
        talk.squad.settle(item).expect(200)
        assert execution.steps == 'build:waiting test:pending'
    with t.case('a conversation'):
        shown = talk.show(asked['id'])
        assert (shown['asker'], shown['text'], shown['kind']) == (developer, 'Which branch?', 'default')
        assert shown['levels'] == [{'level': 0, 'role': 'tech_lead', 'member': lead}, {'level': 1}]
        assert talk.turns(asked['id']) == ['asked'] and 'answer' not in shown and 'rule' not in shown
    with t.case('the answer'):
        said = talk.answer(asked['id'], 'main', caller=talk.squad.worker, member=lead).expect(200).json
        assert said['state'] == 'answered' and 'due_at' not in said
        again = talk.squad.claim()
        assert again['payload']['questions'] == [{'kind': 'default', 'question': 'Which branch?', 'answer': 'main', 'answered_by': 'test worker'}]
        assert again['payload']['input'] == {'n': 1} and again['payload']['name'] == 'build'
    with t.case('a second question'):
        second = talk.asked('And which tag?', item=again)
        talk.answer(second, 'v2').expect(200)
        third = talk.squad.claim()
        assert [q['answer'] for q in third['payload']['questions']] == ['main', 'v2']
        talk.squad.settle(third).expect(200)
        assert execution.steps == 'build:completed test:ready'
        assert 'questions' not in talk.squad.claim()['payload']
    shown = talk.show(asked['id'])
    assert (shown['state'], shown['answer'], shown['answerer']) == ('answered', 'main', lead) and shown['ended_at']
    assert talk.turns(asked['id']) == ['asked', 'answered']
    talk.answer(asked['id']).expect(409, 'conflict')


def test_an_escalated_question_times_out_again(t):
    """A defect of the original's monitor: what had gone up was not looked at any more."""
    talk = Talkers(t)
    talk.add('tech_lead')
    talk.add('project_manager')
    talk.begin()
    question = talk.asked(wait_ms=30, again_ms=20)
    until(lambda: talk.listed(squad=talk.squad.id, state='open', person='true') == [question])
    assert talk.turns(question) == ['asked', 'asked_again', 'escalated', 'asked_again', 'escalated']
    shown = talk.show(question)
    assert [turn['level'] for turn in shown['turns']] == [0, 0, 1, 1, 2]
    assert shown['level'] == 2 and 'role' not in shown and 'due_at' not in shown
    with t.case('a person, not a worker, answers then'):
        talk.answer(question, caller=talk.squad.worker).expect(403, 'forbidden')
        talk.answer(question).expect(200)
    assert talk.squad.claim()['payload']['questions'][0]['answer'] == 'main'


def test_who_gives_no_times_waits_five_minutes_and_then_two(t):
    talk = Talkers(t)
    talk.add('tech_lead')
    talk.add('project_manager')
    talk.begin()
    question = talk.asked()
    shown = talk.show(question)
    assert (shown['wait_ms'], shown['again_ms']) == (300000, 120000)
    assert ms(shown['due_at']) - ms(shown['asked_at']) == 300000
    with t.case('the next level has as long'):
        talk.squad.operator.post(f'/v1/questions/{question}/escalate', {'why': 'not mine'}).expect(200)
        shown = talk.show(question)
        assert shown['role'] == 'project_manager'
        assert ms(shown['due_at']) - ms(shown['turns'][-1]['at']) == 300000


def test_the_stream_tells_of_questions(t):
    talk = Talkers(t)
    lead = talk.add('tech_lead')['id']
    execution = talk.begin()
    stream = Stream(t, f'/v1/executions/{execution.id}/events', key=talk.squad.operator.key)
    question = talk.asked()
    talk.squad.worker.post(f'/v1/questions/{question}/escalate', {'why': 'not mine', 'member': lead}).expect(200)
    talk.answer(question).expect(200)
    execution.call('cancel').expect(200)
    told = [(kind, data) for _, kind, data in iter(stream.next, None) if kind.startswith('question')]
    assert [kind for kind, _ in told] == ['question_asked', 'question_escalated', 'question_answered']
    said = [json.loads(data['message']) for _, data in told]
    assert [s['text'] for s in said] == ['Which branch?', 'not mine', 'main'] and {s['question'] for s in said} == {question}
    assert (said[0]['role'], said[0]['member']) == ('tech_lead', lead) and 'role' not in said[1]
    assert told[1][1]['member'] == lead


def test_where_nobody_is_left_the_step_fails(t):
    talk = Talkers(t)
    talk.add('tech_lead')
    rule = talk.squad.operator.post('/v1/routing-rules', {'squad': talk.squad.id, 'to': ['tech_lead'], 'on_silence': 'fail'}).expect(201).json
    execution = talk.begin(max_attempts=1)
    question = talk.asked(wait_ms=20, again_ms=20)
    until(lambda: execution.state == 'failed')
    assert execution.show()['why'] == 'the step build failed: nobody answered its question'
    shown = talk.show(question)
    assert (shown['state'], shown['rule']) == ('unanswered', rule['id'])
    assert talk.turns(question) == ['asked', 'asked_again', 'unanswered']
    with t.case('tried again, it may ask again'):
        execution.call('retry').expect(202)
        again = talk.asked()
        talk.answer(again).expect(200)
        assert [q['question'] for q in talk.squad.claim()['payload']['questions']] == ['Which branch?']


def test_an_execution_that_ends_takes_its_questions_along(t):
    talk = Talkers(t)
    execution = talk.begin()
    question = talk.asked()
    execution.call('cancel').expect(200)
    assert talk.show(question)['state'] == 'cancelled'
    assert 'cancelled' in talk.answer(question).expect(409).json['detail']


def test_an_answer_within_a_pause_is_not_lost(t):
    talk = Talkers(t)
    execution = talk.begin()
    question = talk.asked()
    talk.squad.pause()
    talk.answer(question).expect(200)
    assert execution.show()['block'] == 'pause' and talk.squad.claim() is None
    talk.squad.resume()
    assert [q['answer'] for q in talk.squad.claim()['payload']['questions']] == ['main']


def test_who_may_answer(t):
    talk = Talkers(t)
    lead, developer, elsewhere = talk.add('tech_lead')['id'], talk.add('backend_developer')['id'], Talkers(t).add('tester')['id']
    talk.begin(role='backend_developer')
    question = talk.asked()
    talk.answer(question, member=elsewhere).expect(422).names('member')
    talk.answer(question, member=developer).expect(422).names('member')
    talk.answer(question, '').expect(422).names('answer')
    talk.answer(question, 'x' * 8193).expect(422).names('answer')
    talk.answer('qn_0000000000009').expect(404)
    talk.answer(question, caller=t.caller('reader')).expect(403)
    talk.answer(question, member=lead).expect(200)
    talk.answer(question, member=lead).expect(409)


def test_bad_questions(t):
    talk = Talkers(t)
    execution = talk.begin()
    item = talk.squad.claim()
    talk.inquire('', item=item).expect(422).names('text')
    talk.inquire('x' * 8193, item=item).expect(422).names('text')
    talk.inquire(item=item, wait_ms=0).expect(422).names('wait_ms')
    talk.inquire(item={**item, 'token': 'x'}).expect(409, 'stale_token')
    talk.inquire(item={**item, 'token': '0' * 26}).expect(409, 'stale_token')
    talk.inquire(item={**item, 'payload': {**item['payload'], 'step': 'st_0000000000009'}}).expect(422).names('step')
    talk.inquire(item={**item, 'payload': {**item['payload'], 'execution': 'ex_0000000000009'}}).expect(404)
    assert execution.steps == 'build:running test:pending'
    talk.squad.operator.post('/v1/routing-rules', {'squad': talk.squad.id, 'to': ['designer'], 'on_silence': 'fail'}).expect(201)
    assert 'nobody' in talk.inquire(item=item).expect(409, 'conflict').json['detail']
    talk.squad.settle(item).expect(200)


def test_questions_are_listed(t):
    """The fourteenth defect: lists read everything and then cut it. And none crosses tenants (the seventh)."""
    talk, other = Talkers(t), Talkers(t)
    lead = talk.add('tech_lead')['id']
    asked = []
    for _ in range(5):
        talk.begin()
        asked.append(talk.asked())
    other.begin()
    person = other.asked()
    talk.answer(asked[0]).expect(200)
    seen, cursor = [], {}
    while cursor is not None:
        page = talk.squad.operator.get('/v1/questions', query={'squad': talk.squad.id, 'limit': 2, **cursor}).expect(200).json
        seen += [q['id'] for q in page['items']]
        cursor = {'cursor': page['next_cursor']} if page['next_cursor'] else None
    assert seen == asked[::-1]
    assert talk.listed(execution=talk.execution.id) == asked[-1:]
    assert talk.listed(squad=talk.squad.id, state='answered') == asked[:1]
    assert talk.listed(member=lead, state='open') == asked[:0:-1]
    assert person in other.listed(person='true') and asked[1] not in other.listed(person='true')
    theirs = t.caller('admin', tenant='curious')
    for query in ({}, {'squad': talk.squad.id}, {'execution': talk.execution.id}, {'member': lead}):
        assert theirs.get('/v1/questions', query=query).expect(200).items == []


def test_questions_live_through_crashes(t):
    """kill -9 while a question waits and after it was answered: asked once, answered once, the step goes on with it."""
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)
    talk = Talkers(t, Squad(t, server=server))

    def crash():
        server.kill()
        talk.squad.operator.close()
        talk.squad.worker.close()
        server.start()
        until(lambda: talk.squad.operator.get('/health/ready').status == 200)

    talk.add('tech_lead')
    execution = talk.begin()
    question = talk.asked(wait_ms=50, again_ms=600000)
    until(lambda: talk.turns(question) == ['asked', 'asked_again'])
    due = talk.show(question)['due_at']
    crash()
    assert talk.show(question)['due_at'] == due and execution.steps == 'build:waiting test:pending'
    talk.answer(question).expect(200)
    crash()
    item = until(talk.squad.claim)
    assert [q['answer'] for q in item['payload']['questions']] == ['main']
    second = talk.asked('And?', item=item)
    crash()
    assert talk.turns(question) == ['asked', 'asked_again', 'answered'] and talk.turns(second) == ['asked']
    talk.answer(second, 'so').expect(200)
    item = talk.squad.claim()
    assert [q['answer'] for q in item['payload']['questions']] == ['main', 'so']
    talk.squad.settle(item).expect(200)
    talk.squad.settle(talk.squad.claim()).expect(200)
    assert execution.state == 'completed'


def test_one_of_many_answers_counts(t):
    talk = Talkers(t)
    talk.begin()
    question = talk.asked()
    answers, lock = [], threading.Lock()

    def answer(n, caller):
        said = talk.answer(question, f'answer {n}', caller=caller)
        with lock:
            answers.append((said.status, f'answer {n}'))

    threads = [threading.Thread(target=answer, args=(n, t.caller('operator'))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [200] + [409] * 7
    assert talk.show(question)['answer'] == dict(answers)[200]
    assert [q['answer'] for q in talk.squad.claim()['payload']['questions']] == [dict(answers)[200]]


# ---- from a worker's command ----

def run_worker(t, talk, script, server=None):
    worker = Worker(t, 'sh', '-c', script, server=server, type_='', flags=['--squad', talk.squad.id, '--until-empty'])
    return worker, worker.wait()


ASK_ONCE = 'cat >"$0"; grep -q questions "$0" && exec cat "$0"; '


def test_a_command_asks(t):
    """By the command line, from what stands in its environment; and by a line of its output."""
    for how in (f'{BINARY} question ask Which branch?', 'echo before; echo "::ask Which branch?"'):
        with t.case(how.rsplit('/', maxsplit=1)[-1]):
            talk = Talkers(t)
            talk.add('backend_developer')
            execution = talk.begin(role='backend_developer')
            payload = os.path.join(talk.squad.operator.server.data, 'payload.json')
            _, (status, summary) = run_worker(t, talk, (ASK_ONCE + how).replace('"$0"', payload))
            assert (status, summary['completed'], summary['failed'], summary['lost']) == (0, 1, 0, 0)
            asked, = talk.listed(execution=execution.id)
            assert talk.show(asked)['text'] == 'Which branch?' and execution.steps == 'build:waiting test:pending'
            talk.answer(asked, 'the main one').expect(200)
            run_worker(t, talk, (ASK_ONCE + how).replace('"$0"', payload))
            assert 'the main one' in execution.step('build')['result']['output']


def test_a_command_asks_only_when_it_ends_well(t):
    talk = Talkers(t)
    execution = talk.begin(max_attempts=1)
    worker, (_, summary) = run_worker(t, talk, 'echo "::ask Which branch?"; exit 3')
    assert summary['failed'] == 1 and execution.state == 'failed' and talk.listed(execution=execution.id) == [], worker.complaints()


def test_a_question_that_is_refused_fails_its_command(t):
    talk = Talkers(t)
    talk.squad.operator.post('/v1/routing-rules', {'squad': talk.squad.id, 'to': ['designer'], 'on_silence': 'fail'}).expect(201)
    execution = talk.begin(max_attempts=1)
    run_worker(t, talk, 'echo "::ask Which branch?"')
    assert execution.state == 'failed' and 'its question was refused: ' in execution.step('build')['error']


def test_a_question_outlives_the_server(t):
    """What a command asked while the server was away is asked when it is back."""
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)
    talk = Talkers(t, Squad(t, server=server))
    execution, gate = talk.begin(), Gate(t)
    worker = Worker(t, 'sh', '-c', f': <{gate.path}; echo "::ask Which branch?"', server=server, type_='', flags=['--squad', talk.squad.id])
    until(lambda: execution.steps.startswith('build:running'))
    server.kill()
    gate.open()
    until(lambda: 'trying again until it answers' in worker.complaints(), 20)
    talk.squad.operator.close()
    server.start()
    until(lambda: talk.squad.operator.get('/health/ready').status == 200)
    until(lambda: execution.steps == 'build:waiting test:pending', 30)
    worker.signal(signal.SIGTERM)
    status, summary = worker.wait()
    assert (status, summary['completed']) == (143, 1)
