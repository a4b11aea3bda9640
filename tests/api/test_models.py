"""Steps that models carry out: what they are asked, what becomes of their answers, and of every way in which they fail."""

import json
import os
import subprocess
import tempfile
from datetime import datetime, timedelta

from harness import until
from model_endpoint import Endpoint, Reply, chunk, events, refusal, spoken
from test_cli import Cli
from test_execution_events import events_of
from test_executions import Execution, Squad
from test_worker import Worker


def work(t, squad, *command, flags=(), key=None, until_empty=True):
    env = {'TENFOLD_URL': t.server.url, 'TENFOLD_KEY': t.caller('worker').key, 'TENFOLD_HOME': '/nonexistent',
           **({'TENFOLD_MODEL_KEY': key} if key else {})}
    flags = ['--squad', squad.id, *(['--until-empty'] if until_empty else []), *flags]
    return Worker(t, *command, flags=flags, type_='', env=env)


def worked(t, squad, *command, **more):
    worker = work(t, squad, *command, **more)
    status, summary = worker.wait(60)
    assert status == 0, (status, summary, worker.complaints())
    return summary


def asking(t, endpoint, *flags):
    return ['--model-url', endpoint.url, '--model', 'tiny', *flags]


def member(squad, role, **more):
    return squad.operator.post(f'/v1/squads/{squad.id}/members', {'role': role, **more}).expect(201).json['id']


def streamed(t, execution, kind):
    return [data for _, name, data in iter(events_of(t, execution).next, None) if name == kind]


def cost_of(execution, **query):
    return execution.squad.operator.get(f'/v1/executions/{execution.id}/cost', query=query).expect(200).json


# ---- the stand-in ----

def test_a_stand_in_carries_a_whole_template_out(t):
    squad = Squad(t)
    for role in ('project_manager', 'backend_developer', 'tester', 'tech_lead'):
        member(squad, role)
    made = squad.operator.post('/v1/executions', {'squad': squad.id, 'name': 'x', 'template': 'software-development'})
    execution = Execution(squad, made.expect(202).json['id'])
    worked(t, squad, flags=['--model', 'stand-in', '--concurrency', '4'])
    assert execution.steps == 'plan:completed build:completed test:completed review:completed approval:waiting', execution.show()
    plan, build, review = (execution.step(name)['result'] for name in ('plan', 'build', 'review'))
    assert plan['provider'] == plan['model'] == 'stand-in' and plan['text'].startswith('[stand-in, no model was asked]')
    assert [f['path'] for f in build['generated']['files']] == ['src/x.py', 'tests/test_x.py']
    assert review['analysed']['verdict'] in ('good', 'faulty') and review['analysed']['findings']
    with t.case('what it says comes piece by piece'):
        execution.call('approve', {'step': execution.step('approval')['id'], 'approve': True}).expect(200)
        said = streamed(t, execution, 'answer_streaming')
        of_plan = [e['message'] for e in said if e['step'] == execution.step('plan')['id']]
        assert ''.join(of_plan) == plan['text'] and len(of_plan) > 1
    with t.case('the same again says the same'):
        again = squad.add({'name': 'plan', 'kind': 'model', 'role': 'project_manager'})
        once_more = squad.add({'name': 'plan', 'kind': 'model', 'role': 'project_manager'})
        worked(t, squad, flags=['--model', 'stand-in'])
        assert again.step('plan')['result'] == once_more.step('plan')['result']
    with t.case('it costs nothing'):
        total = cost_of(execution)['total']
        assert (total['cost'], total['micro_usd'], total['calls'], total['unknown']) == ('USD 0.000000', 0, 4, 0)


def test_what_the_steps_brought_forth_is_read_in_one_call(t):
    squad, cli = Squad(t), Cli(t)
    execution = squad.add({'name': 'build'}, {'name': 'test', 'needs': ['build'], 'max_attempts': 1}, name='Nightly')
    assert cli.good('execution', 'result', execution.id) == '(none)\n'
    with t.case('a step that is named is there also when it has nothing yet'):
        assert cli.good('execution', 'result', execution.id, 'test') == 'test  command  pending\n'
    squad.settle(squad.claim(), result={'exit': 0, 'output': 'one\n\ttwo\n'}).expect(200)
    squad.settle(squad.claim(), 'fail', error='no such branch', retry=False).expect(200)
    build = 'build  command  completed\n  exit: 0\n  output:\n    one\n    \ttwo\n'
    assert cli.good('execution', 'result', execution.id) == build + '\ntest  command  failed\n  error: no such branch\n'
    with t.case('of one step, by its name or id'):
        assert cli.good('execution', 'result', execution.id, 'build') == build
        assert cli.json('execution', 'result', execution.id, execution.step('build')['id'])['items'][0]['result']['exit'] == 0
    with t.case('one that is not there'):
        none = cli.run('execution', 'result', execution.id, 'deploy')
        assert none.returncode == 4 and "the execution has no step 'deploy'" in none.stderr, none
    with t.case('a list says what is waited for'):
        squad.add({'name': 'release', 'kind': 'approval'}, name='Weekly')
        listed = cli.good('execution', 'list', '--squad', squad.id).split('\n')
        assert listed[1].split()[1:4] == ['blocked', 'Weekly', 'approval'] and listed[2].split()[1:4] == ['failed', 'Nightly', '-'], listed


