"""A client of tenfold: one file, Python's standard library only. Copy it beside your program.

    from tenfold import Tenfold, TenfoldError

    tenfold = Tenfold()                        # the server of this machine, or TENFOLD_URL and TENFOLD_KEY
    item = tenfold.work_add('build', title='the nightly build', payload={'branch': 'main'})
    for claimed in tenfold.work_claim('me', types=['build'], wait_ms=30000)['items']:
        tenfold.work_complete(claimed['id'], claimed['token'], result={'ok': True})

Each operation of the API is one method; answers are plain dicts. What is None is not sent; NULL takes a value away. A
refusal is a TenfoldError with the server's code, sentence and faulty fields. One client may be used by several
threads: each has its own kept-alive connection. Reads show what the client has written before, whichever process of
a deployment and whichever replica answers them: `seen` says what they must show, and another client may be given it.

With retries=N what is retryable is sent again up to N times: refusals that say so, and lost connections where
repeating is harmless (reads, and calls that create under an Idempotency-Key, which is then made when none is given).

Made by tools/clientgen.py from the server's OpenAPI document; do not edit.
"""

import http.client
import json
import os
import ssl
import threading
import time
import urllib.parse
import uuid
from collections import namedtuple

VERSION = '0.1.0'

NULL = object()     # takes a value away, in a change; None says nothing of it
Event = namedtuple('Event', 'id event data')
Answer = namedtuple('Answer', 'status headers body')


class TenfoldError(Exception):
    """The server refused, or could not be reached (status 0, code 'unreachable')."""

    def __init__(self, status, problem, headers=None):
        self.status = status
        self.code = problem.get('code', 'internal')
        self.title = problem.get('title', '')
        self.detail = problem.get('detail') or self.title
        self.errors = problem.get('errors', [])
        self.line, self.column = problem.get('line'), problem.get('column')
        self.request_id = problem.get('request_id')
        self.retry_after = float((headers or {}).get('retry-after') or 0)
        super().__init__(f'{self.code}: {self.detail}')

    @property
    def retryable(self):
        return self.status in (0, 429, 503) and self.code != 'in_use'


def home():
    """The data directory in which a server of this machine leaves its address and its admin key."""
    data_home = os.environ.get('XDG_DATA_HOME') or os.path.expanduser('~/.local/share')
    return os.environ.get('TENFOLD_HOME') or os.path.join(data_home, 'tenfold')


def _read(name):
    try:
        with open(os.path.join(home(), name), encoding='utf-8') as f:
            return f.read().strip()
    except OSError:
        return ''


