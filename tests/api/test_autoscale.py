"""The load of the queue, and how many workers there should be: from what really happens."""

import threading
import time

from harness import until


def load(caller):
    return caller.get('/v1/autoscale').expect(200).json


def test_figures_are_those_of_the_tenants_own_queue(t):
    worker, other = t.caller('worker', tenant='loaded'), t.caller('worker', tenant='unloaded')
    assert load(worker)['arrival_rate'] is None
    for _ in range(7):
        worker.add('counted')
    worker.add('counted', delay_ms=600000)
    first = worker.claim('counted', max=2)
    worker.add('counted', depends_on=[{'id': first[0]['id']}])
    said = load(worker)
    assert (said['depth'], said['scheduled'], said['blocked'], said['busy'], said['idle'], said['workers']) == (5, 1, 1, 2, 0, 2)
    assert said['utilisation'] == 1 and 0 < said['oldest_age_ms'] < 60000
    theirs = load(other)
    assert (theirs['depth'], theirs['busy'], theirs['oldest_age_ms'], theirs['utilisation']) == (0, 0, 0, None)
    waits = threading.Thread(target=lambda: other.claim('none', wait_ms=20000))
    waits.start()
    third = t.caller('worker', tenant='unloaded')
    assert until(lambda: load(third)['idle'] == 1)
    third.add('none')
    waits.join()
    assert load(third)['busy'] == 1 and load(worker)['idle'] == 0


def test_rates_are_measured(t):
    worker = t.caller('worker', tenant='measured')
    load(worker)
    begun = time.monotonic()
    for _ in range(60):
        worker.add('rated')
        worker.settle(worker.claim('rated')[0]).expect(200)
    held = [worker.add('rated') and worker.claim('rated')[0] for _ in range(2)]
    said = until(lambda: load(worker)['arrival_rate'] is not None and load(worker), 20)
    lasted = time.monotonic() - begun
    assert 62 / (lasted + 1) * 0.5 < said['arrival_rate'] < 62 / 5 + 1, said
    assert said['service_rate'] < said['arrival_rate'] and len(held) == said['busy'] == 2
    assert {r['metric'] for r in said['reasons']} == {'utilisation', 'queue', 'rate'}
    assert said['desired'] >= 2 and said['watched_ms'] >= 5000


def test_what_would_be_scaled_is_logged(t):
    server = t.new_server('--autoscale-min', '3', '--autoscale-max', '9', '--autoscale-hours', '0 0 1 1 *; 59 23 31 12 *; UTC; 7')
    admin = t.caller('first', server=server)
    said = load(admin)
    assert said['desired'] == 3 and said['workers'] == 0
    assert {r['metric']: r['workers'] for r in said['reasons']}['hours'] == 7
    until(lambda: 'autoscale.would' in server.log())
    line = [row for row in server.log().splitlines() if 'autoscale.would' in row][0]
    assert 'workers=0 desired=3' in line


def test_parameters_that_cannot_be_read_are_refused(t):
    for args, says in [(['--autoscale-hours', '61 * * * *; 0 0 * * *; UTC; 3'], "the minute '61'"),
                       (['--autoscale-min', '5', '--autoscale-max', '4'], 'more than --autoscale-max')]:
        server = t.new_server(*args, start=False)
        server.start(wait_for=None)
        assert server.process.wait(20) != 0
        server.process = None
        assert says in server.log(), server.log()


def test_kubernetes_reads_one_figure(t):
    worker = t.caller('worker', tenant='kubernetes')
    path = '/v1/autoscale/external?metric='
    for _ in range(3):
        worker.add('seen')
    said = worker.get(path + 'depth').expect(200).json
    assert said['kind'] == 'ExternalMetricValueList' and said['apiVersion'] == 'external.metrics.k8s.io/v1beta1'
    assert said['metadata'] == {} and said['items'][0]['metricName'] == 'depth' and said['items'][0]['value'] == '3'
    assert said['items'][0]['metricLabels'] == {}
    assert worker.get(path + 'capacity').expect(200).items == []
    worker.claim('seen', max=2)
    assert worker.get(path + 'utilisation').expect(200).items[0]['value'] == '1'
    worker.get(path + 'nonsense').expect(404)
    worker.get(path + 'reasons').expect(404)
