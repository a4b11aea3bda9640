/*
 * Chunks in a chain, newest first; those that are given back rest in the stock by size. A piece larger than the
 * largest chunk has one of its own, which goes back to the machine.
 */
#include "sim/memory.h"

#include "base/magic.h"

#include <string.h>

enum { ALIGN = 8 };

struct memory_chunk {
	struct memory_chunk *older;
	size_t size, used;
	unsigned kind;  /* MEMORY_SIZES: of its own size */
	unsigned place; /* in its chain, from 1 */
	_Alignas(max_align_t) char bytes[];
};

static size_t size_of_kind(unsigned kind)
{
	return ((size_t)MEMORY_FIRST << 2 * kind) - sizeof(struct memory_chunk);
}

static struct memory_chunk *new_chunk(struct memory_stock *s, unsigned kind, size_t size)
{
	struct memory_chunk *c = kind < MEMORY_SIZES ? s->resting[kind] : NULL;

	if (c) {
		s->resting[kind] = c->older;
		return c;
	}
	c = must_realloc(NULL, sizeof(*c) + size);
	c->size = size;
	c->kind = kind;
	s->bytes += sizeof(*c) + size;
	return c;
}

static void drop_chunk(struct memory_stock *s, struct memory_chunk *c)
{
	if (c->kind < MEMORY_SIZES) {
		c->older = s->resting[c->kind];
		s->resting[c->kind] = c;
		return;
	}
	s->bytes -= sizeof(*c) + c->size;
	free(c);
}

void memory_stock_free(struct memory_stock *s)
{
	for (unsigned kind = 0; kind < MEMORY_SIZES; kind++)
		while (s->resting[kind]) {
			struct memory_chunk *c = s->resting[kind];

			s->resting[kind] = c->older;
			s->bytes -= sizeof(*c) + c->size;
			free(c);
		}
	CHECK(s->bytes == 0);
}

static unsigned kind_for(const struct memory *m, size_t bytes)
{
	unsigned kind = m->newest ? m->newest->place : 0;

#ifdef ARENA_EMULATION
	return MEMORY_SIZES;
#endif
	if (kind >= MEMORY_SIZES)
		kind = MEMORY_SIZES - 1;
	while (kind < MEMORY_SIZES && size_of_kind(kind) < bytes)
		kind++;
	return kind;
}

static struct memory_chunk *add_chunk(struct memory *m, size_t bytes)
{
	unsigned kind = kind_for(m, bytes);
	struct memory_chunk *c = new_chunk(m->stock, kind, kind < MEMORY_SIZES ? size_of_kind(kind) : bytes);

	c->used = 0;
	c->place = m->newest ? m->newest->place + 1 : 1;
	c->older = m->newest;
	m->newest = c;
	return c;
}

void *memory_take(struct memory *m, size_t bytes)
{
	size_t rounded = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	struct memory_chunk *c = m->newest;
	char *at;

	if (m->overflowed || rounded < bytes || rounded > m->max - m->used) {
		m->overflowed = true;
		return NULL;
	}
	if (!c || rounded > c->size - c->used)
		c = add_chunk(m, rounded);
	at = c->bytes + c->used;
	c->used += rounded;
	m->used += rounded;
	return at;
}

struct str memory_str(struct memory *m, struct str s)
{
	char *at = s.n ? memory_take(m, s.n) : NULL;

	if (!at)
		return (struct str){0};
	memcpy(at, s.p, s.n);
	return (struct str){at, s.n};
}

struct memory_mark memory_mark(const struct memory *m)
{
	return (struct memory_mark){m->newest, m->newest ? m->newest->used : 0, m->used};
}

void memory_back_to(struct memory *m, struct memory_mark mark)
{
	while (m->newest != mark.newest) {
		struct memory_chunk *c = m->newest;

		m->newest = c->older;
		drop_chunk(m->stock, c);
	}
	if (m->newest)
		m->newest->used = mark.at;
	m->used = mark.used;
}

void memory_clear(struct memory *m)
{
	memory_back_to(m, (struct memory_mark){0});
	m->overflowed = false;
}