# ---- an endpoint ----

def test_an_endpoint_is_asked_what_the_step_is_about(t):
    endpoint = Endpoint(t, Reply(spoken('Two steps: think, then build. ✓')))
    squad = Squad(t)
    who = member(squad, 'project_manager', system_prompt='You plan.', model='large')
    execution = squad.add({'name': 'look', 'kind': 'command'},
                          {'name': 'plan', 'kind': 'model', 'role': 'project_manager', 'needs': ['look'], 'input': {'branch': 'main'}})
    worked(t, squad, 'echo', 'the roof leaks', flags=asking(t, endpoint), key='secret-word')
    asked, = endpoint.asked
    assert asked['path'] == '/v1/chat/completions' and asked['model'] == 'large' and asked['stream'] is True
    assert asked['stream_options'] == {'include_usage': True} and 'max_tokens' not in asked
    assert endpoint.headers[0]['Authorization'] == 'Bearer secret-word'
    system, user = (message['content'] for message in asked['messages'])
    assert system.startswith('You plan.\n')
    assert user.startswith('Execution: an execution\nYour step: plan\n') and '{"branch": "main"}' in user and 'the roof leaks' in user, user
    step = execution.step('plan')
    assert step['result'] == {'provider': endpoint.url.split('/')[2], 'model': 'large', 'text': 'Two steps: think, then build. ✓'}
    assert step['used']['calls'] == [{'provider': endpoint.url.split('/')[2], 'model': 'tiny-1', 'input_tokens': 100,
                                      'cached_tokens': 40, 'output_tokens': 20}]
    said = streamed(t, execution, 'answer_streaming')
    assert ''.join(e['message'] for e in said) == step['result']['text']
    assert {(e['step'], e['member'], e['attempt']) for e in said} == {(step['id'], who, 1)}
    assert 'the roof leaks' in [e['message'] for e in streamed(t, execution, 'log')]


def test_tokens_that_come_together_are_told_together(t):
    """Each as an event of its own, or with all that was said before, they would be more than the answer."""
    words = [f'{n} ' for n in range(200)]
    endpoint = Endpoint(t, Reply(pieces=[events(part) for part in (*map(chunk, words), chunk(finish='stop'), '[DONE]')]))
    squad = Squad(t)
    execution = squad.add({'name': 'plan', 'kind': 'model'})
    worked(t, squad, flags=asking(t, endpoint))
    said = [e['message'] for e in streamed(t, execution, 'answer_streaming')]
    assert ''.join(said) == ''.join(words) and len(said) < 60, len(said)


def test_an_answer_may_come_whole(t):
    whole = {'model': 'tiny-1', 'choices': [{'message': {'role': 'assistant', 'content': 'Done.'}, 'finish_reason': 'stop'}],
             'usage': {'prompt_tokens': 3, 'completion_tokens': 2}}
    endpoint = Endpoint(t, Reply(json.dumps(whole).encode(), kind='application/json; charset=utf-8'))
    squad = Squad(t)
    execution = squad.add({'name': 'plan', 'kind': 'model'})
    worked(t, squad, flags=asking(t, endpoint))
    assert execution.step('plan')['result']['text'] == 'Done.'
    assert cost_of(execution)['entries'][0]['input_tokens'] == 3


def test_code_and_reviews_are_taken_out_of_what_models_wrap_around_them(t):
    code = {'summary': 'A limit.', 'files': [{'path': 'src/limit.py', 'content': 'x = "}"\n'}], 'mood': 'fine'}
    review = {'verdict': 'faulty', 'summary': 'No test.', 'findings': [{'severity': 'high', 'text': 'It is not tested.'}]}
    endpoint = Endpoint(t, Reply(spoken(f'Here you are:\n```json\n{json.dumps(code)}\n```\nAnything else?')), Reply(spoken(json.dumps(review))))
    squad = Squad(t)
    execution = squad.add({'name': 'build', 'kind': 'generate'}, {'name': 'review', 'kind': 'analyse', 'needs': ['build']})
    worked(t, squad, flags=asking(t, endpoint))
    del code['mood']
    assert execution.step('build')['result']['generated'] == code
    assert execution.step('review')['result']['analysed'] == review
    assert 'x = ' in endpoint.asked[1]['messages'][1]['content']


