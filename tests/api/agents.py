"""Agents for tests, with ed25519 keys and signatures that are not made by our code."""

import base64
import datetime
import json
import secrets

try:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError:   # said aloud by who needs it
    Ed25519PrivateKey = None

from harness import Caller, Skip


def b64(data):
    return base64.b64encode(data).decode()


def stamp(seconds=0):
    """A time some seconds from now, as the API writes them."""
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime('%Y-%m-%dT%H:%M:%S.') + f'{at.microsecond // 1000:03d}Z'


def canonical(attestation):
    """What is signed of an attestation: here all names are ASCII and all numbers whole, so Python's own will do."""
    signed = {'type': 'tenfold.attestation.v1', **{k: v for k, v in attestation.items() if k != 'signature'}}
    return json.dumps(signed, sort_keys=True, separators=(',', ':'), ensure_ascii=False).encode()


class KeyPair:
    def __init__(self):
        if Ed25519PrivateKey is None:
            raise Skip('python3-cryptography is not installed')
        self.private = Ed25519PrivateKey.generate()
        self.raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = b64(self.raw)

    def sign(self, data):
        return b64(self.private.sign(data if isinstance(data, bytes) else data.encode()))


class Agent:
    """A registered agent: what was answered, its key pair, and a caller with its own API key."""

    def __init__(self, t, handle, operator=None, pair=None, **members):
        self.operator, self.pair, self.handle = operator or t.operator, pair or KeyPair(), handle
        made = self.operator.post('/v1/agents', {'handle': handle, 'name': handle, **self.proof(), **members})
        made = made.expect(201).json
        self.first, self.key, self.id = made['agent'], made['key'], made['agent']['id']
        self.caller = Caller(self.operator.server, self.key['secret'], None, self.operator.contract)

    def challenge(self, pair=None):
        return self.operator.post('/v1/agents/challenge', {'public_key': (pair or self.pair).public}).expect(201).json

    def proof(self, pair=None):
        """A public key with the members that prove it."""
        pair, asked = pair or self.pair, self.challenge(pair)
        return {'public_key': pair.public, 'challenge_id': asked['challenge_id'], 'signature': pair.sign(asked['text'])}

    def show(self):
        return self.operator.get(f'/v1/agents/{self.id}').expect(200).json

    def change(self, body, **headers):
        return self.caller.call('PATCH', f'/v1/agents/{self.id}', body, headers=headers)

    def statement(self, subject, /, **members):
        """Something about another agent, signed; members that are None are left out."""
        said = {'attester': self.id, 'subject': subject.id, 'claim': 'behavior', 'value': 90, 'issued_at': stamp(),
                'nonce': secrets.token_hex(8), **members}
        said = {k: v for k, v in said.items() if v is not None}
        return {**said, 'signature': self.pair.sign(canonical(said))}

    def attest(self, subject, /, **members):
        return self.caller.post('/v1/attestations', self.statement(subject, **members))
