/*
 * settings/config.json, of the town and of a rig: Gas Town's own members. tenfold's are in own.c.
 */
#include "roles/settings_priv.h"

#include "roles/fill_priv.h"

#include <string.h>

#define REFUSE(r) ((r)->refused |= (r)->own == 0)

/* ---- agents ---- */

void take_prompt_mode(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct runtime *runtime = out;

	(void)f;
	runtime->prompt_mode = PROMPT_UNSET; /* what "" says, over a preset that says something too */
	if (n->text.n == 0)
		return;
	runtime->prompt_mode = str_eqz(n->text, "none") ? PROMPT_NONE : PROMPT_ARG;
	if (runtime->prompt_mode == PROMPT_ARG && !str_eqz(n->text, "arg"))
		shape_fault(r, shape_origin(r, n), SEVERITY_WARNING, "%.*s must be arg or none, and counts as arg",
			    STRF(shape_path(r, n)));
}

void take_resume_style(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct runtime *runtime = out;

	(void)f;
	runtime->resume.style = RESUME_UNSET;
	if (n->text.n == 0)
		return;
	runtime->resume.style = str_eqz(n->text, "subcommand") ? RESUME_SUBCOMMAND : RESUME_FLAG;
	if (runtime->resume.style == RESUME_FLAG && !str_eqz(n->text, "flag"))
		shape_fault(r, shape_origin(r, n), SEVERITY_WARNING,
			    "%.*s must be flag or subcommand, and counts as flag", STRF(shape_path(r, n)));
}

void take_agent(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;
	struct town_agent *one;

	(void)f;
	if (!n || b->agents.n == AGENTS_MAX) {
		b->agents.n = n ? b->agents.n : 0;
		return;
	}
	one = VEC_PUSH(&b->agents);
	*one = (struct town_agent){.name = arena_str(r->arena, n->key), .runtime = runtime_unsaid};
	if (n->kind == NODE_NULL)
		return; /* undefined: a tombstone */
	one->at = shape_key_origin(r, n);
	shape_take(r, &shape_runtime, n, &one->runtime);
}

/* By name, then in the order of the text. */
static int by_name(const void *a, const void *b)
{
	const struct town_agent *x = *(const struct town_agent *const *)a,
				*y = *(const struct town_agent *const *)b;
	int order = str_cmp(x->name, y->name);

	return order ? order : (x > y) - (x < y);
}

void agents_keep(struct reading *r, struct town_agent *v, size_t n, struct agents *out)
{
	const struct town_agent **sorted = must_alloc((n + 1) * sizeof(*sorted)); /* ends with NULL */
	struct town_agent *kept;
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = &v[i];
	qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = 0; i < n; i++)
		if ((i + 1 == n || !str_eq(sorted[i]->name, sorted[i + 1]->name)) && sorted[i]->at.line)
			sorted[count++] = sorted[i];
	kept = ARENA_ARRAY(r->arena, struct town_agent, count);
	for (size_t i = 0; kept && i < count; i++)
		kept[i] = *sorted[i];
	out->v = kept;
	out->n = kept ? count : 0;
	free(sorted);
}

/* ---- mappings ---- */

#define ADD_MAPPING(r, n, list)                                                                    \
	do {                                                                                       \
		if (!(n))                                                                          \
			(list)->n = 0;                                                             \
		else                                                                               \
			*VEC_PUSH(list) = (struct mapping){.key = arena_str((r)->arena, (n)->key), \
							   .value = shape_text(r, n),              \
							   .at = shape_key_origin(r, n),           \
							   .value_at = shape_origin(r, n)};        \
	} while (0)

void take_role_agent(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	(void)f;
	ADD_MAPPING(r, n, &b->role_agents);
}

void take_role_effort(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	(void)f;
	ADD_MAPPING(r, n, &b->role_effort);
}

void take_worker_agent(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	(void)f;
	ADD_MAPPING(r, n, &b->worker_agents);
}