def test_a_result_that_is_too_long_is_cut_and_that_is_said(t):
    endpoint = Endpoint(t, Reply(spoken('ok')))
    squad = Squad(t)
    execution = squad.add({'name': 'look'}, {'name': 'plan', 'kind': 'model', 'needs': ['look']})
    item = squad.claim()
    squad.settle(item, result={'text': 'é' * 40000}).expect(200)
    brief = squad.worker.get(f'/v1/executions/{execution.id}/brief', query={'step': execution.step('plan')['id']}).expect(200).json
    need, = brief['needs']
    assert need['characters'] > 65536 and len(need['beginning']) == 65536 and 'result' not in need
    worked(t, squad, flags=asking(t, endpoint))
    said = endpoint.asked[0]['messages'][1]['content']
    assert f'It has {need["characters"]} characters, which is too long' in said and len(said) < 70000


# ---- every way to fail ----

def fails(t, reply, why, attempts=2, flags=(), counted='failed', **more):
    """All attempts of the step meet the reply; what is said of it in the end."""
    endpoint = reply if isinstance(reply, Endpoint) else Endpoint(t, reply)
    squad = Squad(t)
    execution = squad.add({'name': 'plan', 'kind': more.pop('kind', 'model'), 'max_attempts': 2})
    worker = work(t, squad, flags=asking(t, endpoint, *flags), until_empty=False, **more)
    until(lambda: execution.state == 'failed', 30, why)
    worker.signal(15)
    _, summary = worker.wait()
    assert summary[counted] == 1, summary
    assert why in execution.show()['why'], execution.show()['why']
    assert len(endpoint.asked) == attempts, len(endpoint.asked)
    return execution, worker


def test_an_endpoint_that_hangs(t):
    with t.case('before it says anything'):
        fails(t, Reply(hang=True), 'has sent nothing for 0 s, after 0 bytes', flags=['--model-silence', '300ms'])
    with t.case('in the middle'):
        execution, _ = fails(t, Reply(events(chunk('Two st')), hang=True), 'after 6 bytes of its answer', flags=['--model-silence', '300ms'])
        cost = cost_of(execution)
        assert cost['total']['cost'] == 'unknown' and cost['total']['micro_usd'] is None and cost['total']['unknown'] == 2
    with t.case('that drips for ever'):
        fails(t, Reply(events(chunk('Two st')), hang=True), 'in the middle of its answer', flags=['--model-timeout', '400ms'])


def test_a_stream_of_garbage(t):
    fails(t, Reply(events(chunk('a'), '{"choices":[{"delta":{"content":7}}]}')), 'is no answer of a model')
    fails(t, Reply(events(chunk('a'), 'never mind')), "'never mind'")
    fails(t, Reply(b'\xff\xfe' * 600 + b'\n\n'), 'in the middle of its answer')
    fails(t, Reply(b'<html>', kind='text/html'), 'is no answer of a model')


def test_an_endpoint_that_cuts_in_mid_token(t):
    fails(t, Reply(events(chunk('Two st')) + b'data: {"choices":[{"del', cut=True), 'after 6 bytes')
    with t.case('or ends without saying why'):
        fails(t, Reply(events(chunk('Two st'))), 'ended in the middle of its answer, after 6 bytes')


def test_an_endpoint_with_errors_of_its_own(t):
    fails(t, refusal(500, 'out of memory'), 'answered 500: out of memory')
    fails(t, Reply(b'oh no', 503, 'text/plain'), 'answered 503: oh no')
    fails(t, Reply(events(chunk('a'), {'error': {'message': 'the GPU fell off'}})), 'the endpoint says: the GPU fell off')
    fails(t, Reply(events({'error': 'the GPU fell off'})), 'the endpoint says: the GPU fell off')


def test_what_trying_again_would_not_mend_is_not_tried_again(t):
    fails(t, refusal(400, 'context length exceeded'), 'answered 400: context length exceeded', attempts=1)
    fails(t, refusal(404, 'no such model'), 'answered 404: no such model; is there the model, and does --model-url end in /v1?', attempts=1)
    fails(t, Reply(spoken('x' * 140000)), 'over 131072 bytes', attempts=1)
    fails(t, Reply(events(chunk('I will'), chunk(finish='content_filter'), '[DONE]')), 'content_filter', attempts=1)


