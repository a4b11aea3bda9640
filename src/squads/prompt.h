/* What follows from a member's role: the prompt that ships for it, and its role in a town. */
#ifndef TENFOLD_SQUADS_PROMPT_H
#define TENFOLD_SQUADS_PROMPT_H

#include "spec/types.h"

/* Of the specialization, if one ships for it; else that of the role. Lives as long as the program. */
struct str prompt_of_role(enum member_role role, struct str specialization);

enum town_role town_role_of(enum member_role role);

#endif
