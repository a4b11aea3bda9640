/*
 * From an outcome to a response.
 *
 * The body is encoded into the call's own buffer and libmicrohttpd only points to it: the call lives until
 * request_over(), which is after the last byte was sent.
 */
#include "http/http_priv.h"

#include "base/clock.h"
#include "telemetry/metrics.h"

#include <inttypes.h>
#include <stdio.h>

struct answer_body {
	struct str text;
	const char *type; /* NULL: no body */
};

static struct answer_body encoded(struct call_private *c, const char *type)
{
	return (struct answer_body){buf_str(&c->answer), type};
}

static struct answer_body failure(struct call_private *c, enum err e)
{
	c->sent_status = err_info(e)->status;
	buf_reset(&c->answer);
	problem_encode(&c->call, e, &c->answer);
	return encoded(c, "application/problem+json");
}

/* What may be kept and asked for again. */
static bool has_etag(const struct call_private *c)
{
	const struct route *r = c->call.route;

	return r && r->method == METHOD_GET && r->cache != ROUTE_NO_STORE && c->sent_status < MHD_HTTP_BAD_REQUEST;
}

static bool is_had(const struct call_private *c)
{
	return has_etag(c) && c->sent_status == MHD_HTTP_OK && c->headers.if_none_match.n &&
	       etag_is_listed(c->headers.if_none_match, c->call.etag);
}

static struct answer_body content(struct call_private *c)
{
	const struct call *call = &c->call;

	if (call->route->flags & ROUTE_TEXT)
		return (struct answer_body){call->text, call->content_type};
	if (call->ready_blob.body.n)
		return (struct answer_body){call->ready_blob.body, "application/json"};
	if (call->ready_json.n)
		return (struct answer_body){call->ready_json, "application/json"};
	if (c->sent_status == MHD_HTTP_NO_CONTENT)
		return (struct answer_body){0};
	json_encode(call->route->out, call->out, 0, &c->answer);
	if (!buf_ok(&c->answer)) {
		problem_set(&c->call.problem, ERR_INTERNAL, "the answer does not fit into memory");
		return failure(c, ERR_INTERNAL);
	}
	return encoded(c, "application/json");
}

static struct answer_body success(struct call_private *c)
{
	c->sent_status = c->call.status ? c->call.status : c->call.route->status;
	return content(c);
}

static struct answer_body relayed(struct call_private *c)
{
	const struct relayed *answer = c->call.relayed;

	c->sent_status = answer->status;
	return (struct answer_body){answer->body, answer->content_type.n ? answer->content_type.p : NULL};
}

/* What the client has is not sent again. It was encoded all the same: 304 tells the length that 200 would have had. */
static void leave_out_what_is_had(struct call_private *c, struct answer_body *body)
{
	if (has_etag(c) && !c->call.etag.n)
		c->call.etag = etag_of(body->text, c->made_etag);
	if (!is_had(c))
		return;
	c->sent_status = MHD_HTTP_NOT_MODIFIED;
	body->type = NULL;
}

static void header(struct MHD_Response *r, const char *name, const char *value)
{
	MHD_add_response_header(r, name, value);
}

static void header_number(struct MHD_Response *r, const char *name, int value)
{
	struct buf b = BUF_INIT(32);

	buf_i64(&b, value);
	header(r, name, buf_cstr(&b));
	buf_free(&b);
}

void answer_methods(unsigned allowed, const char *get, struct buf *b)
{
	for (unsigned m = 0; m < METHOD_COUNT; m++) {
		if (!(allowed & 1u << m))
			continue;
		buf_z(b, b->n ? ", " : "");
		buf_z(b, m == METHOD_GET ? get : spec_method_names[m]);
	}
}

static void header_allow(struct call_private *c, struct MHD_Response *r)
{
	struct buf b = BUF_INIT(64);

	answer_methods(c->allowed, "GET, HEAD", &b);
	header(r, "Allow", buf_cstr(&b));
	buf_free(&b);
}

static void headers_of_failure(struct call_private *c, struct MHD_Response *r)
{
	int retry = problem_retry_after_s(&c->call.problem, c->call.outcome);

	if (retry)
		header_number(r, "Retry-After", retry);
	if (c->sent_status == MHD_HTTP_UNAUTHORIZED)
		header(r, "WWW-Authenticate", "Bearer");
	if (c->allowed)
		header_allow(c, r);
}

static void header_etag(struct call_private *c, struct MHD_Response *r)
{
	char quoted[ETAG_MAX + 3];

	CHECK(c->call.etag.n <= ETAG_MAX);
	snprintf(quoted, sizeof(quoted), "\"%.*s\"", STRF(c->call.etag));
	header(r, "ETag", quoted);
}