def test_answers_that_are_not_what_the_step_asks_for(t):
    fails(t, Reply(spoken('I would rather not.')), 'has no JSON object', kind='generate')
    fails(t, Reply(spoken('{"summary": "x"}')), 'files: is required', kind='generate')
    fails(t, Reply(spoken('{"verdict": "so so", "summary": "x", "findings": []}')), 'verdict', kind='analyse')
    for path in ('/etc/passwd', '../x', 'a/../../b', 'a\\\\b', 'a//b'):
        with t.case(path):
            files = f'{{"summary": "x", "files": [{{"path": "{path}", "content": ""}}]}}'
            fails(t, Reply(spoken(files)), 'outside of the project', kind='generate')
    with t.case('cut at its limit'):
        cut = Reply(events(chunk('{"summary"'), chunk(finish='length'), '[DONE]'))
        fails(t, cut, '--model-max-tokens', kind='analyse', flags=['--model-max-tokens', '5'])


def test_a_plain_answer_that_was_cut_says_so(t):
    endpoint = Endpoint(t, Reply(events(chunk('Two st'), chunk(finish='length'), '[DONE]')))
    squad = Squad(t)
    execution = squad.add({'name': 'plan', 'kind': 'model'})
    worked(t, squad, flags=asking(t, endpoint, '--model-max-tokens', '2'))
    assert execution.step('plan')['result'] == {'provider': endpoint.url.split('/')[2], 'model': 'tiny', 'text': 'Two st', 'cut': True}
    assert endpoint.asked[0]['max_tokens'] == 2


def test_one_that_asks_to_wait_is_waited_for_and_no_attempt_is_lost(t):
    endpoint = Endpoint(t, refusal(429, 'slow down', Retry_After='1'), refusal(429, 'slow down'), Reply(spoken('ok')))
    squad = Squad(t)
    execution = squad.add({'name': 'plan', 'kind': 'model', 'max_attempts': 1})
    worker = work(t, squad, flags=asking(t, endpoint), until_empty=False)
    until(lambda: execution.state == 'completed', 30)
    worker.signal(15)
    _, summary = worker.wait()
    assert (summary['released'], summary['failed'], summary['completed']) == (2, 0, 1), summary
    assert 'asks to wait (429: slow down)' in worker.complaints()
    assert any('it goes back' in e['message'] for e in streamed(t, execution, 'log'))


def test_a_wrong_key_ends_the_worker_and_costs_no_step_anything(t):
    endpoint = Endpoint(t, refusal(401, 'who are you?'))
    squad = Squad(t)
    execution = squad.add({'name': 'plan', 'kind': 'model', 'max_attempts': 1})
    worker = work(t, squad, flags=asking(t, endpoint), until_empty=False, key='wrong-word')
    status, summary = worker.wait()
    assert status == 2 and summary['released'] == 1, (status, summary)
    said = worker.complaints()
    assert 'refuses the key (401: who are you?)' in said and 'wrong-word' not in said, said
    assert execution.state in ('queued', 'in_progress') and execution.step('plan')['state'] == 'ready'


def test_a_redirection_is_not_followed(t):
    other = Endpoint(t, Reply(spoken('ok')))
    endpoint = Endpoint(t, Reply(b'', 307, headers={'Location': other.url + '/chat/completions'}))
    squad = Squad(t)
    squad.add({'name': 'plan', 'kind': 'model'})
    status, _ = work(t, squad, flags=asking(t, endpoint), key='secret-word').wait()
    assert status == 2 and other.asked == []


def test_nobody_there(t):
    endpoint = Endpoint(t, Reply())
    endpoint.server.server_close()
    fails(t, endpoint, 'cannot be reached', attempts=0)


def test_a_certificate_that_is_not_trusted_is_refused(t):
    folder = tempfile.TemporaryDirectory()
    t.cleanup.callback(folder.cleanup)
    key, certificate = (os.path.join(folder.name, name) for name in ('key.pem', 'cert.pem'))
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=127.0.0.1',
                    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate], check=True, capture_output=True)
    endpoint = Endpoint(t, Reply(spoken('ok')), certificate=(certificate, key))
    fails(t, endpoint, 'is not trusted', attempts=0)


def test_a_cancelled_step_stops_listening(t):
    endpoint = Endpoint(t, Reply(events(chunk('Two st')), hang=True))
    squad = Squad(t)
    execution = squad.add({'name': 'plan', 'kind': 'model'})
    worker = work(t, squad, flags=asking(t, endpoint), until_empty=False)
    until(lambda: endpoint.asked)
    execution.call('cancel').expect(200)
    until(lambda: 'was cancelled; its model is asked no further' in worker.complaints())
    worker.signal(15)
    _, summary = worker.wait()
    assert summary['cancelled'] == 1, summary


