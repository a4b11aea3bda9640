"""The OpenAPI document, as a validator that is not ours reads it."""

import json
import os
import shutil
import subprocess
import sys

from harness import ROOT, Skip


def validator():
    """A Python with openapi-spec-validator from PyPI, kept beside the build."""
    folder = os.path.join(ROOT, 'build', 'openapi-validator')
    python = os.path.join(folder, 'bin/python')
    if not os.path.exists(python + '.ready'):
        shutil.rmtree(folder, ignore_errors=True)
        for command in ([sys.executable, '-m', 'venv', folder],
                        [python, '-m', 'pip', 'install', '--quiet', '--timeout', '20', 'openapi-spec-validator==0.7.1']):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Skip(f'no OpenAPI validator from PyPI is reachable: {(done.stderr or done.stdout).strip()[-120:]!r}')
        with open(python + '.ready', 'w', encoding='utf-8'):
            pass
    return python


def test_the_openapi_document_lints_clean(t):
    document = t.anonymous().get('/openapi.json').expect(200).body
    json.loads(document)
    check = subprocess.run([validator(), '-m', 'openapi_spec_validator', '-'], input=document, capture_output=True, check=False)
    assert check.returncode == 0, (check.stdout + check.stderr).decode()[-2000:]
