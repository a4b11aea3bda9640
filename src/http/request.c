/*
 * libmicrohttpd's callbacks, in the order in which they come for one request:
 *
 *   request_begin     the request line is there: the call is made
 *   request_continue  once with the headers, then with each piece of the body, then once at its end
 *   request_over      the answer was sent, or never will be: the call ends
 *
 * What can be refused is refused at the headers, before the body costs anything.
 */
#include "http/http_priv.h"
#include "http/params.h"

#include "base/clock.h"

#include <string.h>

static struct loop *own_loop(void *p)
{
	struct loop *l = p;

	CHECK_OBJ(l, LOOP_MAGIC);
	return l;
}

/* Copies the query and ends the uri before it. libmicrohttpd would take it apart into its own memory, which nobody
 * needs, and stalls when that runs out (a test has the request). The text is its buffer, not ours, but it writes a
 * NUL into the same place itself right after this. */
static void take_query(struct call_private *c, struct str query)
{
	if (!query.n)
		return;
	c->query = arena_str(c->call.arena, query);
	((char *)(uintptr_t)query.p)[0] = '\0';
}

/* A proxy may send GET http://host/path; what comes before the path says nothing to us. */
static const char *without_origin(const char *uri)
{
	const char *host = strncmp(uri, "http://", 7) == 0    ? uri + 7
			   : strncmp(uri, "https://", 8) == 0 ? uri + 8
							      : NULL;

	return host ? host + strcspn(host, "/?") : uri;
}

void *request_begin(void *loop, const char *uri, struct MHD_Connection *mhd)
{
	struct loop *l = own_loop(loop);
	struct call_private *c = call_take(l);
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct str query;

	c->connection = info->socket_context;
	CHECK_OBJ(c->connection, CONNECTION_MAGIC);
	c->connection->call = c;
	c->began_ns = clock_mono_ns();
	c->call.path = str_cut(str_of(without_origin(uri ? uri : "")), '?', &query);
	take_query(c, query);
	return c;
}

size_t request_keep_escapes(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls, (void)mhd;
	return strlen(text);
}

static enum route_method method_of(struct call_private *c, const char *method)
{
	c->head = strcmp(method, "HEAD") == 0;
	if (c->head)
		return METHOD_GET;
	for (unsigned m = 0; m < METHOD_COUNT; m++)
		if (strcmp(method, spec_method_names[m]) == 0)
			return (enum route_method)m;
	return METHOD_COUNT;
}

enum { METHOD_SHOWN_MAX = 16, PATH_SHOWN_MAX = 128 };

static enum err no_route(struct call_private *c, const char *method)
{
	struct str path = c->call.path;

	if (path.n > PATH_SHOWN_MAX)
		path.n = PATH_SHOWN_MAX;
	return call_fail(&c->call, ERR_NO_ROUTE, "there is no %.*s %.*s", METHOD_SHOWN_MAX, method, STRF(path));
}

static enum err other_methods(struct call_private *c, unsigned allowed)
{
	struct buf methods = BUF_INIT(64);

	c->allowed = allowed;
	answer_methods(allowed, "GET", &methods);
	call_fail(&c->call, ERR_METHOD, "this path takes %s", buf_cstr(&methods));
	buf_free(&methods);
	return ERR_METHOD;
}

static enum err find_route(struct call_private *c, const char *method)
{
	struct router_match match;
	struct str path;
	enum err e = url_decode_path(c->call.path, c->call.arena, &path);

	if (e)
		return call_fail(&c->call, ERR_NO_ROUTE, "the path has a broken escape");
	e = router_find(c->loop->server->router, method_of(c, method), path, &match);
	c->call.route = match.route;
	c->id = match.id;
	if (e == ERR_NO_ROUTE)
		return no_route(c, method);
	return e ? other_methods(c, match.allowed) : OK;
}

static enum err check_scope(struct call_private *c)
{
	struct call *call = &c->call;

	if (call->caller.scope >= call->route->scope)
		return OK;
	if ((call->route->flags & ROUTE_MANAGES) && caller_manages(&call->caller))
		return OK;
	if (!call->caller.key && !call->caller.agent && (call->route->flags & c->loop->server->config.keyless))
		return OK;
	if (!call->caller.key && !call->caller.agent)
		return call_fail(call, ERR_UNAUTHENTICATED, "send a key as Authorization: Bearer KEY");
	if (call->caller.user && call->route->scope == SCOPE_ADMIN && !(call->route->flags & ROUTE_MANAGES))
		return call_fail(
			call, ERR_FORBIDDEN,
			"an admin of the server does this, with an admin key; no role of a person's allows it");
	return call_fail(call, ERR_FORBIDDEN, "this call needs the scope %s, the key has %s",
			 enum_scope.values[call->route->scope].text, enum_scope.values[call->caller.scope].text);
}