/* ---- single values ---- */

void take_default_agent(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	(void)f;
	b->settings->default_agent = arena_str(r->arena, n->text);
	b->settings->default_agent_at = shape_origin(r, n);
}

void take_cost_tier(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	(void)f;
	b->settings->cost_tier = arena_str(r->arena, n->text);
	b->settings->cost_tier_at = shape_origin(r, n);
}

void take_runtime(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	(void)f;
	if (!n) {
		b->runtime = NULL;
		return;
	}
	if (!b->runtime && (b->runtime = ARENA_NEW(r->arena, struct runtime)))
		*b->runtime = runtime_unsaid;
	b->settings->runtime_at = shape_key_origin(r, n);
	shape_take(r, &shape_runtime, n, b->runtime);
}

/* ---- what makes Gas Town refuse a rig's file: it looks once all is read, so of several the last counts ---- */

void take_rig_type(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	(void)r, (void)f;
	b->type = n;
}

void take_rig_version(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	(void)r, (void)f;
	b->version = n;
}

static void look_at_type(struct reading *r, const struct node *n)
{
	if (n->text.n == 0 || str_eqz(n->text, "rig-settings"))
		return;
	REFUSE(r);
	shape_fault(r, shape_origin(r, n), SEVERITY_ERROR,
		    "type must be rig-settings here, not \"%.*s\": Gas Town leaves the whole file out",
		    STRF(n->text));
}

static void look_at_version(struct reading *r, const struct node *n)
{
	int64_t version;

	if (!str_to_i64(n->text, &version) || version <= 1)
		return;
	REFUSE(r);
	shape_fault(r, shape_origin(r, n), SEVERITY_ERROR,
		    "version %lld is newer than 1, the newest that is known: Gas Town leaves the whole file out",
		    (long long)version);
}

static void refuse_member(struct reading *r, const struct node *n, const char *must)
{
	REFUSE(r);
	shape_fault(r, shape_origin(r, n), SEVERITY_ERROR, "%.*s must be %s: Gas Town leaves the whole file out",
		    STRF(shape_path(r, n)), must);
}

static void look_at_conflict(struct reading *r, const struct node *n)
{
	if (n->text.n && !str_eqz(n->text, "assign_back") && !str_eqz(n->text, "auto_rebase"))
		refuse_member(r, n, "assign_back or auto_rebase");
}

static void look_at_duration(struct reading *r, const struct node *n, bool must_be_positive)
{
	bool positive;

	if (n->text.n == 0)
		return;
	if (!is_go_duration(n->text, &positive))
		refuse_member(r, n, "a duration such as 30s or 5m");
	else if (must_be_positive && !positive)
		refuse_member(r, n, "a duration above 0");
}

static void look_at_interval(struct reading *r, const struct node *n)
{
	look_at_duration(r, n, false);
}

static void look_at_timeout(struct reading *r, const struct node *n)
{
	look_at_duration(r, n, true);
}

static void look_at_count(struct reading *r, const struct node *n)
{
	int64_t count;

	if (str_to_i64(n->text, &count) && count < 0)
		refuse_member(r, n, "0 or more");
}

static const struct queue_look {
	struct str key;
	enum node_kind kind; /* whatever has another is refused for that */
	void (*look)(struct reading *r, const struct node *n);
} queue_looks[QUEUE_LOOKED_AT] = {{{"on_conflict", 11}, NODE_STRING, look_at_conflict},
				  {{"poll_interval", 13}, NODE_STRING, look_at_interval},
				  {{"stale_claim_timeout", 19}, NODE_STRING, look_at_timeout},
				  {{"retry_flaky_tests", 17}, NODE_NUMBER, look_at_count},
				  {{"max_concurrent", 14}, NODE_NUMBER, look_at_count}};

