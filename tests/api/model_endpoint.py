"""An OpenAI-compatible chat endpoint that does what a test tells it: answers, or fails in one of the many ways there are."""

import http.server
import json
import socket
import ssl
import threading


def chunk(text=None, finish=None, **more):
    choices = [{'index': 0, 'delta': {'content': text} if text is not None else {}, 'finish_reason': finish}]
    return {'id': 'c1', 'object': 'chat.completion.chunk', 'model': 'tiny-1', 'choices': choices, **more}


def usage(read=100, wrote=20, cached=40):
    return {'choices': [], 'usage': {'prompt_tokens': read, 'completion_tokens': wrote, 'total_tokens': read + wrote,
                                     'prompt_tokens_details': {'cached_tokens': cached}}}


def events(*parts):
    return ''.join(f'data: {part if isinstance(part, str) else json.dumps(part)}\n\n' for part in parts).encode()


def spoken(text, *more):
    """A whole stream: the text in pieces, why it is over, what was used."""
    pieces = [text[i:i + 7] for i in range(0, len(text), 7)]
    return events(chunk(''), *map(chunk, pieces), chunk(finish='stop'), *(more or (usage(),)), '[DONE]')


class Reply:
    """What the endpoint does to one call."""

    def __init__(self, body=b'', status=200, kind='text/event-stream', hang=False, cut=False, headers=(), pieces=None):
        self.body, self.status, self.kind, self.hang, self.cut, self.headers = body, status, kind, hang, cut, dict(headers)
        self.pieces = pieces or [body]     # sent one after the other, as a model speaks


def refusal(status, message, **headers):
    return Reply(json.dumps({'error': {'message': message, 'type': 'x'}}).encode(), status, 'application/json', headers=headers)


class Endpoint:
    """Gives the replies one after the other, the last one for ever; keeps what it was asked."""

    def __init__(self, t, *replies, certificate=None):
        self.replies, self.asked, self.headers = list(replies), [], []
        self.released = threading.Event()
        self.lock = threading.Lock()
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                endpoint.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = 'https' if certificate else 'http'
        self.url = f'{scheme}://127.0.0.1:{self.server.server_address[1]}/v1'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        t.cleanup.callback(self.close)

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers['content-length']))
        with self.lock:
            self.asked.append({'path': handler.path, **json.loads(body)})
            self.headers.append(dict(handler.headers))
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self.send(handler, reply)

    def send(self, handler, reply):
        handler.close_connection = True
        try:
            handler.send_response(reply.status)
            for name, value in {'Content-Type': reply.kind, 'Connection': 'close', **reply.headers}.items():
                handler.send_header(name.replace('_', '-'), value)
            if reply.cut:
                handler.send_header('Content-Length', str(len(reply.body) + 1000))
            handler.end_headers()
            handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in reply.pieces:
                handler.wfile.write(piece)
                handler.wfile.flush()
                self.released.wait(0.003 if len(reply.pieces) > 1 else 0)
            if reply.hang:
                self.released.wait()
        except (BrokenPipeError, ConnectionResetError):
            pass

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
