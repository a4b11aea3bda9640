/* The items of steps: what a worker is given with one. */
#include "flow/rows_priv.h"

#include "base/id.h"

/* ---- what a step was given ---- */

void flow_rows_keep_inputs(struct flow_rows *r, const struct flow_step_spec *steps, size_t count,
			   const struct flow_texts *texts)
{
	for (size_t i = 0; i < count; i++)
		bodies_put(r->inputs, &(struct work_body_row){.id = steps[i].id, .payload = texts->inputs[i]});
}

/* A step that was added by a batch not written yet is among the newest that are kept; all others have rows. */
enum err flow_rows_input(struct flow_rows *r, const struct flow_execution *e, const struct flow_step *s,
			 struct str *out)
{
	const struct work_body_row *kept = bodies_get(r->inputs, s->id);
	struct arena *a = r->config.persist->arena;
	struct step_input_get_in in = {.execution = e->id, .place = s - e->steps};
	struct step_input_get_out row;
	enum err err = OK;

	if (!kept)
		err = q_step_input_get(r->config.persist->db, &in, a, &row);
	if (err)
		return err;
	*out = kept ? arena_str(a, kept->payload) : row.input;
	return OK;
}

/* ---- the item ---- */

static void add_id(struct buf *b, const char *member, const char *prefix, int64_t id)
{
	char text[ID_TEXT];

	if (!id)
		return;
	id_format(text, prefix, id);
	buf_fmt(b, "\"%s\":\"%s\",", member, text);
}

static enum err payload_of(struct flow_rows *r, const struct flow_execution *e, const struct flow_step *s,
			   struct str *out)
{
	struct buf b = BUF_INIT(0);
	struct str input;
	enum err err = flow_rows_input(r, e, s, &input);

	if (err)
		return err;
	buf_c(&b, '{');
	add_id(&b, "execution", "ex_", e->id);
	add_id(&b, "step", "st_", s->id);
	add_id(&b, "squad", "sq_", e->squad);
	add_id(&b, "task", "tk_", e->task);
	add_id(&b, "member", "sm_", s->member);
	buf_fmt(&b, "\"kind\":\"%s\",\"name\":", enum_step_kind.values[s->kind].text);
	buf_json_text(&b, name_str(s->name));
	if (s->phase)
		buf_fmt(&b, ",\"phase\":\"%s\"", enum_step_phase.values[s->phase].text);
	buf_z(&b, ",\"input\":");
	buf_str_add(&b, input.n ? input : STR("null"));
	err = flow_rows_put_questions(r, s, &b);
	buf_c(&b, '}');
	*out = arena_str(r->config.persist->arena, buf_str(&b));
	buf_free(&b);
	return err;
}

enum err flow_rows_enqueue(void *ctx, const struct flow_execution *e, const struct flow_step *s,
			   const struct work_spec *spec, struct item **out, struct problem *p)
{
	struct flow_rows *r = ctx;
	struct arena *a = r->config.persist->arena;
	struct work_body_row *body = ARENA_NEW(a, struct work_body_row);
	bool existed;
	enum err err;

	*body = (struct work_body_row){.title = arena_str(a, name_str(s->name))};
	err = payload_of(r, e, s, &body->payload);
	if (err)
		return problem_set(p, err, "what the step was given cannot be read");
	return persist_enqueue(r->config.persist, spec, body, out, &existed, p);
}
