/*
 * States and their steps: what an agent does, one thing after the other.
 */
#include "sim/scenario_priv.h"

#include "sim/nearest.h"
#include "json/pick.h"

#include <math.h>
#include <string.h>

enum { STATUSES_MAX = 100, DAY_S = 86400 };

/* Names where an expression of a step stands. */
struct step_names {
	struct expr_names any;      /* everywhere in the step */
	struct expr_names answered; /* where the answer is there */
};

/* ---- answers ---- */

static int *statuses_of(struct compiler *c, const char *field, struct str raw, unsigned *count)
{
	int *statuses = ARENA_ARRAY(c->arena, int, STATUSES_MAX);
	struct pick p;
	bool more = raw.n && pick_first(raw, '[', &p);
	int64_t status;

	*count = 0;
	if (raw.n && !more)
		compile_fault(c, field, "must be a list of statuses");
	for (; more && statuses && *count < STATUSES_MAX; more = pick_next(&p)) {
		if (!str_to_i64(p.value, &status) || status < 100 || status > 599) {
			compile_fault(c, field, "must be a list of statuses, from 100 to 599");
			return statuses;
		}
		statuses[(*count)++] = (int)status;
	}
	return statuses;
}

static const struct plan_set *compile_sets(struct compiler *c, const struct expr_names *names, const char *list,
					   const struct scenario_set *in, size_t count)
{
	struct plan_set *out = arena_array(c->arena, count, sizeof(*out));

	for (unsigned i = 0; out && i < count; i++) {
		size_t back = path_into(c, "%s[%u]", list, i);

		out[i].variable = find_variable(c, "to", in[i].to);
		out[i].value = compile_expr(c, names, "value", in[i].value);
		path_back(c, back);
	}
	return out;
}

static const struct plan_extract *compile_extracts(struct compiler *c, const struct scenario_step *in)
{
	struct plan_extract *out = arena_array(c->arena, in->extract_count, sizeof(*out));

	for (unsigned i = 0; out && i < in->extract_count; i++) {
		size_t back = path_into(c, "extract[%u]", i);

		out[i].variable = find_variable(c, "to", in->extract[i].to);
		out[i].pointer = in->extract[i].from;
		if (!pick_pointer_valid(out[i].pointer))
			compile_fault(c, "from",
				      "must be a JSON pointer: empty, or begin with '/'; ~ only in ~0 and ~1");
		path_back(c, back);
	}
	return out;
}

static void compile_expect(struct compiler *c, const struct scenario_step *in, const struct step_names *names,
			   struct plan_request *out)
{
	out->statuses = statuses_of(c, "expect.status", in->expect.status, &out->status_count);
	out->where = compile_expr(c, &names->answered, "expect.where", in->expect.where);
}

static void compile_mock(struct compiler *c, const struct scenario_step *in, const struct step_names *names,
			 struct plan_request *out)
{
	out->mock_status = out->status_count ? out->statuses[0] : 200;
	if (HAS(&in->mock, scenario_mock, status))
		out->mock_status = (int)in->mock.status;
	out->mock_fails = compile_bounded(c, &names->any, "mock.fail_chance", in->mock.fail_chance, 0, 1);
}

/* ---- trying again ---- */

static unsigned cause_of(struct str text)
{
	if (str_eqz(text, "timeout"))
		return RETRY_TIMEOUT;
	if (str_eqz(text, "refused"))
		return RETRY_REFUSED;
	return str_eqz(text, "closed") ? RETRY_CLOSED : 0;
}

static void compile_retry(struct compiler *c, const struct scenario_step *in, const struct step_names *names,
			  struct plan_retry *out)
{
	int *statuses = ARENA_ARRAY(c->arena, int, in->retry.on_count);
	int64_t status;

