/*
 * Text being built, with a sticky error: append freely, check once at the end.
 *
 * A buffer past its bound or out of memory stops growing and stays failed; what was appended after that is lost
 * and buf_ok() is false. Owner: whoever declared it; buf_free() releases the memory, buf_reset() keeps it.
 */
#ifndef TENFOLD_BASE_BUF_H
#define TENFOLD_BASE_BUF_H

#include "base/str.h"

struct buf {
	char *p; /* always terminated when n > 0 or after any append */
	size_t n, cap;
	size_t max; /* bytes; 0 means 64 MiB */
	bool failed;
};

#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_reset(struct buf *b);
void buf_free(struct buf *b);
bool buf_ok(const struct buf *b);
struct str buf_str(const struct buf *b);
const char *buf_cstr(struct buf *b); /* "" when nothing was added */

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_str_add(struct buf *b, struct str s);
void buf_z(struct buf *b, const char *z);
void buf_c(struct buf *b, char c);
void buf_i64(struct buf *b, int64_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for n bytes at the end, not yet counted; NULL when failed. buf_took() counts what was written there. */
char *buf_room(struct buf *b, size_t n);
void buf_took(struct buf *b, size_t n);

/* Text as a JSON string, with quotes; each byte that is not UTF-8 becomes U+FFFD. */
void buf_json_text(struct buf *b, struct str s);

/* As one word for a shell: quoted only when it must be. Text with a NUL byte is no word and fails the buffer. */
void buf_shell_word(struct buf *b, struct str s);

/* Little-endian varints (LEB128 in its shortest form, zig-zag for signed) for our compact columns. */
void buf_varint(struct buf *b, uint64_t v);
void buf_svarint(struct buf *b, int64_t v);
void buf_lenstr(struct buf *b, struct str s); /* varint length, then the bytes */

/* Reads back; each returns false, and leaves *s, when the bytes do not hold one. */
bool take_varint(struct str *s, uint64_t *out);
bool take_svarint(struct str *s, int64_t *out);
bool take_lenstr(struct str *s, struct str *out);

#endif
