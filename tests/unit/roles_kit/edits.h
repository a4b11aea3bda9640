/*
 * Judging changes to a text: did it become that change and nothing else? Readers of their own, so that the editor
 * is not held against itself.
 */
#ifndef TENFOLD_TESTS_ROLES_KIT_EDITS_H
#define TENFOLD_TESTS_ROLES_KIT_EDITS_H

#include "base/rng.h"
#include "roles/edit.h"

enum { WAY_STEPS = 8 };

struct way {
	struct edit_key keys[WAY_STEPS];
	size_t depth;
};

/* "role_agents/:witness": a colon marks a key of a map. Further steps than WAY_STEPS are dropped. */
struct way way_of(struct str written);
/* One that often exists in the document, at least in part. */
struct way any_way(struct rng *r, const struct doc *d);
/* JSON on one line or several. */
struct str any_value(struct rng *r);

/* Make the change; NULL: it is right (or was refused with reason), else what is wrong. *out: the new text, p NULL
 * when it was refused. */
const char *judge_set(const struct doc *d, const struct way *w, struct str value, struct arena *a, struct str *out);
const char *judge_unset(const struct doc *d, const struct way *w, struct arena *a, struct str *out);

#endif