def test_a_worker_that_is_told_twice_to_stop_gives_its_steps_back(t):
    endpoint = Endpoint(t, Reply(events(chunk('Two st')), hang=True))
    squad = Squad(t)
    execution = squad.add({'name': 'plan', 'kind': 'model'})
    worker = work(t, squad, flags=asking(t, endpoint), until_empty=False)
    until(lambda: endpoint.asked)
    worker.signal(15)
    until(lambda: 'finishing 1 item' in worker.complaints())
    worker.signal(15)
    status, summary = worker.wait()
    assert status == 143 and summary['released'] == 1, summary
    assert execution.step('plan')['state'] == 'ready'


def test_a_worker_that_dies_in_the_middle_of_an_answer_loses_nothing(t):
    endpoint = Endpoint(t, Reply(events(chunk('Two st')), hang=True), Reply(spoken('Two steps.')))
    squad = Squad(t)
    execution = squad.add({'name': 'plan', 'kind': 'model', 'max_attempts': 1})
    worker = work(t, squad, flags=asking(t, endpoint), until_empty=False)
    until(lambda: any(e['kind'] == 'answer_streaming' for e in seen(t, execution)))
    worker.signal(9)
    until(lambda: execution.step('plan')['state'] == 'ready', 30)
    worked(t, squad, flags=asking(t, endpoint))
    assert execution.state == 'completed' and execution.step('plan')['result']['text'] == 'Two steps.'


def seen(t, execution):
    """The events so far."""
    stream = events_of(t, execution)
    last = execution.show()['last_event']
    return [stream.next()[2] for _ in range(last)]


# ---- flags ----

def test_settings_that_cannot_be(t):
    squad = Squad(t)
    for flags, why in [(['--model', 'tiny'], 'where is the model tiny asked?'),
                       (['--model-url', 'ftp://x/v1'], 'must be http://'),
                       (['--model-url', 'http://user:word@x/v1'], 'no name or password'),
                       (['--model-url', 'http://x/v1', '--model', 'stand-in'], 'asks nobody'),
                       (['--model-url', 'http://x/v1', '--model-key-file', '/nonexistent/key'], '/nonexistent/key'),
                       (['--model', 'stand-in', '--documents', '/nonexistent/folder'], '/nonexistent/folder')]:
        with t.case(' '.join(flags)):
            worker = work(t, squad, flags=flags)
            status, _ = worker.wait()
            assert status == 2 and why in worker.complaints(), (status, worker.complaints())
    with t.case('a key that is no word'):
        worker = work(t, squad, flags=['--model-url', 'http://127.0.0.1:9/v1', '--model', 'x'], key='two words')
        assert worker.wait()[0] == 2 and 'one word' in worker.complaints() and 'two words' not in worker.complaints()
    for flags in (['--model-url', 'http://x/v1'], ['--model', 'stand-in']):
        with t.case(f'{flags[0]} without a squad'):
            worker = Worker(t, flags=flags)
            assert worker.wait()[0] == 2 and 'give --squad with them' in worker.complaints()


def test_a_step_that_nobody_here_can_carry_out_goes_back(t):
    squad = Squad(t)
    execution = squad.add({'name': 'compile'})
    endpoint = Endpoint(t, Reply(spoken('ok')))
    worker = work(t, squad, flags=asking(t, endpoint))
    status, summary = worker.wait()
    assert status == 5 and summary['released'] == 1 and 'was given no command' in worker.complaints(), worker.complaints()
    assert execution.step('compile')['state'] == 'ready'
    worked(t, squad, 'true')
    assert execution.state == 'completed'


def test_a_worker_says_why_there_is_nothing_of_its_squad_to_do(t):
    squad = Squad(t)
    execution = squad.add({'name': 'compile'})
    squad.pause()
    worker = work(t, squad, 'true')
    assert worker.wait()[0] == 0 and f"paused: nothing of it is begun before 'tenfold squad resume {squad.id}'" in worker.complaints()
    execution.call('cancel').expect(200)
    squad.operator.call('DELETE', f'/v1/squads/{squad.id}').expect(204)
    worker = work(t, squad, 'true')
    assert worker.wait()[0] == 0 and 'the squad is archived' in worker.complaints(), worker.complaints()
    with t.case('one that is not there'):
        squad.id = squad.id[:-2] + 'zz'
        worker = work(t, squad, 'true')
        assert worker.wait()[0] == 4 and 'there is no such squad here' in worker.complaints(), worker.complaints()


