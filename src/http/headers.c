/*
 * One pass over the headers picks the ones we read. A header that is read may come once only, and what tells where
 * the request ends must be beyond doubt: a request that two parsers could cut differently is refused and its
 * connection closed (request smuggling).
 */
#include "http/http_priv.h"

#include <string.h>

/* What libmicrohttpd keeps for each header beside its text, and what the head of any answer of ours takes at most.
 */
enum { HEADER_OVERHEAD = 64, ANSWER_HEAD = 1280 };

#define HEADER(name, member)                                             \
	{                                                                \
		name, sizeof(name) - 1, offsetof(struct headers, member) \
	}

static const struct {
	const char *name;
	size_t length, offset;
} known[] = {
	HEADER("Date", date),
	HEADER("Host", host),
	HEADER("Cookie", cookie),
	HEADER("Expect", expect),
	HEADER("If-Match", if_match),
	HEADER("X-Tenant", tenant),
	HEADER("Signature", signature),
	HEADER("X-Agent-Id", agent_id),
	HEADER("Content-Type", content_type),
	HEADER("Tenfold-Seen", seen),
	HEADER("X-Request-Id", request_id),
	HEADER("X-Simulated-Time", simulated_time),
	HEADER("Authorization", authorization),
	HEADER("If-None-Match", if_none_match),
	HEADER("Last-Event-ID", last_event_id),
	HEADER("X-Forwarded-For", forwarded_for),
	HEADER("Content-Digest", content_digest),
	HEADER("Content-Length", content_length),
	HEADER("Signature-Input", signature_input),
	HEADER("Idempotency-Key", idempotency_key),
	HEADER("Transfer-Encoding", transfer_encoding),
	HEADER("X-Agent-Signature", agent_signature),
	HEADER("X-Agent-Timestamp", agent_timestamp),
	HEADER("X-Tenfold-Forwarded", forwarded),
	HEADER("X-Shopping-Session-Id", shopping_session),
};

static struct str only_one(const struct call_private *c, struct str name)
{
	struct str found = {0};
	size_t times = 0;

	for (size_t i = 0; i < c->all_headers_count; i++)
		if (str_eq_nocase(c->all_headers[i].key, name)) {
			found = c->all_headers[i].value;
			times++;
		}
	return times == 1 ? found : (struct str){0};
}

struct str http_header_of(const struct call *c, struct str name)
{
	const struct call_private *own = call_own((struct call *)(uintptr_t)c);
	const struct headers *h = &own->headers;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].length == name.n && str_eq_nocase(name, (struct str){known[i].name, name.n}))
			return *(const struct str *)(const void *)((const char *)h + known[i].offset);
	return only_one(own, name);
}

struct str http_ticket_of(const struct call *c)
{
	const struct call_private *own = call_own((struct call *)(uintptr_t)c);
	struct str rest = c->route->flags & ROUTE_TICKETS ? own->query : (struct str){0};

	while (rest.n) {
		struct str piece = str_cut(rest, '&', &rest);

		if (str_starts(piece, STR("ticket=")))
			return (struct str){piece.p + 7, piece.n - 7};
	}
	return (struct str){0};
}

static enum err framing_fault(struct call_private *c, const char *what)
{
	c->close = true;
	return call_fail(&c->call, ERR_MALFORMED, "%s", what);
}

static struct str *slot(struct headers *h, struct str name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].length == name.n && str_eq_nocase(name, (struct str){known[i].name, name.n}))
			return (struct str *)(void *)((char *)h + known[i].offset);
	return NULL;
}

struct reading {
	struct call_private *call;
	enum err err;
	size_t count;
};

