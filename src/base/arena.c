/*
 * An arena is a chain of blocks, newest first; the newest one is filled from its start and never looked back at.
 *
 * The bound counts what callers asked for (objects rounded up to the alignment of any type, text as it is), not
 * what the blocks take, so that a limit means the same in every build. Blocks double from BLOCK_FIRST up to
 * BLOCK_LARGEST; a larger request gets a block of its own size. Resetting keeps the oldest block, which is small:
 * one big request must not leave each idle connection holding its memory.
 *
 * Emulation (see arena.h) is the same code with blocks of exactly one allocation.
 */
#include "base/arena.h"

#include "base/magic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ALIGN = _Alignof(max_align_t), BLOCK_FIRST = 8 << 10, BLOCK_LARGEST = 256 << 10 };

struct block {
	struct block *older;
	size_t size, used;
	_Alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *newest;
	size_t max_bytes, used;
	bool overflowed;
};

struct arena *arena_new(size_t max_bytes)
{
	struct arena *a = NEW(struct arena);

	a->max_bytes = max_bytes;
	return a;
}

static void drop_newest(struct arena *a)
{
	struct block *b = a->newest;

	a->newest = b->older;
	free(b);
}

void arena_reset(struct arena *a)
{
	while (a->newest && a->newest->older)
		drop_newest(a);
	if (a->newest)
		a->newest->used = 0;
#ifdef ARENA_EMULATION
	/* A kept block would hide the use of memory from before the reset. */
	if (a->newest)
		drop_newest(a);
#endif
	a->used = 0;
	a->overflowed = false;
}

void arena_destroy(struct arena **a)
{
	if (!*a)
		return;
	while ((*a)->newest)
		drop_newest(*a);
	free(*a);
	*a = NULL;
}

static size_t block_size(const struct arena *a, size_t bytes)
{
#ifdef ARENA_EMULATION
	(void)a;
	return bytes;
#else
	size_t size = a->newest ? a->newest->size * 2 : BLOCK_FIRST;

	if (size > BLOCK_LARGEST)
		size = BLOCK_LARGEST;
	return bytes > size ? bytes : size;
#endif
}

static void add_block(struct arena *a, size_t bytes)
{
	size_t size = block_size(a, bytes);
	struct block *b = must_realloc(NULL, sizeof(*b) + size);

	b->older = a->newest;
	b->size = size;
	b->used = 0;
	a->newest = b;
}

static bool fits(const struct block *b, size_t start, size_t bytes)
{
#ifdef ARENA_EMULATION
	(void)b, (void)start, (void)bytes;
	return false;
#else
	return b && start <= b->size && bytes <= b->size - start;
#endif
}

static size_t aligned(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* Not zeroed. Counts `charged` bytes against the bound, hands out `bytes` of them. */
static void *grab(struct arena *a, size_t bytes, size_t charged, size_t align)
{
	size_t start;
	struct block *b;

	/* Rounding up to `charged` may have wrapped around. */
	if (a->overflowed || bytes > charged || charged > a->max_bytes - a->used) {
		a->overflowed = true;
		return NULL;
	}
	start = a->newest ? aligned(a->newest->used, align) : 0;
	if (!fits(a->newest, start, bytes)) {
		add_block(a, bytes);
		start = 0;
	}
	b = a->newest;
	b->used = start + bytes;
	a->used += charged;
	return b->bytes + start;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
	void *p = grab(a, bytes, aligned(bytes ? bytes : 1, ALIGN), ALIGN);

	return p ? memset(p, 0, bytes) : NULL;
}

void *arena_array(struct arena *a, size_t count, size_t each)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, each, &bytes))
		bytes = SIZE_MAX; /* no bound is that high, so it overflows there */
	return arena_alloc(a, bytes);
}

bool arena_overflowed(const struct arena *a)
{
	return a->overflowed;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

char *arena_z(struct arena *a, struct str s)
{
	char *z = grab(a, s.n + 1, s.n + 1, 1);

	if (!z)
		return NULL;
	if (s.n)
		memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	return z;
}

struct str arena_str(struct arena *a, struct str s)
{
	char *z = arena_z(a, s);

	return z ? (struct str){z, s.n} : (struct str){0};
}

struct str arena_kept(struct arena *a, struct str s)
{
	return s.p ? arena_str(a, s) : s;
}

struct str arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list args;
	int n;
	char *z;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	CHECK(n >= 0);
	z = grab(a, (size_t)n + 1, (size_t)n + 1, 1);
	if (!z)
		return (struct str){0};
	va_start(args, fmt);
	vsnprintf(z, (size_t)n + 1, fmt, args);
	va_end(args);
	return (struct str){z, (size_t)n};
}