/* Objects of one name are one, and null leaves what was said before. */
static void said_last(const struct node *queue, const struct queue_look *q, const struct node **said)
{
	for (const struct node *m = queue->first; m; m = m->next)
		if (m->kind == q->kind && node_is_field(m, q->key))
			*said = m;
}

static void look_at_rig_file(struct reading *r, const struct building *b)
{
	if (b->type)
		look_at_type(r, b->type);
	if (b->version)
		look_at_version(r, b->version);
	for (size_t i = 0; i < QUEUE_LOOKED_AT; i++)
		if (b->of_queue[i])
			queue_looks[i].look(r, b->of_queue[i]);
}

void take_merge_queue(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	if (!n) {
		b->settings->old_target_branch = b->settings->old_integration_branches = false;
		memset(b->of_queue, 0, sizeof(b->of_queue));
		return;
	}
	shape_take(r, f->shape, n, NULL);
	for (size_t i = 0; i < QUEUE_LOOKED_AT; i++)
		said_last(n, &queue_looks[i], &b->of_queue[i]);
	b->settings->old_target_branch |= node_entry(n, STR("target_branch")) != NULL;
	b->settings->old_integration_branches |= node_entry(n, STR("integration_branches")) != NULL;
}

/* ---- the file ---- */

#define KEEP(r, list, type, into, count)                                   \
	do {                                                               \
		(into) = ARENA_ARRAY((r)->arena, type, (list)->n);         \
		(count) = (into) ? (list)->n : 0;                          \
		if (count)                                                 \
			memcpy((into), (list)->v, (count) * sizeof(type)); \
		VEC_FREE(list);                                            \
	} while (0)

static void read_object(struct reading *r, const struct shape *shape, const struct node *n, struct settings *out)
{
	struct building b = {.r = r, .settings = out};

	shape_take(r, shape, n, &b);
	look_at_rig_file(r, &b);
	KEEP(r, &b.role_agents, struct mapping, out->role_agents.v, out->role_agents.n);
	KEEP(r, &b.role_effort, struct mapping, out->role_effort.v, out->role_effort.n);
	KEEP(r, &b.worker_agents, struct mapping, out->worker_agents.v, out->worker_agents.n);
	KEEP(r, &b.polecat_agents, struct mapping, out->polecat_agents.v, out->polecat_agents.n);
	KEEP(r, &b.type_agents, struct mapping, out->type_agents.v, out->type_agents.n);
	KEEP(r, &b.accounts, struct account_choice, out->accounts, out->account_count);
	KEEP(r, &b.pools, struct agent_pool, out->pools, out->pool_count);
	KEEP(r, &b.budgets, struct budget_line, out->budgets, out->budget_count);
	KEEP(r, &b.rigs, struct rig_part, out->rigs, out->rig_count);
	out->runtime = b.runtime;
	/* Last, because a block of an arena is twice the one before. */
	agents_keep(r, b.agents.v, b.agents.n, &out->agents);
	VEC_FREE(&b.agents);
}

/* ---- rigs of the town's file ---- */

void take_rig(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;
	struct rig_part part;

	(void)f;
	if (!n) {
		b->rigs.n = 0;
		return;
	}
	if (n->kind == NODE_NULL)
		return;
	part = (struct rig_part){.name = arena_str(r->arena, n->key), .at = shape_key_origin(r, n)};
	read_object(r, &shape_rig_settings, n, &part.settings);
	*VEC_PUSH(&b->rigs) = part;
}

static int by_rig(const void *a, const void *b)
{
	const struct rig_part *x = a, *y = b;
	int order = str_cmp(x->name, y->name);

	/* Of one name the last of the text comes first, and is found. */
	return order ? order : (x->at.line < y->at.line) - (x->at.line > y->at.line);
}

void settings_read(struct reading *r, struct settings *out)
{
	read_object(r, r->is_rig ? &shape_rig_settings : &shape_town_settings, r->doc->root, out);
	if (out->rig_count)
		qsort(out->rigs, out->rig_count, sizeof(*out->rigs), by_rig);
}
