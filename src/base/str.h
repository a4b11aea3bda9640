/*
 * A piece of text that somebody else owns: pointer and length, not terminated.
 * The only place, with base/buf.h, where raw string and number parsing happens.
 */
#ifndef TENFOLD_BASE_STR_H
#define TENFOLD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char *p; /* NULL only when n is 0 */
	size_t n;
};

/* A string literal as a struct str. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* For printf: printf("%.*s", STRF(s)). */
#define STRF(s) (int)(s).n, (s).p

struct str str_of(const char *z); /* NULL gives the empty text */
bool str_eq(struct str a, struct str b);
bool str_eqz(struct str a, const char *z);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
int str_cmp(struct str a, struct str b);        /* bytewise */
bool str_starts(struct str s, struct str prefix);
struct str str_trim(struct str s); /* spaces, tabs, CR, LF at both ends */

/* Splits at the first occurrence of c: returns what is before it and leaves what follows in *rest.
 * Without c: returns all, *rest becomes empty with p == NULL. */
struct str str_cut(struct str s, char c, struct str *rest);

/* Whole text must be the number; no sign '+', no spaces. */
bool str_to_i64(struct str s, int64_t *out);
bool str_to_f64(struct str s, double *out);

/* Durations as people write them: "250ms", "30s", "5m", "2h", "1d", or a bare number of milliseconds. */
bool str_to_ms(struct str s, int64_t *out_ms);

bool str_is_utf8(struct str s);
size_t str_utf8_step(struct str s); /* bytes of the character that s begins with; 0 when it is not well-formed */
struct str str_clip(struct str s, size_t characters); /* the first so many; a byte that is no UTF-8 counts as one */
size_t str_utf8_put(uint32_t c, char *out);           /* writes the code point, 1 to 4 bytes; returns how many */
/* The code point of the escape \uXXXX that s begins with, or of two that are a pair; half a pair is given as it is.
 * -1: four hexadecimal digits do not stand there. *bytes: how many of s it takes, 6 or 12. */
int32_t str_unicode_escape(struct str s, size_t *bytes);
bool str_is_surrogate(int32_t c); /* half a pair: no character */

uint64_t str_hash(struct str s);                     /* xxh3, 64 bits */
uint64_t str_hash_seed(struct str s, uint64_t seed); /* likewise, chained */

/* Edit distance up to limit; limit + 1 when it is more. For "did you mean". */
unsigned str_distance(struct str a, struct str b, unsigned limit);

#endif
