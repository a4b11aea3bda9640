/*
 * Checked casts: an object starts with `unsigned magic`, and a void * that comes back is checked against it.
 * These checks and all asserts stay on in release builds.
 */
#ifndef TENFOLD_BASE_MAGIC_H
#define TENFOLD_BASE_MAGIC_H

#include <stddef.h>
#include <stdlib.h>

/* "Cannot happen": prints where and aborts. Unlike assert() it has no off switch. */
_Noreturn void check_failed(const char *what, const char *file, int line);
#define CHECK(condition)         ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))
#define CHECK_OBJ(object, MAGIC) CHECK((object) != NULL && (object)->magic == (MAGIC))
#define UNREACHABLE()            check_failed("unreachable", __FILE__, __LINE__)

/* Memory that must be there: zeroed, aborts when the machine has none. */
void *must_alloc(size_t bytes);
void *must_realloc(void *p, size_t bytes);

#define NEW(type) ((type *)must_alloc(sizeof(type)))

/* The object of `type` whose `member` is at `pointer`. */
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
