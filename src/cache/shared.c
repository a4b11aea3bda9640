/*
 * L2. Reading is done by whoever asks; writing by a thread, from a bounded queue, and nobody waits for it.
 *
 * Nothing depends on a write arriving. A blob that is older than what this process was told is refused by the
 * floors (cache_begin() asks them), and of what was told before this process listened nothing can be left once a
 * blob's life is over: until then L2 is not believed. A blob's end is written in it, in the time of Redis, and set
 * as the end of the key too; should that clock jump, L2 counts as new and is not believed for that long either.
 */
#include "cache/cache_priv.h"

#include "base/clock.h"
#include "base/magic.h"

#include <string.h>

enum {
	QUEUE_MAX = 1024,
	QUEUE_BYTES_MAX = 16 << 20, /* of bodies */
	BATCH_MAX = 64,
	BATCH_BYTES_MAX = 1 << 20,
	BLOB_BYTES_MAX = 1 << 20, /* larger ones stay in L1 */
	PREFIX_MAX = 128,
	ARENA_MAX = BLOB_BYTES_MAX + (64 << 10),
	CLOCK_JUMP_MS = 1000, /* more than any answer takes */
	LIFE_MORE_MS = 2000,  /* for what clocks differ without a jump */
	NS_MS = 1000000,
};

/*
 * ARGV: the value, when it dies by this clock (0: it is not said), the longest it may live. What stands there wins
 * when it is newer, or as new and the value only a tombstone.
 */
static const char store_text[] =
	"local life = tonumber(ARGV[3])\n"
	"if ARGV[2] ~= '0' then\n"
	"  local now = redis.call('TIME')\n"
	"  life = math.min(life, tonumber(ARGV[2]) - (now[1] * 1000 + math.floor(now[2] / 1000)))\n"
	"end\n"
	"if life <= 0 then return 0 end\n"
	"local was = redis.pcall('GET', KEYS[1])\n"
	"if type(was) == 'string' and string.match(was, '^tfc1[bt]%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d') then\n"
	"  local old, new = string.sub(was, 6, 24), string.sub(ARGV[1], 6, 24)\n"
	"  if old > new or (old == new and string.sub(ARGV[1], 5, 5) == 't') then return 0 end\n"
	"end\n"
	"redis.call('SET', KEYS[1], ARGV[1], 'PX', life)\n"
	"return 1\n";

/* Something to be written: of a key, in the bytes behind it. */
struct write {
	struct cache_blob *blob; /* NULL: a tombstone of `version`, or with 0 the end of what stands there */
	int64_t version, dies_ms, life_ms;
	char *key;
	size_t key_length;
};

struct shared {
	struct redis *redis;
	struct buf prefix;
	int64_t ttl_ms;
	struct redis_script store;

	atomic_llong told_from_ms; /* all changes since then were told */
	atomic_llong jumped_ms;    /* when Redis' clock did so last */
	atomic_llong clock_ms;     /* Redis' clock less ours; INT64_MIN: not known yet */
	atomic_ullong errors, lies;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	bool stopping;
	struct write queue[QUEUE_MAX]; /* a ring */
	size_t first, count, bytes;
	size_t under_way; /* taken from the queue, not yet answered */
	uint64_t writes, dropped;
};

static void add_key(const struct shared *s, struct buf *b, struct str name)
{
	buf_str_add(b, buf_str(&s->prefix));
	buf_str_add(b, name);
}

/* ---- reading ---- */

static bool read_time(const struct redis_reply *r, int64_t *ms)
{
	int64_t seconds, us;

	if (r->kind != REDIS_ARRAY || r->count != 2 || r->items[0].kind != REDIS_TEXT ||
	    r->items[1].kind != REDIS_TEXT)
		return false;
	if (!str_to_i64(r->items[0].text, &seconds) || !str_to_i64(r->items[1].text, &us))
		return false;
	if (seconds < 1 || seconds > INT64_MAX / 2000 || us < 0 || us > 999999)
		return false;
	*ms = seconds * 1000 + us / 1000;
	return true;
}

/* A clock that jumped is noted before its new time is: whoever sees the one sees the other. */
static void watch_clock(struct shared *s, int64_t redis_ms, int64_t now_ms)
{
	int64_t ours = redis_ms - clock_mono_ns() / NS_MS, was = atomic_load(&s->clock_ms);

	if (was != INT64_MIN && (ours - was > CLOCK_JUMP_MS || was - ours > CLOCK_JUMP_MS))
		atomic_store(&s->jumped_ms, now_ms);
	atomic_store(&s->clock_ms, ours);
}

static bool is_open(struct shared *s, int64_t now_ms)
{
	int64_t told_ms = atomic_load(&s->told_from_ms), jumped_ms = atomic_load(&s->jumped_ms);

	return now_ms >= (told_ms > jumped_ms ? told_ms : jumped_ms) + shared_life_ms(s);
}

