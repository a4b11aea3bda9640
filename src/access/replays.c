/* See replays.h. */
#include "access/replays.h"

#include "base/magic.h"
#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>

struct replays {
	pthread_mutex_t lock;
	int64_t counts_ms, since_ms; /* since when `now` is filled */
	struct map now, before;
};

struct replays *replays_new(int64_t counts_ms)
{
	struct replays *r = NEW(struct replays);
	r->counts_ms = counts_ms;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void replays_destroy(struct replays **r)
{
	if (!*r)
		return;
	map_free(&(*r)->now);
	map_free(&(*r)->before);
	pthread_mutex_destroy(&(*r)->lock);
	free(*r);
	*r = NULL;
}

static void turn(struct replays *r, int64_t now_ms)
{
	if (now_ms - r->since_ms < r->counts_ms)
		return;
	map_free(&r->before);
	r->before = r->now;
	r->now = (struct map){0};
	if (now_ms - r->since_ms >= 2 * r->counts_ms)
		map_free(&r->before);
	r->since_ms = now_ms;
}

bool replays_take(struct replays *r, uint64_t hash, int64_t now_ms)
{
	pthread_mutex_lock(&r->lock);
	turn(r, now_ms);
	bool taken = map_get(&r->now, hash) || map_get(&r->before, hash);
	if (!taken)
		map_put(&r->now, hash, r);
	pthread_mutex_unlock(&r->lock);
	return !taken;
}
