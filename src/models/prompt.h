/*
 * What a model is told about a step: who it is, in what form it is to answer, and all that its brief says. Pure.
 */
#ifndef TENFOLD_MODELS_PROMPT_H
#define TENFOLD_MODELS_PROMPT_H

#include "base/arena.h"
#include "spec/types.h"

/* An answer that begins so is a question, as a line of a command's output is (docs/conversations.md). */
#define MODEL_ASKS "::ask "

struct model_prompt {
	struct str system, user;
};

/* In the arena. */
struct model_prompt model_prompt_of(const struct step_brief *brief, struct arena *a);

#endif
