/*
 * See worker_agent.h. Everything about a job lives in the job's arena and is copied out of the town, whose files
 * may be read anew while the agent runs.
 */
#include "cli/worker_agent.h"

#include "base/id.h"
#include "base/magic.h"
#include "cli/role.h"
#include "cli/worker_prompt.h"
#include "cli/worker_step.h"
#include "roles/cost.h"
#include "roles/provider.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

enum {
	QUOTA_COOL_MS = 60 * 60 * 1000, /* when the provider does not say how long */
	AWAY_COOL_MS = 10 * 60 * 1000,
	OTHERS_MAX = 16, /* agents whose account is used up, for one item */
	STDOUT_KEPT = 1 << 20,
	LAST_WORDS = 4 << 10,
	MICRO = 1000000,
	EXIT_NOT_RUN = 126, /* and 127: a shell's or env's word for it */
};

struct worker_agents {
	struct worker *worker;
	struct role_desk desk;
	struct cost_tables prices;
	uint64_t told;        /* hash of the warnings that were told last */
	uint64_t budget_told; /* likewise of the budget that was warned of */
};

/* One job's. */
struct agent_run {
	struct role_query query;
	struct role_answer answer;
	struct str preset; /* whose output it writes */
	int64_t began_ms;
};

/* ---- asking ---- */

static struct role_query query_of(const struct worker_args *a)
{
	return (struct role_query){.role = a->role,
				   .rig = a->rig,
				   .name = a->name,
				   .agent = a->agent,
				   .model = a->model,
				   .effort = a->effort,
				   .account = a->account,
				   .spawn = true};
}

/* Of a step: as the role that its member has in a town, unless the worker has one for all. What the member says of
 * provider and model goes before the files; what the worker's flags say, before both. */
static void query_for_step(struct role_query *q, const struct step_brief *b)
{
	if (!q->role.n)
		q->role = str_of(
			enum_town_role.values[HAS(b, step_brief, town_role) ? b->town_role : TOWN_POLECAT].text);
	if (!q->name.n && HAS(b, step_brief, member_name))
		q->name = b->member_name;
	if (!q->agent.n && HAS(b, step_brief, provider))
		q->agent = b->provider;
	if (!q->model.n && HAS(b, step_brief, model))
		q->model = b->model;
}

static struct role_query query_for(const struct worker_agents *g, const struct job *j)
{
	struct role_query q = query_of(g->worker->args);

	q.type = j->item.type;
	q.labels = labels_of_item(&j->item, j->arena);
	if (j->step)
		query_for_step(&q, &j->step->brief);
	return q;
}

/* The same warnings for every item would hide everything else. */
static void tell_warnings(struct worker_agents *g, const struct role_answer *answer)
{
	uint64_t hash = 1;

	for (size_t i = 0; i < answer->warning_count; i++)
		hash = str_hash_seed(answer->warnings[i].text, hash);
	for (size_t i = 0; i < answer->warning_count && hash != g->told; i++) {
		struct role_mistake m = role_report_fault(&answer->warnings[i], g->worker->arena);
		struct buf b = BUF_INIT(0);

		role_fault_show(&m, &b);
		worker_say(g->worker, "%s", buf_cstr(&b));
		buf_free(&b);
	}
	g->told = hash;
}

static int64_t now_ms(const struct worker_agents *g)
{
	return g->desk.files->now_ms(g->desk.files);
}

/* Claude without an account that has something left is no agent to be started. */
static bool account_is_used_up(struct worker_agents *g, const struct role_answer *answer, int64_t *until_ms)
{
	*until_ms = answer->claude && answer->account.n
			    ? town_state_account_cooling_until(g->desk.state, answer->account)
			    : 0;
	return *until_ms > now_ms(g);
}

static enum err ask(struct worker_agents *g, struct agent_run *run, struct arena *a, struct problem *p)
{
	int64_t until_ms;
	enum err e = OK;

	town_refresh(g->desk.town);
	town_state_refresh(g->desk.state, NULL);
	for (int i = 0; i < OTHERS_MAX && !e; i++) {
		run->answer = (struct role_answer){0};
		e = role_resolve(g->desk.town, &run->query, g->desk.state, a, &run->answer, p);
		if (e || !account_is_used_up(g, &run->answer, &until_ms))
			break;
		town_state_cool(g->desk.state, run->answer.runs, until_ms, STR("its account is used up"), NULL);
	}
	tell_warnings(g, &run->answer);
	return e;
}

/* An agent that was fallen back to can do it as well: only what really runs is looked at. */
static enum err check_runs(struct worker_agents *g, const struct role_answer *answer, const struct str *command,
			   struct problem *p)
{
	int64_t until_ms = town_state_cooling_until(g->desk.state, answer->runs);

	if (until_ms > now_ms(g))
		return problem_set(p, ERR_CONFLICT, "%.*s cools down for %lld more min, and nothing else can run",
				   STRF(answer->runs), (long long)((until_ms - now_ms(g) + 59999) / 60000));
	if (!town_executable(g->desk.town, *command))
		return problem_set(p, ERR_CONFLICT, "%.*s cannot be started: there is no command '%.*s'",
				   STRF(answer->runs), STRF(*command));
	return OK;
}