def test_steps_that_wait_for_another_worker_hold_none_back(t):
    plan, code = spoken('A plan.'), spoken(json.dumps({'summary': 'A limit.', 'files': [{'path': 'limit.py', 'content': 'x'}]}))
    review = spoken(json.dumps({'verdict': 'good', 'summary': 'Well done.', 'findings': []}))
    squad = Squad(t)
    for role in ('project_manager', 'backend_developer', 'tester', 'tech_lead'):
        member(squad, role)
    made = squad.operator.post('/v1/executions', {'squad': squad.id, 'name': 'x', 'template': 'software-development'})
    execution = Execution(squad, made.expect(202).json['id'])
    endpoint = Endpoint(t, Reply(plan), Reply(code), Reply(review))
    worker = work(t, squad, flags=asking(t, endpoint), until_empty=False)
    until(lambda: execution.steps == 'plan:completed build:completed test:ready review:completed approval:pending', 20)
    taken = lambda: [e['at'] for e in seen(t, execution) if e.get('step') == execution.step('test')['id'] and e.get('new_status') == 'running']
    with t.case('it is looked at again, and not at once'):   # but when build ends, when review is taken off, and when it ended
        until(lambda: len(taken()) >= 4, 20)
        before, last = map(datetime.fromisoformat, taken()[2:4])
        assert last - before >= timedelta(seconds=1), taken()
    with t.case('that is said once'):
        said = worker.complaints()
        assert said.count('steps of the kind command, like test, wait for another worker') == 1, said
    with t.case('one that has a command gets it'):
        other = work(t, squad, 'true', until_empty=False)
        until(lambda: execution.step('test')['state'] == 'completed', 20)
        other.signal(15)
    worker.signal(15)
    _, summary = worker.wait()
    assert (summary['completed'], summary['failed']) == (3, 0), summary


def test_what_it_can_do_is_found_behind_much_that_it_cannot(t):
    squad = Squad(t)
    endpoint = Endpoint(t, Reply(spoken('ok')))
    others = [squad.add({'name': 'compile'}, {'name': 'test'}) for _ in range(4)]
    for concurrency in ('1', '3'):
        with t.case(f'--concurrency {concurrency}'):
            execution = squad.add({'name': 'plan', 'kind': 'model'})
            worker = work(t, squad, flags=asking(t, endpoint, '--concurrency', concurrency))
            status, summary = worker.wait()
            assert status == 5 and summary['completed'] == 1, (status, summary, worker.complaints())
            assert execution.state == 'completed'
            assert {other.steps for other in others} == {'compile:ready test:ready'}


def test_a_member_without_a_model(t):
    endpoint = Endpoint(t, Reply(spoken('ok')))
    squad = Squad(t)
    execution = squad.add({'name': 'plan', 'kind': 'model', 'max_attempts': 1})
    worker = work(t, squad, flags=['--model-url', endpoint.url], until_empty=False)
    status, summary = worker.wait()
    assert status == 2 and summary['released'] == 1, (status, summary)
    assert 'no model is named for the step plan' in worker.complaints() and '--model' in worker.complaints()
    worked(t, squad, flags=asking(t, endpoint))
    assert execution.state == 'completed', execution.show()


def test_the_key_of_a_model_is_not_for_commands(t):
    endpoint = Endpoint(t, Reply(spoken('ok')))
    squad = Squad(t)
    execution = squad.add({'name': 'look'})
    worked(t, squad, 'env', flags=asking(t, endpoint), key='secret-word')
    assert 'secret-word' not in json.dumps(execution.show())


def test_a_key_out_of_a_file(t):
    endpoint = Endpoint(t, Reply(spoken('ok')))
    with tempfile.NamedTemporaryFile('w') as f:
        f.write('word-of-a-file\n')
        f.flush()
        squad = Squad(t)
        squad.add({'name': 'plan', 'kind': 'model'})
        worked(t, squad, flags=asking(t, endpoint, '--model-key-file', f.name))
    assert endpoint.headers[0]['Authorization'] == 'Bearer word-of-a-file'


# ---- commands of squads ----

def test_a_command_is_given_the_whole_brief(t):
    squad = Squad(t)
    who = member(squad, 'tester', system_prompt='You test.')
    execution = squad.add({'name': 'build', 'input': {'branch': 'main'}}, {'name': 'test', 'role': 'tester', 'needs': ['build']})
    worked(t, squad, 'cat')
    given = json.loads(execution.step('test')['result']['output'])
    assert (given['member'], given['role'], given['system_prompt'], given['kind']) == (who, 'tester', 'You test.', 'command')
    need, = given['needs']
    assert need['name'] == 'build' and json.loads(need['result']['output'])['input'] == {'branch': 'main'}


