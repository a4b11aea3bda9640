/*
 * Invariants: no block is empty; ids ascend within a block and from block to block; a place's `first` is the first
 * id of its block, so that finding the block reads the table alone.
 */
#include "work/idset.h"

#include <string.h>

enum { BLOCK_MAX = 128, BLOCK_FIRST = 4 };

struct idset_block {
	uint32_t n, cap;
	int64_t ids[];
};

struct idset_place {
	int64_t first;
	struct idset_block *block;
};

static size_t block_bytes(size_t cap)
{
	return sizeof(struct idset_block) + cap * sizeof(int64_t);
}

/* The last block that begins at or below the id; the first one when all begin above it. */
static size_t find_block(const struct idset *s, int64_t id)
{
	size_t low = 0, high = s->blocks.n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (s->blocks.v[middle].first <= id)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* How many ids of the block are below this one. */
static size_t count_below(const struct idset_block *b, int64_t id)
{
	size_t low = 0, high = b->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (b->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Where the id is, or where it would go. */
static bool locate(const struct idset *s, int64_t id, size_t *block, size_t *i)
{
	const struct idset_block *b;

	*block = *i = 0;
	if (s->blocks.n == 0)
		return false;
	*block = find_block(s, id);
	b = s->blocks.v[*block].block;
	*i = count_below(b, id);
	return *i < b->n && b->ids[*i] == id;
}

static struct idset_block *grow(struct idset *s, struct idset_block *b, size_t cap)
{
	s->block_bytes += block_bytes(cap) - (b ? block_bytes(b->cap) : 0);
	if (!b) {
		b = must_realloc(NULL, block_bytes(cap));
		b->n = 0;
	} else {
		b = must_realloc(b, block_bytes(cap));
	}
	b->cap = (uint32_t)cap;
	return b;
}

static struct idset_block *insert_block(struct idset *s, size_t at, int64_t first, size_t cap)
{
	struct idset_place *p;

	(void)VEC_PUSH(&s->blocks);
	p = &s->blocks.v[at];
	memmove(p + 1, p, (s->blocks.n - 1 - at) * sizeof(*p));
	*p = (struct idset_place){first, grow(s, NULL, cap)};
	return p->block;
}

static void remove_block(struct idset *s, size_t at)
{
	struct idset_place *p = &s->blocks.v[at];

	s->block_bytes -= block_bytes(p->block->cap);
	free(p->block);
	s->blocks.n--;
	memmove(p, p + 1, (s->blocks.n - at) * sizeof(*p));
}

/* The upper half of a full block moves into a new one. */
static void split(struct idset *s, size_t at)
{
	struct idset_block *b = s->blocks.v[at].block, *upper;
	size_t half = b->n / 2;

	upper = insert_block(s, at + 1, b->ids[half], b->cap);
	upper->n = (uint32_t)(b->n - half);
	memcpy(upper->ids, b->ids + half, upper->n * sizeof(b->ids[0]));
	b->n = (uint32_t)half;
}

static void insert(struct idset *s, size_t at, size_t i, int64_t id)
{
	struct idset_place *p = &s->blocks.v[at];
	struct idset_block *b = p->block;

	if (b->n == b->cap)
		p->block = b = grow(s, b, b->cap * 2);
	memmove(&b->ids[i + 1], &b->ids[i], (b->n - i) * sizeof(b->ids[0]));
	b->ids[i] = id;
	b->n++;
	p->first = b->ids[0];
}

static void insert_into_full(struct idset *s, size_t at, size_t i, int64_t id)
{
	if (i == BLOCK_MAX && at == s->blocks.n - 1) { /* above all others: leave full blocks behind */
		insert_block(s, at + 1, id, BLOCK_FIRST);
		insert(s, at + 1, 0, id);
		return;
	}
	split(s, at);
	locate(s, id, &at, &i);
	insert(s, at, i, id);
}

bool idset_add(struct idset *s, int64_t id)
{
	size_t at, i;

	if (locate(s, id, &at, &i))
		return false;
	s->count++;
	if (s->blocks.n == 0)
		insert_block(s, 0, id, BLOCK_FIRST);
	if (s->blocks.v[at].block->n < BLOCK_MAX)
		insert(s, at, i, id);
	else
		insert_into_full(s, at, i, id);
	return true;
}

/* Two neighbours that together fill less than half a block become one, so that removals give memory back. */
static void merge(struct idset *s, size_t at)
{
	struct idset_block *b, *next;

	if (at + 1 >= s->blocks.n)
		return;
	b = s->blocks.v[at].block;
	next = s->blocks.v[at + 1].block;
	if (b->n + next->n > BLOCK_MAX / 2)
		return;
	if (b->cap < b->n + next->n)
		s->blocks.v[at].block = b = grow(s, b, BLOCK_MAX / 2);
	memcpy(b->ids + b->n, next->ids, next->n * sizeof(b->ids[0]));
	b->n += next->n;
	remove_block(s, at + 1);
}

bool idset_remove(struct idset *s, int64_t id)
{
	size_t at, i;
	struct idset_block *b;

	if (!locate(s, id, &at, &i))
		return false;
	b = s->blocks.v[at].block;
	b->n--;
	s->count--;
	memmove(&b->ids[i], &b->ids[i + 1], (b->n - i) * sizeof(b->ids[0]));
	if (b->n == 0) {
		remove_block(s, at);
		return true;
	}
	s->blocks.v[at].first = b->ids[0];
	merge(s, at);
	if (at > 0)
		merge(s, at - 1);
	return true;
}

bool idset_has(const struct idset *s, int64_t id)
{
	size_t at, i;

	return locate(s, id, &at, &i);
}

int64_t idset_first(const struct idset *s)
{
	return s->count ? s->blocks.v[0].first : 0;
}

void idset_free(struct idset *s)
{
	for (size_t i = 0; i < s->blocks.n; i++)
		free(s->blocks.v[i].block);
	VEC_FREE(&s->blocks);
	s->count = s->block_bytes = 0;
}

size_t idset_bytes(const struct idset *s)
{
	return s->block_bytes + s->blocks.cap * sizeof(s->blocks.v[0]);
}

struct idset_cursor idset_below(const struct idset *s, int64_t id)
{
	struct idset_cursor c;

	locate(s, id, &c.block, &c.i);
	return c;
}

bool idset_next_down(const struct idset *s, struct idset_cursor *c, int64_t *out)
{
	if (c->i == 0) {
		if (c->block == 0)
			return false;
		c->block--;
		c->i = s->blocks.v[c->block].block->n;
	}
	*out = s->blocks.v[c->block].block->ids[--c->i];
	return true;
}
