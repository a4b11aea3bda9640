/*
 * Invariants: no block is empty; ids ascend within a block and from block to block; a place's `first` is the first
 * id of its block, so that finding the block reads the table alone.
 */
#include "work/idmap.h"

#include <string.h>

enum { BLOCK_MAX = 128, BLOCK_FIRST = 4 };

/* `cap` ids, and behind them, in a valued map, `cap` pointers. */
struct idmap_block {
	uint32_t n, cap;
	int64_t ids[];
};

struct idmap_place {
	int64_t first;
	struct idmap_block *block;
};

/* ---- finding ---- */

/* The last block that begins at or below the id; the first one when all begin above it. */
static size_t find_block(const struct idmap *m, int64_t id)
{
	const struct idmap_place *base = m->blocks.v;
	size_t n = m->blocks.n;

	while (n > 1) {
		size_t half = n / 2;

		base = base[half].first <= id ? base + half : base;
		n -= half;
	}
	return (size_t)(base - m->blocks.v);
}

/* How many ids of the block are below this one. */
static size_t count_below(const struct idmap_block *b, int64_t id)
{
	const int64_t *base = b->ids;
	size_t n = b->n;

	while (n > 1) {
		size_t half = n / 2;

		base = base[half - 1] < id ? base + half : base;
		n -= half;
	}
	return (size_t)(base - b->ids) + (n == 1 && *base < id);
}

/* Where the id is, or where it would go: mostly behind all others. */
static bool locate(const struct idmap *m, int64_t id, size_t *block, size_t *i)
{
	const struct idmap_block *b;

	*block = *i = 0;
	if (m->blocks.n == 0)
		return false;
	*block = m->blocks.n - 1;
	b = m->blocks.v[*block].block;
	*i = b->n;
	if (b->ids[b->n - 1] < id)
		return false;
	*block = find_block(m, id);
	b = m->blocks.v[*block].block;
	*i = count_below(b, id);
	return *i < b->n && b->ids[*i] == id;
}

static void **values_of(struct idmap_block *b)
{
	return (void **)(void *)(b->ids + b->cap);
}

/* ---- blocks ---- */

static size_t block_bytes(const struct idmap *m, size_t cap)
{
	return sizeof(struct idmap_block) + cap * (sizeof(int64_t) + (m->valued ? sizeof(void *) : 0));
}

static struct idmap_block *new_block(struct idmap *m, size_t cap)
{
	struct idmap_block *b = must_realloc(NULL, block_bytes(m, cap));

	b->n = 0;
	b->cap = (uint32_t)cap;
	m->block_bytes += block_bytes(m, cap);
	return b;
}

static void free_block(struct idmap *m, struct idmap_block *b)
{
	m->block_bytes -= block_bytes(m, b->cap);
	free(b);
}

/* Moves n entries, between blocks or within one. */
static void move(const struct idmap *m, struct idmap_block *to, size_t at, struct idmap_block *from, size_t i,
		 size_t n)
{
	memmove(to->ids + at, from->ids + i, n * sizeof(to->ids[0]));
	if (m->valued)
		memmove(values_of(to) + at, values_of(from) + i, n * sizeof(void *));
}

static struct idmap_block *insert_block(struct idmap *m, size_t at, int64_t first, size_t cap)
{
	struct idmap_place *p;

	(void)VEC_PUSH(&m->blocks);
	p = &m->blocks.v[at];
	memmove(p + 1, p, (m->blocks.n - 1 - at) * sizeof(*p));
	*p = (struct idmap_place){first, new_block(m, cap)};
	return p->block;
}

static void remove_block(struct idmap *m, size_t at)
{
	struct idmap_place *p = &m->blocks.v[at];

	free_block(m, p->block);
	m->blocks.n--;
	memmove(p, p + 1, (m->blocks.n - at) * sizeof(*p));
}

static struct idmap_block *enlarge(struct idmap *m, size_t at, size_t cap)
{
	struct idmap_block *b = m->blocks.v[at].block, *larger;

	if (b->cap >= cap)
		return b;
	larger = new_block(m, cap);
	larger->n = b->n;
	move(m, larger, 0, b, 0, b->n);
	free_block(m, b);
	return m->blocks.v[at].block = larger;
}

/* The last n entries of a block become the first of the next one. */
static void shift_up(struct idmap *m, size_t at, size_t n)
{
	struct idmap_block *b = m->blocks.v[at].block, *next = m->blocks.v[at + 1].block;

	if (next->cap < next->n + n)
		next = enlarge(m, at + 1, BLOCK_MAX);
	move(m, next, n, next, 0, next->n);
	b->n -= (uint32_t)n;
	move(m, next, 0, b, b->n, n);
	next->n += (uint32_t)n;
	m->blocks.v[at + 1].first = next->ids[0];
}

