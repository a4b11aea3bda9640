/* See squad.h. */
#include "squads/squad.h"

/* Without a sentence. */
static enum err find(struct call *c, int64_t id, struct squad_row *out)
{
	enum err err = q_squad_get(c->db, &(struct id_row){id}, c->arena, out);
	return !err && out->tenant != c->caller.tenant ? ERR_NOT_FOUND : err;
}

enum err squad_read(struct call *c, int64_t id, struct squad_row *out)
{
	enum err err = find(c, id, out);
	return err == ERR_NOT_FOUND ? call_fail(c, err, "there is no such squad here") : err;
}

enum err squad_read_named(struct call *c, const char *field, int64_t id, struct squad_row *out)
{
	enum err err = find(c, id, out);
	if (err == ERR_NOT_FOUND)
		return problem_field(&c->problem, ERR_INVALID, field, "there is no such squad here");
	return err;
}

enum err squad_check_open(struct call *c, const struct squad_row *squad)
{
	if (squad->status == SQUAD_ARCHIVED)
		return call_fail(c, ERR_CONFLICT, "the squad is archived");
	return OK;
}
