/*
 * See sender.h. An attempt is a `flight` from sender_send() until it is settled; flights wait in lists under the lock,
 * and those that are under way belong to the thread.
 */
#include "webhooks/sender.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/magic.h"
#include "telemetry/metrics.h"
#include "webhooks/retry.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	SENDER_MAGIC = 0x53454e44,
	CONNECT_TIMEOUT_MS = 10000,
	REST_MS = 60000,
	HEAD_MAX_BYTES = 64 << 10,
	CONNECTIONS_KEPT = 64,
	NS_PER_MS = 1000000
};

enum stage { FLIGHT_NEW, FLIGHT_SENT, FLIGHT_OVER };

struct flight {
	struct flight *next; /* in the list of its stage, in order */
	struct sender *sender;
	enum stage stage;
	bool failing;
	int64_t expires_ns, began_ns;
	struct buf url, id, body;
	struct sign_secret secrets[2];
	size_t secret_count;

	CURL *easy; /* while it is under way */
	struct curl_slist *headers;
	size_t head_bytes;
	bool refused; /* an address that may not be connected to */
	char error[CURL_ERROR_SIZE];
	struct sender_outcome outcome;
};

struct list {
	struct flight *first, **end;
};

struct sender {
	unsigned magic;
	struct sender_config config;
	CURLM *multi;
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t lock; /* what follows */
	struct list fresh, under_way, over;
	bool stopping;
};

/* ---- lists ---- */

static void list_init(struct list *l)
{
	*l = (struct list){.end = &l->first};
}

static void list_add(struct list *l, struct flight *f)
{
	f->next = NULL;
	*l->end = f;
	l->end = &f->next;
}

static struct flight *list_take(struct list *l)
{
	struct flight *f = l->first;
	if (f) {
		l->first = f->next;
		if (!l->first)
			l->end = &l->first;
	}
	return f;
}

static void list_remove(struct list *l, struct flight *f)
{
	struct flight **at = &l->first;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	if (!*at)
		l->end = at;
}

static void flight_free(struct flight *f)
{
	curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->headers);
	sodium_memzero(f->secrets, sizeof f->secrets);
	buf_free(&f->url);
	buf_free(&f->id);
	buf_free(&f->body);
	free(f);
}

static void list_free(struct list *l)
{
	struct flight *f;
	while ((f = list_take(l)))
		flight_free(f);
}

/* ---- what libcurl asks ---- */

/* The address it is about to connect to: the one that is checked is the one that is used. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct flight *f = ctx;
	(void)purpose;
	if (!reach_allows(f->sender->config.reach, &a->addr)) {
		f->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* A body longer than what is kept is not read to its end. */
static size_t take_body(char *bytes, size_t each, size_t count, void *ctx)
{
	struct flight *f = ctx;
	struct sender_outcome *o = &f->outcome;
	size_t n = each * count, room = SENDER_ANSWER_KEPT - o->answer_bytes, taken = n < room ? n : room;
	memcpy(o->answer + o->answer_bytes, bytes, taken);
	o->answer_bytes += taken;
	return taken;
}

static size_t take_header(char *bytes, size_t each, size_t count, void *ctx)
{
	struct flight *f = ctx;
	size_t n = each * count;
	struct str value, name = str_cut((struct str){bytes, n}, ':', &value);
	f->head_bytes += n;
	if (str_eq_nocase(name, STR("Retry-After")))
		f->outcome.retry_after_ms = retry_asked_ms(value);
	return f->head_bytes <= HEAD_MAX_BYTES ? n : 0;
}

/* ---- an attempt ---- */

static void add_header(struct flight *f, const char *text)
{
	struct curl_slist *more = curl_slist_append(f->headers, text);
	CHECK(more);
	f->headers = more;
}

