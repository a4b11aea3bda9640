/* See lease.h. */
#include "api/lease.h"

#include "api/app.h"

enum err lease_token(struct str text, struct work_token *out, struct problem *p)
{
	if (work_token_parse(text, out))
		return OK;
	return problem_set(p, ERR_STALE_TOKEN, "this is no token that was ever given out");
}

enum err lease_problem(enum err err, struct problem *p)
{
	if (p->detail[0])
		return err;
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "there is no such item here");
	if (err == ERR_STALE_TOKEN)
		return problem_set(p, err, "the lease of this token has ended; another attempt may be running");
	if (err == ERR_CANCELLED)
		return problem_set(p, err, "the item was cancelled while this attempt ran: stop working on it");
	if (err == ERR_ALREADY_SETTLED)
		return problem_set(p, err, "this attempt was settled with another outcome");
	return err;
}

enum err lease_finished(struct call *c, int64_t id, const struct work_token *t, const enum work_outcome *settling,
			int *state)
{
	struct work_done_row row;
	enum err err = persist_finished(call_app(c)->persist, c->caller.tenant, id, &row);
	if (err)
		return err;
	struct work_token last = {.attempt = (uint32_t)row.attempt,
				  .epoch = (uint32_t)row.token_epoch,
				  .random = (uint64_t)row.token_random};
	*state = (int)row.state;
	if (!settling)
		return row.state == WORK_CANCELLED ? ERR_CANCELLED : ERR_STALE_TOKEN;
	return work_settled_before((int)row.state, (int)row.outcome, &last, t, *settling);
}

enum err lease_check(struct call *c, int64_t id, struct str token, struct item **out)
{
	struct work_token t;
	int state;
	enum err err = lease_token(token, &t, &c->problem);
	if (!err)
		err = work_held(call_app(c)->persist->work, c->caller.tenant, id, &t, out);
	if (err == ERR_NOT_FOUND)
		err = lease_finished(c, id, &t, NULL, &state);
	return err ? lease_problem(err, &c->problem) : OK;
}
