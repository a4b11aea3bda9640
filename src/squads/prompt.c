/* See prompt.h. */
#include "squads/prompt.h"

struct prompt {
	enum member_role role;
	struct str specialization, text;
};

static const struct prompt prompts[] = {
#define PROMPT(role, specialization, text) \
	{role, {specialization, sizeof(specialization) - 1}, {text, sizeof(text) - 1}},
#include "squads/prompts.def"
#undef PROMPT
};

struct str prompt_of_role(enum member_role role, struct str specialization)
{
	struct str found = {0};
	for (size_t i = 0; i < sizeof(prompts) / sizeof(prompts[0]); i++) {
		const struct prompt *p = &prompts[i];
		if (p->role == role && (!p->specialization.n || str_eq(p->specialization, specialization)))
			found = p->text;
	}
	return found;
}

enum town_role town_role_of(enum member_role role)
{
	if (role == MEMBER_PROJECT_MANAGER || role == MEMBER_AI_ML_PROJECT_MANAGER)
		return TOWN_MAYOR;
	return role == MEMBER_TESTER ? TOWN_REFINERY : TOWN_POLECAT;
}
