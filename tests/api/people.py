"""People as tests have them: signed up, signed in, and calling with what they were given."""

import itertools

from harness import Caller

PASSWORD = 'correct horse battery'
number = itertools.count(1)


def email_of(name='ada'):
    return f'{name}{next(number)}@example.org'


class Person:
    """Somebody with an account; `session` is what the last sign-in or refresh gave."""

    def __init__(self, t, server=None, email=None, password=PASSWORD, **more):
        self.t, self.server = t, server or t.server
        self.email, self.password = email or email_of(), password
        self.nobody = t.anonymous(self.server)
        body = {'email': self.email, 'password': password, **more}
        self.take(self.nobody.post('/v1/account/sign-up', body).expect(201).json)

    def take(self, session):
        self.session, self.id = session, session['user']
        self.caller = Caller(self.server, session['access_token'], contract=self.nobody.contract)
        return session

    def sign_in(self, server=None, **more):
        """Another session; the old one is not ended."""
        nobody = self.t.anonymous(server or self.server)
        return nobody.post('/v1/account/sign-in', {'email': self.email, 'password': self.password, **more})

    def refresh(self, token=None, server=None, **more):
        nobody = self.t.anonymous(server or self.server)
        return nobody.post('/v1/account/refresh', {'refresh_token': token or self.session['refresh_token'], **more})

    def get(self, path, **more):
        return self.caller.get(path, **more)

    def post(self, path, body=None, **more):
        return self.caller.post(path, body, **more)

    def call(self, method, path, body=None, **more):
        return self.caller.call(method, path, body, **more)

    def at(self, server):
        """The same access token at another server."""
        return Caller(server, self.session['access_token'])


def with_token(t, token, server=None):
    caller = t.anonymous(server)
    caller.key = token
    return caller


def organisation(t, server=None, name=None):
    """Its owner."""
    return Person(t, server, organisation=name or f'org{next(number)}')


def invite(owner, role='member', **more):
    return owner.post('/v1/invitations', {'role': role, **more}).expect(201).json['invitation']


def colleague(owner, role='member'):
    return Person(owner.t, owner.server, invitation=invite(owner, role))