def test_what_a_command_writes_is_the_log(t):
    squad = Squad(t)
    execution = squad.add({'name': 'build'})
    worked(t, squad, 'sh', '-c', 'seq 1 1200; printf "the last one"')
    said = [e['message'] for e in streamed(t, execution, 'log')]
    assert said[:1000] == [str(n) for n in range(1, 1001)] and said[1000:] == ['… what it writes from here on is not shown']
    few = squad.add({'name': 'build'})
    worked(t, squad, 'sh', '-c', 'echo one; echo two >&2; printf "the last one"')
    assert sorted(e['message'] for e in streamed(t, few, 'log')) == ['one', 'the last one', 'two']


# ---- retrieval ----

def test_documents_are_found(t):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in [('limits.md', 'About limits.\n\n' + 'Other words. ' * 200 + '\n\nA bucket holds tokens, one for each request.\n'),
                           ('roofs.md', 'Roofs leak when it rains.'), ('.hidden', 'bucket tokens'), ('bad.bin', 'bucket \0 tokens')]:
            with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
                f.write(text)
        os.symlink('/etc/passwd', os.path.join(folder, 'link.md'))
        squad = Squad(t)
        execution = squad.add({'name': 'find', 'kind': 'retrieve', 'input': {'query': 'tokens in a bucket', 'limit': 3}})
        worked(t, squad, flags=['--documents', folder])
    result = execution.step('find')['result']
    assert result['where'] == 'documents' and [d['name'] for d in result['documents']] == [os.path.join(folder, 'limits.md')]
    excerpt = result['documents'][0]['excerpt']
    assert excerpt.strip().endswith('A bucket holds tokens, one for each request.') and 'About limits' not in excerpt, excerpt


def test_a_step_that_looks_in_documents_waits_for_a_worker_that_has_some(t):
    squad = Squad(t)
    execution = squad.add({'name': 'find', 'kind': 'retrieve', 'max_attempts': 1, 'input': {'query': 'roofs', 'where': 'documents'}})
    worker = work(t, squad, flags=['--model', 'stand-in'])
    status, summary = worker.wait()
    said = 'like find, wait for another worker: this one was given none (--documents FOLDER)'
    assert status == 5 and summary['failed'] == 0 and said in worker.complaints(), (status, worker.complaints())
    assert execution.step('find')['state'] == 'ready', execution.show()
    with tempfile.TemporaryDirectory() as folder:
        worked(t, squad, flags=['--documents', folder])
    assert execution.state == 'completed'


def test_agents_are_found(t):
    t.caller('operator').post('/v1/agents', {'handle': 'roof-mender', 'type': 'tool', 'name': 'Roofs', 'description': 'Mends roofs that leak.'})
    squad = Squad(t)
    execution = squad.add({'name': 'find', 'kind': 'retrieve', 'input': {'query': 'who mends roofs'}})
    worked(t, squad, flags=['--model', 'stand-in'])
    assert execution.step('find')['result']['where'] == 'agents', execution.show()
    bad = squad.add({'name': 'find', 'kind': 'retrieve', 'input': {'file': '/etc/passwd'}})
    worked(t, squad, flags=['--model', 'stand-in'])
    assert 'its input must be' in bad.show()['why']


# ---- notes ----

def note(squad, execution, item, *notes, expect=200, **more):
    body = {'item': item['id'], 'token': item['token'], 'notes': list(notes), **more}
    return squad.worker.post(f'/v1/executions/{execution.id}/notes', body).expect(expect)


def test_notes_of_a_running_step(t):
    squad = Squad(t)
    execution, other = squad.add({'name': 'plan'}), squad.add({'name': 'plan'})
    item = squad.claim()
    note(squad, execution, item, {'text': 'begins'}, {'kind': 'tokens', 'text': 'Two '}, {'kind': 'tokens', 'text': 'steps'}, {'text': 'ends'})
    squad.worker.post(f'/v1/executions/{other.id}/notes', {'item': item['id'], 'token': item['token'], 'notes': [{'text': 'x'}]}).expect(404)
    with t.case('limits'):
        note(squad, execution, item, {'text': ''}, expect=422)
        note(squad, execution, item, {'text': 'x' * 16385}, expect=422)
        note(squad, execution, item, *[{'text': 'x'}] * 101, expect=422)
        note(squad, execution, item, {'kind': 'thought', 'text': 'x'}, expect=422)
        t.caller('reader').post(f'/v1/executions/{execution.id}/notes', {'item': item['id'], 'token': item['token'], 'notes': []}).expect(403)
    with t.case('a token that is not the holder\'s'):
        note(squad, execution, item, {'text': 'x'}, token='0' * 26, expect=409)
    squad.settle(item).expect(200)
    with t.case('after the end'):
        note(squad, execution, item, {'text': 'x'}, expect=409)
    told = [(kind, data['message'], data['agent']) for _, kind, data in iter(events_of(t, execution).next, None) if kind in ('log', 'answer_streaming')]
    assert told == [('log', 'begins', 'grace'), ('answer_streaming', 'Two steps', 'grace'), ('log', 'ends', 'grace')]
    with t.case('of one that was cancelled'):
        item = squad.claim()
        other.call('cancel').expect(200)
        note(squad, other, item, {'text': 'x'}, expect=409)


