/*
 * A request is built from the row of its route: members of the path and the query from `in` as plain text, the body
 * by json/. The answer is decoded by the row's `out`, or as a problem.
 */
#include "cli/client.h"

#include "cli/parse.h"
#include "cli/private_file.h"

#include "base/clock.h"
#include "base/magic.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPLY_MAX = 64 << 20, BODY_MAX = 32 << 20, SETTINGS_MAX = 256 << 10, KEY_SHOWN = 8 };
enum { CONNECT_MS = 5000, CALL_MS = 60000, CALL_WAITING_MS = 95000 };

/* ---- who and where ---- */

static void adopt(struct client *c, struct arena *a, const struct client *settings)
{
	c->url = arena_str(a, settings->url);
	c->url_note = arena_str(a, settings->url_note);
	c->key = arena_str(a, settings->key);
	c->key_note = arena_str(a, settings->key_note);
	c->tenant = arena_str(a, settings->tenant);
	c->seen_file = arena_str(a, settings->seen_file);
	c->is_signed_in = settings->is_signed_in;
	c->key_until_ns = settings->key_until_ns;
	c->refused = settings->refused;
	while (c->url.n && c->url.p[c->url.n - 1] == '/')
		c->url.n--;
	c->arena = a;
}

/* A file that cannot be read or written only means that reads may be behind what was written a moment ago. */
static void read_seen(struct client *c)
{
	int fd = c->seen_file.n ? open(c->seen_file.p, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? 0 : read(fd, c->seen, sizeof(c->seen) - 1);

	c->seen[n > 0 ? n : 0] = '\0';
	c->seen[strspn(c->seen, "0123456789abcdef-")] = '\0';
	if (fd >= 0)
		close(fd);
}

/* Where there is no data directory, as at who only calls a server elsewhere, one is made for it. */
static void write_seen(const struct client *c)
{
	if (c->seen_file.n && c->seen_is_new)
		private_file_write(c->seen_file.p, str_of(c->seen), false, c->arena, NULL);
}

struct client *client_new(const struct client *settings)
{
	struct client *c = NEW(struct client);

	*c = *settings;
	adopt(c, arena_new(SETTINGS_MAX), settings);
	read_seen(c);
	c->request = NEW(struct request);
	client_request_init(c->request, c);
	return c;
}

void client_destroy(struct client **c)
{
	if (!*c)
		return;
	write_seen(*c);
	client_request_free((*c)->request);
	free((*c)->request);
	arena_destroy(&(*c)->arena);
	free(*c);
	*c = NULL;
}

/* A server that was started anew may listen on another port, and a worker may be there before its server. */
static void find_again(struct client *c)
{
	struct client found = *c;
	struct arena *old = c->arena, *a = arena_new(SETTINGS_MAX);

	c->lost = false;
	c->find(c->find_ctx, a, &found);
	adopt(c, a, &found);
	arena_destroy(&old);
}

static bool must_find(const struct client *c)
{
	return c->lost || (c->is_signed_in && c->find && (c->refused || clock_mono_ns() >= c->key_until_ns));
}

const char *client_waits_it_out(enum err e)
{
	return e == ERR_UNREACHABLE
		       ? "trying again until it answers; start it with 'tenfold serve'; Ctrl-C ends this"
		       : "trying again until it answers; Ctrl-C ends this";
}

/* ---- building ---- */

static void add_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._~", c))
			buf_c(b, (char)c);
		else
			buf_fmt(b, "%%%02X", c);
	}
}

static void add_value(struct buf *url, const struct json_type *t, uint32_t field, size_t index, const void *in)
{
	struct buf text = BUF_INIT(0);

	json_plain(t, field, index, in, &text);
	add_escaped(url, buf_str(&text));
	buf_free(&text);
}

/* The path with its one member filled in, if it has one: the first of `in`. */
static void add_path(struct buf *url, const struct route *r, const void *in)
{
	const char *open = strchr(r->path, '{'), *close = open ? strchr(open, '}') : NULL;

	if (!close) {
		buf_z(url, r->path);
		return;
	}
	buf_add(url, r->path, (size_t)(open - r->path));
	add_value(url, r->in, 0, 0, in);
	buf_z(url, close + 1);
}

static void add_query(struct buf *url, const struct route *r, const void *in)
{
	char before = '?';

	for (uint32_t i = 0; i < r->in->field_count; i++) {
		if (r->path_fields >> i & 1)
			continue;
		for (size_t k = 0; k < json_plain_count(r->in, i, in); k++) {
			buf_fmt(url, "%c%s=", before, r->in->fields[i].name);
			add_value(url, r->in, i, k, in);
			before = '&';
		}
	}
}

void client_request_header(struct request *r, const char *name, struct str value)
{
	struct buf line = BUF_INIT(0);
	struct curl_slist *list;

	buf_fmt(&line, "%s: %.*s", name, STRF(value));
	list = curl_slist_append(r->headers, buf_cstr(&line));
	CHECK(list);
	r->headers = list;
	buf_free(&line);
}

static void add_headers(struct request *r)
{
	const struct client *c = r->client;
	char bearer[300];

	curl_slist_free_all(r->headers);
	r->headers = NULL;
	if (c->key.n) {
		snprintf(bearer, sizeof(bearer), "Bearer %.*s", STRF(c->key));
		client_request_header(r, "Authorization", str_of(bearer));
	}
	if (c->tenant.n)
		client_request_header(r, "X-Tenant", c->tenant);
	if (c->seen[0])
		client_request_header(r, "Tenfold-Seen", str_of(c->seen));
	if (!route_in_query(r->route))
		client_request_header(r, "Content-Type", STR("application/json"));
	client_request_header(r, "Expect", (struct str){0}); /* else curl waits for leave to send a large body */
}

static size_t on_data(char *bytes, size_t each, size_t count, void *ctx)
{
	struct request *r = ctx;

	buf_add(&r->reply, bytes, each * count);
	return buf_ok(&r->reply) ? each * count : 0;
}

/* Of one deployment the greater text is the later; those of others have another beginning. */
static void take_seen(struct client *c, struct str seen)
{
	struct str had = str_of(c->seen), begins, had_begins, rest;

	begins = str_cut(seen, '-', &rest);
	had_begins = str_cut(had, '-', &rest);
	if (seen.n >= sizeof(c->seen) || (str_eq(begins, had_begins) && str_cmp(seen, had) <= 0))
		return;
	memcpy(c->seen, seen.p, seen.n);
	c->seen[seen.n] = '\0';
	c->seen_is_new = true;
}

static size_t on_header(char *bytes, size_t each, size_t count, void *ctx)
{
	struct request *r = ctx;
	struct str value, name = str_cut((struct str){bytes, each * count}, ':', &value);
	int64_t seconds;

	if (str_eq_nocase(name, STR("retry-after")) && str_to_i64(str_trim(value), &seconds) && seconds >= 0 &&
	    seconds < 86400)
		r->retry_after_s = (int)seconds;
	if (r->route && str_eq_nocase(name, STR("tenfold-seen"))) /* what is no server of ours has seen nothing */
		take_seen(r->client, str_trim(value));
	return each * count;
}

bool client_is_here(struct str url)
{
	return str_starts(url, STR("http://127.")) || str_starts(url, STR("http://localhost")) ||
	       str_starts(url, STR("http://[::1]")) || str_starts(url, STR("https://127.")) ||
	       str_starts(url, STR("https://localhost")) || str_starts(url, STR("https://[::1]"));
}

static void set_body(struct request *r)
{
	curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
	curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, buf_cstr(&r->body));
}

static void set_method(struct request *r)
{
	switch (r->route->method) {
	case METHOD_GET:
		curl_easy_setopt(r->easy, CURLOPT_HTTPGET, 1L);
		break;
	case METHOD_DELETE:
		curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, "DELETE");
		break;
	case METHOD_PUT:
	case METHOD_PATCH:
		curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, spec_method_names[r->route->method]);
		__attribute__((fallthrough));
	case METHOD_POST:
		set_body(r);
		break;
	case METHOD_COUNT:
		UNREACHABLE();
	}
}

static void set_options(struct request *r, int64_t timeout_ms)
{
	CURL *e = r->easy;

	curl_easy_reset(e); /* keeps its connections */
	curl_easy_setopt(e, CURLOPT_URL, buf_cstr(&r->url));
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->error);
	curl_easy_setopt(e, CURLOPT_PRIVATE, r);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, 20L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, 10L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, r->client->agent);
	if (client_is_here(buf_str(&r->url))) /* a proxy of the environment is for what is elsewhere */
		curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
}

void client_request_init(struct request *r, struct client *c)
{
	*r = (struct request){.client = c, .easy = curl_easy_init()};
	r->body.max = BODY_MAX;
	r->reply.max = REPLY_MAX;
	CHECK(r->easy);
}

void client_request_free(struct request *r)
{
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	buf_free(&r->url);
	buf_free(&r->body);
	buf_free(&r->reply);
	*r = (struct request){0};
}

/* What a change does not speak of stays as it is: null would take it away. */
static uint64_t not_in_body(const struct route *r, const void *in)
{
	const struct json_type *t = r->in;
	uint64_t skip = r->path_fields;

	for (uint32_t i = 0; i < t->field_count; i++)
		if (t->fields[i].need == JSON_NULLABLE && !cli_is_seen(t, i, in) && !cli_is_null(t, i, in))
			skip |= UINT64_C(1) << i;
	return skip;
}

enum err client_request_begin(struct request *r, enum route_id id, const void *in, int64_t timeout_ms,
			      struct problem *p)
{
	if (must_find(r->client))
		find_again(r->client);
	r->route = &spec_routes[id];
	r->retry_after_s = 0;
	r->error[0] = '\0';
	buf_reset(&r->url);
	buf_reset(&r->body);
	buf_reset(&r->reply);
	buf_str_add(&r->url, r->client->url);
	add_path(&r->url, r->route, in);
	if (route_in_query(r->route))
		add_query(&r->url, r->route, in);
	else
		json_encode(r->route->in, in, not_in_body(r->route, in), &r->body);
	if (!buf_ok(&r->body))
		return problem_set(p, ERR_TOO_LARGE, "the request is over %d bytes", BODY_MAX);
	add_headers(r);
	set_options(r, timeout_ms);
	set_method(r);
	r->busy = true;
	return OK;
}

void client_request_post(struct request *r, int64_t timeout_ms)
{
	set_options(r, timeout_ms);
	set_body(r);
	r->busy = true;
}

void client_request_stream(struct request *r, request_data_fn *fn, void *ctx, struct str last_event_id)
{
	if (last_event_id.n)
		client_request_header(r, "Last-Event-ID", last_event_id);
	client_request_header(r, "Accept", STR("text/event-stream"));
	curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
	curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, fn);
	curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, ctx);
}

long client_request_status(const struct request *r)
{
	long status = 0;

	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* ---- answers ---- */

static enum err unreachable(const struct request *r, CURLcode code, struct problem *p)
{
	const char *why = r->error[0] ? r->error : curl_easy_strerror(code);
	struct str note = r->client->url_note;

	r->client->lost = true;
	return problem_set(p, ERR_UNREACHABLE, "no answer from %.*s%s%.*s%s (%s)", STRF(r->client->url),
			   note.n ? " (" : "", STRF(note), note.n ? ")" : "", why);
}

static enum err not_understood(const struct request *r, long status, const char *why, struct problem *p)
{
	return problem_set(p, status >= 500 ? ERR_UNREACHABLE : ERR_INTERNAL, "%.*s answered %ld with %s",
			   STRF(r->client->url), status, why);
}

/* What of a key may be shown: enough to tell it from another one, and never much of it. */
static struct str beginning_of(struct str key)
{
	size_t n = key.n / 4 < KEY_SHOWN ? key.n / 4 : KEY_SHOWN;

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)key.p[i] >= 0x80)
			return (struct str){0};
	return (struct str){key.p, n};
}

static enum err key_refused(struct client *c, struct str detail, struct problem *p)
{
	if (c->is_signed_in) {
		c->refused = true;
		return problem_set(p, ERR_UNAUTHENTICATED, "%.*s (%.*s; 'tenfold account sign-in' does so anew)",
				   STRF(detail), STRF(c->key_note));
	}
	if (c->key.n == 0)
		return problem_set(p, ERR_UNAUTHENTICATED, "the call needs a key and none was sent (%.*s)",
				   STRF(c->key_note));
	return problem_set(p, ERR_UNAUTHENTICATED,
			   "the server does not know the key %.*s… (%.*s), or it has expired or been revoked",
			   STRF(beginning_of(c->key)), STRF(c->key_note));
}

static enum err take_problem(const struct request *r, long status, struct arena *a, struct problem *p)
{
	struct problem_body body;
	struct problem why = {0};

	if (json_decode_answer(&type_problem_body, buf_str(&r->reply), a, &body, &why) != OK)
		return not_understood(r, status, "something that is no tenfold problem; is that a tenfold server?",
				      p);
	*p = (struct problem){.err = err_by_code(body.code.p, body.code.n), .retry_after_s = r->retry_after_s};
	for (size_t i = 0; i < body.errors_count; i++)
		problem_field(p, p->err, arena_z(a, body.errors[i].field), "%.*s", STRF(body.errors[i].detail));
	struct str detail = HAS(&body, problem_body, detail) ? body.detail : body.title;
	if (p->err == ERR_UNAUTHENTICATED && r->route->scope != SCOPE_NONE)
		return key_refused(r->client, detail, p);
	return problem_set(p, p->err, "%.*s", STRF(detail));
}

/* An answer of its own, not a problem: 503 with what is wrong. */
static enum err take_health(const struct request *r, struct arena *a, struct problem *p)
{
	struct health h;

	if (json_decode_answer(&type_health, buf_str(&r->reply), a, &h, NULL) != OK)
		return take_problem(r, 503, a, p);
	return problem_set(p, ERR_STORE_UNAVAILABLE, "the server at %.*s is %s%s%.*s", STRF(r->client->url),
			   enum_health_status.values[h.status].text, HAS(&h, health, detail) ? ": " : "",
			   STRF(h.detail));
}

enum err client_request_end(struct request *r, CURLcode code, struct arena *a, void *out, struct problem *p)
{
	struct problem why = {0};
	long status = client_request_status(r);

	r->busy = false;
	if (code != CURLE_OK)
		return unreachable(r, code, p);
	if (status == 503 && r->route->out == &type_health)
		return take_health(r, a, p);
	if (status >= 400)
		return take_problem(r, status, a, p);
	if (status < 200 || status >= 300)
		return not_understood(r, status, "a redirection; give the final URL with --url", p);
	if (!out || r->route->out->field_count == 0)
		return OK;
	if (json_decode_answer(r->route->out, buf_str(&r->reply), a, out, &why) != OK)
		return problem_set(p, ERR_INTERNAL,
				   "the answer of %.*s was not understood: %s; is it of another version?",
				   STRF(r->client->url), why.detail);
	return OK;
}

/* ---- one at a time ---- */

static enum err call_once(struct client *c, enum route_id id, const void *in, struct arena *a, void *out,
			  struct problem *p)
{
	struct request *r = c->request;
	bool waits = (spec_routes[id].flags & ROUTE_WAITS) != 0;
	enum err e = client_request_begin(r, id, in, waits ? CALL_WAITING_MS : CALL_MS, p);

	return e ? e : client_request_end(r, curl_easy_perform(r->easy), a, out, p);
}

/* An access token that was revoked, as when a role has changed, may have a next one. */
enum err client_call(struct client *c, enum route_id id, const void *in, struct arena *a, void *out,
		     struct str *reply, struct problem *p)
{
	enum err e = call_once(c, id, in, a, out, p);

	if (e == ERR_UNAUTHENTICATED && c->refused) {
		problem_clear(p);
		e = call_once(c, id, in, a, out, p);
	}
	if (reply)
		*reply = buf_str(&c->request->reply);
	return e;
}
