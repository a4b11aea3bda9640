/*
 * Standing still and going on. The run stands while there is any reason to; the last one that goes lets it go on.
 */
#include "sim/engine_priv.h"

#include <stdio.h>

void engine_wake_shards(struct engine *e)
{
	for (unsigned i = 0; i < e->config.threads; i++)
		e->shards[i].transport.wake(e->shards[i].transport.self);
}

/* ---- news; under the lock ---- */

__attribute__((format(printf, 3, 0))) static void tell_v(struct engine *e, enum engine_news what, const char *fmt,
							 va_list ap)
{
	if (e->news_count == NEWS_MAX)
		return;
	e->news[e->news_count].what = what;
	vsnprintf(e->news[e->news_count].line, sizeof(e->news[0].line), fmt, ap);
	e->news_count++;
}

__attribute__((format(printf, 3, 4))) static void tell(struct engine *e, enum engine_news what, const char *fmt,
						       ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell_v(e, what, fmt, ap);
	va_end(ap);
}

void engine_tell(struct engine *e, enum engine_news what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pthread_mutex_lock(&e->lock);
	tell_v(e, what, fmt, ap);
	pthread_mutex_unlock(&e->lock);
	va_end(ap);
}

/* ---- the run stands, the run goes on ---- */

/* Under the lock; false: it stands for that reason already. */
static bool halt(struct engine *e, enum engine_pause why)
{
	if (e->pause & why)
		return false;
	if (e->pause == 0)
		runclock_stop(&e->clock);
	e->pause |= why;
	return true;
}

void engine_halt(struct engine *e, enum engine_pause why)
{
	pthread_mutex_lock(&e->lock);
	if (halt(e, why) && why == PAUSE_ASKED)
		tell(e, NEWS_PAUSED, "paused");
	pthread_mutex_unlock(&e->lock);
	engine_wake_shards(e);
}

void engine_go(struct engine *e, unsigned why)
{
	bool stood;

	pthread_mutex_lock(&e->lock);
	stood = e->pause & why;
	if (e->pause & why & PAUSE_BREAKER)
		sim_breaker_resume(&e->breaker);
	e->pause &= ~why;
	if (stood && e->pause == 0) {
		runclock_go(&e->clock);
		tell(e, NEWS_RESUMED, "goes on");
	}
	pthread_mutex_unlock(&e->lock);
	engine_wake_shards(e);
}

/* ---- the breaker ---- */

/* Under the lock. */
static void opened(struct engine *e)
{
	const struct sim_breaker *b = &e->breaker;

	halt(e, PAUSE_BREAKER);
	e->opened_ns = e->config.now_ns(e->config.clock);
	if (b->cause == SIM_BREAKER_TARGET_DOWN)
		tell(e, NEWS_BREAKER, "the breaker opened: %u calls in a row found nobody there; %s",
		     b->down_in_a_row, e->last_error);
	else
		tell(e, NEWS_BREAKER,
		     "the breaker opened: %u of %u agents failed in cycle %u, %u are borne; last: %s", b->failures,
		     b->agents, e->cycle, sim_breaker_borne(b), e->last_error);
}

static void set_last_error(struct engine *e, struct str why)
{
	snprintf(e->last_error, sizeof(e->last_error), "%.*s", STRF(why));
}

void engine_failed(struct engine *e, struct str why)
{
	bool opens;

	pthread_mutex_lock(&e->lock);
	set_last_error(e, why);
	opens = sim_breaker_failed(&e->breaker);
	if (opens)
		opened(e);
	pthread_mutex_unlock(&e->lock);
	if (opens)
		engine_wake_shards(e);
}

static bool found_nobody(const struct client_call *c)
{
	return c->err == ERR_TARGET_REFUSED || c->err == ERR_TARGET_NAME ||
	       (c->err == ERR_TARGET_TIMEOUT && c->sent_ns == 0);
}

void engine_call_ended(struct engine *e, const struct client_call *c)
{
	bool nobody = found_nobody(c), opens = false;

	if (!nobody && !e->nobody)
		return;
	pthread_mutex_lock(&e->lock);
	e->nobody = nobody;
	if (nobody) {
		set_last_error(e, str_of(c->detail));
		opens = sim_breaker_nobody(&e->breaker);
	} else {
		sim_breaker_answered(&e->breaker);
	}
	if (opens)
		opened(e);
	pthread_mutex_unlock(&e->lock);
	if (opens)
		engine_wake_shards(e);
}

/* ---- watched by the caller's thread ---- */

void engine_watch_breaker(struct engine *e)
{
	bool open, over;

	pthread_mutex_lock(&e->lock);
	open = e->pause & PAUSE_BREAKER;
	over = open && e->config.now_ns(e->config.clock) - e->opened_ns >= e->config.cooldown_ms * NS_PER_MS;
	pthread_mutex_unlock(&e->lock);
	if (open && e->config.on_open == ON_OPEN_EXIT)
		e->stop = true;
	if (over && e->config.on_open == ON_OPEN_COOLDOWN)
		engine_go(e, PAUSE_BREAKER);
}

void engine_watch_recorder(struct engine *e)
{
	struct problem trouble;
	bool paused;

	problem_clear(&trouble);
	e->config.sink.trouble(e->config.sink.self, &trouble);
	pthread_mutex_lock(&e->lock);
	paused = e->pause & PAUSE_RECORDER;
	if (trouble.err && halt(e, PAUSE_RECORDER)) {
		set_last_error(e, str_of(trouble.detail));
		tell(e, NEWS_TROUBLE, "records cannot be written, so the run stands: %s", trouble.detail);
	}
	pthread_mutex_unlock(&e->lock);
	if (paused && !trouble.err)
		engine_go(e, PAUSE_RECORDER);
}
