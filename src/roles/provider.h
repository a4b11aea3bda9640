/*
 * What differs between the programs that run agents beyond a preset's fields: how each takes a model and an effort.
 * The table is providers.def.
 */
#ifndef TENFOLD_ROLES_PROVIDER_H
#define TENFOLD_ROLES_PROVIDER_H

#include "roles/model.h"

struct provider {
	const char *name;        /* as presets are called */
	const char *model_flag;  /* "--model"; empty: none */
	const char *model_short; /* "-m"; empty: none */
	const char *model_env;   /* counts when there is no flag; empty: none */
	/* What comes before the word for an effort: "--thinking", "-c" with "model_reasoning_effort=", nothing when
	 * it is exported (CLAUDE_CODE_EFFORT_LEVEL) or cannot be said. */
	const char *effort_flag, *effort_prefix;
	const char *efforts[EFFORT_AUTO + 1]; /* its word for each effort; empty: leave it out */
	bool effort_exported;
};

/* Of the preset the runtime is made from: by provider, else by the last part of its command. NULL: unknown. */
const struct provider *provider_of(const struct runtime *r);

/* What the runtime asks for: its flag in args, else its variable in env. Empty: neither. */
struct str runtime_model(const struct runtime *r);
/* args and env are copied before they are changed. false: this provider takes no model. */
bool runtime_set_model(struct runtime *r, struct str model, struct arena *a);
/* false: this provider takes no effort, or not that one. Nothing is added where it is exported. */
bool runtime_set_effort(struct runtime *r, enum effort e, struct arena *a);

#endif
