/*
 * See report.h. A place is told as file, line and column; line 0 is a file as a whole, and no path is no file.
 */
#include "roles/report.h"

/* Any type with the members file, line and column. */
#define PUT_PLACE(to, type, at_, arena)                                            \
	do {                                                                       \
		if ((at_).path)                                                    \
			PUT(to, type, file, arena_str(arena, str_of((at_).path))); \
		if ((at_).path && (at_).line > 0)                                  \
			PUT(to, type, line, (at_).line);                           \
		if ((at_).path && (at_).line > 0 && (at_).column > 0)              \
			PUT(to, type, column, (at_).column);                       \
	} while (0)

struct str role_place(struct origin at, const char *otherwise, struct arena *a)
{
	if (!at.path)
		return str_of(otherwise);
	return at.line > 0 ? arena_fmt(a, "%s:%d", at.path, at.line) : arena_str(a, str_of(at.path));
}

struct role_mistake role_report_fault(const struct fault *f, struct arena *a)
{
	static const int severities[] = {[SEVERITY_HINT] = MISTAKE_HINT,
					 [SEVERITY_WARNING] = MISTAKE_WARNING,
					 [SEVERITY_ERROR] = MISTAKE_ERROR};
	struct role_mistake m = {.severity = severities[f->severity], .text = arena_str(a, f->text)};

	PUT_PLACE(&m, role_mistake, f->at, a);
	return m;
}

void role_fault_show(const struct role_mistake *m, struct buf *b)
{
	if (m->file.n) {
		json_show_text(m->file, b);
		buf_c(b, ':');
	}
	if (m->line)
		buf_fmt(b, "%d:", (int)m->line);
	if (m->column)
		buf_fmt(b, "%d:", (int)m->column);
	buf_fmt(b, "%s%s: ", m->file.n ? " " : "", enum_mistake_severity.values[m->severity].text);
	json_show_text(m->text, b);
}

/* ---- why ---- */

static void put_steps(const struct role_answer *answer, struct arena *a, struct role_resolved *out)
{
	out->steps = ARENA_ARRAY(a, struct role_step, answer->step_count);
	for (size_t i = 0; i < answer->step_count && out->steps; i++) {
		const struct step *from = &answer->steps[i];
		struct role_step *to = &out->steps[out->steps_count++];

		to->rule = str_of(rule_names[from->rule]);
		to->matched = from->matched;
		to->why = arena_str(a, from->why);
		PUT_PLACE(to, role_step, from->at, a);
	}
}

static void put_warnings(const struct role_answer *answer, struct arena *a, struct role_resolved *out)
{
	out->warnings = ARENA_ARRAY(a, struct role_mistake, answer->warning_count);
	for (size_t i = 0; i < answer->warning_count && out->warnings; i++)
		out->warnings[out->warnings_count++] = role_report_fault(&answer->warnings[i], a);
}

void role_report_steps(const struct role_answer *answer, struct arena *a, struct role_resolved *out)
{
	put_steps(answer, a, out);
	put_warnings(answer, a, out);
}

static void add_source(struct role_resolved *out, const char *what, struct str value, struct origin at,
		       struct arena *a)
{
	struct role_source *s = &out->sources[out->sources_count++];

	s->what = str_of(what);
	s->value = arena_str(a, value);
	PUT_PLACE(s, role_source, at, a);
}

static void put_sources(const struct role_answer *answer, struct arena *a, struct role_resolved *out)
{
	out->sources = ARENA_ARRAY(a, struct role_source, 2);
	if (!out->sources)
		return;
	add_source(out, "agent", answer->agent, answer->at, a);
	if (answer->effort != EFFORT_UNSET)
		add_source(out, "effort", str_of(effort_text(answer->effort)), answer->effort_at, a);
}

/* ---- what ---- */

static void put_who(const struct role_query *q, const struct role_answer *answer, struct arena *a,
		    struct role_resolved *out)
{
	out->role = arena_str(a, answer->role < ROLE_COUNT ? str_of(role_texts[answer->role]) : q->role);
	if (q->rig.n)
		PUT(out, role_resolved, rig, arena_str(a, q->rig));
	if (q->name.n)
		PUT(out, role_resolved, name, arena_str(a, q->name));
	if (answer->account.n)
		PUT(out, role_resolved, account, arena_str(a, answer->account));
}

static void put_agent(const struct role_answer *answer, struct arena *a, struct role_resolved *out)
{
	out->agent = arena_str(a, answer->agent);
	out->runs = arena_str(a, answer->runs);
	out->would_run = answer->would_run;
	out->as_written = answer->as_written;
	out->rule = str_of(rule_names[answer->rule]);
	if (answer->pool.n)
		PUT(out, role_resolved, pool, arena_str(a, answer->pool));
	if (answer->model.n)
		PUT(out, role_resolved, model, arena_str(a, answer->model));
	if (answer->effort != EFFORT_UNSET)
		PUT(out, role_resolved, effort, str_of(effort_text(answer->effort)));
}

static bool contains(struct str s, struct str part)
{
	for (size_t i = 0; i + part.n <= s.n; i++)
		if (str_eq_nocase((struct str){s.p + i, part.n}, part))
			return true;
	return false;
}

/* People write keys into files, though they could name a variable. */
static bool sounds_secret(struct str name)
{
	static const struct str words[] = {
		{"KEY", 3},         {"TOKEN", 5},   {"SECRET", 6}, {"PASS", 4},
		{"CREDENTIAL", 10}, {"HEADERS", 7}, {"PROXY", 5},  {"AUTHORIZATION", 13},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (contains(name, words[i]))
			return true;
	return false;
}

static void put_command(const struct role_command *command, bool others, struct arena *a, struct role_resolved *out)
{
	if (!others)
		PUT(out, role_resolved, command, command->shell);
	out->argv = command->argv_shown.v;
	out->argv_count = command->argv_shown.n;
	out->env = ARENA_ARRAY(a, struct role_variable, command->env.n);
	for (size_t i = 0; i < command->env.n && out->env; i++) {
		struct role_variable *v = &out->env[out->env_count++];

		v->name = command->env.v[i].key;
		if (command->env_from.v[i].n)
			PUT(v, role_variable, from, command->env_from.v[i]);
		else if (!others || !sounds_secret(v->name))
			PUT(v, role_variable, value, command->env.v[i].value);
	}
}

void role_report(const struct role_query *q, const struct role_answer *answer, const struct role_command *command,
		 bool others, struct arena *a, struct role_resolved *out)
{
	put_who(q, answer, a, out);
	put_agent(answer, a, out);
	put_command(command, others, a, out);
	put_sources(answer, a, out);
	role_report_steps(answer, a, out);
}