static void count_lie(struct shared *s)
{
	atomic_fetch_add_explicit(&s->lies, 1, memory_order_relaxed);
}

/* Whatever version it claims to have, nothing could be put in its place. */
static void remove_lie(struct shared *s, struct str key)
{
	count_lie(s);
	shared_invalidate(s, (struct str){key.p + s->prefix.n, key.n - s->prefix.n}, 0);
}

static struct cache_blob *made_blob(struct shared *s, const struct redis_reply *r, struct str key, int64_t redis_ms,
				    int64_t *ttl_ms)
{
	struct wire w;
	enum wire_kind kind = WIRE_LIE;

	if (r->kind == REDIS_NIL)
		return NULL;
	if (r->kind == REDIS_TEXT)
		kind = wire_read(r->text, key, &w);
	if (kind == WIRE_BLOB && w.dies_ms - redis_ms > s->ttl_ms)
		kind = WIRE_LIE;
	if (kind == WIRE_LIE)
		remove_lie(s, key);
	if (kind != WIRE_BLOB || w.dies_ms <= redis_ms)
		return NULL;
	*ttl_ms = w.dies_ms - redis_ms;
	return cache_blob_new(w.etag, w.body, w.version, w.tags);
}

static struct cache_blob *ask(struct shared *s, struct arena *a, struct str key, int64_t now_ms, int64_t *ttl_ms,
			      int64_t *redis_ms)
{
	struct str get[] = {STR("GET"), key}, time[] = {STR("TIME")};
	struct redis_command commands[] = {{.args = get, .count = 2}, {.args = time, .count = 1}};
	struct redis_reply replies[2];

	if (redis_run(s->redis, a, commands, 2, replies) != OK) {
		atomic_fetch_add_explicit(&s->errors, 1, memory_order_relaxed);
		return NULL;
	}
	if (!read_time(&replies[1], redis_ms)) {
		count_lie(s);
		return NULL;
	}
	watch_clock(s, *redis_ms, now_ms);
	if (!is_open(s, now_ms))
		return NULL;
	return made_blob(s, &replies[0], key, *redis_ms, ttl_ms);
}

struct cache_blob *shared_get(struct shared *s, struct str name, int64_t now_ms, int64_t *ttl_ms, int64_t *redis_ms)
{
	struct arena *a = arena_new(ARENA_MAX);
	struct buf key = BUF_INIT(0);
	struct cache_blob *b;

	*redis_ms = 0;
	add_key(s, &key, name);
	b = ask(s, a, buf_str(&key), now_ms, ttl_ms, redis_ms);
	buf_free(&key);
	arena_destroy(&a);
	return b;
}

/* ---- the queue ---- */

static size_t body_bytes(const struct write *w)
{
	return w->blob ? w->blob->body.n : 0;
}

static void write_free(struct write *w)
{
	cache_blob_drop(&w->blob);
	free(w->key);
}

/* Takes over w. */
static void enqueue(struct shared *s, struct write w, struct str name)
{
	struct buf key = BUF_INIT(0);
	bool room;

	add_key(s, &key, name);
	w.key = key.p;
	w.key_length = key.n;
	pthread_mutex_lock(&s->lock);
	room = s->count < QUEUE_MAX && s->bytes + body_bytes(&w) <= QUEUE_BYTES_MAX;
	if (room) {
		s->queue[(s->first + s->count++) % QUEUE_MAX] = w;
		s->bytes += body_bytes(&w);
		pthread_cond_signal(&s->filled);
	} else {
		s->dropped++;
	}
	pthread_mutex_unlock(&s->lock);
	if (!room)
		write_free(&w);
}

void shared_put(struct shared *s, struct str name, struct cache_blob *b, int64_t redis_ms, int64_t ttl_ms)
{
	int64_t life_ms = ttl_ms < s->ttl_ms ? ttl_ms : s->ttl_ms;

	if (b->version > 0 && b->body.n <= BLOB_BYTES_MAX && life_ms > 0)
		enqueue(s, (struct write){cache_blob_hold(b), b->version, redis_ms + life_ms, life_ms, NULL, 0},
			name);
}

void shared_invalidate(struct shared *s, struct str name, int64_t version)
{
	enqueue(s, (struct write){.version = version, .life_ms = s->ttl_ms}, name);
}

/* ---- writing ---- */

static struct str number(struct arena *a, int64_t v)
{
	return arena_fmt(a, "%lld", (long long)v);
}

static struct str made_value(struct arena *a, const struct write *w, struct str key)
{
	struct buf b = BUF_INIT(0);
	struct str value;

