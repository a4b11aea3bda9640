/*
 * Secrets that say who calls, or let somebody do one thing: 256 random bits behind a prefix that tells what it is, so
 * that one is never taken for another. Only the BLAKE2b-256 hash of the whole text is kept: whoever reads the store
 * learns none, and there is nothing to be signed, or to be forged.
 */
#ifndef TENFOLD_ACCESS_TOKEN_H
#define TENFOLD_ACCESS_TOKEN_H

#include "base/str.h"

enum { TOKEN_HASH_BYTES = 32, TOKEN_TEXT = 56 /* a prefix of 3, 52 characters, NUL */ };

enum token_kind {
	TOKEN_KEY,        /* tf_  an API key */
	TOKEN_ACCESS,     /* ta_  a key of a session of a person, for minutes */
	TOKEN_REFRESH,    /* tr_  gets the next two, once */
	TOKEN_TICKET,     /* tt_  opens one stream, once */
	TOKEN_INVITATION, /* ti_  lets one person in, once */
	TOKEN_RESET,      /* tp_  sets one password, once */
	TOKEN_KINDS
};

void token_new(enum token_kind kind, char text[TOKEN_TEXT]);
void token_hash(struct str text, unsigned char hash[TOKEN_HASH_BYTES]);

/* By its prefix alone; TOKEN_KINDS: none of them. */
enum token_kind token_kind_of(struct str text);
/* Such as "a refresh token"; for TOKEN_KINDS "no token". */
const char *token_kind_name(enum token_kind kind);

#endif
