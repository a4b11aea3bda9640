/* Questions as their rows say: one with its conversation, and lists. */
#include "api/api.h"
#include "api/app.h"
#include "api/put.h"

#include "flow/rows.h"
#include "store/page.h"

/* ---- one ---- */

static void put_level(const struct question_row *row, const struct flow_level *level, struct question *out)
{
	if (level->role >= 0)
		PUT(out, question, role, level->role);
	PUT_SOME(out, question, member, level->member);
	out->level = row->level;
}

/* Texts are shared. */
static void show(const struct question_row *row, const struct flow_level *levels, struct question *out)
{
	*out = (struct question){.id = row->id,
				 .execution = row->execution,
				 .squad = row->squad,
				 .step = row->step,
				 .asked_by = row->asked_by,
				 .kind = row->kind,
				 .text = row->question,
				 .state = (int)row->state,
				 .asked_at = row->asked_ms,
				 .wait_ms = row->wait_ms,
				 .again_ms = row->again_ms};
	put_level(row, &levels[row->level], out);
	PUT_SOME(out, question, asker, row->asker);
	PUT_SOME(out, question, due_at, row->due_ms);
	PUT_SOME(out, question, rule, row->rule);
	PUT_TEXT(out, question, answer, row->answer);
	PUT_TEXT(out, question, answered_by, row->answered_by);
	PUT_SOME(out, question, answerer, row->answerer);
	PUT_SOME(out, question, ended_at, row->ended_ms);
}

static enum err put_levels(struct call *c, const struct flow_level *levels, size_t count, struct question *out)
{
	struct question_level *shown = ARENA_ARRAY(c->arena, struct question_level, count);

	for (size_t i = 0; shown && i < count; i++) {
		shown[i] = (struct question_level){.level = (int64_t)i};
		if (levels[i].role >= 0)
			PUT(&shown[i], question_level, role, levels[i].role);
		PUT_SOME(&shown[i], question_level, member, levels[i].member);
	}
	PUT(out, question, levels, shown);
	out->levels_count = count;
	return shown ? OK : ERR_INTERNAL;
}

struct turns {
	struct call *c;
	struct question *out;
};

static size_t turns_max(void)
{
	return type_question.fields[question__turns].max_count;
}

static enum err take_turn(void *ctx, const void *found)
{
	struct turns *t = ctx;
	const struct question_turn_row *row = found;
	struct question_turn *to = &t->out->turns[t->out->turns_count];

	if (t->out->turns_count == turns_max())
		return ERR_INTERNAL;
	t->out->turns_count++;
	*to = (struct question_turn){
		.number = row->number, .at = row->at_ms, .kind = (int)row->kind, .level = row->level};
	PUT_SOME(to, question_turn, member, row->member);
	PUT_TEXT(to, question_turn, by, arena_str(t->c->arena, row->agent));
	PUT_TEXT(to, question_turn, text, arena_str(t->c->arena, row->said));
	return OK;
}

static enum err put_turns(struct call *c, int64_t id, struct question *out)
{
	struct turns t = {c, out};

	PUT(out, question, turns, ARENA_ARRAY(c->arena, struct question_turn, turns_max()));
	if (!out->turns)
		return ERR_INTERNAL;
	return q_question_turn_all(c->db, &(struct id_row){id}, take_turn, &t);
}

enum err api_question_show(struct call *c, const struct question_ref *in, struct question *out)
{
	struct question_row row;
	struct flow_level levels[FLOW_LEVELS_MAX];
	uint16_t count;
	enum err err = q_question_get(c->db, &(struct id_row){in->id}, c->arena, &row);

	if (err == ERR_NOT_FOUND || (!err && row.tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such question here");
	if (err)
		return err;
	count = flow_rows_levels(row.levels, levels);
	if (row.level >= count)
		return ERR_INTERNAL;
	show(&row, levels, out);
	err = put_levels(c, levels, count, out);
	return err ? err : put_turns(c, row.id, out);
}

/* ---- lists ---- */

struct listing {
	struct call *c;
	const struct question_list_in *in;
	struct question *items;
	size_t count;
};

static enum err read_all(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	struct question_page_in in = {l->c->caller.tenant, below, visit};

	return q_question_page(l->c->db, &in, each, each_ctx);
}

static enum err read_squad(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	struct question_page_of_squad_in in = {l->in->squad, below, visit};

	return q_question_page_of_squad(l->c->db, &in, each, each_ctx);
}

static enum err read_execution(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	struct question_page_of_execution_in in = {l->in->execution, below, visit};

	return q_question_page_of_execution(l->c->db, &in, each, each_ctx);
}

static page_read_fn *narrowest(const struct question_list_in *in)
{
	if (HAS(in, question_list_in, execution))
		return read_execution;
	return HAS(in, question_list_in, squad) ? read_squad : read_all;
}

static bool is_wanted(const struct listing *l, const struct question_row *row, const struct flow_level *level)
{
	const struct question_list_in *in = l->in;

	return row->tenant == l->c->caller.tenant &&
	       (!HAS(in, question_list_in, squad) || row->squad == in->squad) &&
	       (!HAS(in, question_list_in, state) || row->state == in->state) &&
	       (!HAS(in, question_list_in, member) || level->member == in->member) &&
	       (!HAS(in, question_list_in, person) || (level->member == 0) == in->person);
}

static bool keep(void *ctx, const void *found)
{
	struct listing *l = ctx;
	struct question_row row = *(const struct question_row *)found;
	struct flow_level levels[FLOW_LEVELS_MAX];

	if (row.level >= flow_rows_levels(row.levels, levels) || !is_wanted(l, &row, &levels[row.level]))
		return false;
	row.asked_by = arena_str(l->c->arena, row.asked_by);
	row.kind = arena_str(l->c->arena, row.kind);
	row.question = arena_str(l->c->arena, row.question);
	row.answer = arena_str(l->c->arena, row.answer);
	row.answered_by = arena_str(l->c->arena, row.answered_by);
	show(&row, levels, &l->items[l->count++]);
	return true;
}

enum err api_question_list(struct call *c, const struct question_list_in *in, struct question_list_out *out)
{
	struct listing l = {.c = c, .in = in, .items = ARENA_ARRAY(c->arena, struct question, PAGE_ROOM(in))};
	struct page_source source = {narrowest(in), keep, &l};
	struct page_end end;
	enum err err = page_take(&source, PAGE_WANT(in, question_list_in), c->arena, &c->problem, &end);

	if (err)
		return err;
	out->items = l.items;
	PAGE_PUT(out, question_list_out, end);
	return OK;
}