class Tenfold:
    """A server, and the key to use there. Without arguments: the one this machine runs."""

    def __init__(self, url=None, key=None, tenant=None, timeout=75, retries=0, context=None):
        self.url = url or os.environ.get('TENFOLD_URL') or json.loads(_read('server.json') or '{}').get('url')
        if not self.url:
            raise TenfoldError(0, {'code': 'unreachable', 'detail': 'no server runs here; start one or set TENFOLD_URL'})
        self.key = key if key is not None else os.environ.get('TENFOLD_KEY') or _read('admin.key')
        self.tenant, self.timeout, self.retries, self.context = tenant, timeout, retries, context
        self._threads = threading.local()
        self.seen = ''

    def close(self):
        """Closes this thread's connection."""
        connection = getattr(self._threads, 'connection', None)
        if connection:
            connection.close()
            self._threads.connection = None

    # ---- how calls are made ----

    def _connect(self, timeout):
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme == 'https':
            return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout,
                                               context=self.context or ssl.create_default_context())
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)

    def _headers(self, headers):
        own = {'Accept': 'application/json', 'User-Agent': f'tenfold-python/{VERSION}'}
        if self.key:
            own['Authorization'] = f'Bearer {self.key}'
        if self.tenant:
            own['X-Tenant'] = self.tenant
        if self.seen:
            own['Tenfold-Seen'] = self.seen
        return {**own, **(headers or {})}

    def _saw(self, seen):
        """Of one deployment the greater text is the later; those of others have another beginning."""
        if seen and (seen > self.seen or seen.split('-')[0] != self.seen.split('-')[0]):
            self.seen = seen

    def _send(self, method, target, data, headers):
        """One try. A kept connection that the server closed meanwhile is made anew, for a read."""
        kept = getattr(self._threads, 'connection', None)
        connection = kept or self._connect(self.timeout)
        self._threads.connection = connection
        try:
            connection.request(method, target, data, headers)
            response = connection.getresponse()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
            self._saw(answer.headers.get('tenfold-seen'))
            return answer
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if kept and method == 'GET':
                return self._send(method, target, data, headers)
            raise TenfoldError(0, {'code': 'unreachable', 'detail': f'{self.url}: {error or type(error).__name__}'}) from error

    def request(self, method, path, query=None, body=None, headers=None):
        """Any call: the Answer when it went well (status under 400), else a TenfoldError."""
        target = path + ('?' + urllib.parse.urlencode(_query(query)) if query else '')
        data, headers = None, self._headers(headers)
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            headers.setdefault('Content-Type', 'application/json')
        for attempt in range(self.retries + 1):
            try:
                answer = self._send(method, target, data, headers)
                if answer.status < 400:
                    return answer
                raise TenfoldError(answer.status, _problem(answer), answer.headers)
            except TenfoldError as error:
                harmless = method in ('GET', 'DELETE') or 'Idempotency-Key' in headers or error.status in (429, 503)
                if attempt == self.retries or not error.retryable or not harmless or error.code == 'outcome_unknown' \
                        and 'Idempotency-Key' not in headers:
                    raise
                time.sleep(error.retry_after or min(0.1 * 2 ** attempt, 5))

    def _call(self, method, path, query=None, body=None, idempotency_key=None, creates=False, if_match=None):
        headers = {'If-Match': f'"{if_match}"' if isinstance(if_match, int) else if_match} if if_match else {}
        if creates and (idempotency_key or self.retries):
            headers['Idempotency-Key'] = idempotency_key or str(uuid.uuid4())
        answer = self.request(method, path, _given(query), _given(body) if body is not None else None, headers)
        if not answer.body:
            return None
        return json.loads(answer.body) if 'json' in answer.headers.get('content-type', '') else answer.body.decode()

    def _stream(self, path, query, last_event_id, reconnect):
        """Server-sent events, for ever; after a cut it goes on behind the last event that was seen."""
        while True:
            connection = self._connect(self.timeout)
            headers = self._headers({'Accept': 'text/event-stream'})
            if last_event_id:
                headers['Last-Event-ID'] = last_event_id
            try:
                target = path + ('?' + urllib.parse.urlencode(_query(_given(query))) if _given(query) else '')
                connection.request('GET', target, headers=headers)
                response = connection.getresponse()
                if response.status != 200:
                    answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
                    raise TenfoldError(answer.status, _problem(answer), answer.headers)
                for event in _events(response):
                    last_event_id = event.id or last_event_id
                    yield event
            except (OSError, http.client.HTTPException) as error:
                if not reconnect:
                    raise TenfoldError(0, {'code': 'unreachable', 'detail': f'{self.url}: {error}'}) from error
            finally:
                connection.close()
            if not reconnect:
                return
            time.sleep(0.2)

    # ---- the operations ----

    def health_live(self):
        """Is the process alive?"""
        return self._call('GET', '/health/live')

    def health_ready(self):
        """Can it do its work? 503 with the reason when not."""
        return self._call('GET', '/health/ready')

    def health(self):
        """As /health/ready."""
        return self._call('GET', '/health')

    def metrics(self):
        """Counters and gauges in the Prometheus text format."""
        return self._call('GET', '/metrics')

    def job_list(self):
        """The background jobs: where each runs, and how it goes."""
        return self._call('GET', '/v1/jobs')

    def openapi(self):
        """This API as an OpenAPI 3.1 document."""
        return self._call('GET', '/openapi.json')

    def whoami(self):
        """Whom does the server take me for?"""
        return self._call('GET', '/v1/whoami')

    def tenant_add(self, name, *, idempotency_key=None):
        """Create a tenant.

        name: Unique name: letters, digits, '-', '_' and '.'.
        """
        return self._call('POST', '/v1/tenants', body={'name': name}, idempotency_key=idempotency_key, creates=True)

    def tenant_list(self):
        """List the tenants."""
        return self._call('GET', '/v1/tenants')

    def key_add(self, name, *, scope=None, expires_at=None):
        """Create a key. Its secret is answered this once.

        name: What it is for.
        scope: What it may do.
        expires_at: When it stops working; never when absent.
        """
        return self._call('POST', '/v1/keys', body={'name': name, 'scope': scope, 'expires_at': expires_at})

    def key_list(self, *, limit=None, cursor=None):
        """List the keys of the tenant.

        limit: How many at most.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/keys', query={'limit': limit, 'cursor': cursor})

    def key_revoke(self, id):
        """Revoke a key.

        id: Its id.
        """
        return self._call('DELETE', f'/v1/keys/{urllib.parse.quote(id, safe="")}')

    def sign_up(self, email, password, *, name=None, organisation=None, invitation=None, client=None):
        """Make an account, and sign in. 403 without an invitation where one is needed.

        email: E-mail address, by which they sign in; capitals do not count.
        password: Password. Any characters; not one of the commonest, and not the address.
        name: What they are called; the part of the address before the @ when absent.
        organisation: Make an organisation of this name, with them as its owner. Letters, digits, '-', '_' and
            '.'.
        invitation: An invitation: they become one of that organisation. Without organisation and invitation
            they get a tenant of their own.
        client: What they sign in with, for the list of sessions.
        """
        return self._call('POST', '/v1/account/sign-up', body={'email': email, 'password': password, 'name': name,
            'organisation': organisation, 'invitation': invitation, 'client': client})

    def sign_in(self, email, password, *, tenant=None, invitation=None, client=None):
        """Sign in. 401 in the same words whether there is such an account or not.

        email: E-mail address.
        password: Password.
        tenant: Act in this tenant, a name or an id; in the oldest of theirs when absent.
        invitation: An invitation to take up; they act in that organisation.
        client: What they sign in with, for the list of sessions.
        """
        return self._call('POST', '/v1/account/sign-in', body={'email': email, 'password': password, 'tenant':
            tenant, 'invitation': invitation, 'client': client})

    def token_refresh(self, refresh_token, *, tenant=None):
        """Get the next access and refresh token for a refresh token. One that was used before ends its session.

        refresh_token: The newest of its session. Used a second time it ends the session.
        tenant: Act in this tenant from now on, a name or an id.
        """
        return self._call('POST', '/v1/account/refresh', body={'refresh_token': refresh_token, 'tenant': tenant})

    def sign_out(self, *, everywhere=None):
        """End this session, or all of the account: their tokens stop working, and their streams end.

        everywhere: End all sessions of the account, not only this one.
        """
        return self._call('POST', '/v1/account/sign-out', body={'everywhere': everywhere})

    def account_show(self):
        """The account of the person who calls. 404 for a key that is no person's."""
        return self._call('GET', '/v1/account')

    def account_password(self, password, new_password):
        """Set another password. Ends all other sessions of the account.

        password: The one there is.
        new_password: The new one. Any characters; not one of the commonest, and not the address.
        """
        return self._call('PUT', '/v1/account/password', body={'password': password, 'new_password': new_password})

    def password_reset_use(self, reset_token, new_password):
        """Set another password by a reset token. Ends all sessions of the account.

        reset_token: The token that an admin made.
        new_password: The new password. Any characters; not one of the commonest, and not the address.
        """
        return self._call('POST', '/v1/account/password-reset', body={'reset_token': reset_token, 'new_password':
            new_password})

    def account_session_list(self, *, limit=None, cursor=None):
        """List where the person who calls is signed in, newest first.

        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/account/sessions', query={'limit': limit, 'cursor': cursor})

    def account_session_end(self, id):
        """End a session of the account.

        id: Its id.
        """
        return self._call('DELETE', f'/v1/account/sessions/{urllib.parse.quote(id, safe="")}')

    def invitation_accept(self, invitation):
        """Take up an invitation, by a person who has an account.

        invitation: Its token.
        """
        return self._call('POST', '/v1/account/invitations', body={'invitation': invitation})

    def organisation_add(self, name):
        """Make an organisation, with the person who calls as its owner.

        name: Unique name: letters, digits, '-', '_' and '.'.
        """
        return self._call('POST', '/v1/organisations', body={'name': name})

    def tenant_user_list(self, *, limit=None, cursor=None):
        """List the people in the tenant, who came last first.

        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/users', query={'limit': limit, 'cursor': cursor})

    def tenant_user_change(self, id, role):
        """Give a person in the tenant another role. 409 for the last owner.

        id: Who.
        role: What they are from now on. Their tokens of before stop working; a refresh gives others.
        """
        return self._call('PATCH', f'/v1/users/{urllib.parse.quote(id, safe="")}', body={'role': role})

    def tenant_user_remove(self, id):
        """Take a person out of the tenant; their account stays. 409 for the last owner.

        id: Who.
        """
        return self._call('DELETE', f'/v1/users/{urllib.parse.quote(id, safe="")}')

    def password_reset_add(self, id):
        """Make a token by which a person sets another password, once, within 20 minutes.

        id: Who.
        """
        return self._call('POST', f'/v1/users/{urllib.parse.quote(id, safe="")}/password-reset')

    def invitation_add(self, *, role=None, email=None, valid_ms=None):
        """Invite somebody into the tenant. The token is answered this once; nothing is sent.

        role: What who comes is there.
        email: Whom it is for; whoever has it when absent.
        valid_ms: How long it can be used.
        """
        return self._call('POST', '/v1/invitations', body={'role': role, 'email': email, 'valid_ms': valid_ms})

    def invitation_list(self, *, limit=None, cursor=None):
        """List the invitations into the tenant, newest first.

        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/invitations', query={'limit': limit, 'cursor': cursor})

    def invitation_revoke(self, id):
        """Take an invitation back.

        id: Its id.
        """
        return self._call('DELETE', f'/v1/invitations/{urllib.parse.quote(id, safe="")}')

    def ticket_add(self, path):
        """Make a ticket that opens one stream once, within 30 seconds: for a browser's EventSource.

        path: The path of the stream, such as /v1/executions/ex_01h2k3m4n5p6q/events.
        """
        return self._call('POST', '/v1/tickets', body={'path': path})

    def role_resolve(self, role, *, rig=None, name=None, type=None, label=None, agent=None, model=None, effort=None,
        account=None):
        """Which agent does a role of the server's town run, and why? 404 when it serves none.

        role: mayor, deacon, boot, dog, witness, refinery, polecat or crew.
        rig: The rig it works in.
        name: The worker's name: of a polecat, a crew member or a dog.
        type: Type of the work, for type_agents.
        label: A label of the work, name or name=value, for type_agents; may be given more than once.
        agent: This agent, whatever the files say.
        model: This model, whatever the files say.
        effort: This effort: low, medium, high, xhigh, max or auto.
        account: The account to run with.
        """
        return self._call('GET', '/v1/roles/resolve', query={'role': role, 'rig': rig, 'name': name, 'type': type,
            'label': label, 'agent': agent, 'model': model, 'effort': effort, 'account': account})

    def work_add(self, type, *, title=None, team=None, priority=None, description=None, payload=None, key=None,
        run_at=None, delay_ms=None, deadline=None, max_attempts=None, lease_ms=None, backoff=None, depends_on=None,
        estimated_ms=None, points=None, trace=None, assignee=None, created_by=None, labels=None,
        idempotency_key=None):
        """Enqueue one item. 200 with the item there is when its key is taken.

        type: What kind of work it is, such as feature, bug_fix or build; names starting with tf. are the
            server's own.
        title: One line for people.
        team: The team it is for.
        priority: How urgent it is.
        description: What is to be done, for people.
        payload: Any JSON for the worker, kept byte for byte.
        key: Unique in its queue among items that are not finished: the same key again answers with the item
            there is.
        run_at: Not before this time.
        delay_ms: Not before this long from now; instead of run_at.
        deadline: If not finished by then, it fails.
        max_attempts: Lapses, and failures to be tried again, after which it is failed.
        lease_ms: How long a claim lasts without being extended.
        backoff: The wait before the next attempt.
        depends_on: Items that must finish first.
        estimated_ms: How long it should take.
        points: Its size in story points.
        trace: W3C traceparent of its creation.
        assignee: Only this agent may claim it.
        created_by: Who enqueues it; the key's name when absent.
        labels: Names and values of your own.
        """
        return self._call('POST', '/v1/work', body={'type': type, 'title': title, 'team': team, 'priority':
            priority, 'description': description, 'payload': payload, 'key': key, 'run_at': run_at, 'delay_ms':
            delay_ms, 'deadline': deadline, 'max_attempts': max_attempts, 'lease_ms': lease_ms, 'backoff': backoff,
            'depends_on': depends_on, 'estimated_ms': estimated_ms, 'points': points, 'trace': trace, 'assignee':
            assignee, 'created_by': created_by, 'labels': labels}, idempotency_key=idempotency_key, creates=True)

    def work_list(self, *, state=None, type=None, team=None, agent=None, priority=None, q=None, limit=None,
        cursor=None):
        """List items, newest first.

        state: Only in this state.
        type: Only of this type.
        team: Only of this team.
        agent: Only claimed by, or assigned to, this agent.
        priority: Only of this priority.
        q: Only with all these words in the title.
        limit: At most so many.
        cursor: The next_cursor of the page before.
        """
        return self._call('GET', '/v1/work', query={'state': state, 'type': type, 'team': team, 'agent': agent,
            'priority': priority, 'q': q, 'limit': limit, 'cursor': cursor})

    def work_batch(self, items, *, idempotency_key=None):
        """Enqueue up to 1000 items, each on its own.

        items: The items; they may depend on each other by key, in any order.
        """
        return self._call('POST', '/v1/work/batch', body={'items': items}, idempotency_key=idempotency_key,
            creates=True)

    def work_claim(self, agent, *, types=None, team=None, max=None, wait_ms=None, lease_ms=None, session=None,
        idempotency_key=None):
        """Take items under a lease, waiting for them if asked.

        agent: Who takes it.
        types: Only these types; any when absent.
        team: Only this team's; any when absent.
        max: At most so many.
        wait_ms: When there is none, wait so long for one.
        lease_ms: Lease for these claims instead of the items' own.
        session: The worker's session: what it holds is released when the session's connection is lost.
        """
        return self._call('POST', '/v1/work/claim', body={'agent': agent, 'types': types, 'team': team, 'max': max,
            'wait_ms': wait_ms, 'lease_ms': lease_ms, 'session': session}, idempotency_key=idempotency_key,
            creates=True)

    def work_progress(self, id, token, percent, *, note=None, extend_ms=None):
        """Report progress, and extend the lease if asked.

        id: The item.
        token: The token of the claim.
        percent: How much is done.
        note: A word for people.
        extend_ms: Let the lease end so long from now.
        """
        return self._call('POST', f'/v1/work/{urllib.parse.quote(id, safe="")}/progress', body={'token': token,
            'percent': percent, 'note': note, 'extend_ms': extend_ms})

    def work_extend(self, items, lease_ms, *, percent=None):
        """Extend leases.

        items: The claims.
        lease_ms: Let the leases end so long from now.
        percent: Progress to record with each.
        """
        return self._call('POST', '/v1/work/extend', body={'items': items, 'lease_ms': lease_ms, 'percent':
            percent})

    def work_complete(self, id, token, *, result=None, used=None):
        """The attempt worked.

        id: The item.
        token: The token of the claim.
        result: Any JSON, kept byte for byte.
        used: What ran it.
        """
        return self._call('POST', f'/v1/work/{urllib.parse.quote(id, safe="")}/complete', body={'token': token,
            'result': result, 'used': used})

    def work_fail(self, id, token, error, *, retry=None, used=None):
        """The attempt failed: retry after a backoff, or give up.

        id: The item.
        token: The token of the claim.
        error: What went wrong.
        retry: false: do not try again.
        used: What ran it.
        """
        return self._call('POST', f'/v1/work/{urllib.parse.quote(id, safe="")}/fail', body={'token': token, 'error':
            error, 'retry': retry, 'used': used})

    def work_release(self, id, token):
        """Give the item back; it counts as no failure.

        id: The item.
        token: The token of the claim.
        """
        return self._call('POST', f'/v1/work/{urllib.parse.quote(id, safe="")}/release', body={'token': token})

    def work_settle(self, items):
        """Complete, fail or release many.

        items: The attempts.
        """
        return self._call('POST', '/v1/work/settle', body={'items': items})

    def work_cancel(self, id, *, reason=None):
        """Cancel an item that is not finished.

        id: The item.
        reason: Why; kept as the item's error.
        """
        return self._call('POST', f'/v1/work/{urllib.parse.quote(id, safe="")}/cancel', body={'reason': reason})

    def work_retry(self, id):
        """Put a failed or cancelled item back to work, and what failed because of it.

        id: The item.
        """
        return self._call('POST', f'/v1/work/{urllib.parse.quote(id, safe="")}/retry')

    def work_events(self, *, type=None, item=None, from_=None, last_event_id=None, reconnect=True):
        """Server-sent events of state changes; Last-Event-ID resumes.

        type: Only of items of this type.
        item: Only of this item.
        from_: Begin after this event id (Last-Event-ID does the same), or 'start' for all that is kept.
        """
        return self._stream('/v1/work/events', {'type': type, 'item': item, 'from': from_}, last_event_id,
            reconnect)

    def work_session(self, agent, *, last_event_id=None, reconnect=True):
        """A worker's own stream: items claimed in the session are released when it is cut.

        agent: Who it is.
        """
        return self._stream('/v1/work/session', {'agent': agent}, last_event_id, reconnect)

    def autoscale(self):
        """How much work there is, how fast it comes and goes, and how many workers there should be. Nothing is scaled."""
        return self._call('GET', '/v1/autoscale')

    def autoscale_metric(self, *, metric=None):
        """One figure of /v1/autoscale in the shape of Kubernetes' external metrics API.

        metric: Name of a number that GET /v1/autoscale answers, such as depth.
        """
        return self._call('GET', '/v1/autoscale/external', query={'metric': metric})

    def work_show(self, id):
        """One item, with its history.

        id: The item.
        """
        return self._call('GET', f'/v1/work/{urllib.parse.quote(id, safe="")}')

    def schedule_add(self, name, cron, *, timezone=None, type=None, title=None, team=None, priority=None,
        description=None, payload=None, assignee=None, labels=None, max_attempts=None, lease_ms=None,
        timeout_ms=None, jitter_ms=None, missed=None, missed_after_ms=None, missed_max=None, overlap=None,
        execution=None, idempotency_key=None):
        """Make a schedule.

        name: Unique in the tenant.
        cron: Minute, hour, day of month, month, day of week, such as '30 9 * * mon-fri'; or @daily and its
            like. See docs/schedules.md.
        timezone: The IANA time zone whose clock it goes by, such as Europe/Berlin.
        type: Type of the work item; names starting with tf. are the server's own. Either this or execution must
            be given.
        title: Its title.
        team: The team it is for.
        priority: How urgent it is.
        description: What is to be done, for people.
        payload: Any JSON for the worker.
        assignee: Only this agent may claim it.
        labels: Names and values of your own; 'schedule' and 'fire' are added.
        max_attempts: Lapses, and failures to be tried again, after which it is failed.
        lease_ms: How long a claim lasts without being extended.
        timeout_ms: If not finished so long after it was enqueued, it fails.
        jitter_ms: Each fire comes up to so much later, always by the same for the same fire, and before the
            next.
        missed: What to do about fires that were missed.
        missed_after_ms: A fire that could not be done within this is missed.
        missed_max: With missed 'all', how many at most.
        overlap: What to do when what it fired last is not finished.
        execution: The execution to begin, instead of a work item.
        """
        return self._call('POST', '/v1/schedules', body={'name': name, 'cron': cron, 'timezone': timezone, 'type':
            type, 'title': title, 'team': team, 'priority': priority, 'description': description, 'payload':
            payload, 'assignee': assignee, 'labels': labels, 'max_attempts': max_attempts, 'lease_ms': lease_ms,
            'timeout_ms': timeout_ms, 'jitter_ms': jitter_ms, 'missed': missed, 'missed_after_ms': missed_after_ms,
            'missed_max': missed_max, 'overlap': overlap, 'execution': execution}, idempotency_key=idempotency_key,
            creates=True)

    def schedule_list(self, *, cursor=None, limit=None):
        """List schedules, newest first.

        cursor: next_cursor of the page before.
        limit: At most so many.
        """
        return self._call('GET', '/v1/schedules', query={'cursor': cursor, 'limit': limit})

    def schedule_show(self, id):
        """One schedule.

        id: Its id.
        """
        return self._call('GET', f'/v1/schedules/{urllib.parse.quote(id, safe="")}')

    def schedule_change(self, id, *, name=None, cron=None, timezone=None, type=None, title=None, team=None,
        priority=None, description=None, payload=None, assignee=None, labels=None, max_attempts=None, lease_ms=None,
        timeout_ms=None, jitter_ms=None, missed=None, missed_after_ms=None, missed_max=None, overlap=None,
        execution=None):
        """Change a schedule by a merge patch (RFC 7396). Its next fire is reckoned from now.

        id: The schedule.
        name: Unique in the tenant.
        cron: When it fires.
        timezone: The IANA time zone whose clock it goes by.
        type: Type of the work item.
        title: Its title.
        team: The team it is for.
        priority: How urgent it is.
        description: What is to be done, for people.
        payload: Any JSON for the worker; an object changes that of the schedule member by member.
        assignee: Only this agent may claim it.
        labels: Names and values of your own.
        max_attempts: Lapses, and failures to be tried again, after which it is failed.
        lease_ms: How long a claim lasts without being extended.
        timeout_ms: If not finished so long after it was enqueued, it fails.
        jitter_ms: Each fire comes up to so much later.
        missed: What to do about fires that were missed.
        missed_after_ms: A fire that could not be done within this is missed.
        missed_max: With missed 'all', how many at most.
        overlap: What to do when what it fired last is not finished.
        execution: The execution to begin, which changes that of the schedule member by member.
        """
        return self._call('PATCH', f'/v1/schedules/{urllib.parse.quote(id, safe="")}', body={'name': name, 'cron':
            cron, 'timezone': timezone, 'type': type, 'title': title, 'team': team, 'priority': priority,
            'description': description, 'payload': payload, 'assignee': assignee, 'labels': labels, 'max_attempts':
            max_attempts, 'lease_ms': lease_ms, 'timeout_ms': timeout_ms, 'jitter_ms': jitter_ms, 'missed': missed,
            'missed_after_ms': missed_after_ms, 'missed_max': missed_max, 'overlap': overlap, 'execution':
            execution})

    def schedule_delete(self, id):
        """Delete a schedule. What it has enqueued stays.

        id: Its id.
        """
        return self._call('DELETE', f'/v1/schedules/{urllib.parse.quote(id, safe="")}')

    def schedule_pause(self, id):
        """Let a schedule fire no more until it is resumed.

        id: Its id.
        """
        return self._call('POST', f'/v1/schedules/{urllib.parse.quote(id, safe="")}/pause')

    def schedule_resume(self, id):
        """Let a paused schedule fire again, from its next time on.

        id: Its id.
        """
        return self._call('POST', f'/v1/schedules/{urllib.parse.quote(id, safe="")}/resume')

    def schedule_next(self, id, *, limit=None):
        """The next fires of a schedule.

        id: The schedule.
        limit: So many fires.
        """
        return self._call('GET', f'/v1/schedules/{urllib.parse.quote(id, safe="")}/next', query={'limit': limit})

    def schedule_fires(self, id, *, cursor=None, limit=None):
        """What a schedule has fired, newest first.

        id: The schedule.
        cursor: next_cursor of the page before.
        limit: At most so many.
        """
        return self._call('GET', f'/v1/schedules/{urllib.parse.quote(id, safe="")}/fires', query={'cursor': cursor,
            'limit': limit})

    def squad_add(self, name, *, description=None, config=None, template=None, idempotency_key=None):
        """Make a squad, with the members of a template if one is named; 409 when the plan allows fewer.

        name: Its name.
        description: What it is for.
        config: Any JSON of your own, kept byte for byte.
        template: The template whose members it is made with.
        """
        return self._call('POST', '/v1/squads', body={'name': name, 'description': description, 'config': config,
            'template': template}, idempotency_key=idempotency_key, creates=True)

    def squad_list(self, *, status=None, limit=None, cursor=None):
        """List the squads, newest first.

        status: Only these; all when absent.
        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/squads', query={'status': status, 'limit': limit, 'cursor': cursor})

    def squad_show(self, id):
        """One squad.

        id: The squad.
        """
        return self._call('GET', f'/v1/squads/{urllib.parse.quote(id, safe="")}')

    def squad_change(self, id, *, name=None, description=None, config=None, if_match=None):
        """Change a squad's name, description or config.

        id: The squad.
        name: Its name.
        description: What it is for.
        config: Any JSON of your own; null takes it away.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('PATCH', f'/v1/squads/{urllib.parse.quote(id, safe="")}', body={'name': name,
            'description': description, 'config': config}, if_match=if_match)

    def squad_archive(self, id, *, if_match=None):
        """Archive a squad: from then on it is only looked at. 409 while executions of it have not ended.

        id: The squad.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('DELETE', f'/v1/squads/{urllib.parse.quote(id, safe="")}', if_match=if_match)

    def squad_pause(self, id):
        """Pause a squad: nothing new of it is begun.

        id: The squad.
        """
        return self._call('POST', f'/v1/squads/{urllib.parse.quote(id, safe="")}/pause')

    def squad_events(self, id, *, from_=None, ticket=None, last_event_id=None, reconnect=True):
        """What happens in the executions of a squad, as server-sent events; Last-Event-ID resumes.

        id: The squad.
        from_: Those behind the event of this id, or 'start'; from now on when absent.
        ticket: A ticket of POST /v1/tickets, instead of a key.
        """
        return self._stream(f'/v1/squads/{urllib.parse.quote(id, safe="")}/events', {'from': from_, 'ticket':
            ticket}, last_event_id, reconnect)

    def squad_days(self, id, *, limit=None, cursor=None):
        """How many executions of a squad ended on each day, newest first; kept when the executions are not any more.

        id: The squad.
        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', f'/v1/squads/{urllib.parse.quote(id, safe="")}/days', query={'limit': limit,
            'cursor': cursor})

    def squad_resume(self, id):
        """Let a squad go on.

        id: The squad.
        """
        return self._call('POST', f'/v1/squads/{urllib.parse.quote(id, safe="")}/resume')

    def squad_cost(self, id, *, month=None, by=None):
        """What a squad's calls of models cost in a month.

        id: The squad.
        month: A month (UTC), such as 2026-11; the one we are in when absent.
        by: What they are summed up by.
        """
        return self._call('GET', f'/v1/squads/{urllib.parse.quote(id, safe="")}/cost', query={'month': month, 'by':
            by})

    def squad_budget_set(self, id, *, micro_usd=None):
        """Say what a squad may spend on models in a month. With the call of a model that reaches it the squad is paused.

        id: The squad.
        micro_usd: In millionths of a dollar; null: as much as it likes.
        """
        return self._call('PUT', f'/v1/squads/{urllib.parse.quote(id, safe="")}/budget', body={'micro_usd':
            micro_usd})

    def squad_budget_show(self, id):
        """The budget of a squad, and how it stands.

        id: The squad.
        """
        return self._call('GET', f'/v1/squads/{urllib.parse.quote(id, safe="")}/budget')

    def cost_report(self, *, month=None, by=None):
        """What calls of models cost in a month.

        month: A month (UTC), such as 2026-11; the one we are in when absent.
        by: What they are summed up by.
        """
        return self._call('GET', '/v1/costs', query={'month': month, 'by': by})

    def squad_member_add(self, id, role, *, name=None, specialization=None, town_role=None, provider=None,
        model=None, system_prompt=None, agent=None, active=None, idempotency_key=None):
        """Add a member to a squad. 409 when the plan allows no more active ones.

        id: The squad.
        role: What it is.
        name: A slug that no other member of the squad has; made of the role when absent.
        specialization: What it is best at, such as python_fastapi.
        town_role: As which role of a town it runs. When absent managers are mayor, testers refinery, all others
            polecat.
        provider: Whose model it asks; what its town says when absent.
        model: Which model it asks; what its town says when absent.
        system_prompt: How it is told what it is; the prompt of its role and specialization when absent.
        agent: The agent of the directory that it is: ag_ id, or handle.
        active: It is given steps.
        """
        return self._call('POST', f'/v1/squads/{urllib.parse.quote(id, safe="")}/members', body={'role': role,
            'name': name, 'specialization': specialization, 'town_role': town_role, 'provider': provider, 'model':
            model, 'system_prompt': system_prompt, 'agent': agent, 'active': active},
            idempotency_key=idempotency_key, creates=True)

    def squad_member_list(self, id, *, role=None, active=None, limit=None, cursor=None):
        """List the members of a squad, newest first.

        id: The squad.
        role: Only in this role.
        active: Only those that are active, or only those that are not.
        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', f'/v1/squads/{urllib.parse.quote(id, safe="")}/members', query={'role': role,
            'active': active, 'limit': limit, 'cursor': cursor})

    def squad_member_show(self, id):
        """One member, with its prompt.

        id: The member.
        """
        return self._call('GET', f'/v1/squad-members/{urllib.parse.quote(id, safe="")}')

    def squad_member_change(self, id, *, role=None, name=None, specialization=None, town_role=None, provider=None,
        model=None, system_prompt=None, agent=None, if_match=None):
        """Change a member.

        id: The member.
        role: What it is. As which role of a town it runs does not change with it.
        name: A slug that no other member of the squad has.
        specialization: What it is best at.
        town_role: As which role of a town it runs; null: by the rule for its role.
        provider: Whose model it asks.
        model: Which model it asks.
        system_prompt: How it is told what it is; null: the prompt of its role and specialization.
        agent: The agent of the directory that it is: ag_ id, or handle.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('PATCH', f'/v1/squad-members/{urllib.parse.quote(id, safe="")}', body={'role': role,
            'name': name, 'specialization': specialization, 'town_role': town_role, 'provider': provider, 'model':
            model, 'system_prompt': system_prompt, 'agent': agent}, if_match=if_match)

    def squad_member_remove(self, id, *, if_match=None):
        """Take a member out of its squad.

        id: The member.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('DELETE', f'/v1/squad-members/{urllib.parse.quote(id, safe="")}', if_match=if_match)

    def squad_member_activate(self, id, *, if_match=None):
        """Let a member be given steps. 409 when the plan allows no more active ones.

        id: The member.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('POST', f'/v1/squad-members/{urllib.parse.quote(id, safe="")}/activate',
            if_match=if_match)

    def squad_member_deactivate(self, id, *, if_match=None):
        """Give a member no more steps.

        id: The member.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('POST', f'/v1/squad-members/{urllib.parse.quote(id, safe="")}/deactivate',
            if_match=if_match)

    def plan_show(self):
        """The plan of the tenant, and what it allows."""
        return self._call('GET', '/v1/plan')

    def plan_set(self, plan):
        """Give the tenant another plan. What there is already stays.

        plan: From now on. What there is already stays.
        """
        return self._call('PUT', '/v1/plan', body={'plan': plan})

    def squad_template_list(self):
        """List the templates that squads and executions can be made of."""
        return self._call('GET', '/v1/squad-templates')

    def project_add(self, squad, name, *, description=None, repository=None, tickets=None, idempotency_key=None):
        """Make a project for a squad.

        squad: Whose it is.
        name: Its name.
        description: What it is about.
        repository: Where its source is.
        tickets: Where its tickets are.
        """
        return self._call('POST', '/v1/projects', body={'squad': squad, 'name': name, 'description': description,
            'repository': repository, 'tickets': tickets}, idempotency_key=idempotency_key, creates=True)

    def project_list(self, *, squad=None, limit=None, cursor=None):
        """List the projects, newest first.

        squad: Only of this squad.
        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/projects', query={'squad': squad, 'limit': limit, 'cursor': cursor})

    def project_show(self, id):
        """One project.

        id: The project.
        """
        return self._call('GET', f'/v1/projects/{urllib.parse.quote(id, safe="")}')

    def project_change(self, id, *, name=None, description=None, repository=None, tickets=None, if_match=None):
        """Change a project.

        id: The project.
        name: Its name.
        description: What it is about.
        repository: Where its source is.
        tickets: Where its tickets are.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('PATCH', f'/v1/projects/{urllib.parse.quote(id, safe="")}', body={'name': name,
            'description': description, 'repository': repository, 'tickets': tickets}, if_match=if_match)

    def project_delete(self, id, *, with_tasks=None, if_match=None):
        """Delete a project. 409 while it has tasks, unless they go with it, and while an execution of one has not ended.

        id: The project.
        with_tasks: Its tasks too; without this one that has tasks is not deleted.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('DELETE', f'/v1/projects/{urllib.parse.quote(id, safe="")}', query={'with_tasks':
            with_tasks}, if_match=if_match)

    def task_add(self, project, title, *, description=None, priority=None, external_id=None, needs=None,
        idempotency_key=None):
        """Make a task of a project.

        project: The project.
        title: What is to be done, in a line.
        description: What is to be done.
        priority: How urgent it is.
        external_id: Its id elsewhere, such as a ticket's; once in a project.
        needs: tk_ ids of tasks of the project that must be completed first.
        """
        return self._call('POST', '/v1/tasks', body={'project': project, 'title': title, 'description': description,
            'priority': priority, 'external_id': external_id, 'needs': needs}, idempotency_key=idempotency_key,
            creates=True)

    def task_list(self, *, project=None, status=None, limit=None, cursor=None):
        """List the tasks, newest first.

        project: Only of this project.
        status: Only those that stand there.
        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/tasks', query={'project': project, 'status': status, 'limit': limit, 'cursor':
            cursor})

    def task_show(self, id):
        """One task.

        id: The task.
        """
        return self._call('GET', f'/v1/tasks/{urllib.parse.quote(id, safe="")}')

    def task_change(self, id, *, title=None, description=None, status=None, priority=None, external_id=None,
        needs=None, if_match=None):
        """Change a task.

        id: The task.
        title: What is to be done, in a line.
        description: What is to be done.
        status: Where it stands. 409 while an execution of it has not ended, which says so by itself.
        priority: How urgent it is.
        external_id: Its id elsewhere.
        needs: All tasks that must be completed first.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('PATCH', f'/v1/tasks/{urllib.parse.quote(id, safe="")}', body={'title': title,
            'description': description, 'status': status, 'priority': priority, 'external_id': external_id, 'needs':
            needs}, if_match=if_match)

    def task_delete(self, id, *, if_match=None):
        """Delete a task. 409 while an execution of it has not ended, and while other tasks need it. Executions that have ended stay.

        id: The task.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('DELETE', f'/v1/tasks/{urllib.parse.quote(id, safe="")}', if_match=if_match)

    def execution_add(self, squad, name, *, task=None, priority=None, max_attempts=None, backoff_ms=None,
        deadline=None, start=None, template=None, input=None, steps=None, idempotency_key=None):
        """Make an execution, and start it unless told otherwise.

        squad: Who carries it out.
        name: What it is called.
        task: The task it is of, which from then on stands where the execution does.
        priority: How urgent it is.
        max_attempts: How often what failed begins again, counted with the first time.
        backoff_ms: How long until it begins again; doubles each time, at most an hour.
        deadline: If not done by then, it failed.
        start: Start it at once.
        template: The template whose steps these are, instead of steps.
        input: Any JSON for the steps that have no input of their own.
        steps: What is to be done; each step stands behind those it needs.
        """
        return self._call('POST', '/v1/executions', body={'squad': squad, 'name': name, 'task': task, 'priority':
            priority, 'max_attempts': max_attempts, 'backoff_ms': backoff_ms, 'deadline': deadline, 'start': start,
            'template': template, 'input': input, 'steps': steps}, idempotency_key=idempotency_key, creates=True)

    def execution_list(self, *, squad=None, state=None, limit=None, cursor=None):
        """List executions without their steps, newest first.

        squad: Only of this squad.
        state: Only in this state.
        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/executions', query={'squad': squad, 'state': state, 'limit': limit, 'cursor':
            cursor})

    def execution_show(self, id):
        """One execution, with its steps.

        id: The execution.
        """
        return self._call('GET', f'/v1/executions/{urllib.parse.quote(id, safe="")}')

    def execution_start(self, id):
        """Start one that waits for it.

        id: The execution.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/start')

    def execution_pause(self, id):
        """Begin nothing new of it; what workers have goes on to its end.

        id: The execution.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/pause')

    def execution_resume(self, id):
        """Go on after a pause.

        id: The execution.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/resume')

    def execution_cancel(self, id, *, reason=None):
        """Cancel it; workers learn it with their next word to the server.

        id: The execution.
        reason: Why.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/cancel', body={'reason':
            reason})

    def execution_retry(self, id):
        """Begin again what failed or was cancelled; what is done stays done.

        id: The execution.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/retry')

    def execution_steps(self, id, steps, *, idempotency_key=None):
        """Add steps while it runs.

        id: The execution.
        steps: They may need any step that is there, and each other in order.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/steps', body={'steps': steps},
            idempotency_key=idempotency_key, creates=True)

    def execution_approve(self, id, step, approve, *, note=None):
        """Say yes or no to an approval that waits. A no fails the execution.

        id: The execution.
        step: The approval.
        approve: true says yes, false says no.
        note: Why.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/approve', body={'step': step,
            'approve': approve, 'note': note})

    def execution_events(self, id, *, from_=None, ticket=None, last_event_id=None, reconnect=True):
        """What happens in an execution, as server-sent events from the first on; Last-Event-ID resumes. It ends with the execution; 204 when it has ended and all was heard.

        id: The execution.
        from_: Those behind this number; from the first on when absent.
        ticket: A ticket of POST /v1/tickets, instead of a key.
        """
        return self._stream(f'/v1/executions/{urllib.parse.quote(id, safe="")}/events', {'from': from_, 'ticket':
            ticket}, last_event_id, reconnect)

    def execution_notes(self, id, item, token, notes):
        """Say what a running step logs, or what its model says, while it does. 409 when the step is no longer the caller's, or the execution has ended.

        id: The execution.
        item: The step's item in the queue.
        token: The token of its claim.
        notes: The notes, in order. Tokens that follow each other become one event.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/notes', body={'item': item,
            'token': token, 'notes': notes})

    def execution_brief(self, id, step):
        """All that whoever carries out a step is given: the member, the task, the input, and what came of the steps it needs.

        id: The execution.
        step: The step.
        """
        return self._call('GET', f'/v1/executions/{urllib.parse.quote(id, safe="")}/brief', query={'step': step})

    def execution_cost(self, id, *, by=None, entries=None):
        """What the calls of models in an execution cost.

        id: The execution.
        by: What they are summed up by.
        entries: At most so many of its calls; 0: only sums.
        """
        return self._call('GET', f'/v1/executions/{urllib.parse.quote(id, safe="")}/cost', query={'by': by,
            'entries': entries})

    def execution_signal(self, id, event, *, data=None):
        """Say that something came: waits for it end, also those that have not begun.

        id: The execution.
        event: What its waits are for.
        data: Any JSON: the result of the waits it ends.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/signal', body={'event': event,
            'data': data})

    def execution_restore(self, id):
        """Put an archived execution back into the store, where it can begin again.

        id: The execution.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/restore')

    def archive_add(self, *, before=None):
        """Have executions moved into files that ended before a time.

        before: Executions that ended before this; when absent, those that ended --archive-after ago.
        """
        return self._call('POST', '/v1/archives', body={'before': before})

    def archive_list(self, *, limit=None, cursor=None):
        """List archives of executions, newest first.

        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/archives', query={'limit': limit, 'cursor': cursor})

    def archive_show(self, id):
        """One archive.

        id: The archive.
        """
        return self._call('GET', f'/v1/archives/{urllib.parse.quote(id, safe="")}')

    def archive_executions(self, id, *, limit=None, cursor=None):
        """List the executions of an archive without their steps, newest first.

        id: The archive.
        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', f'/v1/archives/{urllib.parse.quote(id, safe="")}/executions', query={'limit':
            limit, 'cursor': cursor})

    def archive_restore(self, id):
        """Put all executions of an archive back into the store. 409 while it is being written or moved.

        id: The archive.
        """
        return self._call('POST', f'/v1/archives/{urllib.parse.quote(id, safe="")}/restore')

    def question_ask(self, id, text, step, token, *, kind=None, wait_ms=None, again_ms=None, used=None,
        idempotency_key=None):
        """Ask, as the worker that holds a step. The lease ends; the step waits for the answer and then begins again with it.

        id: The execution.
        text: What is asked.
        kind: What it is about, by which rules of routing match: a slug such as architecture.
        step: The step, as in its payload.
        token: The token of the claim; its lease ends with this call.
        wait_ms: Not answered after so long, the same is asked once more.
        again_ms: Still not answered so long after that, it goes a level up.
        used: What ran the attempt that asks.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/questions', body={'text': text,
            'kind': kind, 'step': step, 'token': token, 'wait_ms': wait_ms, 'again_ms': again_ms, 'used': used},
            idempotency_key=idempotency_key, creates=True)

    def question_list(self, *, execution=None, squad=None, state=None, member=None, person=None, limit=None,
        cursor=None):
        """List the questions of steps, newest first.

        execution: Only of this execution.
        squad: Only of this squad.
        state: Only those that stand there.
        member: Only those that are with this member.
        person: Only those that are with a person, or only those that are not.
        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/questions', query={'execution': execution, 'squad': squad, 'state': state,
            'member': member, 'person': person, 'limit': limit, 'cursor': cursor})

    def question_show(self, id):
        """One question, with the whole conversation.

        id: The question.
        """
        return self._call('GET', f'/v1/questions/{urllib.parse.quote(id, safe="")}')

    def question_answer(self, id, answer, *, member=None):
        """Answer a question. One that has come to a person takes an operator's key.

        id: The question.
        answer: What is answered.
        member: As which member of the squad; not the one who asked.
        """
        return self._call('POST', f'/v1/questions/{urllib.parse.quote(id, safe="")}/answer', body={'answer': answer,
            'member': member})

    def question_escalate(self, id, *, why=None, member=None):
        """Pass a question on to the next level at once.

        id: The question.
        why: Why.
        member: Which member cannot answer.
        """
        return self._call('POST', f'/v1/questions/{urllib.parse.quote(id, safe="")}/escalate', body={'why': why,
            'member': member})

    def message_send(self, id, text, *, from_=None, to=None, idempotency_key=None):
        """Say something to a member, or to all who work on an execution.

        id: The execution.
        text: What is said.
        from_: As which member of the squad; the caller by itself when absent.
        to: To which member; to all when absent.
        """
        return self._call('POST', f'/v1/executions/{urllib.parse.quote(id, safe="")}/messages', body={'text': text,
            'from': from_, 'to': to}, idempotency_key=idempotency_key, creates=True)

    def message_list(self, id, *, member=None, limit=None, cursor=None):
        """List what was said within an execution, oldest first.

        id: The execution.
        member: Only those to this member or to all.
        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', f'/v1/executions/{urllib.parse.quote(id, safe="")}/messages', query={'member':
            member, 'limit': limit, 'cursor': cursor})

    def routing_rule_add(self, to, *, squad=None, kind=None, from_role=None, keywords=None, on_silence=None,
        priority=None, active=None, idempotency_key=None):
        """Make a rule that says whom questions go to.

        squad: For this squad; for all of the tenant when absent.
        kind: Questions of this kind; default: those of a kind that no other rule is for.
        from_role: Only what a member in this role asks.
        keywords: Only questions in which one of these words stands, large or small.
        to: Who is asked, one after the other: roles, or sm_ ids of members of the squad.
        on_silence: What then, when none of them answers.
        priority: Of the rules that match the highest counts; of equal ones the newest.
        active: It is looked at.
        """
        return self._call('POST', '/v1/routing-rules', body={'squad': squad, 'kind': kind, 'from_role': from_role,
            'keywords': keywords, 'to': to, 'on_silence': on_silence, 'priority': priority, 'active': active},
            idempotency_key=idempotency_key, creates=True)

    def routing_rule_list(self, *, squad=None, limit=None, cursor=None):
        """List the rules of routing, newest first.

        squad: Only those for this squad alone.
        limit: At most so many.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/routing-rules', query={'squad': squad, 'limit': limit, 'cursor': cursor})

    def routing_rule_show(self, id):
        """One rule of routing.

        id: The rule.
        """
        return self._call('GET', f'/v1/routing-rules/{urllib.parse.quote(id, safe="")}')

    def routing_rule_change(self, id, *, kind=None, from_role=None, keywords=None, to=None, on_silence=None,
        priority=None, active=None, if_match=None):
        """Change a rule of routing.

        id: The rule.
        kind: Questions of this kind.
        from_role: Only what a member in this role asks.
        keywords: All words of which one must stand in the question; none: any question.
        to: All who are asked, one after the other.
        on_silence: What then, when none of them answers.
        priority: The highest counts.
        active: It is looked at.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('PATCH', f'/v1/routing-rules/{urllib.parse.quote(id, safe="")}', body={'kind': kind,
            'from_role': from_role, 'keywords': keywords, 'to': to, 'on_silence': on_silence, 'priority': priority,
            'active': active}, if_match=if_match)

    def routing_rule_remove(self, id, *, if_match=None):
        """Take a rule of routing away. Questions that were asked keep their way.

        id: The rule.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('DELETE', f'/v1/routing-rules/{urllib.parse.quote(id, safe="")}', if_match=if_match)

    def squad_route(self, id, *, text=None, kind=None, from_role=None, from_=None):
        """Whom a question would go to, and why. Nothing is asked.

        id: The squad.
        text: What would be asked.
        kind: What it would be about.
        from_role: In which role somebody would ask.
        from_: Which member would ask; instead of from_role.
        """
        return self._call('GET', f'/v1/squads/{urllib.parse.quote(id, safe="")}/route', query={'text': text, 'kind':
            kind, 'from_role': from_role, 'from': from_})

    def agent_challenge(self, public_key):
        """Ask for a text to sign, to show that one holds a key.

        public_key: The ed25519 public key, base64.
        """
        return self._call('POST', '/v1/agents/challenge', body={'public_key': public_key})

    def agent_add(self, handle, name, *, type=None, description=None, endpoint=None, protocols=None, tags=None,
        capabilities=None, homepage=None, avatar=None, operator=None, visibility=None, public_key=None,
        challenge_id=None, signature=None, metadata=None, card=None):
        """Register an agent. Its key is answered this once.

        handle: Unique in the deployment: a to z, 0 to 9 and '-', not at either end.
        name: For people.
        type: What it is.
        description: What it does, in plain words: it is found by them.
        endpoint: Where it is reached: an http, https, ws, wss or grpc URL.
        protocols: What is spoken there.
        tags: Words to find it by.
        capabilities: What it can do, by slug; 'tenfold capability list' shows them.
        homepage: Where people read about it.
        avatar: URL of a picture.
        operator: Who runs it.
        visibility: Who finds it.
        public_key: Its ed25519 public key, base64; needs a challenge and its signature.
        challenge_id: A challenge for this key, not older than 5 minutes and not used before.
        signature: The challenge's text signed with the key, base64.
        metadata: Any JSON of your own, kept byte for byte.
        card: Its A2A card, kept byte for byte.
        """
        return self._call('POST', '/v1/agents', body={'handle': handle, 'name': name, 'type': type, 'description':
            description, 'endpoint': endpoint, 'protocols': protocols, 'tags': tags, 'capabilities': capabilities,
            'homepage': homepage, 'avatar': avatar, 'operator': operator, 'visibility': visibility, 'public_key':
            public_key, 'challenge_id': challenge_id, 'signature': signature, 'metadata': metadata, 'card': card})

    def agent_list(self, *, type=None, status=None, name=None, visibility=None, limit=None, cursor=None,
        count=None):
        """List agents, newest first.

        type: Of this type.
        status: With this status.
        name: With exactly this name.
        visibility: tenant: those of the caller's tenant; public: those everybody finds; both when absent.
        limit: How many at most.
        cursor: next_cursor of the page before.
        count: Count all of them too.
        """
        return self._call('GET', '/v1/agents', query={'type': type, 'status': status, 'name': name, 'visibility':
            visibility, 'limit': limit, 'cursor': cursor, 'count': count})

    def agent_batch(self, items, *, on_existing=None, idempotency_key=None):
        """Register or bring up to date up to 1000 agents, each on its own.

        items: The agents.
        on_existing: What to do where a handle is taken.
        """
        return self._call('POST', '/v1/agents/batch', body={'items': items, 'on_existing': on_existing},
            idempotency_key=idempotency_key, creates=True)

    def agent_show(self, id):
        """One agent.

        id: Its ag_ id, or its handle.
        """
        return self._call('GET', f'/v1/agents/{urllib.parse.quote(id, safe="")}')

    def agent_change(self, id, *, handle=None, name=None, type=None, description=None, endpoint=None,
        protocols=None, tags=None, homepage=None, avatar=None, operator=None, visibility=None, metadata=None,
        card=None, if_match=None):
        """Change an agent by a merge patch (RFC 7396); its card is taken as a whole.

        id: Its ag_ id, or its handle.
        handle: Another handle.
        name: For people.
        type: What it is.
        description: What it does.
        endpoint: Where it is reached.
        protocols: What is spoken there.
        tags: Words to find it by.
        homepage: Where people read about it.
        avatar: URL of a picture.
        operator: Who runs it.
        visibility: Who finds it.
        metadata: Any JSON of your own.
        card: Its A2A card.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('PATCH', f'/v1/agents/{urllib.parse.quote(id, safe="")}', body={'handle': handle, 'name':
            name, 'type': type, 'description': description, 'endpoint': endpoint, 'protocols': protocols, 'tags':
            tags, 'homepage': homepage, 'avatar': avatar, 'operator': operator, 'visibility': visibility,
            'metadata': metadata, 'card': card}, if_match=if_match)

    def agent_delete(self, id, *, if_match=None):
        """Delete an agent. Its keys stop working, its handle is free again after 30 days.

        id: Its ag_ id, or its handle.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('DELETE', f'/v1/agents/{urllib.parse.quote(id, safe="")}', if_match=if_match)

    def agent_card(self, id):
        """The A2A card an agent came with, byte for byte.

        id: Its ag_ id, or its handle.
        """
        return self._call('GET', f'/v1/agents/{urllib.parse.quote(id, safe="")}/card')

    def agent_transfer(self, id, public_key, challenge_id, signature):
        """Give an agent another public key. Its API keys stop working, and a new one is answered this once.

        id: Its ag_ id, or its handle.
        public_key: The new owner's ed25519 public key, base64.
        challenge_id: A challenge for this key.
        signature: The challenge's text signed with the new key, base64.
        """
        return self._call('POST', f'/v1/agents/{urllib.parse.quote(id, safe="")}/transfer', body={'public_key':
            public_key, 'challenge_id': challenge_id, 'signature': signature})

    def agent_key_add(self, id, *, overlap_ms=None):
        """Give an agent another API key, answered this once; the others go on working for a while.

        id: Its ag_ id, or its handle.
        overlap_ms: How long its other keys go on working.
        """
        return self._call('POST', f'/v1/agents/{urllib.parse.quote(id, safe="")}/keys', body={'overlap_ms':
            overlap_ms})

    def agent_tier(self, id, tier):
        """Say how much an agent may ask for.

        id: Its ag_ id, or its handle.
        tier: registered, verified or partner.
        """
        return self._call('PUT', f'/v1/agents/{urllib.parse.quote(id, safe="")}/tier', body={'tier': tier})

    def agent_capability_add(self, id, capability, *, endpoint=None):
        """Say that an agent has a capability, or where it is reached.

        id: The agent's ag_ id, or its handle.
        capability: The capability's slug.
        endpoint: Where just this is reached.
        """
        return self._call('POST', f'/v1/agents/{urllib.parse.quote(id, safe="")}/capabilities', body={'capability':
            capability, 'endpoint': endpoint})

    def agent_capability_remove(self, id, capability, *, endpoint=None):
        """Say that an agent no longer has a capability.

        id: The agent's ag_ id, or its handle.
        capability: The capability's slug.
        endpoint: Where just this is reached.
        """
        return self._call('DELETE', f'/v1/agents/{urllib.parse.quote(id, safe="")}/capabilities',
            query={'capability': capability, 'endpoint': endpoint})

    def capability_add(self, slug, description, *, version=None, input_schema=None, output_schema=None,
        idempotency_key=None):
        """Add a capability to those of the tenant.

        slug: Unique in the tenant and not one of the common ones: a to z, 0 to 9 and '-'.
        description: What who has it can do.
        version: Its version.
        input_schema: JSON Schema of what goes in.
        output_schema: JSON Schema of what comes out.
        """
        return self._call('POST', '/v1/capabilities', body={'slug': slug, 'description': description, 'version':
            version, 'input_schema': input_schema, 'output_schema': output_schema}, idempotency_key=idempotency_key,
            creates=True)

    def capability_list(self, *, limit=None, cursor=None):
        """List the common capabilities and those of the tenant, by slug.

        limit: How many at most.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/capabilities', query={'limit': limit, 'cursor': cursor})

    def capability_show(self, slug):
        """One capability.

        slug: Its name.
        """
        return self._call('GET', f'/v1/capabilities/{urllib.parse.quote(slug, safe="")}')

    def capability_agents(self, slug, *, limit=None, cursor=None):
        """Who has a capability, newest first.

        slug: The capability's name.
        limit: How many at most.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', f'/v1/capabilities/{urllib.parse.quote(slug, safe="")}/agents', query={'limit':
            limit, 'cursor': cursor})

    def agent_search(self, *, q=None, mode=None, type=None, status=None, protocol=None, capability=None, tag=None,
        verification=None, limit=None, cursor=None, count=None, facets=None):
        """Find agents by plain words and filters, best first, and say why.

        q: Plain words; all agents when empty.
        mode: How.
        type: Only of these types.
        status: Only with these statuses.
        protocol: Only who speak one of these.
        capability: Only who have one of these.
        tag: Only with one of these tags.
        verification: Only of whom this is proven.
        limit: How many at most.
        cursor: next_cursor of the page before.
        count: Count all of them too.
        facets: Count the hits by these.
        """
        return self._call('GET', '/v1/search/agents', query={'q': q, 'mode': mode, 'type': type, 'status': status,
            'protocol': protocol, 'capability': capability, 'tag': tag, 'verification': verification, 'limit':
            limit, 'cursor': cursor, 'count': count, 'facets': facets})

    def attestation_add(self, attester, subject, claim, value, issued_at, nonce, signature, *, capability=None,
        evidence=None, expires_at=None, idempotency_key=None):
        """Say something of another agent, signed.

        attester: Who says it.
        subject: Of whom.
        claim: What it is about.
        capability: Which capability: with a claim of that type, and perhaps of behavior.
        value: true or false, a whole number from 0 to 100, or a text: as the claim says.
        evidence: Why: a text or a URL.
        issued_at: When it was said; at most 5 minutes from now, either way.
        expires_at: Until when it counts.
        nonce: Never used before by this attester.
        signature: The canonical form (docs/directory.md) signed with the attester's key, base64.
        """
        return self._call('POST', '/v1/attestations', body={'attester': attester, 'subject': subject, 'claim':
            claim, 'capability': capability, 'value': value, 'evidence': evidence, 'issued_at': issued_at,
            'expires_at': expires_at, 'nonce': nonce, 'signature': signature}, idempotency_key=idempotency_key,
            creates=True)

    def attestation_list(self, *, subject=None, attester=None, revoked=None, limit=None, cursor=None):
        """List what is said of an agent, or by one, newest first.

        subject: Of whom: ag_ id or handle.
        attester: By whom: ag_ id or handle.
        revoked: Those that were taken back or have expired too.
        limit: How many at most.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/attestations', query={'subject': subject, 'attester': attester, 'revoked':
            revoked, 'limit': limit, 'cursor': cursor})

    def attestation_show(self, id):
        """One attestation.

        id: Its id.
        """
        return self._call('GET', f'/v1/attestations/{urllib.parse.quote(id, safe="")}')

    def attestation_revoke(self, id):
        """Take an attestation back; it stays to be seen.

        id: Its id.
        """
        return self._call('POST', f'/v1/attestations/{urllib.parse.quote(id, safe="")}/revoke')

    def agent_beat(self, id):
        """An agent is alive.

        id: Its ag_ id, or its handle.
        """
        return self._call('POST', f'/v1/agents/{urllib.parse.quote(id, safe="")}/heartbeat')

    def agent_status(self, id, status):
        """An agent says that it goes, that it will be silent on purpose, or that it is back.

        id: Its ag_ id, or its handle.
        status: Its status.
        """
        return self._call('POST', f'/v1/agents/{urllib.parse.quote(id, safe="")}/status', body={'status': status})

    def agent_liveness(self, id):
        """How alive an agent is and was.

        id: Its ag_ id, or its handle.
        """
        return self._call('GET', f'/v1/agents/{urllib.parse.quote(id, safe="")}/liveness')

    def change_list(self, *, since=None, limit=None):
        """What changed, in order. 410 when what follows is no longer kept. Empty pages may have more behind them: ask until next_since stays.

        since: After this number; 0 from the oldest that is kept.
        limit: How many at most.
        """
        return self._call('GET', '/v1/changes', query={'since': since, 'limit': limit})

    def change_stream(self, *, since=None, last_event_id=None, reconnect=True):
        """What changes, as server-sent events; Last-Event-ID resumes, and an event reset says that too much was missed.

        since: After this number; from now on when absent. Last-Event-ID wins.
        """
        return self._stream('/v1/changes/stream', {'since': since}, last_event_id, reconnect)

    def webhook_add(self, url, *, description=None, events=None, when=None):
        """Add a receiver of events. Its secret is answered this once.

        url: Where it is sent: http or https.
        description: What it is for.
        events: What it is told of; everything when absent.
        when: Only events whose data say this: a JSON pointer, '=' and a value, such as /type=tool. With the
            same pointer one of them must hold.
        """
        return self._call('POST', '/v1/webhooks', body={'url': url, 'description': description, 'events': events,
            'when': when})

    def webhook_list(self, *, limit=None, cursor=None):
        """List the webhooks of the tenant, newest first.

        limit: How many at most.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/webhooks', query={'limit': limit, 'cursor': cursor})

    def webhook_show(self, id):
        """One webhook.

        id: Its id.
        """
        return self._call('GET', f'/v1/webhooks/{urllib.parse.quote(id, safe="")}')

    def webhook_change(self, id, *, url=None, description=None, events=None, when=None, state=None, if_match=None):
        """Change a webhook, disable or enable it.

        id: Its id.
        url: Where it is sent.
        description: What it is for.
        events: What it is told of; null: everything.
        when: What the events' data must say.
        state: Whether it is sent anything.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('PATCH', f'/v1/webhooks/{urllib.parse.quote(id, safe="")}', body={'url': url,
            'description': description, 'events': events, 'when': when, 'state': state}, if_match=if_match)

    def webhook_delete(self, id, *, if_match=None):
        """Delete a webhook. What waits for it is not sent any more.

        id: Its id.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('DELETE', f'/v1/webhooks/{urllib.parse.quote(id, safe="")}', if_match=if_match)

    def webhook_secret(self, id, *, overlap_ms=None):
        """Give a webhook another secret, answered this once; the old one signs too for a while.

        id: Its id.
        overlap_ms: How long the old one signs too, so that receivers can be changed meanwhile.
        """
        return self._call('POST', f'/v1/webhooks/{urllib.parse.quote(id, safe="")}/secret', body={'overlap_ms':
            overlap_ms})

    def webhook_test(self, id):
        """Send a webhook an event webhook.test.

        id: Its id.
        """
        return self._call('POST', f'/v1/webhooks/{urllib.parse.quote(id, safe="")}/test')

    def webhook_deliveries(self, id, *, state=None, limit=None, cursor=None):
        """List what was sent to a webhook and what came of it, newest first.

        id: The webhook's id.
        state: In this state.
        limit: How many at most.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', f'/v1/webhooks/{urllib.parse.quote(id, safe="")}/deliveries', query={'state':
            state, 'limit': limit, 'cursor': cursor})

    def webhook_delivery(self, id):
        """One delivery, with what it says.

        id: Its id.
        """
        return self._call('GET', f'/v1/webhook-deliveries/{urllib.parse.quote(id, safe="")}')

    def webhook_replay(self, id):
        """Send a delivery again, whatever became of it.

        id: Its id.
        """
        return self._call('POST', f'/v1/webhook-deliveries/{urllib.parse.quote(id, safe="")}/replay')

    def hook_add(self, name, kind, *, secret=None, rules=None, headers=None, tolerance_ms=None,
        idempotency_key=None):
        """Add a place where others send events.

        name: Unique in the deployment: a to z, 0 to 9 and '-'. They send to /v1/hooks/NAME.
        kind: Who sends.
        secret: What is shared with who sends; until there is one everything is refused.
        rules: What is made of events: the first rule that fits is followed.
        headers: Of kind generic: where things stand.
        tolerance_ms: How far a signed time may be from the server's.
        """
        return self._call('POST', '/v1/hooks', body={'name': name, 'kind': kind, 'secret': secret, 'rules': rules,
            'headers': headers, 'tolerance_ms': tolerance_ms}, idempotency_key=idempotency_key, creates=True)

    def hook_list(self, *, limit=None, cursor=None):
        """List the hooks of the tenant, newest first.

        limit: How many at most.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', '/v1/hooks', query={'limit': limit, 'cursor': cursor})

    def hook_show(self, id):
        """One hook.

        id: Its hk_ id, or its name.
        """
        return self._call('GET', f'/v1/hooks/{urllib.parse.quote(id, safe="")}')

    def hook_change(self, id, *, state=None, rules=None, headers=None, tolerance_ms=None, if_match=None):
        """Change a hook, disable or enable it.

        id: Its hk_ id, or its name.
        state: Whether it takes anything.
        rules: What is made of events, instead of the rules there are.
        headers: Of kind generic: where things stand.
        tolerance_ms: How far a signed time may be from the server's.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('PATCH', f'/v1/hooks/{urllib.parse.quote(id, safe="")}', body={'state': state, 'rules':
            rules, 'headers': headers, 'tolerance_ms': tolerance_ms}, if_match=if_match)

    def hook_delete(self, id, *, if_match=None):
        """Delete a hook. What came in is not seen to any more.

        id: Its hk_ id, or its name.
        if_match: Only if it is still at this version, or has this ETag.
        """
        return self._call('DELETE', f'/v1/hooks/{urllib.parse.quote(id, safe="")}', if_match=if_match)

    def hook_receive(self, id):
        """Send an event to a hook, signed with its secret. 200 when it came before.

        id: Its hk_ id, or its name.
        """
        return self._call('POST', f'/v1/hooks/{urllib.parse.quote(id, safe="")}', body={})

    def hook_secret(self, id, *, secret=None, overlap_ms=None):
        """Say what secret a hook shares with who sends, or have one made; the old one counts too for a while.

        id: Its hk_ id, or its name.
        secret: The secret; made by the server when absent.
        overlap_ms: How long the old one counts too.
        """
        return self._call('POST', f'/v1/hooks/{urllib.parse.quote(id, safe="")}/secret', body={'secret': secret,
            'overlap_ms': overlap_ms})

    def hook_deliveries(self, id, *, state=None, limit=None, cursor=None):
        """List what came in at a hook and what became of it, newest first.

        id: Its hk_ id, or its name.
        state: In this state.
        limit: How many at most.
        cursor: next_cursor of the page before.
        """
        return self._call('GET', f'/v1/hooks/{urllib.parse.quote(id, safe="")}/deliveries', query={'state': state,
            'limit': limit, 'cursor': cursor})

    def hook_delivery(self, id):
        """One thing that came in, whole.

        id: Its id.
        """
        return self._call('GET', f'/v1/hook-deliveries/{urllib.parse.quote(id, safe="")}')

    def hook_replay(self, id):
        """See to something that came in once more, by the rules there are now.

        id: Its id.
        """
        return self._call('POST', f'/v1/hook-deliveries/{urllib.parse.quote(id, safe="")}/replay')


def _given(members):
    return {name: None if value is NULL else value for name, value in (members or {}).items() if value is not None}


def _query(members):
    given = [(name, value) for name, values in members.items() for value in (values if isinstance(values, list) else [values])]
    return [(name, str(value).lower() if isinstance(value, bool) else value) for name, value in given]


def _problem(answer):
    try:
        problem = json.loads(answer.body)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {'detail': answer.body.decode('utf-8', 'replace')[:400] or f'HTTP status {answer.status}'}
    return problem


def _events(response):
    """Splits a response into events; a comment line is a sign of life and nothing more."""
    fields = {}
    for raw in iter(response.readline, b''):
        line = raw.decode('utf-8').rstrip('\r\n')
        if line:
            name, _, value = line.partition(':')
            value = value[1:] if value.startswith(' ') else value
            fields[name] = f'{fields[name]}\n{value}' if name == 'data' and name in fields else value
            continue
        if 'data' in fields or 'event' in fields:
            text = fields.get('data', '')
            try:
                data = json.loads(text)
            except ValueError:
                data = text
            yield Event(fields.get('id'), fields.get('event', 'message'), data)
        fields = {}
