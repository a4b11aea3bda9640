/* One request to the owner of the queue: made from a call, sent by libcurl, and its answer taken apart. */
#include "api/forward_priv.h"

#include "api/kept.h"
#include "api/reads.h"

#include "base/log.h"
#include "base/magic.h"
#include "http/http.h"

#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_MS = 2000,
	ANSWER_MS = 15000, /* of a call that does not wait */
	ANSWER_WAITING_MS = 45000,
	SILENT_S = 45, /* a stream carries something every 15 s */
	ANSWER_MAX = 64 << 20,
	PENDING_MAX = 256 << 10
};

/* ---- a transfer made ---- */

void transfer_header(struct transfer *t, const char *name, struct str value)
{
	struct buf line = BUF_INIT(0);
	struct curl_slist *list;

	buf_fmt(&line, "%s: %.*s", name, STRF(value));
	list = curl_slist_append(t->headers, buf_cstr(&line));
	CHECK(list);
	t->headers = list;
	buf_free(&line);
}

static void add_header_if(struct transfer *t, const char *name, struct str value)
{
	if (value.n)
		transfer_header(t, name, value);
}

struct transfer *transfer_new(struct forward *f, enum transfer_kind kind)
{
	struct transfer *t = NEW(struct transfer);

	t->forward = f;
	t->kind = kind;
	t->answer = BUF_INIT(ANSWER_MAX);
	t->pending = BUF_INIT(0);
	return t;
}

void transfer_free(struct transfer *t)
{
	curl_slist_free_all(t->headers);
	buf_free(&t->url);
	buf_free(&t->body);
	buf_free(&t->answer);
	buf_free(&t->pending);
	free(t);
}

bool transfer_address(struct transfer *t, const struct call *c, struct str path, struct str query)
{
	struct http_request request = http_request_of(c);
	struct forward *f = t->forward;
	struct buf epoch = BUF_INIT(0);

	pthread_mutex_lock(&f->lock);
	buf_str_add(&t->url, buf_str(&f->url));
	buf_i64(&epoch, f->epoch);
	pthread_mutex_unlock(&f->lock);
	if (t->url.n == 0)
		return false;
	buf_str_add(&t->url, path);
	if (query.n)
		buf_fmt(&t->url, "?%.*s", STRF(query));
	transfer_header(t, "X-Tenfold-Forwarded", buf_str(&epoch));
	transfer_header(t, "X-Request-Id", c->request_id);
	add_header_if(t, "Authorization", request.authorization);
	add_header_if(t, "X-Tenant", request.tenant);
	buf_free(&epoch);
	return true;
}

bool transfer_address_request(struct transfer *t, const struct call *c)
{
	struct http_request request = http_request_of(c);

	if (!transfer_address(t, c, request.path, request.query))
		return false;
	add_header_if(t, "Content-Type", request.content_type);
	add_header_if(t, "Idempotency-Key", c->idempotency_key);
	add_header_if(t, "Last-Event-ID", c->last_event_id);
	add_header_if(t, "If-Match", c->if_match);
	transfer_header(t, "Expect", (struct str){0}); /* libcurl's own is not wanted */
	buf_str_add(&t->body, c->body);
	t->waits = c->route->flags & ROUTE_WAITS;
	t->writes = c->route->method != METHOD_GET;
	return true;
}

/* ---- what comes back ---- */

static size_t take_pending(struct transfer *t, const char *bytes, size_t n)
{
	struct forward *f = t->forward;
	long status = 0;
	bool full;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return n; /* the stream ends, and its client comes again */
	pthread_mutex_lock(&f->lock);
	full = t->pending.n + n > PENDING_MAX;
	t->paused = full;
	if (!full)
		buf_add(&t->pending, bytes, n);
	pthread_mutex_unlock(&f->lock);
	if (!full)
		http_wake_streams(f->app->http);
	return full ? CURL_WRITEFUNC_PAUSE : n;
}

static size_t on_data(char *bytes, size_t each, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t n = each * count;

	if (t->kind == OF_STREAM)
		return take_pending(t, bytes, n);
	buf_add(&t->answer, bytes, n);
	return buf_ok(&t->answer) ? n : 0;
}

static void keep_text(char *to, size_t size, struct str value)
{
	if (value.n >= size)
		return;
	memcpy(to, value.p, value.n);
	to[value.n] = '\0';
}

static void keep_etag(struct transfer *t, struct str value)
{
	struct etag tag;

	if (etag_next(&value, &tag) == ETAG_FOUND)
		keep_text(t->etag, sizeof(t->etag), tag.text);
}

static size_t on_header(char *bytes, size_t each, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t n = each * count;
	struct str value, name = str_cut((struct str){bytes, n}, ':', &value);
	int64_t seconds;

	value = str_trim(value);
	if (str_eq_nocase(name, STR("Content-Type"))) {
		keep_text(t->content_type, sizeof(t->content_type), value);
	} else if (str_eq_nocase(name, STR("ETag"))) {
		keep_etag(t, value);
	} else if (str_eq_nocase(name, STR("Retry-After")) && str_to_i64(value, &seconds)) {
		t->retry_after_s = (int)seconds;
	} else if (str_eq_nocase(name, STR("Idempotency-Replayed"))) {
		t->replayed = true;
	} else if (str_eq_nocase(name, STR("Tenfold-Seen"))) {
		keep_text(t->seen, sizeof(t->seen), value);
	}
	return n;
}

static void set_method(struct transfer *t, enum route_method method)
{
	if (method == METHOD_GET)
		return;
	curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, spec_method_names[method]);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.n);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, buf_cstr(&t->body));
}

static void set_options(struct transfer *t)
{
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_URL, buf_cstr(&t->url));
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	if (t->kind == OF_STREAM) {
		curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)SILENT_S);
	} else {
		curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(t->waits ? ANSWER_WAITING_MS : ANSWER_MS));
	}
}

void transfer_prepare(struct transfer *t)
{
	set_options(t);
	set_method(t, t->call ? t->call->route->method : t->kind == OF_RELEASE ? METHOD_POST : METHOD_GET);
}

enum err transfer_relay(struct transfer *t)
{
	struct call *c = t->call;
	struct relayed *answer = ARENA_NEW(c->arena, struct relayed);
	struct str type = arena_str(c->arena, str_of(t->content_type));
	struct str body = arena_str(c->arena, buf_str(&t->answer));
	long status = 0;

	if (!answer || !type.p || !body.p)
		return call_fail(c, ERR_INTERNAL, "the answer does not fit into memory");
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	*answer = (struct relayed){
		.status = (int)status, .content_type = type, .body = body, .retry_after_s = t->retry_after_s};
	c->relayed = answer;
	c->replayed = t->replayed;
	c->etag = arena_str(c->arena, str_of(t->etag));
	reads_relayed(c, str_of(t->seen));
	if (t->writes && status < 400)
		kept_relayed(c);
	return OK;
}

enum err transfer_unanswered(struct transfer *t, const char *why)
{
	long sent = 0;

	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
	LOG_W("forward.unanswered", "url=%s detail=%s", buf_cstr(&t->url), why);
	if (sent > 0 && t->writes)
		return call_fail(t->call, ERR_OUTCOME_UNKNOWN,
				 "the process that owned the queue was asked and did not answer: %s", why);
	return call_fail(t->call, ERR_OWNER_UNAVAILABLE, "the process that owns the queue does not answer: %s",
			 why);
}
