/*
 * Between the files that check a town: where mistakes are gathered, and what names are known.
 */
#ifndef TENFOLD_ROLES_CHECK_PRIV_H
#define TENFOLD_ROLES_CHECK_PRIV_H

#include "base/vec.h"
#include "roles/check.h"
#include "roles/fill_priv.h"

enum { MISTAKES_MAX = 10000 };

struct check {
	struct town *town;
	struct arena *arena;
	struct check_report *out;
	VEC(struct fault) faults;
	size_t more; /* beyond MISTAKES_MAX */
	struct str *rigs;
	size_t rig_count;
};

void mistake(struct check *c, enum severity severity, struct origin at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* "; did you mean WORD?", or empty. */
struct str did_you_mean(struct check *c, const struct guess *g);

/* One settings file. of_rig NULL: it is the town's. */
void check_settings(struct check *c, const struct settings *s, const struct rig *rig);
/* The entries of one file: agents of settings, or a layer of a registry (not what is under it). */
void check_agents(struct check *c, const struct agents *a, const struct agents *registry);
void check_runtime(struct check *c, struct str name, const struct runtime *r, struct origin at,
		   const struct agents *registry);
/* Every role of the town and its rigs, every crew member, polecat and type that the files name. */
void check_spawns(struct check *c);

#endif