	if (w->blob) {
		struct wire wire = {.key = key,
				    .version = w->version,
				    .dies_ms = w->dies_ms,
				    .etag = w->blob->etag,
				    .body = w->blob->body};

		memcpy(wire.tags, w->blob->tags, sizeof(wire.tags));
		wire_write(&b, &wire);
	} else {
		wire_write_tombstone(&b, w->version);
	}
	value = arena_str(a, buf_str(&b));
	buf_free(&b);
	return value;
}

static struct redis_command command_of(struct shared *s, struct arena *a, const struct write *w)
{
	struct str key = {w->key, w->key_length};
	struct str *args = ARENA_ARRAY(a, struct str, 4);

	if (!w->blob && w->version == 0) {
		args[0] = STR("DEL");
		args[1] = key;
		return (struct redis_command){.args = args, .count = 2};
	}
	args[0] = key;
	args[1] = made_value(a, w, key);
	args[2] = number(a, w->dies_ms);
	args[3] = number(a, w->life_ms);
	return (struct redis_command){.script = &s->store, .args = args, .count = 4, .keys = 1};
}

static size_t take_batch(struct shared *s, struct write *batch)
{
	size_t n = 0, bytes = 0;

	while (n < BATCH_MAX && s->count > 0 && bytes < BATCH_BYTES_MAX) {
		batch[n] = s->queue[s->first];
		s->first = (s->first + 1) % QUEUE_MAX;
		s->count--;
		bytes += body_bytes(&batch[n++]);
	}
	s->bytes -= bytes;
	s->under_way = n;
	return n;
}

/* How many Redis took. */
static size_t write_batch(struct shared *s, struct write *batch, size_t n)
{
	struct arena *a = arena_new((size_t)2 * (BATCH_BYTES_MAX + BLOB_BYTES_MAX));
	struct redis_command commands[BATCH_MAX];
	struct redis_reply replies[BATCH_MAX];
	size_t done = 0;

	for (size_t i = 0; i < n; i++)
		commands[i] = command_of(s, a, &batch[i]);
	CHECK(!arena_overflowed(a));
	if (redis_run(s->redis, a, commands, n, replies) == OK)
		for (size_t i = 0; i < n; i++)
			done += replies[i].kind == REDIS_INTEGER;
	arena_destroy(&a);
	return done;
}

static void *write_on(void *arg)
{
	struct shared *s = arg;
	struct write batch[BATCH_MAX];

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		size_t n = take_batch(s, batch), done;

		if (n == 0) {
			pthread_cond_wait(&s->filled, &s->lock);
			continue;
		}
		pthread_mutex_unlock(&s->lock);
		done = write_batch(s, batch, n);
		for (size_t i = 0; i < n; i++)
			write_free(&batch[i]);
		pthread_mutex_lock(&s->lock);
		s->writes += done;
		s->dropped += n - done;
		s->under_way = 0;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- life ---- */

struct shared *shared_new(const struct cache_config *config, int64_t ttl_ms)
{
	struct shared *s = NEW(struct shared);

	CHECK(config->prefix.n <= PREFIX_MAX);
	s->redis = config->redis;
	s->ttl_ms = ttl_ms;
	s->store = redis_script(store_text);
	buf_str_add(&s->prefix, config->prefix);
	buf_z(&s->prefix, ":c1:");
	atomic_init(&s->told_from_ms, config->now_ms);
	atomic_init(&s->jumped_ms, INT64_MIN / 2);
	atomic_init(&s->clock_ms, INT64_MIN);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->filled, NULL);
	CHECK(pthread_create(&s->thread, NULL, write_on, s) == 0);
	return s;
}

void shared_free(struct shared **s)
{
	if (!*s)
		return;
	pthread_mutex_lock(&(*s)->lock);
	(*s)->stopping = true;
	pthread_cond_signal(&(*s)->filled);
	pthread_mutex_unlock(&(*s)->lock);
	pthread_join((*s)->thread, NULL);
	for (; (*s)->count > 0; (*s)->count--, (*s)->first = ((*s)->first + 1) % QUEUE_MAX)
		write_free(&(*s)->queue[(*s)->first]);
	pthread_cond_destroy(&(*s)->filled);
	pthread_mutex_destroy(&(*s)->lock);
	buf_free(&(*s)->prefix);
	free(*s);
	*s = NULL;
}

int64_t shared_life_ms(const struct shared *s)
{
	return s->ttl_ms + LIFE_MORE_MS;
}

void shared_told_since(struct shared *s, int64_t since_ms)
{
	atomic_store(&s->told_from_ms, since_ms);
}

void shared_stats_get(struct shared *s, int64_t now_ms, struct shared_stats *out)
{
	out->errors = atomic_load(&s->errors);
	out->lies = atomic_load(&s->lies);
	out->open = is_open(s, now_ms);
	pthread_mutex_lock(&s->lock);
	out->writes = s->writes;
	out->dropped = s->dropped;
	out->waiting = s->count + s->under_way;
	pthread_mutex_unlock(&s->lock);
}
