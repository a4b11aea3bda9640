/*
 * Any bytes as text: each token is a term that may be one, lies in the text, and a whole is made of its parts.
 */
#include "base/magic.h"
#include "search/tokens_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_whole(const struct tokens *t, size_t at)
{
	const struct token *whole = &t->list.v[at];
	size_t bytes = 0;

	CHECK(whole->parts <= at);
	for (size_t i = at - whole->parts; i < at; i++) {
		CHECK(t->list.v[i].kind == TOKEN_PART || t->list.v[i].kind == TOKEN_INNER);
		bytes += t->list.v[i].kind == TOKEN_PART ? t->list.v[i].n : 0;
	}
	CHECK(bytes == whole->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tokens t = {0};
	char joined[TERM_BYTES_MAX];
	size_t n;

	tokens_split(&t, (struct str){(const char *)data, size});
	for (size_t i = 0; i < t.list.n; i++) {
		const struct token *token = &t.list.v[i];

		CHECK(token->n > 0 && token->n <= TERM_BYTES_MAX && token->at + token->n <= t.bytes.n);
		CHECK(str_is_utf8(token_text(&t, token)));
		if (token->kind == TOKEN_WHOLE)
			check_whole(&t, i);
	}
	CHECK(!tokens_joined(&t, joined, &n) || (n > 0 && n <= TERM_BYTES_MAX));
	tokens_free(&t);
	return 0;
}
