#!/usr/bin/python3
"""A server that does what servers should not: the path of a request says what.

    target.py [--tls NAME]      serves on 127.0.0.1 until its input ends

It prints one line first: its port and, with --tls, a file with the certificate to trust, which is for NAME. From Python:
`with Target() as target: target.url`. The table WAYS says what each path does; every answer has the number of the
connection and of the request on it as headers, and seen() the lines of all requests.
"""

import argparse
import datetime
import email.utils
import os
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time
import urllib.parse

HANG = threading.Event()      # nobody sets it but the end of the server


def head(status, *fields, length=None):
    lines = [f'HTTP/1.1 {status} {"OK" if status == 200 else "So"}', *fields]
    lines += [f'Content-Length: {length}'] if length is not None else []
    return ('\r\n'.join(lines) + '\r\n\r\n').encode()


def whole(status, body=b'', *fields):
    return head(status, *fields, length=len(body)) + body


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()


class Closed(Exception):
    """This connection is over."""


class Bucket:
    """So many a second, and a burst; what is over gets 429. One server has one bucket for each pair of numbers."""

    def __init__(self, rate, burst):
        self.rate, self.burst, self.left, self.at = rate, burst, burst, time.monotonic()

    def take(self):
        now = time.monotonic()
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        good = self.left >= 1
        self.left -= good
        return good


class Request:
    def __init__(self, line, fields, body):
        self.line, self.fields, self.body = line, fields, body
        self.method, target, _ = line.split(' ')
        self.path, _, query = target.partition('?')
        self.query = dict(urllib.parse.parse_qsl(query))

    def number(self, name, default):
        return float(self.query.get(name, default))


class Peer:
    """One connection."""

    def __init__(self, target, connection, number):
        self.target, self.connection, self.number = target, connection, number
        self.requests, self.doomed, self.unread = 0, False, b''

    def read_request(self):
        data = self.unread
        while b'\r\n\r\n' not in data:
            more = self.connection.recv(65536)
            if not more:
                raise Closed
            data += more
        text, _, body = data.partition(b'\r\n\r\n')
        lines = text.decode('latin-1').split('\r\n')
        fields = {n.strip().lower(): v.strip() for n, v in (line.split(':', 1) for line in lines[1:])}
        while len(body) < int(fields.get('content-length', 0)):
            more = self.connection.recv(1 << 20)
            if not more:
                raise Closed
            body += more
        self.unread = body[int(fields.get('content-length', 0)):]
        return Request(lines[0], fields, body[:int(fields.get('content-length', 0))])

    def send(self, data):
        self.connection.sendall(data)

    def serve(self):
        try:
            while True:
                request = self.read_request()
                self.requests += 1
                with self.target.lock:
                    self.target.lines.append((self.number, self.requests, request.line, time.monotonic()))
                if self.doomed or request.fields.get('x-doomed'):
                    reset(self.connection)
                    return
                WAYS.get(request.path, WAYS['/ok'])(self, request)
        except (Closed, OSError):
            pass
        finally:
            self.connection.close()


# ---- what it does ----

def ok(peer, request):
    body = b'' if request.method == 'HEAD' else b'hello'
    peer.send(head(200, f'X-Connection: {peer.number}', f'X-Request: {peer.requests}', length=5) + body)


def echo(peer, request):
    body = '\n'.join([request.line, *(f'{n}: {v}' for n, v in sorted(request.fields.items())), '']).encode() + request.body
    peer.send(whole(200, body))


def hang(peer, _request):
    HANG.wait()
    raise Closed


def hang_in_body(peer, request):
    peer.send(head(200, length=10) + b'hel')
    hang(peer, request)


def reset_in_body(peer, _request):
    peer.send(head(200, length=10) + b'hel')
    reset(peer.connection)


def reset_at_once(peer, _request):
    reset(peer.connection)


def close_at_once(_peer, _request):
    raise Closed


def garbage(peer, _request):
    peer.send(b'\x00\x01SSH-2.0-none of this is HTTP\r\n\r\n')
    raise Closed


def big(peer, request):
    n = int(request.number('bytes', 10 << 20))
    peer.send(head(200, length=n) + b'x' * n)


