"""nginx as the fast server that load generators are measured against: one process, one answer, and a count of what it
served, which is the same measure for all of them."""

import http.client
import os
import re
import shutil
import signal

import machine
from servers import Server, Unavailable, free_port, wait_until

CONNECTIONS_MAX = 18000     # when few are left nginx closes such as rest
ANSWER = ('{"id":"pr_0000000000007","name":"Vitamin D3, 120 softgels","category":"vitamins","price":12.49,'
          '"left":37,"about":"as long as answers of a shop are: two hundred bytes, all in all and more or less"}')
CONFIG = '''
daemon off;
master_process off;
pid nginx.pid;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    server {{
        listen 127.0.0.1:{port} backlog=16384;
        location = /product {{ default_type application/json; return 200 '{answer}'; }}
        location = /status {{ stub_status; }}
    }}
}}
'''


class Nginx(Server):
    name = 'nginx'

    def __init__(self, folder, core=None):
        super().__init__(folder)
        self.core = core

    def start(self):
        program = shutil.which('nginx', path=f'{os.environ.get("PATH", "")}:/usr/sbin')
        if not program:
            raise Unavailable('nginx is not installed')
        port = free_port()
        self.host = f'127.0.0.1:{port}'
        with open(os.path.join(self.folder, 'nginx.conf'), 'w', encoding='utf-8') as f:
            f.write(CONFIG.format(connections=CONNECTIONS_MAX, port=port, answer=ANSWER))
        self.launch(*machine.pinned(self.core), program, '-e', 'stderr', '-p', self.folder, '-c', 'nginx.conf')
        wait_until(self.is_ready, 'nginx')

    def is_ready(self):
        self.check_alive()
        try:
            return self.served() >= 0
        except (OSError, http.client.HTTPException):
            return False

    @property
    def url(self):
        return f'http://{self.host}/product'

    def status(self):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request('GET', '/status')
            return [int(n) for n in re.findall(r'\d+', connection.getresponse().read().decode())]
        finally:
            connection.close()

    def connected_and_served(self):
        """Connections without the one that asks, and requests so far."""
        status = self.status()
        return status[0] - 1, status[3]

    def connected(self):
        return self.connected_and_served()[0]

    def served(self):
        return self.connected_and_served()[1]

    def stall(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self, number=signal.SIGTERM):
        if self.process:
            self.go_on()
        super().stop(number)
