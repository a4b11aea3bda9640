/*
 * What a character is to the tokenizer and what it folds to. The table (unicode.def) is made by tools/unicodegen.py
 * from Python's unicodedata, which is where the rules stand.
 */
#ifndef TENFOLD_SEARCH_UNICODE_PRIV_H
#define TENFOLD_SEARCH_UNICODE_PRIV_H

#include <stddef.h>
#include <stdint.h>

enum char_kind {
	CHAR_BETWEEN, /* separates words */
	CHAR_DROPPED, /* as if it were not there: a diacritic, a soft hyphen */
	CHAR_LOWER,   /* a letter; also a vowel sign that no word can do without */
	CHAR_UPPER,   /* a letter where a part of a camelCase word may begin */
	CHAR_DIGIT,
	CHAR_PAIRED, /* of a script without spaces between words */
	CHAR_SYMBOL  /* a word of its own: an emoji */
};

enum { FOLD_BYTES_MAX = 16 };

enum char_kind unicode_kind(uint32_t c);
size_t unicode_fold(uint32_t c, char out[FOLD_BYTES_MAX]); /* UTF-8; returns its bytes, at least 1 */

#endif
