/*
 * The words of roles and efforts, what a wrong one may have been meant as, and the order of faults.
 */
#include "roles/model.h"

const char *const role_texts[ROLE_COUNT] = {
#define ROLE(name, text, tiered, rig, doc) [ROLE_##name] = text,
#include "roles/roles.def"
#undef ROLE
};

enum role role_by_text(struct str text)
{
	for (unsigned i = 0; i < ROLE_COUNT; i++)
		if (str_eqz(text, role_texts[i]))
			return (enum role)i;
	return ROLE_UNKNOWN;
}

bool role_works_in_rig(enum role role)
{
	static const bool works[] = {
#define ROLE(name, text, tiered, rig, doc) [ROLE_##name] = rig,
#include "roles/roles.def"
#undef ROLE
	};

	return role < ROLE_COUNT && works[role];
}

static const char *const effort_texts[] = {
	[EFFORT_UNSET] = "",      [EFFORT_LOW] = "low", [EFFORT_MEDIUM] = "medium", [EFFORT_HIGH] = "high",
	[EFFORT_XHIGH] = "xhigh", [EFFORT_MAX] = "max", [EFFORT_AUTO] = "auto"};

enum effort effort_by_text(struct str text)
{
	for (unsigned i = EFFORT_LOW; i <= EFFORT_AUTO; i++)
		if (str_eqz(text, effort_texts[i]))
			return (enum effort)i;
	return EFFORT_UNSET;
}

const char *effort_text(enum effort e)
{
	return effort_texts[e];
}

/* A short word must be nearer than a long one, or everything would mean everything. */
struct guess guess_for(struct str word)
{
	return (struct guess){.word = word, .distance = word.n < 4 ? 2 : word.n < 8 ? 3 : 4};
}

enum { GUESS_BYTES_MAX = 64 }; /* nobody mistypes more, and the distance of long texts costs their product */

void guess_offer(struct guess *g, struct str known)
{
	unsigned distance;

	if (g->word.n > GUESS_BYTES_MAX || known.n > GUESS_BYTES_MAX)
		return;
	distance = str_distance(g->word, known, g->distance);
	if (distance >= g->distance)
		return;
	g->distance = distance;
	g->nearest = known;
}

void guess_offer_agents(struct guess *g, const struct agents *a)
{
	for (; a; a = a->under)
		for (size_t i = 0; i < a->n; i++)
			guess_offer(g, a->v[i].name);
}

int fault_order(const struct fault *a, const struct fault *b)
{
	int order = str_cmp(str_of(a->at.path), str_of(b->at.path));

	if (order == 0)
		order = (a->at.line > b->at.line) - (a->at.line < b->at.line);
	if (order == 0)
		order = (a->at.column > b->at.column) - (a->at.column < b->at.column);
	return order ? order : str_cmp(a->text, b->text);
}
