"""Reports of simulated runs: the same facts as Markdown, HTML, CSV and JSON, of runs that ended, go on, or were cut off."""

import contextlib
import csv
import fcntl
import glob
import io
import json
import math
import os
import re
import sqlite3
import statistics
import subprocess
import tempfile

import sim_run
from harness import BINARY, ROOT, SLOW, clean_env, until

TABLES = ('thresholds assumptions outcomes realism profiles cohorts endpoints failures days hours weekdays events cycles samples '
          'settings').split()


def report(folder, *words, fine=True):
    done = subprocess.run([BINARY, 'sim', 'report', folder, *words], capture_output=True, check=False, env=clean_env(), timeout=60 * SLOW)
    assert not fine or (done.returncode, done.stderr) == (0, b''), done
    return done.stdout.decode() if fine else done


def as_json(folder, *words):
    return json.loads(report(folder, '--json', *words))


def table(folder, name):
    return list(csv.DictReader(io.StringIO(report(folder, '--csv', '--table', name), newline=''), strict=True))


def rows(cycles=range(sim_run.CYCLES)):
    return [row for cycle in cycles for row in sim_run.sessions_of(cycle)]


def test_markdown_is_as_it_was_agreed(t):
    with sim_run.folder() as path, open(os.path.join(ROOT, 'tests/data/sim_report.md'), encoding='utf-8') as agreed:
        assert report(path) == report(path, '--markdown') == agreed.read()


def test_cycles_that_ran_again_count_once(t):
    with sim_run.folder() as path:
        said = as_json(path)
        assert said['cycles_whole'] == len(said['cycles']) == sim_run.CYCLES
        assert [c['cycle'] for c in said['cycles'] if c['replay']] == [40, 41, 42] and said['cycles_replayed'] == 3
        assert sum(c['sessions'] for c in said['cycles']) == sum(o['sessions'] for o in said['outcomes']) == len(rows())
        for cycle, c in enumerate(said['cycles']):
            ends = [row[2] for row in rows([cycle])]
            assert [c['completed'], c['abandoned'], c['failed']] == [ends.count(x) for x in ('completed', 'abandoned', 'failed')]


def test_what_was_assumed_stands_beside_what_was_measured(t):
    with sim_run.folder() as path:
        found = {a['what']: (a.get('assumed'), a['measured']) for a in as_json(path)['assumptions']}
        share, calls = found['Agents with a session in a cycle'], found['Requests of a session']
        assert share[0] == 0.4 and math.isclose(share[1], len(rows()) / sim_run.AGENTS / sim_run.CYCLES)
        assert calls[0] == 6 and math.isclose(calls[1], sum(r[4] for r in rows()) / len(rows()))
        assert math.isclose(found['Time they need at the allowed rate'][0], 372 * 0.4 * 6 / 50)
        assert found['Time of a cycle'][0] == 75


def test_a_run_that_was_cut_off_is_told_of_up_to_its_last_whole_cycle(t):
    with sim_run.folder(cut_at=50, state='running') as path:
        said = as_json(path)
        assert said['cut'] == 'cut_off' and said['cycles_whole'] == 50
        assert sum(o['sessions'] for o in said['outcomes']) == len(rows(range(50)))
        assert 'was cut off, and can be resumed' in report(path) and 'was cut off, and can be resumed' in report(path, '--html')


