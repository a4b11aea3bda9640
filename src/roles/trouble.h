/*
 * Why an agent ended badly: because of its work, or because of its provider, so that another one should be tried.
 */
#ifndef TENFOLD_ROLES_TROUBLE_H
#define TENFOLD_ROLES_TROUBLE_H

#include "base/str.h"

enum trouble_kind { TROUBLE_NONE, TROUBLE_QUOTA, TROUBLE_AWAY };

struct trouble {
	enum trouble_kind kind;
	struct str words; /* those of the table that were met */
	int64_t until_ms; /* when it ends, if that was said ("…|1763712000"); 0: not said */
};

/* `text`: the end of what it wrote. Only for agents that ended with an error: one that worked may write about
 * limits as it likes. One that failed may too, and is then taken for one that has met its own: the price of
 * listening to programs that have no status for it. */
struct trouble trouble_in(struct str text);

#endif