static void add_headers(struct flight *f, int64_t now_s)
{
	struct sign_message m = {.id = buf_str(&f->id), .body = buf_str(&f->body), .at_s = now_s};
	struct buf b = BUF_INIT(0), signatures = BUF_INIT(0);
	for (size_t i = 0; i < f->secret_count; i++)
		sign_add(&signatures, &f->secrets[i], &m);
	buf_fmt(&b, "webhook-id: %s", buf_cstr(&f->id));
	add_header(f, buf_cstr(&b));
	buf_reset(&b);
	buf_fmt(&b, "webhook-timestamp: %" PRId64, now_s);
	add_header(f, buf_cstr(&b));
	buf_reset(&b);
	buf_fmt(&b, "webhook-signature: %s", buf_cstr(&signatures));
	add_header(f, buf_cstr(&b));
	add_header(f, "Content-Type: application/cloudevents+json; charset=utf-8");
	add_header(f, "Expect:");
	buf_free(&b);
	buf_free(&signatures);
}

/* Only what is written here is done: no proxy of the environment, no other protocol, no redirect. */
static void set_options(struct flight *f)
{
	CURL *c = f->easy;
	char agent[64];
	snprintf(agent, sizeof agent, "tenfold/%s", f->sender->config.version);
	curl_easy_setopt(c, CURLOPT_URL, buf_cstr(&f->url));
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); /* a name that is being looked up is not waited for */
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)SENDER_TIMEOUT_MS);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_USERAGENT, agent);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, f->headers);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->body.n);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, buf_cstr(&f->body));
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->error);
	curl_easy_setopt(c, CURLOPT_PRIVATE, f);
}

static void explain(struct flight *f, CURLcode code)
{
	struct sender_outcome *o = &f->outcome;
	if (f->refused)
		snprintf(o->error, sizeof o->error,
			 "the address is one of a private network; --webhook-allow can allow it");
	else
		snprintf(o->error, sizeof o->error, "%.*s", SENDER_ERROR_KEPT,
			 f->error[0] ? f->error : curl_easy_strerror(code));
}

/* The status counts, also when the rest of the answer was not read. */
static void judge(struct flight *f, CURLcode code)
{
	struct sender_outcome *o = &f->outcome;
	long status = 0;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	o->took_ms = (clock_mono_ns() - f->began_ns) / NS_PER_MS;
	bool answered = status >= 100 && status <= 999 && (code == CURLE_OK || code == CURLE_WRITE_ERROR);
	if (answered && f->head_bytes <= HEAD_MAX_BYTES)
		o->status = (int)status;
	else
		explain(f, code);
}

static void fly(struct sender *s, struct flight *f)
{
	f->began_ns = clock_mono_ns();
	f->easy = curl_easy_init();
	CHECK(f->easy);
	add_headers(f, clock_now_ms(s->config.clock) / 1000);
	set_options(f);
	CHECK(curl_multi_add_handle(s->multi, f->easy) == CURLM_OK);
}

/* ---- the thread ---- */

/* Those that are new are under way; one that has waited too long is dropped, for it may be another's by now. */
static void begin_new(struct sender *s)
{
	struct flight *f;
	pthread_mutex_lock(&s->lock);
	while ((f = list_take(&s->fresh))) {
		if (clock_mono_ns() >= f->expires_ns) {
			LOG_W("webhook.late", "delivery=%" PRId64, f->outcome.delivery);
			flight_free(f);
			continue;
		}
		f->stage = FLIGHT_SENT;
		list_add(&s->under_way, f);
		fly(s, f);
	}
	pthread_mutex_unlock(&s->lock);
}

static void land(struct sender *s, struct flight *f, CURLcode code)
{
	judge(f, code);
	curl_multi_remove_handle(s->multi, f->easy);
	bool taken = retry_is_taken(f->outcome.status);
	metrics_add(s->config.metrics, taken ? METRIC_webhooks_delivered_total : METRIC_webhooks_failed_total, 1);
	pthread_mutex_lock(&s->lock);
	list_remove(&s->under_way, f);
	f->stage = FLIGHT_OVER;
	list_add(&s->over, f);
	pthread_mutex_unlock(&s->lock);
}

static void land_all(struct sender *s)
{
	CURLMsg *message;
	int left;
	bool some = false;
	while ((message = curl_multi_info_read(s->multi, &left))) {
		char *flight = NULL;
		CURLcode code = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &flight);
		land(s, (struct flight *)(void *)flight, code);
		some = true;
	}
	if (some)
		s->config.ended(s->config.ctx);
}