# ---- briefs ----

def test_a_brief(t):
    squad = Squad(t)
    project = squad.operator.post('/v1/projects', {'squad': squad.id, 'name': 'shop'}).expect(201).json['id']
    task = squad.operator.post('/v1/tasks', {'project': project, 'title': 'Limit requests', 'description': 'Ten a second.'}).expect(201).json['id']
    who = member(squad, 'tech_lead', name='ada')
    execution = squad.add({'name': 'plan', 'optional': True, 'max_attempts': 1}, {'name': 'build', 'kind': 'generate', 'role': 'tech_lead', 'needs': ['plan']}, task=task)
    squad.settle(squad.claim(), 'fail', error='no idea', retry=False).expect(200)
    brief = squad.worker.get(f'/v1/executions/{execution.id}/brief', query={'step': execution.step('build')['id']}).expect(200).json
    assert brief['execution_name'] == 'an execution'
    assert (brief['task'], brief['task_title'], brief['task_description']) == (task, 'Limit requests', 'Ten a second.')
    assert (brief['member'], brief['member_name'], brief['role'], brief['town_role'], brief['input']) == (who, 'ada', 'tech_lead', 'polecat', None)
    assert brief['needs'] == [{'name': 'plan', 'kind': 'command', 'state': 'failed', 'error': 'no idea'}]
    squad.worker.get(f'/v1/executions/{execution.id}/brief', query={'step': 'st_0000000000009'}).expect(404)
    squad.settle(squad.claim()).expect(200)
    squad.worker.get(f'/v1/executions/{execution.id}/brief', query={'step': execution.step('build')['id']}).expect(404)


# ---- questions ----

def test_a_model_may_ask_and_goes_on_with_the_answer(t):
    endpoint = Endpoint(t, Reply(spoken('::ask Which branch do I plan for?\n')), Reply(spoken('A plan for main.')))
    squad = Squad(t)
    member(squad, 'tech_lead')
    member(squad, 'backend_developer')
    execution = squad.add({'name': 'plan', 'kind': 'model', 'role': 'backend_developer', 'max_attempts': 1})
    worked(t, squad, flags=asking(t, endpoint))
    assert execution.state == 'blocked' and execution.show()['block'] == 'question'
    question, = squad.operator.get('/v1/questions', query={'execution': execution.id}).expect(200).items
    assert question['text'] == 'Which branch do I plan for?', question
    squad.operator.post(f'/v1/questions/{question["id"]}/answer', {'answer': 'main'}).expect(200)
    worked(t, squad, flags=asking(t, endpoint))
    assert execution.state == 'completed' and execution.step('plan')['result']['text'] == 'A plan for main.'
    assert 'You asked: Which branch do I plan for?\nThe answer: main' in endpoint.asked[1]['messages'][1]['content']
    with t.case('what asking cost is counted too'):
        total = cost_of(execution)['total']
        assert (total['calls'], total['input_tokens']) == (2, 200), total
    with t.case('all that it said was heard'):
        assert [e['message'] for e in streamed(t, execution, 'answer_streaming')] == ['::ask Which branch do I plan for?\n', 'A plan for main.']


def test_the_stand_in_asks_now_and_then(t):
    squad = Squad(t)
    member(squad, 'backend_developer')
    executions = [squad.add({'name': f'plan {n}', 'kind': 'model', 'role': 'backend_developer'}) for n in range(24)]
    worked(t, squad, flags=['--model', 'stand-in', '--concurrency', '24'])
    states = [execution.state for execution in executions]
    assert set(states) == {'blocked', 'completed'}, states
    for question in squad.operator.get('/v1/questions', query={'squad': squad.id, 'limit': 100}).expect(200).items:
        assert 'no model was asked' in question['text']
        squad.operator.post(f'/v1/questions/{question["id"]}/answer', {'answer': 'For everybody.'}).expect(200)
    worked(t, squad, flags=['--model', 'stand-in', '--concurrency', '24'])
    assert {execution.state for execution in executions} == {'completed'}
