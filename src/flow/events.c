/* See events.h. Numbers are varints; -1 among the states becomes 0. */
#include "flow/events.h"

void execution_event_encode(struct buf *b, const struct flow_event *e, uint64_t place)
{
	buf_varint(b, place);
	buf_varint(b, (uint64_t)e->kind);
	buf_varint(b, (uint64_t)(e->from + 1));
	buf_varint(b, (uint64_t)(e->to + 1));
	buf_varint(b, (uint64_t)e->step);
	buf_varint(b, (uint64_t)e->member);
	buf_varint(b, e->attempt);
	buf_varint(b, (uint64_t)e->progress);
	buf_lenstr(b, e->agent);
	buf_lenstr(b, e->text);
}

void execution_event_read(struct execution_event_reader *r, const struct execution_event_row *row)
{
	*r = (struct execution_event_reader){.row = row, .rest = row->events, .number = row->first};
}

static bool take_int(struct str *s, int64_t *out)
{
	uint64_t v;

	if (!take_varint(s, &v) || v > INT64_MAX)
		return false;
	*out = (int64_t)v;
	return true;
}

static bool take_small(struct str *s, int *out)
{
	int64_t v;

	if (!take_int(s, &v) || v > INT32_MAX)
		return false;
	*out = (int)v;
	return true;
}

static bool take_states(struct str *s, struct execution_event *out)
{
	if (!take_small(s, &out->kind) || !take_small(s, &out->from) || !take_small(s, &out->to))
		return false;
	out->from--;
	out->to--;
	return true;
}

bool execution_event_next(struct execution_event_reader *r, struct execution_event *out)
{
	const struct execution_event_row *row = r->row;
	int attempt = 0;

	*out = (struct execution_event){.execution = row->execution,
					.squad = row->squad,
					.tenant = row->tenant,
					.number = r->number,
					.seq = row->seq,
					.at_ms = row->at_ms};
	if (!take_varint(&r->rest, &out->place) || !take_states(&r->rest, out) || !take_int(&r->rest, &out->step) ||
	    !take_int(&r->rest, &out->member) || !take_small(&r->rest, &attempt) ||
	    !take_small(&r->rest, &out->progress) || !take_lenstr(&r->rest, &out->agent) ||
	    !take_lenstr(&r->rest, &out->text))
		return false;
	out->attempt = (uint32_t)attempt;
	r->number++;
	return true;
}