def test_a_run_under_way_is_told_of_as_one(t):
    with sim_run.folder(cut_at=50, state='running') as path, open(os.path.join(path, 'lock'), 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert as_json(path)['cut'] == 'running' and 'The run is under way' in report(path)


def test_it_reads_while_the_records_are_written(t):
    with sim_run.folder(cut_at=50, state='running') as path, contextlib.closing(sqlite3.connect(os.path.join(path, 'sim.db'))) as db:
        db.execute('PRAGMA journal_mode=WAL')
        db.execute('BEGIN IMMEDIATE')
        db.execute('UPDATE sim_cycles SET requests = 0')
        assert sum(c['requests'] for c in as_json(path)['cycles']) > 0


def test_what_is_not_there_is_said(t):
    with sim_run.folder(records=False, store='') as path:
        said = as_json(path)
        assert said['cycles'] == [] and any('--mock-db' in doubt for doubt in said['doubts']), said['doubts']
        assert sum(o['sessions'] for o in said['outcomes']) == len(rows())
    with sim_run.folder(own_file=False) as path:
        said = as_json(path)
        assert said['scenario'] == 'shopping' and said['agents'] == sim_run.AGENTS and said['cycles_whole'] == sim_run.CYCLES
        assert sum(o['sessions'] for o in said['outcomes']) == len(rows())
    with sim_run.folder(target='') as path:
        assert any('--mock-api' in doubt for doubt in as_json(path)['doubts'])
        assert 'allowed</' not in report(path, '--html'), 'a limit that mocks did not have'
    with sim_run.folder(records=False, own_file=False) as path:
        said = report(path, fine=False)
        assert said.returncode == 4 and b'neither a file of its own nor records' in said.stderr, said


def test_a_run_is_found_by_its_id_its_folder_and_the_folder_of_all(t):
    with sim_run.folder() as path:
        for words in ([path], [sim_run.RUN, '--dir', path], [f'{path}/runs/{sim_run.RUN}'], [f'{path}/runs/{sim_run.RUN}/'],
                      [path, '--store', f'sqlite:{path}/sim.db']):
            said = as_json(*words)
            assert said['run'] == sim_run.RUN and said['cycles_whole'] == sim_run.CYCLES, words
        for wrong in ([f'{path}/none'], ['run_0000000000000', '--dir', path], ['/tmp']):
            assert report(*wrong, fine=False).returncode == 4, wrong


def test_files_that_are_none_are_refused(t):
    for text, why in (('{', b'cannot be read'), ('[]', b'cannot be read'), ('{"tenfold_course": 1}', b'cannot be read'),
                      (json.dumps(sim_run.file_of_run(5, tenfold_course=2)), b'is of version 2, and this program reads 1')):
        with sim_run.folder(records=False) as path:
            with open(f'{path}/runs/{sim_run.RUN}/course.json', 'w', encoding='utf-8') as f:
                f.write(text)
            said = report(path, fine=False)
            assert said.returncode == 2 and why in said.stderr and said.stdout == b'', said
    with sim_run.folder() as path:
        for words in (['--html', '--csv'], ['--json', '--markdown'], ['--table', 'days'], ['--csv', '--table', 'none']):
            assert report(path, *words, fine=False).returncode == 2, words


def test_every_table_is_csv(t):
    with sim_run.folder() as path:
        counts = {name: len(table(path, name)) for name in TABLES}
        assert counts['cycles'] == 72 and counts['days'] == 3 and counts['hours'] == 24 and counts['weekdays'] == 7, counts
        assert counts['samples'] == 180 and counts['endpoints'] == 5 and counts['cohorts'] == 12 and counts['events'] == 3
        for name in TABLES:
            text = report(path, '--csv', '--table', name)
            lines = list(csv.reader(io.StringIO(text, newline=''), strict=True))
            assert len(set(lines[0])) == len(lines[0]) and {len(line) for line in lines} == {len(lines[0])}, name
        assert table(path, 'endpoints')[4]['Endpoint'] == '<b>&"odd\' endpoint'
        assert sum(int(c['Requests']) for c in table(path, 'cycles')) == sum(r[4] for r in rows())


def test_a_spreadsheet_takes_no_text_for_a_formula(t):
    with sim_run.folder(thresholds=[{'condition': '=1+1', 'measured': '-2', 'failed': False}]) as path:
        row = table(path, 'thresholds')[0]
        assert row['Must not be'] == "'=1+1" and row['Measured'] == "'-2"


def test_markdown_tables_have_their_shape(t):
    with sim_run.folder() as path:
        tables = re.findall(r'(?:^\|.*\n)+', report(path), re.M)
        assert len(tables) >= 10
        for text in tables:
            lines = [re.split(r'(?<!\\)\|', line)[1:-1] for line in text.splitlines()]
            assert {len(line) for line in lines} == {len(lines[0])}, text
            assert all(re.fullmatch(r'-+:?', cell) for cell in lines[1]), text
        assert '<script' not in report(path)


def start(folder, *words):
    return subprocess.Popen([BINARY, 'sim', 'run', '--dir', folder, '--mock-api', '--dashboard', 'none', *words], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, env=clean_env())


def finish(run):
    said = run.communicate(timeout=120 * SLOW)[0].decode()
    assert run.returncode == 0, said
    return said


def test_a_run_leaves_its_report(t):
    with tempfile.TemporaryDirectory() as path:
        said = finish(start(path, '--time-scale', 'max', '--cycles', '48', '--seed', '7', '--fail-if', 'sessions.count<1', '--fail-if', 'http.p95>1s'))
        left = re.search(r'^report +(.+)/report.html, .md and .json$', said, re.M)[1]
        with open(f'{left}/report.json', encoding='utf-8') as f:
            kept = json.load(f)
        again = as_json(path)
        assert kept | {'made': again['made']} == again
        assert (kept['cut'], kept['state'], kept['cycles_whole'], len(kept['cycles'])) == ('ended', 'done', 48, 48)
        assert kept['totals']['sessions'] == sum(c['sessions'] for c in kept['cycles']) == sum(o['sessions'] for o in kept['outcomes']) > 0
        assert kept['totals']['requests'] == sum(c['requests'] for c in kept['cycles'])
        assert [(x['condition'], x['failed']) for x in kept['thresholds']] == [('sessions.count<1', False), ('http.p95>1s', False)]
        assert [e['kind'] for e in kept['events']].count('checkpoint') == 5 and kept['samples'] and kept['memory_peak_bytes'] > 1 << 20
        for name in ('report.md', 'report.html'):
            with open(f'{left}/{name}', encoding='utf-8') as f:
                assert f.read() == report(path, '--html' if name.endswith('html') else '--markdown')


def test_of_a_run_with_nothing_but_checkpoints_no_empty_table_is_shown(t):
    with tempfile.TemporaryDirectory() as path:
        finish(start(path, '--time-scale', 'max', '--cycles', '12', '--mock-db'))
        assert 'What happened' not in report(path) and 'What happened' not in report(path, '--html')
        assert [e['What'] for e in table(path, 'events')] == ['checkpoint', 'checkpoint']


def test_a_run_that_is_killed_has_a_report_and_goes_on_with_it(t):
    with tempfile.TemporaryDirectory() as path:
        run = start(path, '--time-scale', '72000', '--seed', '7', '--checkpoint-every', '2', '--cycles', '40')
        until(lambda: glob.glob(f'{path}/checkpoints/*_cycle_5.json'), timeout_s=60)
        assert as_json(path)['cut'] == 'running'
        run.kill()
        run.communicate()
        cut = as_json(path)
        assert cut['cut'] == 'cut_off' and 5 < cut['cycles_whole'] < 40, cut['cycles_whole']
        finish(start(path, '--resume'))
        done = as_json(path)
        assert (done['cut'], done['attempts'], done['cycles_whole']) == ('ended', 1, 40)
        assert done['started'] == cut['started'] and done['events'][0] == cut['events'][0]
        times = [x['elapsed_ms'] for x in done['samples']]
        assert times == sorted(set(times))
        assert done['totals']['sessions'] == sum(c['sessions'] for c in done['cycles'])


def texts_of(element):
    return ' '.join(' '.join(element.itertext()).split())


def test_html_is_one_page_that_needs_nothing_else(t):
    import html5lib  # pylint: disable=import-outside-toplevel
    with sim_run.folder() as path:
        text = report(path, '--html')
        page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
        names = {str(e.tag).rpartition('}')[2] for e in page.iter()}
        assert not names & {'script', 'link', 'img', 'iframe', 'object', 'embed', 'use', 'image'}, names
        assert not [e for e in page.iter() for a in e.attrib if a.rpartition('}')[2] in ('href', 'src') or a.startswith('on')]
        assert 'url(' not in text and '@import' not in text
        assert len(page.findall('.//figure')) == 7
        said = texts_of(page)
        assert sim_run.NASTY in said and '<b>&"odd\' endpoint' in said
        for sentence in as_json(path)['summary']:
            assert sentence in said
        for place in page.iter():
            for value in place.attrib.values():
                assert 'nan' not in value.lower().split() and 'inf' not in value.lower(), (place.tag, value)


def test_html_of_a_run_with_nothing_in_it_is_a_page_too(t):
    import html5lib  # pylint: disable=import-outside-toplevel
    empty = dict.fromkeys(('outcomes', 'kept', 'cohorts', 'endpoints', 'samples', 'events', 'thresholds'), [])
    with sim_run.folder(cut_at=0, records=False, **empty) as path:
        html5lib.HTMLParser(strict=True).parse(report(path, '--html'))
        assert 'They had 0 sessions.' in report(path)


def oracle(values):
    """Mean and standard error of a ratio over agents, from residuals: values are (sum, sessions) of each."""
    values = [v for v in values if v[1]]
    mean = sum(x for x, _ in values) / sum(n for _, n in values)
    count = len(values)
    residuals = sum((x - mean * n) ** 2 for x, n in values) / (count - 1) * count
    return mean, math.sqrt(residuals) / sum(n for _, n in values)


def beyond(t, df):
    """How often Student's t is as far from 0: Simpson's rule on its density, to the angle whose tangent is t / sqrt(df)."""
    steps, end = 2000, math.atan(abs(t) / math.sqrt(df))
    width = end / steps
    inner = sum((4 if i % 2 else 2) * math.cos(i * width) ** (df - 1) for i in range(1, steps))
    area = width / 3 * (1 + inner + math.cos(end) ** (df - 1))
    return 1 - 2 * area * math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)


