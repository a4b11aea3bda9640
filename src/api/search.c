/*
 * Finding agents. The index says which and why (directory/index.h); what they are is read from the store, in one
 * round trip, and whoever is deleted or no longer the caller's to see is left out of the page.
 *
 * A cursor is where a page ended: the score and the id of its last hit, and a sum over them and the question, so that
 * one that was cut, edited or taken to another question is refused and not misunderstood. It holds no secret.
 */
#include "api/api.h"
#include "api/app.h"

#include "directory/agent.h"
#include "directory/index.h"

#include <inttypes.h>
#include <math.h>

enum {
	SCORE_BITS = 28, /* a score is a whole number of 2^-28 */
	HEX_DIGITS = 16, /* of 64 bits */
	CURSOR_TEXT = 3 * HEX_DIGITS
};

/* ---- the cursor ---- */

struct place {
	uint64_t points, id;
};

static uint64_t sum_list(uint64_t sum, const void *v, size_t bytes)
{
	return str_hash_seed((struct str){v, bytes}, sum + bytes);
}

static uint64_t sum_texts(uint64_t sum, const struct str *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum = sum_list(sum, texts[i].p, texts[i].n);
	return sum_list(sum, &count, sizeof count);
}

/* What decides which agents are found, and in which order. */
static uint64_t sum_of_question(const struct call *c, const struct agent_search_in *in)
{
	uint64_t sum = sum_list((uint64_t)c->caller.tenant, in->q.p, in->q.n);
	sum = sum_list(sum, in->type, in->type_count * sizeof in->type[0]);
	sum = sum_list(sum, in->status, in->status_count * sizeof in->status[0]);
	sum = sum_list(sum, in->protocol, in->protocol_count * sizeof in->protocol[0]);
	sum = sum_list(sum, in->verification, in->verification_count * sizeof in->verification[0]);
	sum = sum_texts(sum, in->capability, in->capability_count);
	return sum_texts(sum, in->tag, in->tag_count);
}

static struct str cursor_of(struct call *c, const struct agent_search_in *in, const struct agent_match *last)
{
	struct place p = {(uint64_t)ldexp(last->exact_score, SCORE_BITS), (uint64_t)last->id};
	uint64_t sum = sum_list(sum_of_question(c, in), &p, sizeof p);
	return arena_fmt(c->arena, "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, p.points, p.id, sum);
}

static bool take_hex(struct str text, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < text.n; i++) {
		char ch = text.p[i];
		int digit = ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
		if (digit < 0)
			return false;
		*out = *out << 4 | (uint64_t)digit;
	}
	return true;
}

static enum err cursor_read(struct call *c, const struct agent_search_in *in, struct agent_question *q)
{
	struct place p;
	uint64_t sum;
	const char *text = in->cursor.p;
	if (!HAS(in, agent_search_in, cursor))
		return OK;
	if (in->cursor.n != CURSOR_TEXT || !take_hex((struct str){text, HEX_DIGITS}, &p.points) ||
	    !take_hex((struct str){text + HEX_DIGITS, HEX_DIGITS}, &p.id) ||
	    !take_hex((struct str){text + 2 * HEX_DIGITS, HEX_DIGITS}, &sum) ||
	    sum != sum_list(sum_of_question(c, in), &p, sizeof p))
		return problem_field(
			&c->problem, ERR_INVALID, "cursor",
			"must be the next_cursor of a page of the same question: q and filters unchanged");
	q->after = true;
	q->after_score = ldexp((double)p.points, -SCORE_BITS);
	q->after_id = (int64_t)p.id;
	return OK;
}

/* ---- the hits ---- */

struct showing {
	struct call *c;
	const struct agent_matches *found;
	struct agent_search_out *out;
};

static enum err show(void *ctx, size_t i, const void *row)
{
	struct showing *s = ctx;
	const struct agent_full_row *agent = row;
	const struct agent_match *match = &s->found->v[i];
	if (!agent || agent->deleted_ms || !agent_is_readable(&s->c->caller, agent->tenant, agent->visibility))
		return OK;
	struct agent_hit *hit = &s->out->items[s->out->items_count++];
	hit->score = match->score;
	hit->why = match->why;
	return directory_agent_keep(agent, s->c->arena, &hit->agent);
}

static enum err show_hits(struct call *c, const struct agent_matches *found, struct agent_search_out *out)
{
	struct id_row *wanted = ARENA_ARRAY(c->arena, struct id_row, found->n);
	out->items = ARENA_ARRAY(c->arena, struct agent_hit, found->n);
	if (!wanted || !out->items)
		return ERR_INTERNAL;
	for (size_t i = 0; i < found->n; i++)
		wanted[i].id = found->v[i].id;
	struct showing s = {c, found, out};
	return found->n ? q_agent_get_each(c->db, wanted, found->n, show, &s) : OK;
}

static void put_totals(const struct agent_search_in *in, const struct agent_matches *found,
		       struct agent_search_out *out)
{
	if (in->count)
		PUT(out, agent_search_out, count, found->count);
	if (found->words_left_out)
		PUT(out, agent_search_out, words_left_out, found->words_left_out);
	if (HAS(in, agent_search_in, facets)) {
		PUT(out, agent_search_out, facets, found->facets);
		out->facets_count = found->facet_count;
	}
}

enum err api_agent_search(struct call *c, const struct agent_search_in *in, struct agent_search_out *out)
{
	struct agent_question question = {.tenant = c->caller.tenant, .in = in};
	struct agent_matches found;
	if (in->mode == MODE_SEMANTIC)
		return call_fail(c, ERR_EMBEDDER_UNAVAILABLE,
				 "this server has no model that knows what words mean; mode=text finds by words");
	enum err err = cursor_read(c, in, &question);
	if (!err)
		err = agent_index_ask(call_app(c)->index, &question, c->arena, &found);
	if (err == ERR_INDEX_STARTING)
		return call_fail(c, err, "the agents are still being read; /health/ready tells how far it is");
	if (err)
		return err;
	out->mode = MODE_TEXT;
	put_totals(in, &found, out);
	if (found.more)
		PUT(out, agent_search_out, next_cursor, cursor_of(c, in, &found.v[found.n - 1]));
	return show_hits(c, &found, out);
}
