"""What the figures depend on: the machine, its disk, and who else was using it."""

import os
import platform
import time

TICKS = os.sysconf('SC_CLK_TCK')


def first_line(path, key):
    with open(path, encoding='utf-8') as f:
        for line in f:
            if line.startswith(key):
                return line.split(':', 1)[1].strip()
    return 'unknown'


def filesystem(folder):
    """Type and device of the file system a folder is on."""
    best = ('', 'unknown', 'unknown')
    with open('/proc/self/mounts', encoding='utf-8') as f:
        for line in f:
            device, at, kind = line.split()[:3]
            inside = at == '/' or folder == at or folder.startswith(at + '/')
            if inside and len(at) >= len(best[0]):
                best = (at, kind, device)
    return best[1], best[2]


def write_cache(device):
    """What the device says about its cache: with `write back` a flush is sent to it, not only to the kernel."""
    name = os.path.basename(os.path.realpath(device))
    for folder in (name, name.rstrip('0123456789')):
        try:
            with open(f'/sys/block/{folder}/queue/write_cache', encoding='utf-8') as f:
                return f.read().strip()
        except OSError:
            pass
    return 'unknown'


def describe(folder):
    """Lines for the report: (what, value)."""
    kind, device = filesystem(folder)
    memory_gib = int(first_line('/proc/meminfo', 'MemTotal').split()[0]) / 1048576
    return [
        ('processor', f'{os.cpu_count()} × {first_line("/proc/cpuinfo", "model name")}'),
        ('memory', f'{memory_gib:.0f} GiB'),
        ('kernel', platform.release()),
        ('file system', f'{kind}, device cache: {write_cache(device)}'),
        ('load average at the start', ' '.join(f'{x:.2f}' for x in os.getloadavg())),
    ]


def flush_us(folder, times=100):
    """The median of a 4 KiB append and its fdatasync, in microseconds."""
    path = os.path.join(folder, 'flush-probe')
    took = []
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        for _ in range(times):
            began = time.perf_counter_ns()
            os.write(fd, b'x' * 4096)
            os.fdatasync(fd)
            took.append(time.perf_counter_ns() - began)
    finally:
        os.close(fd)
        os.unlink(path)
    return sorted(took)[len(took) // 2] / 1000


def process_cpu_s(pid):
    """Seconds of processor time of a process."""
    with open(f'/proc/{pid}/stat', encoding='utf-8') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_memory_mb(pid):
    """The most resident memory a process had, in MB (10^6 bytes)."""
    return int(first_line(f'/proc/{pid}/status', 'VmHWM').split()[0]) * 1024 / 1e6


def pinned(core):
    """Words before a command that keep it on a core; none when there is no such core to spare."""
    return ['taskset', '-c', str(core)] if core is not None and core < os.cpu_count() else []


def children_of(pid):
    found = []
    for name in os.listdir('/proc'):
        try:
            with open(f'/proc/{name}/stat', encoding='utf-8') as f:
                if name.isdigit() and int(f.read().rsplit(')', 1)[1].split()[1]) == pid:
                    found.append(int(name))
        except (OSError, ValueError):
            pass
    return found


def busy_s():
    """Seconds of processor time that the whole machine has used, without what its host took away."""
    with open('/proc/stat', encoding='utf-8') as f:
        user, nice, system, _, _, irq, softirq = (int(x) for x in f.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS


def memory_mb(pid):
    """Resident memory in MB (10^6 bytes)."""
    return int(first_line(f'/proc/{pid}/status', 'VmRSS').split()[0]) * 1024 / 1e6


def wait_until_quiet(share, patience_s):
    """Waits until others take less than this share of the machine; how long that took. At most patience_s."""
    began = time.monotonic()
    while time.monotonic() - began < patience_s:
        busy = busy_s()
        time.sleep(0.5)
        if (busy_s() - busy) / 0.5 / os.cpu_count() < share:
            break
    return time.monotonic() - began
