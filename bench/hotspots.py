"""The part `profile`: where the time goes at full load, as a table and as a flame graph for each kind of load.

perf samples the server's threads by processor time and unwinds by DWARF, because the libraries keep no frame
pointers. Frames of a library without symbols become one frame with the library's name.
"""

import collections
import os
import re
import shutil
import subprocess
import time

import flame
import machine
import report
from servers import BUILD, ROOT, Tenfold

SECONDS = 6
LOADS = {'single': ['--batch', '1'], 'batched': ['--batch', '100']}
THREADS = {'executor_main': 'executor', 'run': 'HTTP loop', 'main': 'main'}   # by a function of theirs
LIBRARIES = {'libsqlite3': 'SQLite', 'libmicrohttpd': 'libmicrohttpd', 'libc.': 'C library', 'libsodium': 'libsodium',
             'libxxhash': 'xxHash', 'kernel': 'kernel', 'vdso': 'kernel'}
FRAME = re.compile(r'\s*[0-9a-f]+\s+(.*?)(?:\+0x[0-9a-f]+)?\s+\((.*)\)$')


def component(binary):
    name = os.path.basename(binary)
    for part, known in LIBRARIES.items():
        if part in name:
            return known
    return name


def frame_of(line):
    """(function, component) of a line of perf script; None when it says nothing."""
    found = FRAME.match(line)
    if not found or found[2] == '[unknown]':
        return None
    where = component(found[2])
    if found[1] == '[unknown]':
        return where, where
    return found[1], where


def stacks_of(data):
    """Every sample as a tuple of frames, outermost first."""
    done = subprocess.run(['perf', 'script', '-i', data, '-F', 'ip,sym,dso'], capture_output=True, text=True, check=True)
    for block in done.stdout.split('\n\n'):
        frames = []
        for line in block.splitlines():
            frame = frame_of(line)
            if not frame:
                continue
            if frame[1] == 'inlined':       # belongs to what it was inlined into
                frame = (frame[0], frames[-1][1] if frames else 'C library')
            if not frames or frame != frames[-1]:
                frames.append(frame)
        if frames:
            yield tuple(reversed(frames))


def thread_of(stack):
    names = {function for function, _ in stack}
    return next((thread for function, thread in THREADS.items() if function in names), 'other')


def without_start(stack):
    """A stack from the thread's own function on."""
    for i, (function, _) in enumerate(stack):
        if function in THREADS:
            return stack[i:]
    return stack


def sample(folder, options):
    """Runs a load at full speed; the stacks and what it reached."""
    data = os.path.join(folder, 'perf.data')
    with Tenfold(folder) as server:
        recorder = subprocess.Popen(['perf', 'record', '-q', '-F', '499', '--call-graph', 'dwarf,4096', '-p',
                                     str(server.process.pid), '-o', data, '--', 'sleep', str(SECONDS)],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        load = subprocess.run([os.path.join(BUILD, 'bench', 'load'), 'cycle', *server.load_options(), *options,
                               '--warmup', '0.5', '--seconds', str(SECONDS)], capture_output=True, text=True, check=True)
        _, trouble = recorder.communicate()
        if recorder.returncode != 0:
            raise RuntimeError(f'perf record failed: {trouble}')
    return collections.Counter((thread_of(s),) + without_start(s) for s in stacks_of(data)), load.stdout


def shares(stacks):
    """Rows: thread and component, and the share of all samples that were taken right there."""
    total, by = sum(stacks.values()), collections.Counter()
    for stack, count in stacks.items():
        by[stack[0], stack[-1][1]] += count
    return [[f'{thread}: {where}', f'{count / total:.1%}'] for (thread, where), count in by.most_common(14)]


def functions(stacks):
    """Rows: functions of ours, and the share of all samples in them and what they call."""
    total, by = sum(stacks.values()), collections.Counter()
    for stack, count in stacks.items():
        by.update({frame: count for frame in {f for f in stack[1:] if f[1] == 'tenfold'}})
    return [[f'`{function}`', f'{count / total:.1%}'] for (function, _), count in by.most_common(24)]


def measure(folder, quick, only=(), patience_s=0):
    """The text of the section, and the folded stacks."""
    if not shutil.which('perf'):
        raise RuntimeError('perf is not installed (Debian: apt-get install linux-perf)')
    texts, raw = [], {}
    for name, options in LOADS.items():
        if quick and name != 'single' or only and name not in only:
            continue
        machine.wait_until_quiet(0.1, patience_s)
        began = time.monotonic()
        stacks, reached = sample(folder, options)
        print(f'{name}: {sum(stacks.values())} samples in {time.monotonic() - began:.0f} s: {reached.strip()}', flush=True)
        picture = f'benchmarks-{name}.svg'
        with open(os.path.join(ROOT, 'docs', picture), 'w', encoding='utf-8') as f:
            f.write(flame.svg(stacks, f'tenfold serve, {name}, 64 connections, SQLite: {sum(stacks.values())} samples'))
        texts.append(f'### {name.capitalize()}\n\n![Flame graph: {name}]({picture})\n\n'
                     f'{report.table(["thread: where", "share of the server’s time"], shares(stacks))}\n\n'
                     f'{report.table(["function, with what it calls", "share"], functions(stacks))}')
        raw[name] = {';'.join([stack[0], *(f for f, _ in stack[1:])]): count for stack, count in stacks.items()}
    return '\n\n'.join(texts), raw
