"""A receiver of webhooks for tests, which checks signatures with Python's hmac alone and behaves as badly as it is told."""

import base64
import hashlib
import hmac
import http.server
import json
import socket
import threading
import time


def verify(secret, headers, body, now=None):
    """Standard Webhooks as a receiver does it. True when one of the signatures is good, and the time is near."""
    key = base64.b64decode(secret.removeprefix('whsec_'))
    signed = f'{headers["webhook-id"]}.{headers["webhook-timestamp"]}.'.encode() + body
    good = 'v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    near = abs((now or time.time()) - int(headers['webhook-timestamp'])) < 300
    return near and any(hmac.compare_digest(good, s) for s in headers['webhook-signature'].split(' '))


class Got:
    """One request."""

    def __init__(self, handler, body):
        self.headers = {k.lower(): v for k, v in handler.headers.items()}
        self.body, self.path, self.at = body, handler.path, time.monotonic()
        self.event = json.loads(body)
        self.id = self.headers['webhook-id']


class Receiver:
    """Listens on an address of its own. answer(got) gives what to do: a status, (status, headers, body), bytes to be
    sent as they are, or None to hang until the end."""

    def __init__(self, t, answer=lambda got: 204):
        self.got, self.answer, self.lock, self.ended = [], answer, threading.Lock(), threading.Event()
        self.now = self.most = 0    # requests at once
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = self.rfile.read(int(self.headers['content-length']))
                got = Got(self, body)
                with receiver.lock:
                    receiver.got.append(got)
                    receiver.now += 1
                    receiver.most = max(receiver.most, receiver.now)
                try:
                    self.reply(receiver.answer(got))
                finally:
                    with receiver.lock:
                        receiver.now -= 1

            def reply(self, what):
                if what is None:
                    receiver.ended.wait()
                    self.close_connection = True
                elif isinstance(what, bytes):
                    self.wfile.write(what)
                    self.close_connection = True
                else:
                    status, headers, text = what if isinstance(what, tuple) else (what, {}, b'')
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header('Content-Length', str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)

            def log_message(self, *_):
                pass

            def handle(self):
                try:
                    super().handle()
                except OSError:    # the sender had heard enough
                    pass

        self.http = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.http.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.http.server_address[1]}/hook'
        threading.Thread(target=self.http.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()
        t.cleanup.callback(self.stop)

    def stop(self):
        self.ended.set()
        self.http.shutdown()
        self.http.server_close()

    def of(self, type_):
        with self.lock:
            return [g for g in self.got if g.event['type'] == type_]

    def ids(self):
        with self.lock:
            return [g.id for g in self.got]


def closed_port():
    """A port of this machine on which nobody listens."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]