	out->times = (unsigned)in->retry.times;
	out->wait = compile_bounded(c, &names->any, "retry.wait", in->retry.wait, 0, DAY_S);
	out->statuses = statuses;
	for (unsigned i = 0; statuses && i < in->retry.on_count; i++) {
		unsigned cause = cause_of(in->retry.on[i]);

		out->causes |= cause;
		if (cause)
			continue;
		if (str_to_i64(in->retry.on[i], &status) && status >= 100 && status <= 599)
			statuses[out->status_count++] = (int)status;
		else
			compile_fault(c, "retry.on", "\"%.*s\" is no status, and not timeout, refused or closed",
				      STRF(in->retry.on[i]));
	}
}

/* ---- requests ---- */

/* Steps of one name are one endpoint. */
static unsigned endpoint_of(struct scenario *s, struct str name)
{
	for (unsigned i = 0; i < s->endpoint_count; i++)
		if (str_eq(s->endpoints[i], name))
			return i;
	s->endpoints[s->endpoint_count] = name;
	return s->endpoint_count++;
}

static bool is_path(struct str path)
{
	if (path.p[0] != '/')
		return false;
	for (size_t i = 0; i < path.n; i++) {
		const char *braces = memmem(path.p + i, path.n - i, "}}", 2);

		if (i + 1 < path.n && path.p[i] == '{' && path.p[i + 1] == '{' && braces)
			i = (size_t)(braces - path.p) + 1;
		else if ((unsigned char)path.p[i] <= ' ' || (unsigned char)path.p[i] >= 0x7f || path.p[i] == '#')
			return false;
	}
	return true;
}

static bool has_header(const struct json_pair *pairs, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_nocase(pairs[i].key, name))
			return true;
	return false;
}

/* The scenario's headers, without those that the request has itself, then the request's. */
static void compile_request_headers(struct compiler *c, const struct scenario_request *in,
				    const struct expr_names *names, struct template *out)
{
	const struct scenario_file *file = &c->s->file;
	size_t deep = c->path_length;
	char was = c->path[0];

	c->path_length = 0;
	for (size_t i = 0; i < file->headers_count; i++)
		if (!has_header(in->headers, in->headers_count, file->headers[i].key))
			compile_headers(c, names, &file->headers[i], 1, out);
	c->path[0] = was;
	c->path_length = deep;
	compile_headers(c, names, in->headers, in->headers_count, out);
	if (in->body.n && !has_header(in->headers, in->headers_count, STR("Content-Type")) &&
	    !has_header(file->headers, file->headers_count, STR("Content-Type")) &&
	    template_add_literal(out, STR("Content-Type: application/json\r\n"), c->arena))
		compile_too_large(c);
}

static void compile_call(struct compiler *c, const struct scenario_step *step, const struct expr_names *names,
			 struct plan_request *out)
{
	const struct scenario_request *in = &step->request;
	size_t back = path_into(c, "request");
	struct problem p = {0};

	out->method = str_of(enum_scenario_method.values[in->method].text);
	out->endpoint =
		endpoint_of(c->s, HAS(step, scenario_step, name)
					  ? step->name
					  : arena_fmt(c->arena, "%.*s %.*s", STRF(out->method), STRF(in->path)));
	out->timeout_ms = HAS(in, scenario_request, timeout_ms) ? in->timeout_ms : 0;
	if (!is_path(in->path))
		compile_fault(c, "path", "must begin with '/' and have no spaces, '#' or characters past ASCII");
	else if (template_add(&out->path, in->path, TEMPLATE_PATH, names, c->arena, &p))
		compile_fault(c, "path", "%s", p.detail);
	compile_request_headers(c, in, names, &out->headers);
	p.err = OK;
	if (in->body.n && template_add_json(&out->body, in->body, names, c->arena, &p))
		compile_fault(c, "body", "%s", p.detail);
	path_back(c, back);
}

