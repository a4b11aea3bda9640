"""Steps of models by a server that is not ours: LiteLLM's proxy, which speaks as OpenAI does and makes the answer up."""

import json
import os
import socket
import subprocess
import tempfile

from harness import SLOW, Skip, clean_env, until
from test_executions import Squad
from test_models import cost_of, streamed, worked

SAID = 'First read, then write, then test. Nothing else is needed.'
KEY = 'sk-0123456789abcdef0123456789abcdef'
CONFIG = {'model_list': [{'model_name': 'tiny', 'litellm_params': {'model': 'openai/gpt-4o-mini', 'api_key': 'none',
                                                                   'mock_response': SAID}}]}


class Proxy:
    def __init__(self, t):
        program = os.environ.get('TENFOLD_LITELLM')
        if not program:
            raise Skip('no LiteLLM is here (pip install "litellm[proxy]"; TENFOLD_LITELLM names the program)')
        with socket.create_server(('127.0.0.1', 0)) as found:
            self.port = found.getsockname()[1]
        config = t.cleanup.enter_context(tempfile.NamedTemporaryFile('w', suffix='.yaml'))
        json.dump(CONFIG, config)
        config.flush()
        self.process = subprocess.Popen([program, '--config', config.name, '--host', '127.0.0.1', '--port', str(self.port)],
                                        env=clean_env(LITELLM_MASTER_KEY=KEY), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        t.cleanup.callback(self.process.wait)
        t.cleanup.callback(self.process.kill)
        until(self.answers, 60 * SLOW, 'LiteLLM')

    @property
    def flags(self):
        return ['--model-url', f'http://127.0.0.1:{self.port}/v1']

    def answers(self):
        assert self.process.poll() is None, 'LiteLLM has ended'
        with socket.socket() as connection:     # it listens when it is ready
            return connection.connect_ex(('127.0.0.1', self.port)) == 0


def test_a_step_by_a_proxy_of_many_models(t):
    proxy, squad = Proxy(t), Squad(t)
    with t.case('its answer comes in pieces, and its tokens are counted'):
        execution = squad.add({'name': 'plan', 'kind': 'model', 'input': {'prompt': 'make a plan'}})
        worked(t, squad, flags=[*proxy.flags, '--model', 'tiny'], key=KEY)
        assert execution.step('plan')['result']['text'] == SAID, execution.show()
        pieces = [data['message'] for data in streamed(t, execution, 'answer_streaming')]
        assert ''.join(pieces) == SAID, pieces
        total = cost_of(execution)['total']
        assert total['calls'] == 1 and total['input_tokens'] > 0 and total['output_tokens'] > 0, total
    with t.case('a model that it does not have fails the step, with its own words'):
        execution = squad.add({'name': 'plan', 'kind': 'model', 'input': {'prompt': 'make a plan'}})
        worked(t, squad, flags=[*proxy.flags, '--model', 'enormous'], key=KEY)
        step = execution.step('plan')
        assert step['state'] == 'failed' and 'enormous' in step['error'], step
