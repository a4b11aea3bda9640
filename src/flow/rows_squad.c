/* Squads: their rows change with the queue's batches; what is paused or archived is the executions' business. */
#include "flow/rows_priv.h"

static struct squad_change_row *changed_now(const struct flow_rows *r, int64_t id)
{
	for (size_t i = 0; i < r->rows->squads.n; i++)
		if (r->rows->squads.v[i].id == id)
			return &r->rows->squads.v[i];
	return NULL;
}

static void apply(struct squad_row *row, const struct squad_change_row *now)
{
	row->name = now->name;
	row->description = now->description;
	row->status = now->status;
	row->config = now->config;
	row->version = now->version;
	row->updated_ms = now->updated_ms;
}

enum err flow_rows_squad(struct flow_rows *r, int64_t tenant, int64_t id, struct squad_row *out)
{
	struct persist *persist = r->config.persist;
	const struct squad_change_row *now = changed_now(r, id);
	enum err err = q_squad_get(persist->db, &(struct id_row){id}, persist->arena, out);

	if (!err && out->tenant != tenant)
		return ERR_NOT_FOUND;
	if (!err && now)
		apply(out, now);
	return err;
}

void flow_rows_change_squad(struct flow_rows *r, struct squad_row *row)
{
	struct squad_change_row *now = changed_now(r, row->id);

	row->version++;
	row->updated_ms = r->config.persist->now_ms;
	if (!now)
		now = VEC_PUSH(&r->rows->squads);
	*now = (struct squad_change_row){.id = row->id,
					 .name = row->name,
					 .description = row->description,
					 .status = row->status,
					 .config = row->config,
					 .version = row->version,
					 .updated_ms = row->updated_ms};
	flow_pause_squad(r->flow, row->id, row->status == SQUAD_PAUSED);
}
