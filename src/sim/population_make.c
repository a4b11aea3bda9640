/*
 * Populations of so many agents, and of agents with these ids.
 */
#include "sim/population_priv.h"
#include "sim/scenario_priv.h"

/* ---- ids ---- */

static bool is_sound(struct str id)
{
	for (size_t i = 0; i < id.n; i++)
		if ((unsigned char)id.p[i] <= ' ' || id.p[i] == 0x7f)
			return false;
	return id.n > 0 && id.n <= POPULATION_ID_MAX && str_is_utf8(id);
}

/* Whose it is already; of two whose hashes are equal the second is found by another hash. -1: nobody's, and *free_key
 * is where it goes. */
static int64_t owner(const struct population *p, const struct id_set *met, struct str id, uint64_t *free_key)
{
	for (uint64_t round = 0;; round++) {
		char room[POPULATION_ROOM];
		void *found = map_get(&met->map, str_hash_seed(id, round));
		uint32_t agent = (uint32_t)((uintptr_t)found - 1);

		*free_key = str_hash_seed(id, round);
		if (!found)
			return -1;
		if (str_eq(population_id(p, agent, room), id))
			return agent;
	}
}

enum err population_take_id(struct population *p, struct id_set *met, uint32_t agent, struct str id,
			    const char *field, struct problem *problem)
{
	uint64_t key;

	if (!is_sound(id))
		return problem_field(problem, ERR_INVALID, field,
				     "must be 1 to %d characters of UTF-8 without spaces and control characters",
				     POPULATION_ID_MAX);
	if (owner(p, met, id, &key) >= 0)
		return problem_field(problem, ERR_INVALID, field, "there is an agent \"%.*s\" already",
				     STRF(str_clip(id, 64)));
	if (!population_set_id(p, agent, id))
		return problem_set(problem, ERR_TOO_LARGE, "a population holds at most 1 GiB of texts");
	map_put(&met->map, key, (void *)(uintptr_t)(agent + UINT64_C(1)));
	return OK;
}

/* ---- the whole ---- */

struct population *population_empty(const struct scenario *s, uint32_t count)
{
	struct attribute attributes[POPULATION_ATTRIBUTES_MAX];

	for (unsigned i = 0; i < s->attribute_count; i++)
		attributes[i] = s->plan_attributes[i].attribute;
	return population_new(attributes, s->attribute_count, count);
}

static enum err check_count(uint32_t count, struct problem *problem)
{
	if (count >= 1 && count <= POPULATION_AGENTS_MAX)
		return OK;
	return problem_field(problem, ERR_INVALID, "agents", "must be from 1 to %d, not %u", POPULATION_AGENTS_MAX,
			     count);
}

/* Gives it away, or frees it after an error. */
static enum err give(enum err e, struct population *p, struct population **out)
{
	if (e)
		population_free(&p);
	*out = p;
	return e;
}

enum err population_generate(const struct scenario *s, uint64_t seed, uint32_t count, struct population **out,
			     struct problem *problem)
{
	enum err e = check_count(count, problem);
	struct population *p;

	*out = NULL;
	if (e)
		return e;
	p = population_empty(s, count);
	return give(population_fill(s, seed, p, 0, problem), p, out);
}

enum err population_of_ids(const struct scenario *s, uint64_t seed, const struct str *ids, uint32_t count,
			   struct population **out, struct problem *problem)
{
	enum err e = check_count(count, problem);
	struct id_set met = {0};
	struct population *p;

	*out = NULL;
	if (e)
		return e;
	p = population_empty(s, count);
	for (uint32_t i = 0; !e && i < count; i++)
		e = population_take_id(p, &met, i, ids[i], "id", problem);
	map_free(&met.map);
	return give(e ? e : population_fill(s, seed, p, 0, problem), p, out);
}
