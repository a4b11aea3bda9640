/*
 * Random histories of L1 against a map that forgets nothing. Rows change, some time later the cache is told, and loads
 * begin, read their row and end in any order. In a cache that has room the two answer alike; in a small one the cache
 * may know less, but never anything else.
 */
#include "cache_kit.h"

enum { KEYS = 60, FILLS = 12, GROUPS = 3, STEPS = 60000, TTL_MAX_MS = 400 };

struct row {
	int64_t version;      /* as the store has it */
	int64_t told;         /* what the cache was told: nothing older may be answered */
	int64_t cached;       /* version that stands in the model's map; 0: none */
	int64_t from_ms, ttl; /* of that */
	uint64_t stamp;
};

struct fill {
	struct cache_fill fill;
	struct kit_name name;
	size_t row;
	int64_t read; /* version; 0: not yet */
	uint64_t stamp;
	bool open;
};

struct model {
	struct rng r;
	struct cache *c;
	struct row rows[KEYS];
	struct fill fills[FILLS];
	uint64_t groups[GROUPS + 1], flushes;
	int64_t now_ms;
	bool has_room;
	uint64_t hits;
};

/* The third of the keys each have none, one and two groups. */
static struct cache_key key_of(struct kit_name *name, size_t row)
{
	struct cache_key k = kit_key(name, "row", (int64_t)row);

	if (row % 3 >= 1)
		k.groups[0] = (int64_t)(1 + row % GROUPS);
	if (row % 3 == 2)
		k.groups[1] = (int64_t)(1 + row / 3 % GROUPS);
	return k;
}

static uint64_t stamp_of(const struct model *m, size_t row)
{
	struct kit_name name;
	struct cache_key k = key_of(&name, row);

	return m->flushes + (k.groups[0] ? m->groups[k.groups[0]] : 0) + (k.groups[1] ? m->groups[k.groups[1]] : 0);
}

static bool is_being_loaded(const struct model *m, size_t row)
{
	for (size_t i = 0; i < FILLS; i++)
		if (m->fills[i].open && m->fills[i].row == row)
			return true;
	return false;
}

/* ---- what happens ---- */

static void get(struct model *m, size_t row)
{
	struct row *w = &m->rows[row];
	struct kit_name name;
	struct cache_key k = key_of(&name, row);
	struct cache_blob *b = cache_get(m->c, &k, m->now_ms);
	bool good = w->cached && w->stamp == stamp_of(m, row);

	if (b) {
		kit_check(b, (int64_t)row);
		assert_true(good);
		assert_int_equal(b->version, w->cached);
		assert_true(b->version >= w->told);
		assert_true(m->now_ms < w->from_ms + w->ttl * 9 / 10 + 1);
		m->hits++;
	} else if (m->has_room) {
		assert_true(!good || m->now_ms >= w->from_ms + w->ttl * 8 / 10 - 1);
	}
	cache_blob_drop(&b);
}

static void change(struct model *m, size_t row)
{
	m->rows[row].version++;
}

static void tell(struct model *m, size_t row)
{
	struct row *w = &m->rows[row];
	struct kit_name name;
	struct cache_key k = key_of(&name, row);
	bool says_version = rng_below(&m->r, 2);

	cache_invalidate(m->c, &k, says_version ? w->version : 0, m->now_ms);
	w->told = w->version;
	if (!says_version || w->cached < w->version)
		w->cached = 0;
	for (size_t i = 0; i < FILLS; i++)
		if (m->fills[i].row == row && m->fills[i].read && (!says_version || m->fills[i].read < w->version))
			m->fills[i].read = -1; /* void */
		else if (m->fills[i].row == row && !says_version && m->fills[i].open)
			m->fills[i].read = -1;
}

static void begin(struct model *m, size_t row)
{
	struct fill *f = &m->fills[rng_below(&m->r, FILLS)];
	struct cache_key k;
	struct cache_blob *b;

	if (f->open || is_being_loaded(m, row)) /* it would wait */
		return;
	f->row = row;
	f->read = 0;
	f->stamp = stamp_of(m, row);
	k = key_of(&f->name, row);
	b = cache_begin(m->c, &k, m->now_ms, &f->fill);
	f->open = b == NULL;
	if (b)
		assert_int_equal(b->version, m->rows[row].cached);
	cache_blob_drop(&b);
}

static void read_row(struct model *m, struct fill *f)
{
	if (f->open && f->read == 0)
		f->read = m->rows[f->row].version;
}

static void end(struct model *m, struct fill *f)
{
	struct row *w = &m->rows[f->row];
	size_t row = f->row;
	int64_t ttl = (int64_t)rng_below(&m->r, TTL_MAX_MS);
	struct cache_blob *b;

	if (!f->open || f->read == 0)
		return;
	f->open = false;
	if (rng_below(&m->r, 8) == 0) {
		cache_abandon(&f->fill);
		return;
	}
	b = kit_blob((int64_t)row, f->read > 0 ? f->read : w->told > 1 ? w->told - 1 : 1, rng_below(&m->r, 6000));
	if (f->read > 0)
		kit_check(b, (int64_t)row);
	cache_put(&f->fill, b, ttl, m->now_ms);
	cache_blob_drop(&b);
	if (f->read > 0 && f->stamp == stamp_of(m, row) && ttl > 0) {
		w->cached = f->read;
		w->from_ms = m->now_ms;
		w->ttl = ttl;
		w->stamp = f->stamp;
	}
}

static void rarely(struct model *m)
{
	int64_t group = 1 + (int64_t)rng_below(&m->r, GROUPS);

	if (rng_below(&m->r, 50) == 0) {
		cache_flush(m->c, m->now_ms);
		m->flushes++;
	} else {
		cache_invalidate_group(m->c, group);
		m->groups[group]++;
	}
}

static void step(struct model *m)
{
	size_t row = rng_below(&m->r, KEYS);
	struct fill *f = &m->fills[rng_below(&m->r, FILLS)];
	uint64_t dice = rng_below(&m->r, 100);

	if (dice < 40)
		get(m, row);
	else if (dice < 44)
		change(m, row);
	else if (dice < 48)
		tell(m, row);
	else if (dice < 70)
		begin(m, row);
	else if (dice < 80)
		read_row(m, f);
	else if (dice < 96)
		end(m, f);
	else if (dice < 99)
		m->now_ms += (int64_t)rng_below(&m->r, 20);
	else if (rng_below(&m->r, 10) == 0)
		rarely(m);
}

static void play(size_t bytes, bool has_room)
{
	struct model *m = NEW(struct model);

	m->r = test_seed();
	m->c = kit_trusted_cache(bytes);
	m->has_room = has_room;
	for (size_t i = 0; i < KEYS; i++)
		m->rows[i].version = 1;
	for (int i = 0; i < STEPS; i++) {
		step(m);
		if (i % 1000 == 0)
			assert_in_range(kit_stats(m->c).bytes, 1, bytes);
	}
	assert_true(m->hits > STEPS / 100);
	assert_true(has_room || kit_stats(m->c).evictions > 0);
	for (size_t i = 0; i < FILLS; i++)
		if (m->fills[i].open)
			cache_abandon(&m->fills[i].fill);
	cache_destroy(&m->c);
	free(m);
}

static void with_room_it_answers_as_a_map_does(void **state)
{
	(void)state;
	play(KIT_BYTES, true);
}

static void without_room_it_knows_less_but_nothing_else(void **state)
{
	(void)state;
	play(64 << 10, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_room_it_answers_as_a_map_does),
		cmocka_unit_test(without_room_it_knows_less_but_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