static const struct plan_request *compile_request(struct compiler *c, const struct scenario_step *in,
						  const struct step_names *names)
{
	struct plan_request *out = ARENA_NEW(c->arena, struct plan_request);

	if (!out)
		return NULL;
	out->fail = HAS(in, scenario_step, fail) ? find_state(c, "fail", in->fail) : c->s->on_fail;
	compile_call(c, in, &names->any, out);
	compile_expect(c, in, names, out);
	compile_mock(c, in, names, out);
	if (HAS(in, scenario_step, retry))
		compile_retry(c, in, names, &out->retry);
	return out;
}

/* What belongs to a request says so when there is none. */
static void check_no_request(struct compiler *c, const struct scenario_step *in)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} parts[] = {{BIT(scenario_step, expect), "expect"},
		     {BIT(scenario_step, extract), "extract"},
		     {BIT(scenario_step, mock), "mock"},
		     {BIT(scenario_step, retry), "retry"},
		     {BIT(scenario_step, fail), "fail"}};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (in->seen & parts[i].bit)
			compile_fault(c, parts[i].name, "belongs to a request, and this step has none");
}

/* ---- steps ---- */

static const struct plan_event *compile_event(struct compiler *c, const struct scenario_event *in,
					      const struct expr_names *names)
{
	struct plan_event *out = ARENA_NEW(c->arena, struct plan_event);
	struct str *fields = ARENA_ARRAY(c->arena, struct str, in->fields_count);
	const struct expr **values = arena_array(c->arena, in->fields_count, sizeof(*values));

	if (!out || !fields || !values)
		return NULL;
	for (unsigned i = 0; i < in->fields_count; i++) {
		size_t back = path_into(c, "event.fields[%u]", i);

		fields[i] = in->fields[i].name;
		values[i] = compile_expr(c, names, "value", in->fields[i].value);
		path_back(c, back);
	}
	*out = (struct plan_event){in->type, (unsigned)in->fields_count, fields, values};
	return out;
}

static void check_item(struct compiler *c, struct str item)
{
	struct problem p = {0};

	if (expr_check_name(item, &p))
		compile_fault(c, "for_each.item", "%s", p.detail);
	for (unsigned i = 0; i < c->s->variable_count; i++)
		if (str_eq(c->s->variables[i], item))
			compile_fault(c, "for_each.item", "is also the name of a variable");
}

static void compile_loop(struct compiler *c, const struct scenario_step *in, struct plan_step *out)
{
	bool each = HAS(in, scenario_step, for_each);

	if (each && HAS(in, scenario_step, repeat))
		compile_fault(c, "repeat", "cannot stand beside for_each");
	if (each) {
		check_item(c, in->for_each.item);
		out->each = compile_expr(c, &c->names, "for_each.in", in->for_each.in);
	}
	out->repeat = compile_bounded(c, &c->names, "repeat", in->repeat, 0, 1000);
}

static struct step_names names_of_step(const struct compiler *c, const struct scenario_step *in)
{
	struct step_names names = {c->names, c->names};

	if (HAS(in, scenario_step, for_each))
		names.any.item = names.answered.item = in->for_each.item;
	if (HAS(in, scenario_step, request))
		names.answered.facts |= FACT_BIT(FACT_BODY);
	return names;
}

static void compile_step(struct compiler *c, const struct scenario_step *in, struct plan_step *out)
{
	struct step_names names = names_of_step(c, in);
	bool asks = HAS(in, scenario_step, request);

	out->name = in->name;
	compile_loop(c, in, out);
	out->when = compile_expr(c, &names.any, "when", in->when);
	out->chance = compile_bounded(c, &names.any, "chance", in->chance, 0, 1);
	if (asks)
		out->request = compile_request(c, in, &names);
	else
		check_no_request(c, in);
	out->extracts = compile_extracts(c, in);
	out->extract_count = (unsigned)in->extract_count;
	out->mock_sets = compile_sets(c, &names.any, "mock.set", in->mock.set, in->mock.set_count);
	out->mock_set_count = (unsigned)in->mock.set_count;
	out->sets = compile_sets(c, &names.answered, "set", in->set, in->set_count);
	out->set_count = (unsigned)in->set_count;
	if (HAS(in, scenario_step, event))
		out->event = compile_event(c, &in->event, &names.answered);
	out->think = compile_bounded(c, &names.any, "think", in->think, 0, 7 * DAY_S);
}

