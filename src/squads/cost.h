/*
 * What calls of models cost: an entry by the list of prices there is at the time, and sums of entries.
 *
 * Money is whole millionths of a dollar. What is not known stays unknown: it is in no sum, and each sum says how many
 * of its calls it leaves out.
 */
#ifndef TENFOLD_SQUADS_COST_H
#define TENFOLD_SQUADS_COST_H

#include "http/call.h"
#include "roles/cost.h"
#include "store/queries.h"

/* Tokens, prices and cost of the row; who made the call, and when, is the caller's. Texts are shared. */
void cost_of_call(const struct cost_tables *list, const struct model_call *call, struct cost_entry_row *row);

/* "2026-11", or empty for the month of now_ms (UTC): from, and up to but not including. ERR_INVALID naming `month`. */
enum err cost_month(struct str text, int64_t now_ms, int64_t *from_ms, int64_t *until_ms, struct problem *p);

/* These run inside a handler, on its connection. ERR_NOT_FOUND with its sentence; that an execution is the tenant's is
 * the caller's to know. */
enum err cost_of_execution(struct call *c, const struct execution_cost_in *in, struct cost_report *out);
enum err cost_of_squad(struct call *c, const struct squad_cost_in *in, struct cost_report *out);
enum err budget_set(struct call *c, const struct squad_budget_in *in, struct squad_budget *out);
enum err budget_show(struct call *c, int64_t squad, struct squad_budget *out);
enum err cost_of_tenant(struct call *c, const struct costs_in *in, struct cost_report *out);

#endif
