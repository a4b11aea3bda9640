/* See shop_time.h. */
#include "shop/shop_time.h"

#include "base/clock.h"

void shop_time_init(struct shop_time *t, struct clock *clock)
{
	*t = (struct shop_time){.clock = clock, .scale = 1};
	pthread_mutex_init(&t->lock, NULL);
}

void shop_time_free(struct shop_time *t)
{
	pthread_mutex_destroy(&t->lock);
}

/* Under the lock. */
static int64_t says_ms(const struct shop_time *t)
{
	int64_t real_ms = clock_now_ms(t->clock);

	if (!t->simulated)
		return real_ms;
	return t->running ? t->then_ms + (int64_t)((double)(real_ms - t->anchor_ms) * t->scale) : t->then_ms;
}

/* Under the lock: goes on from this time. */
static void anchor(struct shop_time *t, int64_t ms)
{
	t->simulated = true;
	t->then_ms = ms;
	t->anchor_ms = clock_now_ms(t->clock);
}

struct shop_moment shop_time_now(struct shop_time *t)
{
	struct shop_moment m;

	pthread_mutex_lock(&t->lock);
	m = (struct shop_moment){says_ms(t), t->scale, t->simulated, t->running};
	pthread_mutex_unlock(&t->lock);
	return m;
}

void shop_time_start(struct shop_time *t, const int64_t *from_ms, double scale)
{
	pthread_mutex_lock(&t->lock);
	anchor(t, from_ms ? *from_ms : says_ms(t));
	t->running = true;
	t->scale = scale;
	pthread_mutex_unlock(&t->lock);
}

void shop_time_stop(struct shop_time *t)
{
	pthread_mutex_lock(&t->lock);
	anchor(t, says_ms(t));
	t->running = false;
	pthread_mutex_unlock(&t->lock);
}

void shop_time_advance(struct shop_time *t, int64_t by_ms)
{
	pthread_mutex_lock(&t->lock);
	anchor(t, says_ms(t) + by_ms);
	pthread_mutex_unlock(&t->lock);
}

void shop_time_reset(struct shop_time *t)
{
	pthread_mutex_lock(&t->lock);
	t->simulated = t->running = false;
	t->scale = 1;
	pthread_mutex_unlock(&t->lock);
}
