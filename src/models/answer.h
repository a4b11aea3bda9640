/*
 * What becomes of what a model said: the result of its step, as its kind has it. Pure.
 *
 *   model      {"provider", "model", "text"}
 *   generate   {"provider", "model", "generated": {"summary", "files": [{"path", "content"}]}}
 *   analyse    {"provider", "model", "analysed": {"verdict", "summary", "findings": [{"severity", "where", "text"}]}}
 */
#ifndef TENFOLD_MODELS_ANSWER_H
#define TENFOLD_MODELS_ANSWER_H

#include "base/buf.h"
#include "base/problem.h"
#include "models/chat.h"

/* The question that the text is; empty: it is none. */
struct str answer_question(struct str text);

/* `from` has provider and model. The text's JSON may stand in a fence, or between words. ERR_INVALID: it is not what
 * the kind asks for; ERR_TOO_LARGE: no result holds it. */
enum err answer_result(enum step_kind kind, const struct model_result *from, const struct chat_answer *said,
		       struct arena *a, struct buf *json, struct problem *p);

#endif
