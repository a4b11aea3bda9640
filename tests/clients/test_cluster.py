"""./dev run cluster: it starts, shows that writes are read back from either server, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

from harness import BINARY, ROOT, Skip, tool, until

CLUSTER = [sys.executable, os.path.join(ROOT, 'tools/cluster.py'), '--tenfold', BINARY]


def needs_all():
    try:
        tool('with-postgres').find_programs()
        tool('with-redis').started().stop()
    except Exception as why:  # pylint: disable=broad-except
        raise Skip(str(why)) from None


def is_up(url):
    try:
        with urllib.request.urlopen(f'{url}/health/live', timeout=5):
            return True
    except urllib.error.URLError:
        return False


def test_a_cluster_runs_until_ctrl_c_and_leaves_nothing_behind(t):
    needs_all()
    cluster = subprocess.Popen(CLUSTER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    t.cleanup.callback(cluster.wait)
    t.cleanup.callback(cluster.kill)
    said = ''
    for line in cluster.stdout:
        said += line
        if 'until Ctrl-C' in line:
            break
    urls = re.findall(r'^tenfold \d +(\S+)$', said, re.M)
    folders = [f.replace('%2F', '/') for f in re.findall(r'host=(\S+)', said)] + re.findall(r'^logs and data +(\S+)', said, re.M)
    assert len(urls) == 2 and all(is_up(url) for url in urls), said
    assert re.findall(r'written at \d, read from \d: (\d+) found', said) == ['25'] * 4, said
    assert len(folders) == 3 and all(os.path.isdir(f) for f in folders), folders
    cluster.send_signal(signal.SIGINT)
    cluster.stdout.read()
    assert cluster.wait(60) == 0
    assert not any(is_up(url) for url in urls)
    until(lambda: not any(os.path.exists(f) for f in folders), 5, 'the end of its folders')