/* Where a key is needed nobody else may keep the answer for others: a signed request has none to be told apart by. */
static bool may_be_shared(const struct call_private *c)
{
	const struct route *route = c->call.route;
	bool keyless = route->scope == SCOPE_NONE || (route->flags & c->loop->server->config.keyless);

	return c->call.is_public && keyless && route->cache > 0;
}

/* Whoever is asked with another key, or for another tenant, answers something else. */
static void headers_of_caching(struct call_private *c, struct MHD_Response *r)
{
	const struct route *route = c->call.route;
	char shared[48];

	if (!has_etag(c)) {
		header(r, "Cache-Control", "no-store");
		if (c->call.etag.n && c->call.outcome == OK) /* what was changed is at this version now */
			header_etag(c, r);
		return;
	}
	snprintf(shared, sizeof(shared), "public, max-age=%d", route->cache);
	header(r, "Cache-Control", may_be_shared(c) ? shared : "private, no-cache");
	if (route->scope != SCOPE_NONE)
		header(r, "Vary", "Authorization, X-Tenant");
	header_etag(c, r);
}

/* draft-ietf-httpapi-ratelimit-headers-10 */
static void headers_of_rate(const struct rate *rate, struct MHD_Response *r)
{
	char text[96];

	snprintf(text, sizeof(text), "\"%s\";q=%" PRId64 ";w=%d", rate->policy, rate->limit, rate->window_s);
	header(r, "RateLimit-Policy", text);
	snprintf(text, sizeof(text), "\"%s\";r=%" PRId64 ";t=%d", rate->policy, rate->remaining, rate->reset_s);
	header(r, "RateLimit", text);
}

/* Until a replica that has not caught up by then is no longer asked. */
enum { SEEN_COOKIE_S = 3600 };

static void headers_of_seen(const struct call_private *c, struct MHD_Response *r)
{
	char cookie[160];

	snprintf(cookie, sizeof(cookie), SEEN_COOKIE "=%.*s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
		 STRF(c->call.now_seen), SEEN_COOKIE_S, c->loop->server->config.tls_cert_pem ? "; Secure" : "");
	header(r, "Tenfold-Seen", c->call.now_seen.p);
	header(r, "Set-Cookie", cookie);
}

void answer_headers(struct call_private *c, struct MHD_Response *r, const char *content_type)
{
	if (content_type)
		header(r, "Content-Type", content_type);
	headers_of_caching(c, r);
	header(r, "X-Content-Type-Options", "nosniff");
	header(r, "X-Request-Id", c->call.request_id.p);
	if (c->call.outcome != OK)
		headers_of_failure(c, r);
	if (c->call.relayed && c->call.relayed->retry_after_s)
		header_number(r, "Retry-After", c->call.relayed->retry_after_s);
	if (c->rate.limit)
		headers_of_rate(&c->rate, r);
	if (c->call.replayed)
		header(r, "Idempotency-Replayed", "true");
	if (c->call.now_seen.n)
		headers_of_seen(c, r);
	if (c->close || atomic_load_explicit(&c->loop->server->phase, memory_order_relaxed) != PHASE_SERVING)
		header(r, "Connection", "close");
}

void answer_count(const struct call_private *c)
{
	struct metrics *m = c->loop->server->config.metrics;
	unsigned route;

	if (c->refused)
		metrics_add_at(m, METRIC_http_requests_rejected_total, c->refused, 0, 1);
	if (!c->call.route)
		return;
	route = (unsigned)call_route_index(c);
	metrics_add_at(m, METRIC_http_requests_total, route, metrics_status(c->sent_status), 1);
	metrics_observe_at_ns(m, METRIC_http_request_duration_seconds, route, 0, clock_mono_ns() - c->began_ns);
}

enum MHD_Result answer(struct call_private *c)
{
	struct answer_body body = c->call.outcome != OK ? failure(c, c->call.outcome)
				  : c->call.relayed     ? relayed(c)
							: success(c);
	struct MHD_Response *r;
	enum MHD_Result queued;

	leave_out_what_is_had(c, &body);
	r = MHD_create_response_from_buffer(body.text.n, (void *)(uintptr_t)body.text.p, MHD_RESPMEM_PERSISTENT);
	c->stage = STAGE_ANSWERED;
	answer_count(c);
	if (!r)
		return MHD_NO;
	answer_headers(c, r, body.type);
	queued = MHD_queue_response(c->connection->mhd, (unsigned)c->sent_status, r);
	MHD_destroy_response(r);
	connection_await_reader(c->connection, body.text.n);
	return queued;
}
