/*
 * What a running step says while it runs: lines of its log, and what its model says. Only who holds the lease of its
 * item may; each note becomes an event of the execution, and nothing else.
 */
#include "api/api.h"
#include "api/app.h"
#include "api/lease.h"

enum { EVENTS_MAX = 1000000 }; /* an execution that has so many takes no notes any more */

/* ---- who says it ---- */

static enum err find_step(struct call *c, const struct execution_notes_in *in, struct item **item,
			  const struct flow_step **step)
{
	enum err err = lease_check(c, in->item, in->token, item);
	if (err)
		return err;
	const struct flow_execution *e = flow_of_item(call_app(c)->flow->flow, in->item, step);
	if (!e || e->id != in->id)
		return call_fail(c, ERR_NOT_FOUND, "the item is no step of this execution");
	if (e->last_event + (int64_t)in->notes_count > EVENTS_MAX)
		return call_fail(c, ERR_CONFLICT, "the execution has %lld events; it takes no more notes",
				 (long long)e->last_event);
	return OK;
}

/* ---- what is said ---- */

/* How many notes from i on are one event. */
static size_t run_at(const struct execution_notes_in *in, size_t i)
{
	size_t n = 1;
	while (in->notes[i].kind == NOTE_TOKENS && i + n < in->notes_count && in->notes[i + n].kind == NOTE_TOKENS)
		n++;
	return n;
}

static struct str joined(struct arena *a, const struct execution_note *notes, size_t count)
{
	struct buf b = BUF_INIT(0);
	for (size_t i = 0; i < count; i++)
		buf_str_add(&b, notes[i].text);
	struct str text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

enum err api_execution_notes(struct call *c, const struct execution_notes_in *in, struct execution_noted *out)
{
	struct flow *flow = call_app(c)->flow->flow;
	struct flow_execution *e = NULL;
	const struct flow_step *step = NULL;
	struct item *item = NULL;
	enum err err = find_step(c, in, &item, &step);
	for (size_t i = 0, n; i < in->notes_count && !err; i += n) {
		n = run_at(in, i);
		struct flow_event event = {.kind = in->notes[i].kind == NOTE_TOKENS ? FLOW_TOKENS : FLOW_LOG,
					   .from = -1,
					   .to = -1,
					   .step = step->id,
					   .member = step->member,
					   .attempt = item->attempt,
					   .agent = name_str(item->claimed_by),
					   .text = joined(c->arena, &in->notes[i], n)};
		err = flow_note(flow, c->caller.tenant, in->id, &event, &e, &c->problem);
	}
	if (err)
		return err;
	out->id = in->id;
	out->last_event = e ? e->last_event : flow_find(flow, in->id)->last_event;
	return OK;
}
