/*
 * The connections at rest, the keeper that makes them, and the calls that take one each.
 *
 * Under the lock: the connections at rest, how many there are in all, the breaker, the counters. A connection in
 * use belongs to its caller. Invariant: while the breaker is not closed, none is at rest.
 */
#include "redis/redis_priv.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/magic.h"

#include <gnutls/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NS_MS = 1000000 };

struct redis {
	struct redis_address address;
	unsigned connections;
	int timeout_ms;

	pthread_t keeper;
	pthread_mutex_t lock;
	pthread_cond_t wanted; /* the keeper: a connection is missing, or stop */
	pthread_cond_t rested; /* callers: a connection is at rest, or there is none to wait for */
	bool stopping;
	struct redis_link *idle;
	unsigned open;
	struct breaker breaker;
	bool said_up, said_down; /* in the log, about the state it is in */
	struct redis_stats stats;
};

static int64_t now_ms(void)
{
	return clock_mono_ns() / NS_MS;
}

/* Until the condition is signalled, or that time has come: then false. */
static bool wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until_ns)
{
	struct timespec t = {until_ns / 1000000000, until_ns % 1000000000};

	return pthread_cond_timedwait(c, lock, &t) == 0;
}

/* ---- connections; all under the lock ---- */

static void close_idle(struct redis *r)
{
	while (r->idle) {
		struct redis_link *l = r->idle;

		r->idle = l->next;
		r->open--;
		redis_link_close(&l);
	}
}

static void say_down(struct redis *r, const char *why)
{
	if (!r->said_down)
		LOG_W("redis.down", "name=%s detail=%s", r->address.name, why);
	r->said_down = true;
	r->said_up = false;
}

static void say_up(struct redis *r)
{
	if (!r->said_up)
		LOG_I("redis.up", "name=%s", r->address.name);
	r->said_up = true;
	r->said_down = false;
}

static void failed(struct redis *r, const char *why)
{
	breaker_failed(&r->breaker, now_ms());
	if (!breaker_is_closed(&r->breaker)) {
		close_idle(r);
		say_down(r, why);
	}
	pthread_cond_signal(&r->wanted);
	pthread_cond_broadcast(&r->rested);
}

static void lay_to_rest(struct redis *r, struct redis_link *l)
{
	l->next = r->idle;
	r->idle = l;
	pthread_cond_signal(&r->rested);
}

/* ---- the keeper ---- */

static void add_connection(struct redis *r)
{
	struct redis_link *l = NULL;
	struct redis_why why = {""};
	enum err err;

	pthread_mutex_unlock(&r->lock);
	err = redis_link_open(&r->address, r->timeout_ms, &l, &why);
	pthread_mutex_lock(&r->lock);
	if (err) {
		failed(r, why.text);
		return;
	}
	breaker_succeeded(&r->breaker);
	r->open++;
	r->stats.connects++;
	say_up(r);
	lay_to_rest(r, l);
	pthread_cond_broadcast(&r->rested);
}