def end_of(df):
    low, high = 0, 100
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle, df) > 0.05 else (low, middle)
    return low


def test_cohorts_are_compared_over_agents(t):
    of = {'': {}, 'dear': {}}
    for agent, cohort, outcome, _, _, _, kept in rows():
        done = of[cohort].setdefault(agent, [0, 0, 0, 0])
        done[0] += outcome == 'completed'
        done[1] += 1
        done[2] += kept.get('total', 0)
        done[3] += 'total' in kept
    with sim_run.folder() as path:
        first, dear = ({v['name']: v for v in c['values']} | {'agents': c['agents']} for c in as_json(path)['cohorts'])
    assert first['agents'] == len(of['']) and dear['agents'] == len(of['dear'])
    for name, at in (('completed', 0), ('total', 2)):
        (m0, s0), (m1, s1) = (oracle([(v[at], v[at + 1]) for v in of[c].values()]) for c in ('', 'dear'))
        both, k0, k1 = math.hypot(s0, s1), *(sum(v[at + 1] > 0 for v in of[c].values()) for c in ('', 'dear'))
        df = both ** 4 / (s0 ** 4 / (k0 - 1) + s1 ** 4 / (k1 - 1))
        for said, meant in ((first[name]['mean'], m0), (dear[name]['mean'], m1), (first[name]['margin'], end_of(k0 - 1) * s0),
                            (dear[name]['difference'], m1 - m0), (dear[name]['difference_margin'], end_of(df) * both),
                            (dear[name]['p'], beyond((m1 - m0) / both, df))):
            assert math.isclose(said, meant, rel_tol=1e-6, abs_tol=1e-12), (name, said, meant)
    assert dear['completed']['p'] < 0.001 < 0.05 < dear['total']['p']
    everybody = {c: sum((sim_run.draw('cohort', agent) < 0.5) == (c == 'dear') for agent in range(sim_run.AGENTS)) for c in of}
    for name, at in (('sessions by agent', 1), ('completed by agent', 0)):
        by_agent = [[v[at] for v in of[c].values()] + [0] * (everybody[c] - len(of[c])) for c in ('', 'dear')]
        for said, values in zip((first[name], dear[name]), by_agent):
            error = statistics.stdev(values) / math.sqrt(len(values))
            assert math.isclose(said['mean'], statistics.fmean(values), rel_tol=1e-9)
            assert math.isclose(said['margin'], end_of(len([v for v in of['' if said is first[name] else 'dear']]) - 1) * error, rel_tol=0.01)
    ordered = sorted((v for v in dear.values() if isinstance(v, dict)), key=lambda v: v['p'])
    raised = 0
    for i, value in enumerate(ordered):
        raised = min(1, max(raised, value['p'] * (len(ordered) - i)))
        assert math.isclose(value['p_raised'], raised, rel_tol=1e-9), ordered