static bool is_stopping(struct sender *s)
{
	pthread_mutex_lock(&s->lock);
	bool stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return stopping;
}

static void *sender_main(void *arg)
{
	struct sender *s = arg;
	int running;
	while (!is_stopping(s)) {
		begin_new(s);
		curl_multi_perform(s->multi, &running);
		land_all(s);
		curl_multi_poll(s->multi, NULL, 0, REST_MS, NULL);
	}
	return NULL;
}

/* ---- from others ---- */

static void count_places(const struct list *l, int64_t webhook, struct sender_taken *p)
{
	for (const struct flight *f = l->first; f; f = f->next) {
		p->all++;
		p->failing += f->failing;
		p->of_one += f->outcome.webhook == webhook;
	}
}

struct sender_taken sender_taken(struct sender *s, int64_t webhook)
{
	struct sender_taken taken = {0};
	pthread_mutex_lock(&s->lock);
	count_places(&s->fresh, webhook, &taken);
	count_places(&s->under_way, webhook, &taken);
	count_places(&s->over, webhook, &taken);
	pthread_mutex_unlock(&s->lock);
	return taken;
}

void sender_send(struct sender *s, const struct sender_attempt *a)
{
	struct flight *f = NEW(struct flight);
	*f = (struct flight){.sender = s,
			     .failing = a->failing,
			     .expires_ns = a->expires_ns,
			     .url = BUF_INIT(0),
			     .id = BUF_INIT(0),
			     .body = BUF_INIT(0),
			     .secret_count = a->secret_count,
			     .outcome = {.delivery = a->delivery, .webhook = a->webhook, .number = a->number}};
	memcpy(f->secrets, a->secrets, sizeof f->secrets);
	buf_str_add(&f->url, a->url);
	buf_str_add(&f->id, a->id);
	buf_str_add(&f->body, a->body);
	pthread_mutex_lock(&s->lock);
	list_add(&s->fresh, f);
	pthread_mutex_unlock(&s->lock);
	curl_multi_wakeup(s->multi);
}

size_t sender_outcomes(struct sender *s, struct sender_outcome *out, size_t max)
{
	size_t n = 0;
	pthread_mutex_lock(&s->lock);
	for (const struct flight *f = s->over.first; f && n < max; f = f->next)
		out[n++] = f->outcome;
	pthread_mutex_unlock(&s->lock);
	return n;
}

void sender_settled(struct sender *s, size_t count)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < count; i++)
		flight_free(list_take(&s->over));
	pthread_mutex_unlock(&s->lock);
}

/* ---- life ---- */

struct sender *sender_new(const struct sender_config *config)
{
	struct sender *s = NEW(struct sender);
	s->magic = SENDER_MAGIC;
	s->config = *config;
	s->multi = curl_multi_init();
	CHECK(s->multi);
	curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	list_init(&s->fresh);
	list_init(&s->under_way);
	list_init(&s->over);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

enum err sender_start(struct sender *s, struct problem *p)
{
	CHECK_OBJ(s, SENDER_MAGIC);
	if (pthread_create(&s->thread, NULL, sender_main, s) != 0)
		return problem_set(p, ERR_OVERLOADED, "no thread for sending webhooks could be started");
	s->has_thread = true;
	return OK;
}

static void stop(struct sender *s)
{
	if (!s->has_thread)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_mutex_unlock(&s->lock);
	curl_multi_wakeup(s->multi);
	pthread_join(s->thread, NULL);
}

void sender_destroy(struct sender **s)
{
	struct sender *ending = *s;
	if (!ending)
		return;
	CHECK_OBJ(ending, SENDER_MAGIC);
	stop(ending);
	for (struct flight *f = ending->under_way.first; f; f = f->next)
		curl_multi_remove_handle(ending->multi, f->easy);
	list_free(&ending->fresh);
	list_free(&ending->under_way);
	list_free(&ending->over);
	curl_multi_cleanup(ending->multi);
	pthread_mutex_destroy(&ending->lock);
	ending->magic = 0;
	free(ending);
	*s = NULL;
}
