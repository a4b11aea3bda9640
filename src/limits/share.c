/*
 * A bucket's level as all nodes see it stands in Redis, with the time by Redis' clock. Every 100 ms each node tells
 * what was used of the buckets it was asked for, and takes over the level that Redis answers. What was used while
 * Redis was away is not told later: this node has counted it, the others have not.
 */
#include "limits/limits_priv.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/magic.h"

#include <string.h>
#include <time.h>

enum {
	NEWS_MAX = 512, /* in one call to Redis */
	KEYS_MAX = 128, /* in one script: so long Redis does nothing else */
	ARGS = 3,       /* of each key */
	COMMANDS_MAX = NEWS_MAX / KEYS_MAX,
	ARENA_MAX = 1 << 20,
	NS_MS = 1000000,
};

/*
 * ARGV, for each key: units used, units gained each millisecond, units of a full bucket. Answers each level. What
 * is not a level counts as a full bucket.
 */
static const char share_text[] =
	"local time = redis.call('TIME')\n"
	"local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
	"local out = {}\n"
	"for i, key in ipairs(KEYS) do\n"
	"  local used, rate, full = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])\n"
	"  local level, was = full, redis.pcall('GET', key)\n"
	"  local old, at\n"
	"  if type(was) == 'string' then old, at = string.match(was, '^(-?%d+) (%d+)$') end\n"
	"  if old then level = math.min(full, tonumber(old) + math.max(0, now - tonumber(at)) * rate) end\n"
	"  level = math.max(level - used, -32 * full)\n"
	"  if level < full then\n"
	"    local life = math.ceil((full - level) / rate) + 1000\n"
	"    redis.call('SET', key, string.format('%.0f %.0f', level, now), 'PX', string.format('%.0f', life))\n"
	"  end\n"
	"  out[i] = string.format('%.0f', level)\n"
	"end\n"
	"return out\n";

struct sharing {
	struct limits *limits;
	struct redis *redis;
	char *prefix;
	struct redis_script script;
	struct limits_news news[NEWS_MAX];
	atomic_ullong shared, failures;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping;
};

/* ---- one call ---- */

static struct str number(struct arena *a, int64_t v)
{
	return arena_fmt(a, "%lld", (long long)v);
}

static struct redis_command command_of(const struct sharing *s, struct arena *a, const struct limits_news *news,
				       size_t count)
{
	struct str *args = ARENA_ARRAY(a, struct str, count * (1 + ARGS)), *arg = args;

	for (size_t i = 0; i < count; i++)
		*arg++ = arena_fmt(a, "%s:l1:%u:%lld", s->prefix, news[i].key.kind, (long long)news[i].key.id);
	for (size_t i = 0; i < count; i++) {
		const struct limits_tier *t = &s->limits->tiers[news[i].tier];

		*arg++ = number(a, news[i].used);
		*arg++ = number(a, t->per_minute);
		*arg++ = number(a, limits_capacity(t));
	}
	return (struct redis_command){&s->script, args, count * (1 + ARGS), count};
}

/* Whether it can be true. */
static bool read_level(const struct sharing *s, const struct redis_reply *r, struct limits_news *n)
{
	int64_t full = limits_capacity(&s->limits->tiers[n->tier]);

	return r->kind == REDIS_TEXT && str_to_i64(r->text, &n->level) && n->level <= full &&
	       n->level >= -LIMITS_DEBT * full;
}

static bool learn(struct sharing *s, const struct redis_reply *r, struct limits_news *news, size_t count)
{
	int64_t now_ms = clock_mono_ns() / NS_MS;
	bool all = r->kind == REDIS_ARRAY && r->count == count;

	for (size_t i = 0; i < count && r->kind == REDIS_ARRAY && i < r->count; i++) {
		bool good = read_level(s, &r->items[i], &news[i]);

		if (good)
			limits_news_learn(s->limits, &news[i], now_ms);
		all &= good;
	}
	return all;
}