/* Nobody asks who calls. */
static bool is_for_everybody(const struct route *r)
{
	return r->scope == SCOPE_NONE && !(r->flags & ROUTE_SIGNED);
}

static enum err authorize(struct call_private *c)
{
	struct call *call = &c->call;
	struct str secret = {0};
	enum err e;

	if (is_for_everybody(call->route)) {
		call->caller.tier = TIER_ANONYMOUS;
		return OK;
	}
	e = call->route->flags & ROUTE_SIGNED ? OK : headers_credentials(c, &secret);
	if (!e)
		e = c->loop->server->config.hooks.authenticate(call, secret, c->headers.tenant);
	c->unidentified = e == ERR_NOT_CACHED;
	if (c->unidentified)
		return OK;
	return e ? e : check_scope(c);
}

/* Whether there is an error or not, the answer tells what is left. */
static enum err admit(struct call_private *c)
{
	const struct http_hooks *hooks = &c->loop->server->config.hooks;
	enum err e;

	if (!hooks->admit || (is_for_everybody(c->call.route) && !(c->call.route->flags & ROUTE_TRIES)))
		return OK;
	e = hooks->admit(&c->call, &c->rate);
	if (e)
		c->call.problem.retry_after_s = c->rate.retry_after_s;
	return e;
}

static enum err check_capacity(struct call_private *c)
{
	struct http_server *s = c->loop->server;

	if (atomic_load_explicit(&s->phase, memory_order_relaxed) != PHASE_SERVING)
		return call_fail(&c->call, ERR_SHUTTING_DOWN, "the server is stopping");
	if (!c->connection->excess)
		return OK;
	c->close = true;
	return call_fail(&c->call, ERR_OVERLOADED, "the server has all the %u connections it may have",
			 s->config.max_connections);
}

static enum err at_headers(struct call_private *c, const char *method, const char *version)
{
	enum err e = headers_read(c, version);

	headers_request_id(c);
	headers_address(c);
	e = e ? e : check_capacity(c);
	e = e ? e : find_route(c, method);
	e = e ? e : authorize(c);
	e = e ? e : admit(c);
	return e ? e : headers_check(c);
}

static enum MHD_Result begin_body(struct call_private *c, const char *method, const char *version)
{
	enum err e = at_headers(c, method, version);

	if (e)
		return refuse(c, e);
	c->body.max = c->call.route->max_body ? c->call.route->max_body : 1;
	return MHD_YES;
}

/* Large bodies draw on the budget as they grow. */
static bool charge(struct call_private *c, size_t size)
{
	struct http_server *s = c->loop->server;
	int64_t more = (int64_t)size - (int64_t)c->charged;

	if (size <= BODY_FREE || more <= 0)
		return true;
	if (atomic_fetch_add(&s->body_bytes, more) + more > s->config.body_bytes_max) {
		atomic_fetch_sub(&s->body_bytes, more);
		return false;
	}
	c->charged = size;
	return true;
}

static enum MHD_Result take_body(struct call_private *c, const char *bytes, size_t n)
{
	uint32_t max = c->call.route->max_body;

	if (headers_is_bounded(c) && n + c->body.n > BODY_UNIDENTIFIED)
		return refuse(c, headers_too_much_unidentified(c));
	if (n > max - c->body.n) {
		call_fail(&c->call, ERR_TOO_LARGE, "the body may have at most %u bytes", max);
		return refuse(c, ERR_TOO_LARGE);
	}
	if (!charge(c, c->body.n + n)) {
		call_fail(&c->call, ERR_OVERLOADED, "too many large bodies at once");
		return refuse(c, ERR_OVERLOADED);
	}
	buf_add(&c->body, bytes, n);
	return buf_ok(&c->body) ? MHD_YES : refuse(c, ERR_OVERLOADED);
}

static enum MHD_Result fail(struct call_private *c, enum err e)
{
	c->call.outcome = e;
	return answer(c);
}

/* Any thread may finish the call from when the hook has it; it is resumed on this one, so suspending comes in time.
 */
static enum MHD_Result dispatch(struct call_private *c)
{
	bool waits = c->call.route->flags & ROUTE_WAITS;
	enum err e;

	c->stage = STAGE_DISPATCHED;
	c->dispatched = true;
	e = c->loop->server->config.hooks.dispatch(&c->call);
	if (e) {
		c->dispatched = false;
		return fail(c, e);
	}
	MHD_suspend_connection(c->connection->mhd);
	if (waits)
		connection_may_wait(c->connection);
	return MHD_YES;
}

static enum MHD_Result run_here(struct call_private *c)
{
	const struct route *r = c->call.route;
	http_handler_fn *handler = c->loop->server->config.handlers[call_route_index(c)];

