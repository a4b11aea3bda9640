/*
 * Memory with one lifetime: everything of a request is allocated from its arena and goes with it.
 *
 * Nothing from an arena is freed by hand. Built with -Darena_emulation=true (the sanitizer builds are) every
 * allocation is a malloc of its own, so that AddressSanitizer sees an overrun.
 */
#ifndef TENFOLD_BASE_ARENA_H
#define TENFOLD_BASE_ARENA_H

#include "base/str.h"

struct arena;

struct arena *arena_new(size_t max_bytes); /* never NULL; aborts when the machine has no memory */
void arena_reset(struct arena *a);         /* forgets everything, keeps one block */
void arena_destroy(struct arena **a);

/* Zeroed, aligned for any type. Past the bound: NULL, and arena_overflowed() stays true. */
void *arena_alloc(struct arena *a, size_t bytes);
void *arena_array(struct arena *a, size_t count, size_t each); /* overflow-checked */
bool arena_overflowed(const struct arena *a);
size_t arena_used(const struct arena *a); /* bytes handed out */

struct str arena_str(struct arena *a, struct str s);  /* a copy, terminated as well */
struct str arena_kept(struct arena *a, struct str s); /* the same, but NULL stays NULL */
char *arena_z(struct arena *a, struct str s);
struct str arena_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(a, type)          ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_array((a), (count), sizeof(type)))

#endif