static enum err call(struct sharing *s, struct arena *a, size_t count)
{
	struct redis_command commands[COMMANDS_MAX];
	struct redis_reply replies[COMMANDS_MAX];
	size_t n = 0;
	enum err err;
	bool all = true;

	for (size_t i = 0; i < count; i += KEYS_MAX)
		commands[n++] = command_of(s, a, s->news + i, count - i < KEYS_MAX ? count - i : KEYS_MAX);
	CHECK(!arena_overflowed(a));
	err = redis_run(s->redis, a, commands, n, replies);
	for (size_t i = 0; i < n && !err; i++)
		all &= learn(s, &replies[i], s->news + i * KEYS_MAX, commands[i].keys);
	return err ? err : all ? OK : ERR_INTERNAL;
}

static enum err call_and_count(struct sharing *s, size_t count)
{
	struct arena *a = arena_new(ARENA_MAX);
	enum err err = call(s, a, count);

	atomic_fetch_add(err ? &s->failures : &s->shared, 1);
	arena_destroy(&a);
	return err;
}

/* ---- a round ---- */

enum err limits_share_once(struct limits *l)
{
	struct sharing *s = l->sharing;
	enum err err = OK;
	size_t n = 0;

	for (size_t shard = 0; shard < LIMITS_SHARDS;) {
		size_t more = limits_news_take(l, shard, s->news + n, NEWS_MAX - n);

		n += more;
		if (n < NEWS_MAX)
			shard++;
		if (n == NEWS_MAX || (shard == LIMITS_SHARDS && n > 0)) {
			enum err e = call_and_count(s, n);

			err = err ? err : e;
			n = 0;
		}
	}
	return err;
}

/* Lets a time pass, unless it is time to stop. */
static bool pause_until(struct sharing *s, int64_t until_ns)
{
	struct timespec t = {until_ns / 1000000000, until_ns % 1000000000};
	bool stopping;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping && pthread_cond_timedwait(&s->stop, &s->lock, &t) == 0)
		;
	stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return !stopping;
}

static void *share_on(void *arg)
{
	struct sharing *s = arg;

	while (pause_until(s, clock_mono_ns() + (int64_t)LIMITS_SHARE_MS * NS_MS))
		limits_share_once(s->limits);
	return NULL;
}

/* ---- life ---- */

enum err limits_share(struct limits *l, struct redis *r, struct str prefix, struct problem *p)
{
	struct sharing *s = NEW(struct sharing);

	CHECK(!l->sharing && prefix.n <= LIMITS_PREFIX_MAX);
	s->limits = l;
	s->redis = r;
	s->prefix = must_alloc(prefix.n + 1);
	if (prefix.n)
		memcpy(s->prefix, prefix.p, prefix.n);
	s->script = redis_script(share_text);
	pthread_mutex_init(&s->lock, NULL);
	cond_mono_init(&s->stop);
	l->sharing = s;
	if (pthread_create(&s->thread, NULL, share_on, s) == 0)
		return OK;
	s->stopping = true; /* there is none to join */
	sharing_free(&l->sharing);
	return problem_set(p, ERR_INTERNAL, "no thread for sharing limits");
}

void sharing_free(struct sharing **s)
{
	bool joins;

	if (!*s)
		return;
	pthread_mutex_lock(&(*s)->lock);
	joins = !(*s)->stopping;
	(*s)->stopping = true;
	pthread_cond_signal(&(*s)->stop);
	pthread_mutex_unlock(&(*s)->lock);
	if (joins)
		pthread_join((*s)->thread, NULL);
	pthread_cond_destroy(&(*s)->stop);
	pthread_mutex_destroy(&(*s)->lock);
	free((*s)->prefix);
	free(*s);
	*s = NULL;
}

void sharing_stats(struct sharing *s, struct limits_stats *out)
{
	out->shared = atomic_load(&s->shared);
	out->share_failures = atomic_load(&s->failures);
}
