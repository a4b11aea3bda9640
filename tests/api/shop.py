"""The demo shop as a process, and a customer of it."""

from harness import BINARY, UNDER, Caller, Server, until

MONDAY = '2026-03-02T10:00:00Z'
STORE = 'st_0000000000001'


class Shop(Server):
    """tenfold sim shop on a directory of its own."""

    def command(self):
        argv = UNDER + [BINARY, 'sim', 'shop', '--data', self.data, '--listen', self.listen]
        return argv + (['--store', self.store_url] if self.store_url else []) + self.args

    def start(self, wait_for='ready', timeout_s=20):
        super().start(wait_for=None)
        if wait_for:
            self.url = until(self.url_now, timeout_s, 'server.json')
            until(lambda: self.check_alive() and self.health('/health') == 200, timeout_s, '/health')
        return self

    def status(self):
        return Caller(self).get('/api/simulation/status', query={'arrivals': 'true'}).expect(200).json

    def stats(self):
        return Caller(self).get('/api/simulation/stats').expect(200).json


class Customer(Caller):
    """Who shops: at that time, and in a session if there is one."""

    def __init__(self, shop, name, when=MONDAY, session=None):
        super().__init__(shop, f'dev:{name}')
        self.name, self.when, self.session = name, when, session

    def call(self, method, path, body=None, headers=None, **more):
        sent = {'X-Simulated-Time': self.when} if self.when else {}
        if self.session:
            sent['X-Shopping-Session-Id'] = self.session
        return super().call(method, path, body, {**sent, **(headers or {})}, **more)

    def choose(self, store=STORE):
        self.call('PUT', '/api/user/store', {'store_id': store}).expect(200)
        return self

    def put(self, product, quantity=1):
        return self.post('/api/cart/items', {'product_id': product, 'quantity': quantity})

    def cart(self):
        return self.get('/api/cart').expect(200).json

    def order(self):
        return self.call('POST', '/api/orders')


def new_shop(t, *args, start=True, **more):
    """A shop for this test alone."""
    shop = Shop(more.pop('store', t.store), args=args, **more)
    t.cleanup.callback(shop.remove)
    return shop.start() if start else shop


def product(shop, name):
    """The one whose name begins so."""
    items = Customer(shop, 'clerk').choose().get('/api/products').expect(200).items
    return next(item for item in items if item['name'].startswith(name))