static void warn_of_budget(struct worker_agents *g, const struct budget *b, struct str text)
{
	uint64_t hash = str_hash(b->key);

	if (hash != g->budget_told)
		worker_say(g->worker, "budget of %.*s", STRF(text));
	g->budget_told = hash;
}

static enum err check_budget(struct worker_agents *g, const struct agent_run *run, struct arena *a,
			     struct problem *p)
{
	struct budget b = role_budget(g->desk.town, &run->query, &run->answer, &g->prices, g->desk.state);
	struct str text = budget_text(&b, a);

	if (b.standing == BUDGET_NONE || b.standing == BUDGET_WITHIN)
		return OK;
	if (b.standing == BUDGET_OVER)
		return problem_set(p, ERR_CONFLICT,
				   "the budget is spent (%.*s); nothing more is started on it today", STRF(text));
	warn_of_budget(g, &b, text);
	return OK;
}

/* ---- handing over ---- */

/* For when it has ended: by then the town may have been read anew. */
static void keep_answer(struct role_answer *answer, struct arena *a)
{
	const struct runtime kept = {.provider = arena_str(a, answer->runtime.provider),
				     .command = arena_str(a, answer->runtime.command)};

	answer->agent = arena_str(a, answer->agent);
	answer->runs = arena_str(a, answer->runs);
	answer->model = arena_str(a, answer->model);
	answer->account = arena_str(a, answer->account);
	answer->runtime = kept;
}

static size_t longest(int field)
{
	return (size_t)type_work_used.fields[field].max;
}

static void note_used(struct job *j, const struct role_answer *answer)
{
	PUT(&j->used, work_used, agent, str_clip(answer->runs, longest(work_used__agent)));
	if (answer->model.n)
		PUT(&j->used, work_used, model, str_clip(answer->model, longest(work_used__model)));
	if (answer->effort != EFFORT_UNSET)
		PUT(&j->used, work_used, effort, str_of(effort_text(answer->effort)));
}

static void hand_over(struct job *j, const struct role_command *command)
{
	char **argv = ARENA_ARRAY(j->arena, char *, command->argv.n + 1);

	for (size_t i = 0; argv && i < command->argv.n; i++)
		argv[i] = arena_z(j->arena, command->argv.v[i]);
	j->argv = argv;
	j->variables = command->env;
	if (j->step)
		j->input = prompt_has_brief(j->step->brief_json) ? (struct str){0} : j->step->brief_json;
	else
		j->input = prompt_has_payload(&j->item) ? (struct str){0} : j->item.payload;
	output_keep_stdout(&j->output, STDOUT_KEPT);
}

static struct str prompt_for(const struct job *j, const struct agent_run *run)
{
	if (j->step)
		return prompt_of_step(&j->step->brief, j->step->brief_json, j->arena);
	return prompt_of_item(&j->item, &run->query.labels, j->arena);
}

static enum err make_command(struct worker_agents *g, struct job *j, struct agent_run *run, struct problem *p)
{
	char id[ID_TEXT];
	struct command_options options = {.non_interactive = true, .prompt = prompt_for(j, run)};
	struct role_command command;
	enum err e;

	id_format(id, "w_", j->item.id);
	options.issue = str_of(id);
	e = role_command(g->desk.town, &run->query, &run->answer, &options, j->arena, &command, p);
	if (!e)
		e = check_runs(g, &run->answer, &command.argv.v[0], p);
	if (!e)
		hand_over(j, &command);
	return e;
}

enum err worker_agents_prepare(struct worker_agents *g, struct job *j, struct problem *p)
{
	struct agent_run *run = ARENA_NEW(j->arena, struct agent_run);
	const struct provider *program;
	enum err e;

	if (!run)
		return ERR_TOO_LARGE;
	run->query = query_for(g, j);
	e = ask(g, run, j->arena, p);
	if (!e)
		e = check_budget(g, run, j->arena, p);
	if (!e)
		e = make_command(g, j, run, p);
	if (e)
		return e;
	program = provider_of(&run->answer.runtime);
	run->preset = str_of(program ? program->name : NULL);
	keep_answer(&run->answer, j->arena);
	note_used(j, &run->answer);
	run->began_ms = g->worker->now_ms;
	j->agent = run;
	return OK;
}

enum err worker_agents_model(struct worker_agents *g, struct job *j, struct str *out, struct problem *p)
{
	struct agent_run run = {.query = query_for(g, j)};
	enum err e;

	run.query.spawn = false;
	run.query.model = (struct str){0}; /* the worker's is for whom nothing else names one */
	run.query.agent = (struct str){0};
	e = ask(g, &run, j->arena, p);
	*out = e ? (struct str){0} : arena_str(j->arena, run.answer.model);
	return e;
}

/* ---- the end ---- */

