/*
 * A call of an OpenAI-compatible chat endpoint, as bytes: what is sent, and what is made of what comes back. Pure.
 *
 * Answers come as a stream of events, or whole from endpoints that do not stream. An answer is done when it said why
 * it is over, or ended with [DONE]; one that stops before was cut.
 */
#ifndef TENFOLD_MODELS_CHAT_H
#define TENFOLD_MODELS_CHAT_H

#include "base/buf.h"
#include "models/prompt.h"

enum { CHAT_ANSWER_MAX = 128 << 10 }; /* bytes of text */

/* The body of the call. max_tokens 0: what the endpoint thinks right. */
void chat_request_write(struct str model, const struct model_prompt *prompt, int64_t max_tokens, struct buf *json);

struct chat_answer {
	struct buf text;
	struct buf model; /* as it names itself; empty: it does not */
	bool done;
	bool cut;                                           /* at its limit of tokens */
	bool filtered;                                      /* the endpoint kept the rest to itself */
	int64_t input_tokens, cached_tokens, output_tokens; /* -1: not said */
	int64_t micro_usd;                                  /* -1: not said */
};

void chat_answer_init(struct chat_answer *a);
void chat_answer_free(struct chat_answer *a);

/* The data of one event of a stream. *delta is what it adds to the text, valid until the next call. Errors, with
 * their sentence: ERR_MALFORMED (that is none of an answer), ERR_TOO_LARGE (over CHAT_ANSWER_MAX), ERR_TARGET_FAILS
 * (the endpoint says what went wrong). */
enum err chat_take_event(struct chat_answer *a, struct str data, struct arena *arena, struct str *delta,
			 struct problem *p);
/* An answer that came whole. */
enum err chat_take_whole(struct chat_answer *a, struct str body, struct arena *arena, struct problem *p);

/* What an endpoint says went wrong, out of the body of a refusal: its message, or how the body begins. */
struct str chat_refusal(struct str body, struct arena *arena);

/* What is to be told of the call when its step is settled. Texts are shared. */
void chat_call(const struct chat_answer *a, struct str provider, struct str asked_model, struct model_call *out);

#endif