	CHECK(handler);
	c->call.outcome = handler(&c->call, c->call.in, c->call.out);
	c->call.wait = CALL_DONE;
	if (c->call.outcome == OK && r->runs == RUNS_STREAM)
		return stream_begin(c);
	return answer(c);
}

/* From memory, else from where it is. */
static enum MHD_Result run_cached(struct call_private *c)
{
	http_handler_fn *here = c->loop->server->config.first_halves[call_route_index(c)];
	enum err e = here(&c->call, c->call.in, c->call.out);

	if (e == ERR_NOT_CACHED)
		return dispatch(c);
	c->call.outcome = e;
	c->call.wait = CALL_DONE;
	return answer(c);
}

static enum MHD_Result run(struct call_private *c)
{
	enum err e = input_decode(c);

	if (e)
		return fail(c, e);
	switch (c->call.route->runs) {
	case RUNS_STREAM:
		return c->call.route->flags & ROUTE_LOOKS ? dispatch(c) : run_here(c);
	case RUNS_HERE:
		return run_here(c);
	case RUNS_CACHED:
		return run_cached(c);
	case RUNS_SLOT:
	case RUNS_SLOT_READ:
	case RUNS_SLOT_WRITE:
	case RUNS_READ:
	case RUNS_WRITE:
	case RUNS_HASH_WRITE:
	case RUNS_BULK:
	case RUNS_COMPUTE:
		return dispatch(c);
	}
	UNREACHABLE();
}

static enum MHD_Result identify(struct call_private *c)
{
	enum err e;

	c->call.body = buf_str(&c->body);
	c->unidentified = false;
	c->identifying = true;
	c->stage = STAGE_DISPATCHED;
	e = c->loop->server->config.hooks.identify(&c->call);
	if (e)
		return fail(c, e);
	MHD_suspend_connection(c->connection->mhd);
	return MHD_YES;
}

void request_identified(struct call_private *c)
{
	c->identifying = false;
	c->stage = STAGE_RECEIVING;
	enum err e = c->call.outcome ? c->call.outcome : check_scope(c);

	if (c->call.outcome && err_info(c->call.outcome)->status < 500)
		c->call.caller.unproven =
			false; /* it counts against the address; that nobody could look does not */
	c->call.outcome = admit(c);
	if (!c->call.outcome)
		c->call.outcome = e;
}

/* The request has been read to its end; or that was so before, and now it is known who calls. */
static enum MHD_Result at_end(struct call_private *c)
{
	if (!c->counted) {
		connection_request_read(c->connection);
		c->counted = true;
		c->loop->unanswered++;
	}
	if (c->refused || c->call.outcome)
		return answer(c);
	return c->unidentified ? identify(c) : run(c);
}

static enum MHD_Result more(struct call_private *c, const char *bytes, size_t *n)
{
	size_t taken = *n;

	*n = 0;
	connection_received(c->connection, taken);
	if (c->refused)
		return refuse_drop(c, taken);
	return take_body(c, bytes, taken);
}

enum MHD_Result request_continue(void *loop, struct MHD_Connection *mhd, const char *url, const char *method,
				 const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct call_private *c = *state;

	(void)loop, (void)mhd, (void)url;
	CHECK_OBJ(&c->call, CALL_MAGIC);
	if (!c->headers_seen) {
		c->headers_seen = true;
		return begin_body(c, method, version);
	}
	if (*upload_size)
		return more(c, upload, upload_size);
	/* Another stage means that the answer is out (CUT), or that it could not be queued. */
	return c->stage == STAGE_RECEIVING ? at_end(c) : MHD_NO;
}

/* Nobody will know of what was done. Once the loops have ended, nobody is there to be told either. */
static bool undelivered(const struct call_private *c, enum MHD_RequestTerminationCode why)
{
	if (atomic_load_explicit(&c->loop->server->phase, memory_order_relaxed) == PHASE_STOPPED)
		return false;
	return c->dispatched && c->call.outcome == OK &&
	       (why != MHD_REQUEST_TERMINATED_COMPLETED_OK || c->call.gone);
}

static void end(struct call_private *c, enum MHD_RequestTerminationCode why)
{
	CHECK_OBJ(&c->call, CALL_MAGIC);
	if (c->call.stream)
		stream_over(c);
	if (undelivered(c, why))
		c->loop->server->config.hooks.undelivered(&c->call);
	if (c->call.ready_blob.release)
		c->call.ready_blob.release(c->call.ready_blob.owner);
	if (c->counted)
		c->loop->unanswered--;
	c->connection->call = NULL;
	connection_await_request(c->connection);
	call_give_back(c);
}

void request_over(void *loop, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode why)
{
	(void)loop, (void)mhd;
	end(*state, why);
	*state = NULL;
}

void request_lost(struct call_private *c)
{
	end(c, MHD_REQUEST_TERMINATED_WITH_ERROR);
}