static enum MHD_Result read_one(void *ctx, enum MHD_ValueKind kind, const char *key, size_t key_size,
				const char *value, size_t value_size)
{
	struct reading *r = ctx;
	struct str *at = slot(&r->call->headers, (struct str){key, key_size});

	(void)kind;
	r->count++;
	if (key_size == 0 || key[key_size - 1] == ' ' || key[key_size - 1] == '\t') {
		r->err = framing_fault(r->call, "a header's name must be followed by its colon at once");
		return MHD_NO;
	}
	if (at == &r->call->headers.forwarded_for && at->p) {
		*at = arena_fmt(r->call->call.arena, "%.*s,%.*s", STRF(*at), (int)value_size, value);
		return MHD_YES;
	}
	if (at && at->p) {
		r->err = framing_fault(r->call, "a header that may come once came twice");
		return MHD_NO;
	}
	if (at)
		*at = str_trim((struct str){value ? value : "", value_size});
	return MHD_YES;
}

static enum err check_framing(struct call_private *c, const char *version)
{
	const struct headers *h = &c->headers;
	int64_t length = 0;

	if (!h->host.p && strcmp(version, "HTTP/1.0") != 0)
		return framing_fault(c, "the header Host is missing");
	if (h->transfer_encoding.p && h->content_length.p)
		return framing_fault(c, "Transfer-Encoding and Content-Length exclude each other");
	if (h->transfer_encoding.p && !str_eq_nocase(h->transfer_encoding, STR("chunked")))
		return framing_fault(c, "the only Transfer-Encoding is chunked");
	if (h->content_length.p && (!str_to_i64(h->content_length, &length) || length < 0))
		return framing_fault(c, "Content-Length is not a number");
	c->declared = h->transfer_encoding.p ? BODY_UNKNOWN : (uint64_t)length;
	return OK;
}

/* The head of the answer must fit into the same memory: nothing is begun whose end could not be told. */
static enum err check_size(struct call_private *c, size_t count)
{
	size_t bytes =
		MHD_get_connection_info(c->connection->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;

	if (bytes + count * HEADER_OVERHEAD <= CONNECTION_MEMORY - ANSWER_HEAD)
		return OK;
	c->close = true;
	return call_fail(&c->call, ERR_HEADERS_TOO_LARGE,
			 "%zu bytes in %zu headers are more than this server takes", bytes, count);
}

enum err headers_read(struct call_private *c, const char *version)
{
	struct reading r = {c, OK, 0};

	MHD_get_connection_values_n(c->connection->mhd, MHD_HEADER_KIND, read_one, &r);
	r.err = r.err ? r.err : check_size(c, r.count);
	return r.err ? r.err : check_framing(c, version);
}

static enum MHD_Result keep_one(void *ctx, enum MHD_ValueKind kind, const char *key, size_t key_size,
				const char *value, size_t value_size)
{
	struct call_private *c = ctx;

	(void)kind;
	c->all_headers[c->all_headers_count++] = (struct json_pair){
		.key = {key, key_size}, .value = str_trim((struct str){value ? value : "", value_size})};
	return MHD_YES;
}

/* Where a signature stands is for the handler to say. */
static enum err keep_all(struct call_private *c)
{
	struct MHD_Connection *mhd = c->connection->mhd;
	int count = MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, NULL, NULL);

	c->all_headers = ARENA_ARRAY(c->call.arena, struct json_pair, (size_t)count);
	if (!c->all_headers)
		return ERR_HEADERS_TOO_LARGE;
	MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, keep_one, c);
	return OK;
}

static bool visible(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '!' || s.p[i] > '~')
			return false;
	return true;
}

static enum err check_idempotency_key(struct call_private *c)
{
	struct str key = c->headers.idempotency_key;

	if (!key.p || !c->call.caller.key || !(c->call.route->flags & ROUTE_CREATES))
		return OK; /* of callers without a key anybody could ask for the answer again */
	if (key.n == 0 || key.n > IDEMPOTENCY_KEY_MAX || !visible(key))
		return problem_field(&c->call.problem, ERR_INVALID, "Idempotency-Key",
				     "must be 1 to %d visible ASCII characters", IDEMPOTENCY_KEY_MAX);
	c->call.idempotency_key = key;
	return OK;
}