/* Makes room in a full block: an eighth of it goes to the next one, or into a new one when that is full. So blocks
 * stay full where ids come nearly in order, as those of one millisecond do. */
static void make_room(struct idmap *m, size_t at)
{
	const struct idmap_block *b = m->blocks.v[at].block;
	size_t n = b->n / 8;

	if (at + 1 == m->blocks.n || m->blocks.v[at + 1].block->n + n > BLOCK_MAX)
		insert_block(m, at + 1, b->ids[b->n - n], BLOCK_MAX);
	shift_up(m, at, n);
}

/* Two neighbours that together fill less than half a block become one, so that removals give memory back. */
static void merge(struct idmap *m, size_t at)
{
	struct idmap_block *b, *next;

	if (at + 1 >= m->blocks.n)
		return;
	next = m->blocks.v[at + 1].block;
	if (m->blocks.v[at].block->n + next->n > BLOCK_MAX / 2)
		return;
	b = enlarge(m, at, BLOCK_MAX / 2);
	move(m, b, b->n, next, 0, next->n);
	b->n += next->n;
	remove_block(m, at + 1);
}

/* ---- adding and removing ---- */

static void insert(struct idmap *m, size_t at, size_t i, int64_t id, void *value)
{
	struct idmap_block *b = m->blocks.v[at].block;

	if (b->n == b->cap)
		b = enlarge(m, at, b->cap * 2);
	move(m, b, i + 1, b, i, b->n - i);
	b->ids[i] = id;
	if (m->valued)
		values_of(b)[i] = value;
	b->n++;
	m->blocks.v[at].first = b->ids[0];
}

static void insert_into_full(struct idmap *m, size_t at, size_t i, int64_t id, void *value)
{
	if (i == BLOCK_MAX && at == m->blocks.n - 1) { /* above all others: leave full blocks behind */
		insert_block(m, at + 1, id, BLOCK_FIRST);
		insert(m, at + 1, 0, id, value);
		return;
	}
	make_room(m, at);
	locate(m, id, &at, &i);
	insert(m, at, i, id, value);
}

bool idmap_add(struct idmap *m, int64_t id, void *value)
{
	size_t at, i;

	if (locate(m, id, &at, &i))
		return false;
	m->count++;
	if (m->blocks.n == 0)
		insert_block(m, 0, id, BLOCK_FIRST);
	if (m->blocks.v[at].block->n < BLOCK_MAX)
		insert(m, at, i, id, value);
	else
		insert_into_full(m, at, i, id, value);
	return true;
}

bool idmap_remove(struct idmap *m, int64_t id)
{
	size_t at, i;
	struct idmap_block *b;

	if (!locate(m, id, &at, &i))
		return false;
	b = m->blocks.v[at].block;
	m->count--;
	b->n--;
	move(m, b, i, b, i + 1, b->n - i);
	if (b->n == 0) {
		remove_block(m, at);
		return true;
	}
	m->blocks.v[at].first = b->ids[0];
	merge(m, at);
	if (at > 0)
		merge(m, at - 1);
	return true;
}

bool idmap_has(const struct idmap *m, int64_t id)
{
	size_t at, i;

	return locate(m, id, &at, &i);
}

void *idmap_get(const struct idmap *m, int64_t id)
{
	size_t at, i;

	return locate(m, id, &at, &i) ? values_of(m->blocks.v[at].block)[i] : NULL;
}

int64_t idmap_first(const struct idmap *m)
{
	return m->count ? m->blocks.v[0].first : 0;
}

size_t idmap_bytes(const struct idmap *m)
{
	return m->block_bytes + m->blocks.cap * sizeof(m->blocks.v[0]);
}

void idmap_free(struct idmap *m)
{
	for (size_t i = 0; i < m->blocks.n; i++)
		free(m->blocks.v[i].block);
	VEC_FREE(&m->blocks);
	m->count = m->block_bytes = 0;
}

/* ---- reading in order ---- */

struct idmap_cursor idmap_below(const struct idmap *m, int64_t id)
{
	struct idmap_cursor c = {.id = id};

	locate(m, id, &c.block, &c.i);
	return c;
}

bool idmap_next_down(const struct idmap *m, struct idmap_cursor *c)
{
	struct idmap_block *b;

	if (c->i == 0) {
		if (c->block == 0)
			return false;
		c->block--;
		c->i = m->blocks.v[c->block].block->n;
	}
	b = m->blocks.v[c->block].block;
	c->i--;
	c->id = b->ids[c->i];
	c->value = m->valued ? values_of(b)[c->i] : NULL;
	return true;
}