def test_a_run_stands_beside_published_shoppers(t):
    with sim_run.folder() as path:
        said = as_json(path)['realism']
    ends = [row[2] for row in rows()]
    completed, abandoned = ends.count('completed'), ends.count('abandoned')
    assert said['profile'] == 'pharmacy' and said['days'] == 3
    assert (said['sessions'], said['failed']) == (completed + abandoned, ends.count('failed'))
    lines = {line['figure']: line for line in said['lines']}
    bought = lines['conversion']
    share, n, z = completed / (completed + abandoned), completed + abandoned, 1.959963984540054
    half, middle, wide = z * math.sqrt(share * (1 - share) / n + (z / 2 / n) ** 2), share + z * z / (2 * n), 1 + z * z / n
    for found, meant in ((bought['value'], share), (bought['low'], (middle - half) / wide), (bought['high'], (middle + half) / wide)):
        assert math.isclose(found, meant, rel_tol=1e-9), bought
    assert bought['published'] == 0.5702 and 'unmeshmali25' in bought['source']
    visits = lines['visits']
    assert math.isclose(visits['value'], n / (sim_run.AGENTS * 3 / 7), rel_tol=1e-9) and visits['verdict'] == 'different', visits
    hours, = said['shapes']
    shares = [sum(1 for c in range(hour, sim_run.CYCLES, 24) for row in sim_run.sessions_of(c) if row[2] == 'completed') / completed
              for hour in range(24)]
    assert all(math.isclose(b['share'], s, abs_tol=1e-12) for b, s in zip(hours['bins'], shares)), hours
    assert math.isclose(hours['distance'], sum(abs(b['share'] - b['expected']) for b in hours['bins']) / 2)
    assert hours['verdict'] == 'different' and hours['p'] < 0.01


def test_without_a_profile_there_is_nothing_beside_the_run(t):
    with sim_run.folder() as path:
        place = f'{path}/runs/{sim_run.RUN}/course.json'
        with open(place, encoding='utf-8') as f:
            course = json.load(f)
        for profile in (None, 'bakery'):
            course.pop('profile', None)
            with open(place, 'w', encoding='utf-8') as f:
                json.dump(course | ({'profile': profile} if profile else {}), f)
            assert 'realism' not in as_json(path) and 'published shoppers' not in report(path)
