/*
 * The thread that delivers. Deliveries are given to it on `given`; those under way are its own, all at once, so that a
 * receiver that hangs keeps no other waiting. `lock` guards what stands below it.
 */
#include "sim/alerts.h"

#include "base/magic.h"
#include "sim/alerts_priv.h"

#include <pthread.h>
#include <string.h>

enum {
	ALERTS_MAGIC = 0x616c7274,
	UNDER_WAY_MAX = 64,
	PLACES_BYTES_MAX = 1 << 20,
	SAID_BYTES_MAX = 1 << 16,
	LONG_MS = 60000, /* how long it waits when nothing is due */
	NS_PER_MS = 1000000,
};

struct alerts {
	unsigned magic;
	struct alerts_config config;
	struct arena *arena;
	struct alert_places places;
	CURLM *multi;
	struct alert_post *under_way; /* of the thread */
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t lock;
	struct alert_post *given;
	unsigned count;  /* given or under way */
	struct buf said; /* lines: DELIVERED or LOST, text, end */
	bool ended;
	int64_t end_ns; /* once it has ended */
};

/* ---- what came of it ---- */

enum { DELIVERED = '+', LOST = '-' };

__attribute__((format(printf, 3, 4))) static void say(struct alerts *a, char what, const char *fmt, ...)
{
	char line[CURL_ERROR_SIZE + 512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&a->lock);
	if (a->said.n + strlen(line) + 2 < SAID_BYTES_MAX)
		buf_fmt(&a->said, "%c%s\n", what, line);
	pthread_mutex_unlock(&a->lock);
}

void alerts_turn(struct alerts *a)
{
	struct buf said;

	CHECK_OBJ(a, ALERTS_MAGIC);
	pthread_mutex_lock(&a->lock);
	said = a->said;
	a->said = BUF_INIT(0);
	pthread_mutex_unlock(&a->lock);
	for (char *line = said.p, *end; said.n && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		a->config.said(a->config.ctx, line[0] == DELIVERED, line + 1);
	}
	buf_free(&said);
}

/* ---- deliveries; on the thread ---- */

static void forget(struct alerts *a, struct alert_post *d)
{
	alert_post_free(d);
	pthread_mutex_lock(&a->lock);
	a->count--;
	pthread_mutex_unlock(&a->lock);
}

static void unlink_post(struct alerts *a, const struct alert_post *d)
{
	struct alert_post **at = &a->under_way;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
}

static void end_try(struct alerts *a, struct alert_post *d, CURLcode result)
{
	enum alert_fate fate = alert_post_fate(d, result);
	struct str name = d->place->name;

	curl_multi_remove_handle(a->multi, d->easy);
	alert_post_end(d);
	if (fate == ALERT_AGAIN && d->tries < ALERT_TRIES) {
		d->due_ns = clock_mono_ns() + (a->config.pause_ms << (d->tries - 1)) * NS_PER_MS;
	} else {
		if (fate == ALERT_DELIVERED)
			say(a, DELIVERED, "alert sent to %.*s", STRF(name));
		else
			say(a, LOST, "alert not delivered to %.*s after %u tries: %s", STRF(name), d->tries,
			    buf_cstr(&d->why));
		unlink_post(a, d);
		forget(a, d);
	}
}

static void begin_due(struct alerts *a)
{
	int64_t now_ns = clock_mono_ns();

	for (struct alert_post *d = a->under_way; d; d = d->next) {
		if (d->easy || d->due_ns > now_ns)
			continue;
		alert_post_begin(d, &a->places, &a->config);
		curl_multi_add_handle(a->multi, d->easy);
	}
}

static void end_tries(struct alerts *a)
{
	struct CURLMsg *m;
	struct alert_post *d;
	int running;

	curl_multi_perform(a->multi, &running);
	while ((m = curl_multi_info_read(a->multi, &running)) != NULL) {
		CURLcode result = m->data.result;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &d);
		end_try(a, d, result);
	}
}

/* Of who still waits when there is no more time. */
static void give_up(struct alerts *a)
{
	while (a->under_way) {
		struct alert_post *d = a->under_way;

		say(a, LOST, "alert not delivered to %.*s before the run ended%s%s", STRF(d->place->name),
		    d->why.n ? ": " : "", buf_cstr(&d->why));
		if (d->easy)
			curl_multi_remove_handle(a->multi, d->easy);
		a->under_way = d->next;
		forget(a, d);
	}
}

