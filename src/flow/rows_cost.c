/* What calls of models cost, as a batch writes it; and what a squad has spent in a month, this batch included. */
#include "flow/rows_priv.h"

#include <stdlib.h>

/* Of one squad, as the store has it. */
struct flow_spent {
	int64_t from_ms;
	int64_t micro_usd;
};

void flow_rows_cost(struct flow_rows *r, const struct cost_entry_row *row)
{
	*VEC_PUSH(&r->rows->costs) = *row;
}

static enum err read_spent(struct flow_rows *r, int64_t squad, int64_t from_ms, int64_t until_ms,
			   struct flow_spent **out)
{
	struct cost_spent_of_squad_in in = {squad, from_ms, until_ms};
	struct cost_spent_of_squad_out row;
	enum err err = q_cost_spent_of_squad(r->config.persist->db, &in, r->config.persist->arena, &row);

	if (err)
		return err;
	*out = NEW(struct flow_spent);
	**out = (struct flow_spent){from_ms, row.micro_usd};
	free(map_put(&r->spent, (uint64_t)squad, *out));
	return OK;
}

enum err flow_rows_spent(struct flow_rows *r, int64_t squad, int64_t from_ms, int64_t until_ms, int64_t *micro_usd)
{
	struct flow_spent *spent = map_get(&r->spent, (uint64_t)squad);
	enum err err = spent && spent->from_ms == from_ms ? OK : read_spent(r, squad, from_ms, until_ms, &spent);

	if (err)
		return err;
	*micro_usd = spent->micro_usd;
	for (size_t i = 0; i < r->rows->costs.n; i++)
		if (r->rows->costs.v[i].squad == squad)
			*micro_usd += r->rows->costs.v[i].micro_usd;
	return OK;
}

void flow_rows_costs_stored(struct flow_rows *r)
{
	for (size_t i = 0; i < r->rows->costs.n; i++) {
		const struct cost_entry_row *row = &r->rows->costs.v[i];
		struct flow_spent *spent = map_get(&r->spent, (uint64_t)row->squad);

		if (spent && row->at_ms >= spent->from_ms)
			spent->micro_usd += row->micro_usd;
	}
}

void flow_rows_forget_spent(struct flow_rows *r)
{
	struct flow_spent *spent;

	for (size_t i = 0; (spent = map_next(&r->spent, &i));)
		free(spent);
	map_free(&r->spent);
}