/* ---- ways on ---- */

static void compile_edge(struct compiler *c, const struct scenario_edge *in, struct plan_edge *out)
{
	out->to = find_state(c, "to", in->to);
	out->weight = compile_bounded(c, &c->names, "weight", in->weight, 0, 1e300);
	out->when = compile_expr(c, &c->names, "when", in->when);
}

/* Ways whose weights are all known must not all be closed. Of one below 0 it has been said already. */
static void check_sum(struct compiler *c, const struct plan_state *state)
{
	double sum = 0;

	for (unsigned i = 0; i < state->edge_count; i++) {
		const struct value *v = state->edges[i].weight ? expr_is_constant(state->edges[i].weight) : NULL;

		if (!v || (v->kind == VALUE_NUMBER && v->number < 0))
			return;
		sum += v->kind == VALUE_NUMBER ? v->number : v->kind == VALUE_BOOL && v->boolean;
	}
	if (state->edge_count && sum <= 0)
		compile_fault(c, "next", "must have weights with a sum above 0");
	if (!isfinite(sum))
		compile_fault(c, "next", "has weights whose sum is too large");
}

static void compile_ways(struct compiler *c, const struct scenario_state *in, struct plan_state *out)
{
	struct plan_edge *edges = ARENA_ARRAY(c->arena, struct plan_edge, in->next_count);
	bool ends = HAS(in, scenario_state, end);

	for (unsigned i = 0; edges && i < in->next_count; i++) {
		size_t back = path_into(c, "next[%u]", i);

		compile_edge(c, &in->next[i], &edges[i]);
		path_back(c, back);
	}
	out->edges = edges;
	out->edge_count = edges ? (unsigned)in->next_count : 0;
	out->end = ends ? find_outcome(c, "end", in->end) : NOWHERE;
	if (ends && in->next_count)
		compile_fault(c, "end", "cannot stand beside next");
	if (!ends && !in->next_count)
		compile_fault(c, "", "has no way on: give it next, or the end with an outcome");
	check_sum(c, out);
}

static void compile_state(struct compiler *c, const struct scenario_state *in, struct plan_state *out)
{
	struct plan_step *steps = ARENA_ARRAY(c->arena, struct plan_step, in->steps_count);

	out->name = in->name;
	for (unsigned i = 0; steps && i < in->steps_count; i++) {
		size_t back = path_into(c, "steps[%u]", i);

		compile_step(c, &in->steps[i], &steps[i]);
		path_back(c, back);
	}
	out->steps = steps;
	out->step_count = steps ? (unsigned)in->steps_count : 0;
	compile_ways(c, in, out);
}

static size_t count_steps(const struct scenario_file *file)
{
	size_t n = 0;

	for (size_t i = 0; i < file->states_count; i++)
		n += file->states[i].steps_count;
	return n;
}

void compile_states(struct compiler *c)
{
	const struct scenario_file *file = &c->s->file;

	c->s->states = ARENA_ARRAY(c->arena, struct plan_state, file->states_count);
	c->s->endpoints = ARENA_ARRAY(c->arena, struct str, count_steps(file));
	if (file->states_count == 0)
		compile_fault(c, "states", "needs at least one");
	for (unsigned i = 0; c->s->states && c->s->endpoints && i < file->states_count; i++) {
		size_t back = path_into(c, "states[%u]", i);

		for (unsigned k = 0; k < i; k++)
			if (str_eq(file->states[i].name, file->states[k].name))
				compile_fault(c, "name", "stands twice, also in states[%u]", k);
		compile_state(c, &file->states[i], &c->s->states[i]);
		path_back(c, back);
	}
}
