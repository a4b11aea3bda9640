/* Squads, as far as executions depend on them: whether they are paused. */
#include "flow/rows_priv.h"

static struct squad_status_row *changed_now(const struct flow_rows *r, int64_t id)
{
	for (size_t i = 0; i < r->rows->squads.n; i++)
		if (r->rows->squads.v[i].id == id)
			return &r->rows->squads.v[i];
	return NULL;
}

enum err flow_rows_squad(struct flow_rows *r, int64_t tenant, int64_t id, struct squad_row *out)
{
	struct persist *persist = r->config.persist;
	const struct squad_status_row *now = changed_now(r, id);
	enum err err = q_squad_get(persist->db, &(struct id_row){id}, persist->arena, out);

	if (!err && out->tenant != tenant)
		return ERR_NOT_FOUND;
	if (!err && now) {
		out->status = now->status;
		out->version = now->version;
		out->updated_ms = now->updated_ms;
	}
	return err;
}

void flow_rows_pause_squad(struct flow_rows *r, struct squad_row *row, bool paused)
{
	struct squad_status_row *now = changed_now(r, row->id);

	flow_pause_squad(r->flow, row->id, paused);
	row->status = paused ? SQUAD_PAUSED : SQUAD_ACTIVE;
	row->version++;
	row->updated_ms = r->config.persist->now_ms;
	if (!now)
		now = VEC_PUSH(&r->rows->squads);
	*now = (struct squad_status_row){row->id, row->status, row->version, row->updated_ms};
}