enum err headers_too_much_unidentified(struct call_private *c)
{
	return call_fail(&c->call, ERR_UNAUTHENTICATED,
			 "with a signature, or a key that this process does not know yet, a body may have %d bytes",
			 BODY_UNIDENTIFIED);
}

/* Where the signature is of the body, all of it is needed to know who sends it. */
bool headers_is_bounded(const struct call_private *c)
{
	return c->unidentified && !(c->call.route->flags & ROUTE_SIGNED);
}

static enum err check_body(struct call_private *c)
{
	const struct route *route = c->call.route;
	struct str rest, type = str_trim(str_cut(c->headers.content_type, ';', &rest));

	if (c->declared == 0)
		return OK;
	if (headers_is_bounded(c) && c->declared != BODY_UNKNOWN && c->declared > BODY_UNIDENTIFIED)
		return headers_too_much_unidentified(c);
	if (route->max_body == 0)
		return call_fail(&c->call, ERR_TOO_LARGE, "this call takes no body");
	if (c->declared != BODY_UNKNOWN && c->declared > route->max_body)
		return call_fail(&c->call, ERR_TOO_LARGE, "the body may have at most %u bytes", route->max_body);
	if (route->flags & ROUTE_SIGNED)
		return OK;
	bool merge = route->method == METHOD_PATCH && str_eq_nocase(type, STR("application/merge-patch+json"));
	if (!merge && !str_eq_nocase(type, STR("application/json")))
		return call_fail(&c->call, ERR_MEDIA_TYPE,
				 "the body must be sent as Content-Type: application/json");
	return OK;
}

/* The value of one of them; p is NULL when it is not among them. */
static struct str cookie_named(struct str cookies, struct str name)
{
	while (cookies.n) {
		struct str value, one = str_trim(str_cut(cookies, ';', &cookies));

		if (str_eq(str_cut(one, '=', &value), name))
			return value;
	}
	return (struct str){0};
}

enum err headers_check(struct call_private *c)
{
	enum err e = check_idempotency_key(c);

	c->call.has_seen = c->headers.seen.n ? c->headers.seen : cookie_named(c->headers.cookie, STR(SEEN_COOKIE));

	c->call.last_event_id = c->headers.last_event_id;
	if (c->call.route->flags & ROUTE_MATCHES)
		c->call.if_match = c->headers.if_match;
	if (!e && (c->call.route->flags & ROUTE_SIGNED))
		e = keep_all(c);
	return e ? e : check_body(c);
}

enum err headers_credentials(struct call_private *c, struct str *secret)
{
	struct str scheme;

	*secret = (struct str){0};
	if (!c->headers.authorization.n)
		return OK;
	scheme = str_cut(c->headers.authorization, ' ', secret);
	*secret = str_trim(*secret);
	if (!str_eq_nocase(scheme, STR("Bearer")) || !secret->n)
		return call_fail(&c->call, ERR_UNAUTHENTICATED, "send the key as Authorization: Bearer KEY");
	return OK;
}

/* A header that came several times is one list: some proxies add to it, others add one of their own. */
void headers_address(struct call_private *c)
{
	struct str socket = str_of(c->connection->address);
	unsigned hops = c->loop->server->config.proxy_hops;

	c->call.address = address_forwarded(c->headers.forwarded_for, hops, socket, c->forwarded_address);
}

/* A well-mixed 64-bit number: the finalizer of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static struct str make_id(struct call_private *c)
{
	uint64_t n = mix(c->loop->next_request_id += UINT64_C(0x9e3779b97f4a7c15));

	for (int i = 0; i < REQUEST_ID_MADE - 1; i++, n >>= 4)
		c->made_id[i] = "0123456789abcdef"[n & 15];
	return (struct str){c->made_id, REQUEST_ID_MADE - 1};
}

/* The given one when it is short and visible: it ends up in logs and headers. */
void headers_request_id(struct call_private *c)
{
	struct str given = c->headers.request_id;
	bool sane = given.n > 0 && given.n <= REQUEST_ID_MAX && visible(given);

	c->call.request_id = sane ? given : make_id(c);
}