def big_in_chunks(peer, request):
    n, piece = int(request.number('bytes', 10 << 20)), 1 << 16
    peer.send(head(200, 'Transfer-Encoding: chunked') + b''.join(
        b'%x\r\n%s\r\n' % (piece, b'x' * piece) for _ in range(n // piece)) + b'0\r\n\r\n')


def by_byte(peer, _request):
    peer.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in head(200, 'Transfer-Encoding: chunked') + b''.join(b'1\r\n%c\r\n' % c for c in b'hello') + b'0\r\n\r\n':
        peer.send(bytes([byte]))


def too_short(peer, _request):
    peer.send(head(200, length=10) + b'hello')
    raise Closed


def too_long(peer, _request):
    peer.send(head(200, length=2) + b'hello')


def to_end(peer, _request):
    peer.send(head(200) + b'until it closes')
    raise Closed


def redirect(peer, _request):
    peer.send(whole(302, b'', 'Location: /elsewhere'))


def retry_seconds(peer, _request):
    peer.send(whole(429, b'', 'Retry-After: 7'))


def retry_date(peer, _request):
    now = time.time()
    peer.send(whole(429, b'', f'Date: {email.utils.formatdate(now, usegmt=True)}',
                    f'Retry-After: {email.utils.formatdate(now + 9, usegmt=True)}'))


def doom(peer, request):
    """Good, and then the connection ends just as it is used the next time."""
    ok(peer, request)
    peer.doomed = True


def close_after(peer, request):
    """Good, and then it ends without having said so."""
    ok(peer, request)
    raise Closed


def limited(peer, request):
    """?rate=R&burst=B: 429 for what is more, with Retry-After: ?after=S seconds, or ?at=S for the date of then."""
    rate, burst = request.number('rate', 50), request.number('burst', 1)
    with peer.target.lock:
        good = peer.target.buckets.setdefault((rate, burst), Bucket(rate, burst)).take()
    if good:
        ok(peer, request)
        return
    fields = [f'Retry-After: {int(request.number("after", 0))}'] if 'after' in request.query else []
    if 'at' in request.query:
        now = time.time()
        fields = [f'{name}: {email.utils.formatdate(at, usegmt=True)}'
                  for name, at in (('Date', now), ('Retry-After', now + request.number('at', 0)))]
    peer.send(whole(429, b'', *fields))


def one_at_a_time(peer, request):
    """?ms=N: each takes N milliseconds, one after the other."""
    with peer.target.worker:
        end = time.monotonic() + request.number('ms', 10) / 1000
        while time.monotonic() < end:
            HANG.wait(max(0, end - time.monotonic()))
    ok(peer, request)


def failing(peer, request):
    peer.send(whole(int(request.number('status', 500))))


WAYS = {'/ok': ok, '/echo': echo, '/hang': hang, '/hang-in-body': hang_in_body, '/reset': reset_at_once,
        '/reset-in-body': reset_in_body, '/close': close_at_once, '/garbage': garbage, '/big': big,
        '/big-in-chunks': big_in_chunks, '/by-byte': by_byte, '/too-short': too_short, '/too-long': too_long,
        '/to-end': to_end, '/redirect': redirect, '/retry-seconds': retry_seconds, '/retry-date': retry_date,
        '/doom': doom, '/close-after': close_after, '/limited': limited, '/one-at-a-time': one_at_a_time,
        '/failing': failing}


# ---- the server ----

def certificate(name, folder):
    """Key and certificate in one file, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.utcnow()
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256()))
    path = os.path.join(folder, 'target.pem')
    with open(path, 'wb') as f:
        f.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()))
        f.write(made.public_bytes(serialization.Encoding.PEM))
    return path


class Target:
    def __init__(self, tls=None):
        self.lock, self.worker, self.lines, self.buckets = threading.Lock(), threading.Lock(), [], {}
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.folder = tempfile.TemporaryDirectory(prefix='tenfold-target.') if tls else None
        self.ca = certificate(tls, self.folder.name) if tls else None
        self.url = f'https://{tls}:{self.port}' if tls else f'http://127.0.0.1:{self.port}'
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if tls:
            self.context.load_cert_chain(self.ca)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        number = 0
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            number += 1
            threading.Thread(target=self.welcome, args=(connection, number), daemon=True).start()

    def welcome(self, connection, number):
        if self.context:
            try:
                connection = self.context.wrap_socket(connection, server_side=True)
            except OSError:
                return
        Peer(self, connection, number).serve()

    def seen(self):
        """(number of the connection, of the request on it, its first line, when) of every request."""
        with self.lock:
            return list(self.lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        if self.folder:
            self.folder.cleanup()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--tls', metavar='NAME')
    with Target(parser.parse_args().tls) as target:
        print(target.port, target.ca or '-', flush=True)
        sys.stdin.buffer.read()


if __name__ == '__main__':
    main()