static void *keeper_main(void *arg)
{
	struct redis *r = arg;

	pthread_mutex_lock(&r->lock);
	while (!r->stopping) {
		int64_t now = now_ms();

		if (r->open >= r->connections)
			pthread_cond_wait(&r->wanted, &r->lock);
		else if (breaker_try(&r->breaker, now))
			add_connection(r);
		else
			wait_until(&r->wanted, &r->lock, breaker_next_ms(&r->breaker, now) * NS_MS);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* ---- life ---- */

static void redis_free(struct redis *r)
{
	close_idle(r);
	redis_address_free(&r->address);
	pthread_cond_destroy(&r->wanted);
	pthread_cond_destroy(&r->rested);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

enum err redis_new(const struct redis_config *config, struct redis **out, struct problem *p)
{
	struct redis_address address;
	enum err err = redis_address_parse(config->url, &address, p);
	struct redis *r;

	if (err)
		return err;
	r = NEW(struct redis);
	r->address = address;
	r->connections = config->connections ? config->connections : REDIS_CONNECTIONS;
	r->timeout_ms = config->timeout_ms ? config->timeout_ms : REDIS_TIMEOUT_MS;
	r->breaker.failures_max = config->failures_max ? config->failures_max : REDIS_FAILURES_MAX;
	r->breaker.rest_ms = config->rest_ms ? config->rest_ms : REDIS_REST_MS;
	pthread_mutex_init(&r->lock, NULL);
	cond_mono_init(&r->wanted);
	cond_mono_init(&r->rested);
	if (pthread_create(&r->keeper, NULL, keeper_main, r) != 0) {
		redis_free(r);
		return problem_set(p, ERR_INTERNAL, "no thread for the connections to Redis");
	}
	*out = r;
	return OK;
}

void redis_destroy(struct redis **r)
{
	if (!*r)
		return;
	pthread_mutex_lock(&(*r)->lock);
	(*r)->stopping = true;
	pthread_cond_signal(&(*r)->wanted);
	pthread_mutex_unlock(&(*r)->lock);
	pthread_join((*r)->keeper, NULL);
	redis_free(*r);
	*r = NULL;
}

bool redis_wait(struct redis *r, int timeout_ms)
{
	int64_t until_ns = clock_mono_ns() + (int64_t)timeout_ms * NS_MS;
	bool there;

	pthread_mutex_lock(&r->lock);
	while (!r->idle && wait_until(&r->rested, &r->lock, until_ns))
		;
	there = r->idle != NULL;
	pthread_mutex_unlock(&r->lock);
	return there;
}

struct redis_script redis_script(const char *text)
{
	struct redis_script s = {.text = text};
	unsigned char sha1[20];

	CHECK(gnutls_hash_fast(GNUTLS_DIG_SHA1, text, strlen(text), sha1) == 0);
	for (size_t i = 0; i < sizeof(sha1); i++)
		snprintf(s.sha1 + 2 * i, 3, "%02x", sha1[i]);
	return s;
}

/* ---- calls ---- */

/* One of those at rest that is still good. */
static struct redis_link *take_idle(struct redis *r)
{
	while (r->idle) {
		struct redis_link *l = r->idle;

		r->idle = l->next;
		if (redis_link_is_quiet(l))
			return l;
		r->open--;
		redis_link_close(&l);
		pthread_cond_signal(&r->wanted);
	}
	return NULL;
}

static struct redis_link *take(struct redis *r, int64_t deadline_ns)
{
	struct redis_link *l = NULL;
	bool in_time = true;

	pthread_mutex_lock(&r->lock);
	r->stats.calls++;
	while (in_time && breaker_is_closed(&r->breaker) && !(l = take_idle(r)) && r->open > 0)
		in_time = wait_until(&r->rested, &r->lock, deadline_ns);
	r->stats.refused += l == NULL;
	pthread_mutex_unlock(&r->lock);
	return l;
}

static void encode_all(struct buf *b, const struct redis_command *commands, size_t count)
{
	for (size_t i = 0; i < count; i++)
		redis_encode(b, &commands[i], false);
}

/* The scripts that Redis did not know, once more and in full. */
static enum err run_in_full(struct redis_link *l, struct arena *a, const struct redis_command *commands,
			    size_t count, struct redis_reply *replies, int64_t deadline_ns, bool *timed_out)
{
	struct buf b = BUF_INIT(0);
	struct redis_reply again[REDIS_COMMANDS_MAX];
	size_t unknown = 0;
	enum err err = OK;

	for (size_t i = 0; i < count; i++)
		if (redis_reply_is_noscript(&replies[i])) {
			redis_encode(&b, &commands[i], true);
			unknown++;
		}
	if (unknown)
		err = buf_ok(&b) ? redis_link_exchange(l, a, buf_str(&b), again, unknown, deadline_ns, timed_out)
				 : ERR_INTERNAL;
	for (size_t i = count; i-- > 0 && !err;)
		if (redis_reply_is_noscript(&replies[i]))
			replies[i] = again[--unknown];
	buf_free(&b);
	return err;
}

static enum err exchange(struct redis_link *l, struct arena *a, const struct redis_command *commands, size_t count,
			 struct redis_reply *replies, int64_t deadline_ns, bool *timed_out)
{
	struct buf b = BUF_INIT(0);
	enum err err;

	encode_all(&b, commands, count);
	err = buf_ok(&b) ? redis_link_exchange(l, a, buf_str(&b), replies, count, deadline_ns, timed_out)
			 : ERR_INTERNAL;
	buf_free(&b);
	if (!err)
		err = run_in_full(l, a, commands, count, replies, deadline_ns, timed_out);
	for (size_t i = 0; i < count && !err; i++)
		if (redis_reply_is_unwell(&replies[i]))
			err = ERR_UNREACHABLE;
	return err;
}

/* The connection is at rest again. */
static void answered(struct redis *r, struct redis_link *l, const struct redis_reply *replies, size_t count,
		     uint64_t ns)
{
	pthread_mutex_lock(&r->lock);
	breaker_succeeded(&r->breaker);
	for (size_t i = 0; i < count; i++)
		r->stats.error_replies += replies[i].kind == REDIS_ERROR;
	r->stats.call_ns_sum += ns;
	if (ns > r->stats.call_ns_max)
		r->stats.call_ns_max = ns;
	lay_to_rest(r, l);
	pthread_mutex_unlock(&r->lock);
}

static void lost(struct redis *r, struct redis_link *l, bool timed_out)
{
	redis_link_close(&l);
	pthread_mutex_lock(&r->lock);
	r->open--;
	r->stats.timeouts += timed_out;
	r->stats.failures += !timed_out;
	failed(r, timed_out ? "it does not answer in time" : "its connections break, or it is not well");
	pthread_mutex_unlock(&r->lock);
}

enum err redis_run(struct redis *r, struct arena *a, const struct redis_command *commands, size_t count,
		   struct redis_reply *replies)
{
	int64_t start_ns = clock_mono_ns(), deadline_ns = start_ns + (int64_t)r->timeout_ms * NS_MS;
	struct redis_link *l;
	bool timed_out = false;
	enum err err;

	CHECK(count >= 1 && count <= REDIS_COMMANDS_MAX);
	l = take(r, deadline_ns);
	if (!l)
		return ERR_UNREACHABLE;
	err = exchange(l, a, commands, count, replies, deadline_ns, &timed_out);
	if (err)
		lost(r, l, timed_out);
	else
		answered(r, l, replies, count, (uint64_t)(clock_mono_ns() - start_ns));
	return err;
}

void redis_stats_get(struct redis *r, struct redis_stats *out)
{
	pthread_mutex_lock(&r->lock);
	*out = r->stats;
	out->connections = r->open;
	out->breaker = r->breaker.state;
	pthread_mutex_unlock(&r->lock);
}
