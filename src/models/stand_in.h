/*
 * A model that is none, for tests and for trying things out: what it says follows from the step and its prompt alone,
 * and says that nobody thought about it. It makes plans, code, reviews and reports of tests. Pure.
 */
#ifndef TENFOLD_MODELS_STAND_IN_H
#define TENFOLD_MODELS_STAND_IN_H

#include "models/chat.h"

#define STAND_IN "stand-in"

/* What it says to the step, in the arena: the same text for the same step and prompt. About one step of kind model in
 * six asks a question first, once. */
struct str stand_in_text(const struct step_brief *brief, const struct model_prompt *prompt, struct arena *a);

/* The next piece of a text, as a stream would bring it: a few words. */
struct str stand_in_piece(struct str rest);

/* Counts tokens as four bytes each; it costs nothing. */
void stand_in_count(const struct model_prompt *prompt, struct chat_answer *answer);

#endif
