/* Changes to a document of bytes. */
#include "mutant.h"

#include <string.h>

static const char *const pieces[] = {
	"{",        "}",
	"[",        "]",
	",",        ":",
	"\"",       "\\",
	"0",        "-",
	"1e5",      ".",
	"\\u0000",  "\\ud83d",
	"\\ude00",  "\\u00e9",
	"\n",       " ",
	"\x01",     "\x7f",
	"\xc3",     "\xa9",
	"\xed\xa0", "\xf4\x90",
	"true",     "null",
	"\"a\"",    "\"a\":1,",
	"00",       "\"\\u0061\":2,",
	"e",        "\\",
	"E+",       "\xef\xbb\xbf",
	"//",       "\t",
	"{}",       "[]",
	"\x80",     "\xf0\x9f\x98\x80",
};

static void put_piece(struct mutant *m, size_t at, size_t removed, const char *piece, size_t n)
{
	if (m->n - removed + n > sizeof(m->bytes))
		return;
	memmove(m->bytes + at + n, m->bytes + at + removed, m->n - at - removed);
	memcpy(m->bytes + at, piece, n);
	m->n += n - removed;
}

void mutant_change(struct mutant *m, struct rng *r)
{
	size_t at = (size_t)rng_below(r, m->n + 1), left = m->n - at;
	const char *piece = pieces[rng_below(r, sizeof(pieces) / sizeof(pieces[0]))];
	char byte = (char)rng_u64(r);

	switch (rng_below(r, 4)) {
	case 0:
		put_piece(m, at, 0, piece, strlen(piece));
		break;
	case 1:
		put_piece(m, at, left ? 1 : 0, piece, strlen(piece));
		break;
	case 2:
		put_piece(m, at, left ? (size_t)rng_below(r, left < 4 ? left : 4) + 1 : 0, "", 0);
		break;
	default:
		put_piece(m, at, left ? 1 : 0, &byte, 1);
		break;
	}
}
