/*
 * Text cut into words. "kubernetes-mcp-server", "readFile" and "node.js" are compounds: their parts come first,
 * then the whole with the joints left out, so that "readfile", "read-file" and "read_file" find each other.
 *
 * Every text gives an answer: what is not UTF-8 separates words, what is longer than a term may be is cut.
 */
#ifndef TENFOLD_SEARCH_TOKENS_PRIV_H
#define TENFOLD_SEARCH_TOKENS_PRIV_H

#include "base/str.h"
#include "base/vec.h"

enum { TERM_BYTES_MAX = 64, COMPOUND_PARTS_MAX = 8 };

enum token_kind {
	TOKEN_WORD,   /* stands alone */
	TOKEN_PART,   /* of the compound whose TOKEN_WHOLE follows the last part */
	TOKEN_WHOLE,  /* a compound without its joints */
	TOKEN_INNER,  /* the letters of "python3": found by, but never asked for */
	TOKEN_PAIR,   /* two neighbours of a script without spaces */
	TOKEN_SINGLE, /* each of such neighbours: found by, but never asked for */
};

struct token {
	uint32_t at; /* in bytes */
	uint8_t n;   /* 1 to TERM_BYTES_MAX */
	uint8_t kind;
	uint8_t parts; /* of a whole: how many tokens before it are its parts */
};

/* The owner keeps it for many texts, so that its memory is allocated once. Zero is empty. */
struct tokens {
	VEC(struct token) list;
	VEC(char) bytes; /* folded text */
};

void tokens_split(struct tokens *t, struct str text); /* forgets what was there */
void tokens_free(struct tokens *t);

static inline struct str token_text(const struct tokens *t, const struct token *token)
{
	return (struct str){t->bytes.v + token->at, token->n};
}

/* Counts towards the length of its field: each place of the text once. */
static inline bool token_is_place(const struct token *token)
{
	return token->kind == TOKEN_WORD || token->kind == TOKEN_PART || token->kind == TOKEN_PAIR;
}

/* All words of one line run together, which is what an exact name is compared by. False when that is longer than a
 * term may be, or empty. */
bool tokens_joined(const struct tokens *t, char out[TERM_BYTES_MAX], size_t *n);

#endif