/* ---- the thread ---- */

/* False: it is over. */
static bool take_given(struct alerts *a, int64_t *end_ns)
{
	struct alert_post **last = &a->under_way;
	bool over;

	while (*last)
		last = &(*last)->next;
	pthread_mutex_lock(&a->lock);
	*last = a->given;
	a->given = NULL;
	*end_ns = a->ended ? a->end_ns : INT64_MAX;
	over = a->ended && (!a->under_way || clock_mono_ns() >= a->end_ns);
	pthread_mutex_unlock(&a->lock);
	return !over;
}

static int ms_until_due(const struct alerts *a, int64_t end_ns)
{
	int64_t now_ns = clock_mono_ns(), due_ns = now_ns + (int64_t)LONG_MS * NS_PER_MS;

	if (!a->under_way && end_ns != INT64_MAX)
		return 0;
	due_ns = end_ns < due_ns ? end_ns : due_ns;
	for (const struct alert_post *d = a->under_way; d; d = d->next)
		if (!d->easy && d->due_ns < due_ns)
			due_ns = d->due_ns;
	return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void *deliver(void *ctx)
{
	struct alerts *a = ctx;
	int64_t end_ns;

	CHECK_OBJ(a, ALERTS_MAGIC);
	while (take_given(a, &end_ns)) {
		begin_due(a);
		end_tries(a);
		curl_multi_poll(a->multi, NULL, 0,
				a->under_way || end_ns == INT64_MAX ? ms_until_due(a, end_ns) : 0, NULL);
	}
	give_up(a);
	return NULL;
}

/* ---- raised ---- */

/* With the lock. */
static bool give(struct alerts *a, const struct alert_place *place, const struct sim_alert *alert)
{
	struct alert_post *d;

	if (a->count >= UNDER_WAY_MAX)
		return false;
	d = alert_post_new(place, &a->places, alert);
	d->next = a->given;
	a->given = d;
	a->count++;
	return true;
}

void alerts_raise(struct alerts *a, const struct sim_alert *alert)
{
	bool all = true;

	CHECK_OBJ(a, ALERTS_MAGIC);
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->places.n; i++)
		all = give(a, &a->places.v[i], alert) && all;
	pthread_mutex_unlock(&a->lock);
	if (!all)
		say(a, LOST, "alert left out: %d wait to be delivered already", UNDER_WAY_MAX);
	curl_multi_wakeup(a->multi);
}

/* ---- life ---- */

static enum err start(struct alerts *a, struct problem *p)
{
	int failed = pthread_create(&a->thread, NULL, deliver, a);

	a->has_thread = failed == 0;
	return failed ? problem_set(p, ERR_OVERLOADED, "no thread could be started: %s", strerror(failed)) : OK;
}

enum err alerts_open(const struct alerts_config *config, struct alerts **out, struct problem *p)
{
	struct alerts *a = NEW(struct alerts);
	enum err e;

	CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	a->magic = ALERTS_MAGIC;
	a->config = *config;
	a->arena = arena_new(PLACES_BYTES_MAX);
	a->config.ca_file = arena_str(a->arena, config->ca_file);
	a->multi = curl_multi_init();
	CHECK(a->multi);
	pthread_mutex_init(&a->lock, NULL);
	e = alert_places_read(config, a->arena, &a->places, p);
	if (!e)
		e = start(a, p);
	if (e)
		alerts_close(&a, 0);
	*out = a;
	return e;
}

static void end_thread(struct alerts *a, int64_t patience_ms)
{
	pthread_mutex_lock(&a->lock);
	a->ended = true;
	a->end_ns = clock_mono_ns() + patience_ms * NS_PER_MS;
	pthread_mutex_unlock(&a->lock);
	curl_multi_wakeup(a->multi);
	pthread_join(a->thread, NULL);
	alerts_turn(a);
}

void alerts_close(struct alerts **alerts, int64_t patience_ms)
{
	struct alerts *a = *alerts;

	if (!a)
		return;
	if (a->has_thread)
		end_thread(a, patience_ms);
	curl_multi_cleanup(a->multi);
	pthread_mutex_destroy(&a->lock);
	buf_free(&a->said);
	arena_destroy(&a->arena);
	curl_global_cleanup();
	free(a);
	*alerts = NULL;
}
