"""What drives a peer from many threads, for the clients of bench/squads_peers.py."""

import threading
import time


def many(client, under_way, seconds):
    """How often a second a call returns, from so many threads; client() makes one for each of them."""
    counts, end = [0] * under_way, time.monotonic() + seconds

    def loop(nth):
        call = client()
        while time.monotonic() < end:
            call()
            counts[nth] += 1

    threads = [threading.Thread(target=loop, args=(n,)) for n in range(under_way)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds
