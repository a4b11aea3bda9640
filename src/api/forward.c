/*
 * See forward.h.
 *
 *   any thread ── order (under lock) ──► the driver's thread: START, CANCEL, RESUME, CUT, END_WAITS, GIVE_UP
 *
 * A transfer belongs to the driver. That of a call ends with its answer. That of a stream ends when the loop closes
 * the stream: what came from the owner and was not sent yet lies in `pending`, under the lock.
 */
#include "api/forward.h"

#include "base/log.h"
#include "base/magic.h"
#include "base/map.h"
#include "http/http.h"
#include "telemetry/metrics.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_MS = 2000,
	ANSWER_MS = 15000, /* of a call that does not wait */
	ANSWER_WAITING_MS = 45000,
	SILENT_S = 45, /* a stream carries something every 15 s */
	ANSWER_MAX = 64 << 20,
	PENDING_MAX = 256 << 10,
	CONNECTIONS_KEPT = 256,
	HANDLES_KEPT = 64,
	POLL_MS = 1000
};

enum transfer_kind { OF_CALL, OF_STREAM, OF_RELEASE };

struct transfer {
	struct forward *forward;
	enum transfer_kind kind;
	struct call *call;  /* OF_CALL */
	uint64_t number;    /* its number; 0 for others */
	bool waits, writes; /* of the route */
	CURL *easy;
	struct curl_slist *headers;
	struct buf url, body, answer;
	char content_type[96];
	int retry_after_s;
	bool replayed;
	struct buf pending;         /* OF_STREAM, under the lock: not sent yet */
	bool paused, ended, closed; /* likewise */
};

enum order_kind { START, CANCEL, RESUME, CUT, END_WAITS, GIVE_UP };

struct order {
	struct order *next;
	enum order_kind kind;
	struct transfer *transfer; /* START, RESUME, CUT */
	uint64_t number;           /* CANCEL */
};

struct forward {
	struct app *app;
	CURLM *multi;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock;
	struct buf url; /* of the owner */
	int64_t epoch;
	struct order *first, **last;
	bool stopping, stopped;

	/* the driver's */
	struct map calls; /* by number */
	VEC(struct transfer *) others;
	VEC(CURL *) idle;
};

/* ---- orders ---- */

/* False: the driver has stopped. */
static bool order(struct forward *f, enum order_kind kind, struct transfer *t, uint64_t number)
{
	struct order *o = NEW(struct order);
	bool taken;

	*o = (struct order){.kind = kind, .transfer = t, .number = number};
	pthread_mutex_lock(&f->lock);
	taken = !f->stopped;
	if (taken) {
		*f->last = o;
		f->last = &o->next;
	}
	pthread_mutex_unlock(&f->lock);
	if (taken)
		curl_multi_wakeup(f->multi);
	else
		free(o);
	return taken;
}

static struct order *take_orders(struct forward *f, bool *stopping)
{
	struct order *all;

	pthread_mutex_lock(&f->lock);
	all = f->first;
	f->first = NULL;
	f->last = &f->first;
	*stopping = f->stopping;
	if (*stopping && !all)
		f->stopped = true;
	pthread_mutex_unlock(&f->lock);
	return all;
}

/* ---- a transfer made ---- */

static void add_header(struct transfer *t, const char *name, struct str value)
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
		add_header(t, name, value);
}

static struct transfer *transfer_new(struct forward *f, enum transfer_kind kind)
{
	struct transfer *t = NEW(struct transfer);

	t->forward = f;
	t->kind = kind;
	t->answer = BUF_INIT(ANSWER_MAX);
	t->pending = BUF_INIT(0);
	return t;
}

static void transfer_free(struct transfer *t)
{
	curl_slist_free_all(t->headers);
	buf_free(&t->url);
	buf_free(&t->body);
	buf_free(&t->answer);
	buf_free(&t->pending);
	free(t);
}

/* The owner's url and epoch, and who asks. False: there is no owner to ask. */
static bool address(struct transfer *t, const struct call *c, struct str path, struct str query)
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
	add_header(t, "X-Tenfold-Forwarded", buf_str(&epoch));
	add_header(t, "X-Request-Id", c->request_id);
	add_header_if(t, "Authorization", request.authorization);
	add_header_if(t, "X-Tenant", request.tenant);
	buf_free(&epoch);
	return true;
}

static bool address_request(struct transfer *t, const struct call *c)
{
	struct http_request request = http_request_of(c);

	if (!address(t, c, request.path, request.query))
		return false;
	add_header_if(t, "Content-Type", request.content_type);
	add_header_if(t, "Idempotency-Key", c->idempotency_key);
	add_header_if(t, "Last-Event-ID", c->last_event_id);
	add_header(t, "Expect", (struct str){0}); /* libcurl's own is not wanted */
	buf_str_add(&t->body, c->body);
	t->waits = c->route->flags & ROUTE_WAITS;
	t->writes = c->route->method != METHOD_GET;
	return true;
}

static enum err no_owner(struct call *c)
{
	return call_fail(c, ERR_OWNER_UNAVAILABLE, "it is not known yet which process owns the queue");
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

static size_t on_header(char *bytes, size_t each, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t n = each * count;
	struct str value, name = str_cut((struct str){bytes, n}, ':', &value);
	int64_t seconds;

	value = str_trim(value);
	if (str_eq_nocase(name, STR("Content-Type")) && value.n < sizeof(t->content_type)) {
		memcpy(t->content_type, value.p, value.n);
		t->content_type[value.n] = '\0';
	} else if (str_eq_nocase(name, STR("Retry-After")) && str_to_i64(value, &seconds)) {
		t->retry_after_s = (int)seconds;
	} else if (str_eq_nocase(name, STR("Idempotency-Replayed"))) {
		t->replayed = true;
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

static void start(struct forward *f, struct transfer *t)
{
	t->easy = f->idle.n ? f->idle.v[--f->idle.n] : curl_easy_init();
	CHECK(t->easy);
	set_options(t);
	set_method(t, t->call ? t->call->route->method : t->kind == OF_RELEASE ? METHOD_POST : METHOD_GET);
	if (t->kind == OF_CALL)
		map_put(&f->calls, t->number, t);
	else
		*VEC_PUSH(&f->others) = t;
	CHECK(curl_multi_add_handle(f->multi, t->easy) == CURLM_OK);
}

/* ---- the end of a transfer ---- */

static void put_handle_back(struct transfer *t)
{
	struct forward *f = t->forward;

	if (!t->easy)
		return;
	curl_multi_remove_handle(f->multi, t->easy);
	if (f->idle.n < HANDLES_KEPT) {
		curl_easy_reset(t->easy);
		*VEC_PUSH(&f->idle) = t->easy;
	} else {
		curl_easy_cleanup(t->easy);
	}
	t->easy = NULL;
}

static void forget(struct transfer *t)
{
	struct forward *f = t->forward;

	put_handle_back(t);
	if (t->kind == OF_CALL)
		map_take(&f->calls, t->number);
	for (size_t i = 0; i < f->others.n; i++)
		if (f->others.v[i] == t)
			f->others.v[i--] = f->others.v[--f->others.n];
	transfer_free(t);
}

static void finish(struct transfer *t, enum err outcome)
{
	struct call *c = t->call;

	forget(t);
	c->outcome = outcome;
	c->wait = CALL_DONE;
	http_finish(c);
}

/* The owner's answer in the call's own memory. */
static enum err relay(struct transfer *t)
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
	return OK;
}

static enum err failed(struct transfer *t, CURLcode code)
{
	long sent = 0;

	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
	LOG_W("forward.failed", "url=%s detail=%s", buf_cstr(&t->url), curl_easy_strerror(code));
	if (sent > 0 && t->writes)
		return call_fail(t->call, ERR_OUTCOME_UNKNOWN,
				 "the process that owns the queue was asked and did not answer: %s",
				 curl_easy_strerror(code));
	return call_fail(t->call, ERR_OWNER_UNAVAILABLE, "the process that owns the queue does not answer: %s",
			 curl_easy_strerror(code));
}

static void end_stream(struct transfer *t)
{
	struct forward *f = t->forward;

	put_handle_back(t);
	pthread_mutex_lock(&f->lock);
	t->ended = true;
	pthread_mutex_unlock(&f->lock);
	http_wake_streams(f->app->http);
}

static void ended(struct transfer *t, CURLcode code)
{
	switch (t->kind) {
	case OF_CALL:
		finish(t, code == CURLE_OK ? relay(t) : failed(t, code));
		return;
	case OF_STREAM:
		end_stream(t);
		return;
	case OF_RELEASE:
		forget(t); /* if it did not work out, the lease runs out */
		return;
	}
	UNREACHABLE();
}

/* ---- the driver ---- */

static void cancel(struct forward *f, uint64_t number)
{
	struct transfer *t = map_get(&f->calls, number);

	if (t)
		finish(t, ERR_SHUTTING_DOWN); /* nobody reads it */
}

/* One of the calls that wait, or any; NULL: none. */
static struct transfer *some_call(struct forward *f, bool waiting)
{
	struct transfer *t;

	for (size_t i = 0; (t = map_next(&f->calls, &i));)
		if (!waiting || t->waits)
			return t;
	return NULL;
}

static void end_waits(struct forward *f)
{
	for (struct transfer *t; (t = some_call(f, true));)
		finish(t, OK); /* out is empty */
}

/* The owner is another one now. */
static void give_up(struct forward *f)
{
	for (struct transfer *t; (t = some_call(f, false));)
		finish(t, t->waits || !t->writes ? ERR_OWNER_UNAVAILABLE : ERR_OUTCOME_UNKNOWN);
	for (size_t i = 0; i < f->others.n; i++)
		if (f->others.v[i]->kind == OF_STREAM)
			end_stream(f->others.v[i]);
}

static void resume(struct transfer *t)
{
	if (t->easy)
		curl_easy_pause(t->easy, CURLPAUSE_CONT);
}

static void follow(struct forward *f, const struct order *o)
{
	switch (o->kind) {
	case START:
		start(f, o->transfer);
		return;
	case CANCEL:
		cancel(f, o->number);
		return;
	case RESUME:
		resume(o->transfer);
		return;
	case CUT:
		forget(o->transfer);
		return;
	case END_WAITS:
		end_waits(f);
		return;
	case GIVE_UP:
		give_up(f);
		return;
	}
	UNREACHABLE();
}

static bool follow_orders(struct forward *f)
{
	bool stopping;
	struct order *o = take_orders(f, &stopping);

	if (stopping && !o)
		return false;
	while (o) {
		struct order *next = o->next;

		follow(f, o);
		free(o);
		o = next;
	}
	return true;
}

static void read_ends(struct forward *f)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(f->multi, &left))) {
		struct transfer *t;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		ended(t, code);
	}
}

static void *drive(void *arg)
{
	struct forward *f = arg;
	int running;

	while (follow_orders(f)) {
		curl_multi_perform(f->multi, &running);
		read_ends(f);
		curl_multi_poll(f->multi, NULL, 0, POLL_MS, NULL);
	}
	for (struct transfer *t; (t = some_call(f, false));)
		finish(t, ERR_SHUTTING_DOWN);
	return NULL;
}

/* ---- for the others ---- */

enum err forward_new(struct app *app, struct forward **out, struct problem *p)
{
	struct forward *f = NEW(struct forward);
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	f->app = app;
	f->last = &f->first;
	f->multi = curl_multi_init();
	CHECK(f->multi);
	curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	pthread_mutex_init(&f->lock, NULL);
	*out = f;
	failed = pthread_create(&f->thread, NULL, drive, f);
	f->started = !failed;
	return failed ? problem_set(p, ERR_OVERLOADED, "no thread could be started: %s", strerror(failed)) : OK;
}

void forward_stop(struct forward *f)
{
	if (!f || !f->started)
		return;
	pthread_mutex_lock(&f->lock);
	f->stopping = true;
	pthread_mutex_unlock(&f->lock);
	curl_multi_wakeup(f->multi);
	pthread_join(f->thread, NULL);
	f->started = false;
}

void forward_destroy(struct forward **out)
{
	struct forward *f = *out;

	if (!f)
		return;
	forward_stop(f);
	while (f->others.n)
		forget(f->others.v[0]);
	for (size_t i = 0; i < f->idle.n; i++)
		curl_easy_cleanup(f->idle.v[i]);
	curl_multi_cleanup(f->multi);
	VEC_FREE(&f->others);
	VEC_FREE(&f->idle);
	map_free(&f->calls);
	buf_free(&f->url);
	pthread_mutex_destroy(&f->lock);
	free(f);
	*out = NULL;
}

void forward_owner(struct forward *f, struct str url, int64_t epoch)
{
	bool changed;

	pthread_mutex_lock(&f->lock);
	changed = f->epoch != epoch || !str_eq(buf_str(&f->url), url);
	buf_reset(&f->url);
	buf_str_add(&f->url, url);
	f->epoch = epoch;
	pthread_mutex_unlock(&f->lock);
	if (changed)
		order(f, GIVE_UP, NULL, 0);
}

bool forward_has_owner(struct forward *f)
{
	bool has;

	pthread_mutex_lock(&f->lock);
	has = f->url.n > 0;
	pthread_mutex_unlock(&f->lock);
	return has;
}

enum err forward_wanted(const struct call *c, bool *wanted)
{
	struct app *app = call_app(c);
	bool standby = executor_state(app->executor) == EXECUTOR_STANDBY;
	struct str forwarded = http_request_of(c).forwarded;
	int64_t epoch;

	*wanted = standby && !forwarded.n;
	if (!forwarded.n)
		return OK;
	if (!standby && str_to_i64(forwarded, &epoch) && epoch == atomic_load(&app->epoch))
		return OK;
	return ERR_STANDBY;
}

enum err forward_call(struct call *c)
{
	struct forward *f = call_app(c)->forward;
	struct transfer *t = transfer_new(f, OF_CALL);

	t->call = c;
	t->number = c->number;
	if (!address_request(t, c)) {
		transfer_free(t);
		return no_owner(c);
	}
	metrics_add(f->app->metrics, METRIC_calls_forwarded_total, 1);
	if (order(f, START, t, 0))
		return OK;
	transfer_free(t);
	return ERR_SHUTTING_DOWN;
}

void forward_hung_up(struct call *c)
{
	order(call_app(c)->forward, CANCEL, NULL, c->number);
}

void forward_end_waits(struct app *app)
{
	if (app->forward)
		order(app->forward, END_WAITS, NULL, 0);
}

/* ---- claims that nobody received ---- */

static bool read_claimed(const struct call *c, struct work_claim_out *out)
{
	struct problem p = {0};

	return c->route == &spec_routes[ROUTE_work_claim] && c->relayed && c->relayed->status == 200 &&
	       json_decode_answer(&type_work_claim_out, c->relayed->body, c->arena, out, &p) == OK &&
	       out->items_count > 0;
}

static void write_release(const struct call *c, const struct work_claim_out *claimed, struct buf *body)
{
	struct work_settle_in in = {.items_count = claimed->items_count};

	in.items = ARENA_ARRAY(c->arena, struct work_settle_item, claimed->items_count);
	CHECK(in.items);
	for (size_t i = 0; i < claimed->items_count; i++)
		in.items[i] = (struct work_settle_item){
			.id = claimed->items[i].id, .token = claimed->items[i].token, .outcome = OUTCOME_RELEASED};
	json_encode(&type_work_settle_in, &in, 0, body);
}

void forward_undelivered(struct call *c)
{
	struct work_claim_out claimed;
	struct transfer *t;

	if (!read_claimed(c, &claimed))
		return;
	t = transfer_new(call_app(c)->forward, OF_RELEASE);
	write_release(c, &claimed, &t->body);
	if (address(t, c, str_of(spec_routes[ROUTE_work_settle].path), (struct str){0})) {
		add_header(t, "Content-Type", STR("application/json"));
		if (order(t->forward, START, t, 0))
			return;
	}
	transfer_free(t);
}

/* ---- streams: on the loops ---- */

static enum stream_next next(void *state, struct buf *out)
{
	struct transfer *t = state;
	struct forward *f = t->forward;
	bool resumes, over;

	pthread_mutex_lock(&f->lock);
	buf_str_add(out, buf_str(&t->pending));
	buf_reset(&t->pending);
	resumes = t->paused;
	t->paused = false;
	over = t->ended;
	pthread_mutex_unlock(&f->lock);
	if (resumes)
		order(f, RESUME, t, 0);
	if (out->n)
		return STREAM_DATA;
	return over || atomic_load(&f->app->stopping) ? STREAM_END : STREAM_WAIT;
}

static void close_stream(void *state)
{
	struct transfer *t = state;

	order(t->forward, CUT, t, 0); /* after forward_stop() it is forward_destroy()'s */
}

static const struct stream_ops stream_ops = {.next = next, .close = close_stream};

enum err forward_stream(struct call *c)
{
	struct forward *f = call_app(c)->forward;
	struct transfer *t = transfer_new(f, OF_STREAM);

	if (!address_request(t, c)) {
		transfer_free(t);
		return no_owner(c);
	}
	if (!order(f, START, t, 0)) {
		transfer_free(t);
		return ERR_SHUTTING_DOWN;
	}
	call_stream(c, &stream_ops, t);
	return OK;
}
