"""A receiver of alerts that does what receivers should not: HTTP and SMTP, scripted by where something is sent.

    receiver.py        prints the ports of HTTP and SMTP, then a line of JSON for each thing received; ends with its input

HTTP, by the path: /…/ok 204, /…/404, /…/redirect, /…/busy-N 503 to the first N and then 200, /…/hang no answer at all,
/…/garbage no HTTP, /…/close the connection ends, /…/endless an answer without end.
SMTP, by the receiver's name: nobody@ 550, busy-N@ 451 to the first N; else it is taken. aiosmtpd parses what is said.
"""

import asyncio
import email
import email.policy
import http.server
import json
import logging
import re
import sys
import threading

from aiosmtpd.smtp import SMTP, AuthResult

logging.disable(logging.WARNING)  # aiosmtpd's about itself
seen = {}
lock = threading.Lock()


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


def is_still_busy(name):
    """Names with busy-N in them are, N times."""
    times = re.search(r'busy-(\d+)', name)
    with lock:
        seen[name] = seen.get(name, 0) + 1
        return times and seen[name] <= int(times[1])


class Webhook(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, **headers):
        self.send_response(status)
        for name, value in {'Content-Length': '0', **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers['Content-Length'])).decode()
        say(path=self.path, type=self.headers['Content-Type'], body=json.loads(body))
        what = self.path.rsplit('/', 1)[1]
        if what == 'hang':
            ended.wait()
        elif what == 'garbage':
            self.wfile.write(b'220 this is no web server\r\n')
        elif what == 'redirect':
            self.answer(302, Location='/ok')
        elif what == 'endless':
            self.answer(200, **{'Content-Length': '1000000000'})
            self.wfile.write(b'x' * (1 << 20))
        elif what.isdigit():
            self.answer(int(what))
        elif what != 'close':
            self.answer(503 if is_still_busy(what) else 204)
        self.close_connection = what in ('close', 'garbage', 'hang', 'endless')


class Mail:
    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address.startswith('nobody@'):
            return '550 no such user here'
        if is_still_busy(address):
            return '451 come again'
        envelope.rcpt_tos.append(address)
        return '250 yes'

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = message.get_body().get_content() if message.is_multipart() else message.get_content()
        say(mail=text, sender=envelope.mail_from, receivers=envelope.rcpt_tos, headers=dict(message.items()))
        return '250 taken'


def authenticate(server, session, envelope, mechanism, data):
    say(user=data.login.decode(), password=data.password.decode())
    return AuthResult(success=data.password == b'right', handled=False)


def serve_mail():
    """On a thread of its own; its port."""
    loop = asyncio.new_event_loop()
    made = loop.create_server(lambda: SMTP(Mail(), loop=loop, authenticator=authenticate, auth_require_tls=False), '127.0.0.1', 0)
    port = loop.run_until_complete(made).sockets[0].getsockname()[1]
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return port


ended = threading.Event()
web = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Webhook)
web.daemon_threads = True
threading.Thread(target=web.serve_forever, daemon=True).start()
print(web.server_address[1], serve_mail(), flush=True)
sys.stdin.read()
ended.set()