/* For the costs of the squad: what is not reported is not known. */
static void note_call(struct job *j, const struct usage_report *report)
{
	const struct agent_run *run = j->agent;
	struct model_call *call = ARENA_NEW(j->arena, struct model_call);
	struct str model = report->model.n       ? report->model
			   : run->answer.model.n ? run->answer.model
						 : run->answer.runs;

	if (!call)
		return;
	call->provider = str_clip(run->preset.n ? run->preset : run->answer.runs, 64);
	call->model = str_clip(model, 128);
	if (report->input + report->output > 0) {
		PUT(call, model_call, input_tokens, report->input + report->cache_read + report->cache_write);
		PUT(call, model_call, cached_tokens, report->cache_read);
		PUT(call, model_call, output_tokens, report->output);
	}
	if (report->usd >= 0 && report->usd < MICRO)
		PUT(call, model_call, micro_usd, (int64_t)(report->usd * MICRO + 0.5));
	PUT(&j->used, work_used, calls, call);
	j->used.calls_count = 1;
}

static void count_tokens(struct worker_agents *g, struct job *j)
{
	const struct agent_run *run = j->agent;
	struct usage_report report = {.usd = -1};
	bool reported = usage_from_output(run->preset, output_stdout_kept(&j->output), j->arena, &report);
	struct spent one = spent_of_run(&g->prices, &run->query, &run->answer, reported ? &report : NULL,
					g->worker->now_ms - run->began_ms);
	struct problem why = {0};

	if (j->step)
		note_call(j, reported ? &report : &(struct usage_report){.usd = -1});
	if (town_state_spend(g->desk.state, &one, &why) != OK)
		worker_say(g->worker, "what %.*s used could not be recorded: %s", STRF(run->answer.runs),
			   why.detail);
}

static struct str last_words(struct str s)
{
	return s.n > LAST_WORDS ? (struct str){s.p + s.n - LAST_WORDS, LAST_WORDS} : s;
}

static bool crashed(int status)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE || number == SIGABRT;
}

static struct trouble trouble_of(const struct job *j, int status)
{
	struct trouble t = {0};

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return t;
	if (crashed(status))
		return (struct trouble){.kind = TROUBLE_AWAY, .words = STR("it crashed")};
	if (WIFEXITED(status) && WEXITSTATUS(status) >= EXIT_NOT_RUN && WEXITSTATUS(status) <= EXIT_NOT_RUN + 1)
		return (struct trouble){.kind = TROUBLE_AWAY, .words = STR("it could not be started")};
	t = trouble_in(last_words(output_stderr_kept(&j->output)));
	return t.kind ? t : trouble_in(last_words(output_stdout_kept(&j->output)));
}

/* An account's limit is not its agent's: another account may have something left. */
static void cool_down(struct worker_agents *g, const struct agent_run *run, const struct trouble *t)
{
	int64_t usual = now_ms(g) + (t->kind == TROUBLE_QUOTA ? QUOTA_COOL_MS : AWAY_COOL_MS);
	int64_t until_ms = t->until_ms > now_ms(g) ? t->until_ms : usual;
	bool of_account = t->kind == TROUBLE_QUOTA && run->answer.claude && run->answer.account.n;
	struct str who = of_account ? run->answer.account : run->answer.runs;
	struct problem why = {0};
	enum err e = of_account ? town_state_cool_account(g->desk.state, who, until_ms, t->words, &why)
				: town_state_cool(g->desk.state, who, until_ms, t->words, &why);

	worker_say(g->worker, "%s%.*s cools down for %lld min: %.*s%s%s", of_account ? "account " : "", STRF(who),
		   (long long)((until_ms - now_ms(g) + 59999) / 60000), STRF(t->words),
		   e ? "; not remembered: " : "", e ? why.detail : "");
}

struct trouble worker_agents_ended(struct worker_agents *g, struct job *j, int status, bool stopped)
{
	struct trouble t = stopped ? (struct trouble){0} : trouble_of(j, status);

	count_tokens(g, j);
	if (t.kind)
		cool_down(g, j->agent, &t);
	return t;
}

/* ---- open and close ---- */

static enum err try_once(struct worker_agents *g, struct arena *a, struct problem *p)
{
	struct agent_run run = {.query = query_of(g->worker->args)};

	if (!run.query.role.n) /* each step has one of its own; this one needs neither rig nor name */
		run.query.role = STR("mayor");
	run.query.spawn = false;
	return ask(g, &run, a, p);
}

enum err worker_agents_open(struct worker *w, struct worker_agents **out)
{
	struct worker_agents *g = NEW(struct worker_agents);
	struct problem *p = &w->cli->problem;
	enum err e = role_open(w->cli, w->args->town, &g->desk);

	g->worker = w;
	if (!e)
		e = cost_tables_load(g->desk.files, g->desk.data, w->cli->arena, &g->prices, p);
	if (!e)
		e = try_once(g, w->cli->arena, p);
	*out = g;
	if (e)
		worker_agents_close(out);
	return e;
}

void worker_agents_close(struct worker_agents **g)
{
	if (!*g)
		return;
	role_close(&(*g)->desk);
	free(*g);
	*g = NULL;
}
