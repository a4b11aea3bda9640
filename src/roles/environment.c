/*
 * The environment of an agent: who it is, where its town is, what its tools must not do, what of our own
 * environment reaches it, and on top what its configuration asks for.
 *
 * Later settings win, so the order of env_of_spawn() is the order of importance.
 */
#include "roles/command_priv.h"

#include <stdlib.h>
#include <string.h>

const char *spawn_env(const struct spawn *s, const char *name)
{
	const char *value = s->files->env(s->files, name);

	return value && *value ? value : NULL;
}

/* ---- a list that grows in the arena ---- */

static bool make_room(const struct spawn *s, struct env *e)
{
	size_t cap = e->cap ? 2 * e->cap : 64;
	struct env_var *v = e->n < e->cap ? e->v : ARENA_ARRAY(s->arena, struct env_var, cap);

	if (!v)
		return false;
	if (v != e->v && e->n)
		memcpy(v, e->v, e->n * sizeof(*v));
	e->cap = v == e->v ? e->cap : cap;
	e->v = v;
	return true;
}

static void put_word(const struct spawn *s, struct env *e, struct str key, struct word value, struct origin at)
{
	if (!make_room(s, e))
		return; /* the arena stays overflowed: seen once, at the end */
	e->v[e->n] = (struct env_var){.key = key, .value = value, .at = at, .order = e->n};
	e->n++;
}

static void put(const struct spawn *s, struct env *e, const char *key, struct str value)
{
	put_word(s, e, str_of(key), word_plain(value), (struct origin){0});
}

static void put_z(const struct spawn *s, struct env *e, const char *key, const char *value)
{
	put(s, e, key, str_of(value));
}

static void put_some(const struct spawn *s, struct env *e, const char *key, struct str value)
{
	if (value.n)
		put(s, e, key, value);
}

static struct str get(const struct env *e, const char *key)
{
	for (size_t i = e->n; i > 0; i--)
		if (str_eqz(e->v[i - 1].key, key))
			return e->v[i - 1].value.value;
	return (struct str){0};
}

/* ---- who it is ---- */

/* What each role calls itself; '@' stands for the rig and '#' for the worker. */
struct identity {
	const char *role, *actor, *author;
	const char *name_var; /* variable of the worker's name; NULL: it has none */
	const char *nameless; /* all three when there is no name; NULL: the same */
	bool rig;             /* GT_RIG */
	bool agent_name;      /* BEADS_AGENT_NAME */
};

static const struct identity identities[ROLE_COUNT] = {
	[ROLE_MAYOR] = {"mayor", "mayor", "mayor"},
	[ROLE_DEACON] = {"deacon", "deacon", "deacon"},
	[ROLE_BOOT] = {"deacon/boot", "deacon-boot", "boot"},
	[ROLE_WITNESS] = {"@/witness", "@/witness", "@/witness", .rig = true},
	[ROLE_REFINERY] = {"@/refinery", "@/refinery", "@/refinery", .rig = true},
	[ROLE_POLECAT] = {"@/polecats/#", "@/polecats/#", "#", "GT_POLECAT", "@/polecat", true, true},
	[ROLE_CREW] = {"@/crew/#", "@/crew/#", "#", "GT_CREW", "@/crew", true, true},
	[ROLE_DOG] = {"dog", "deacon/dogs/#", "#", "GT_DOG_NAME", "dog"},
};

static struct str named(const struct spawn *s, const char *form)
{
	struct buf b = BUF_INIT(0);
	struct str text;

	for (; *form; form++) {
		if (*form == '@')
			buf_str_add(&b, s->query->rig);
		else if (*form == '#')
			buf_str_add(&b, s->query->name);
		else
			buf_c(&b, *form);
	}
	text = arena_str(s->arena, buf_str(&b));
	buf_free(&b);
	return text;
}

/* Gas Town has no form for a worker of a rig without a name: "alpha/polecats/" is what it says. */
static bool is_nameless(const struct spawn *s, const struct identity *i)
{
	return i->nameless && s->query->name.n == 0 && !(s->query->compat && i->rig);
}

static void put_name(const struct spawn *s, struct env *e, const struct identity *i)
{
	if (i->name_var)
		put(s, e, i->name_var, s->query->name);
	if (i->agent_name)
		put(s, e, "BEADS_AGENT_NAME", named(s, "@/#"));
}

static void put_identity(const struct spawn *s, struct env *e)
{
	const struct identity *i;
	bool nameless;

	if (s->answer->role >= ROLE_COUNT)
		return; /* compat: a role that Gas Town does not know has no identity */
	i = &identities[s->answer->role];
	nameless = is_nameless(s, i);
	put(s, e, "GT_ROLE", named(s, nameless ? i->nameless : i->role));
	put(s, e, "BD_ACTOR", named(s, nameless ? i->nameless : i->actor));
	put(s, e, "GIT_AUTHOR_NAME", named(s, nameless ? i->nameless : i->author));
	if (i->rig)
		put(s, e, "GT_RIG", s->query->rig);
	if (!nameless)
		put_name(s, e, i);
	if (s->answer->role == ROLE_POLECAT)
		put_z(s, e, "BD_DOLT_AUTO_COMMIT", "off"); /* its branch is merged as a whole */
}

/* ---- where it is ---- */

static void put_place(const struct spawn *s, struct env *e)
{
	put_some(s, e, "GT_ROOT", s->town_dir);
	put_some(s, e, "GIT_CEILING_DIRECTORIES", s->town_dir); /* git must not find the town's own repository */
	put_some(s, e, "GT_SESSION", s->options->session);
	put_some(s, e, "CLAUDE_CONFIG_DIR", s->answer->account_config_dir);
	if (!s->query->compat && s->answer->account_config_dir.n && s->answer->runtime.session.config_dir_env.n)
		put_word(s, e, s->answer->runtime.session.config_dir_env, word_plain(s->answer->account_config_dir),
			 (struct origin){0});
}

/* What leaked into our own environment and would break an agent, and what its tools are to leave alone. */
static void put_guards(const struct spawn *s, struct env *e)
{
	put_z(s, e, "BD_BACKUP_ENABLED", "false");
	put_z(s, e, "NODE_OPTIONS", ""); /* a debugger's flags */
	put_z(s, e, "CLAUDECODE", "");   /* "you run inside a session" */
	if (s->town_dir.n)
		put_z(s, e, "BEADS_DOLT_AUTO_START", "0");
}

static void put_effort(const struct spawn *s, struct env *e)
{
	enum effort effort = s->answer->effort;

	put_z(s, e, "CLAUDE_CODE_EFFORT_LEVEL", effort_text(effort == EFFORT_UNSET ? EFFORT_HIGH : effort));
}

/* ---- telemetry ---- */

enum { ATTRIBUTE_PROMPT = 120, ATTRIBUTE_SHORT = 40, ATTRIBUTE_SESSION = 80 };

static void attribute(struct buf *b, const char *key, struct str value)
{
	buf_fmt(b, "%s%s=%.*s", b->n ? "," : "", key, STRF(value));
}

static void attribute_some(struct buf *b, const char *key, struct str value)
{
	if (value.n)
		attribute(b, key, value);
}

/* Between characters; Gas Town cuts anywhere. */
static struct str cut_at(struct str text, size_t max, bool anywhere)
{
	while (!anywhere && max && ((unsigned char)text.p[max] & 0xC0) == 0x80)
		max--;
	return (struct str){text.p, max};
}

/* The first line, with no comma, which would end the attribute. */
static void attribute_cut(const struct spawn *s, struct buf *b, const char *key, struct str value, size_t max)
{
	struct str rest, line = str_cut(value, '\n', &rest);
	char *copy = arena_z(s->arena, line);

	for (size_t i = 0; copy && i < line.n; i++)
		if (copy[i] == ',')
			copy[i] = '|';
	line = str_trim(copy ? (struct str){copy, line.n} : (struct str){0});
	if (line.n > max)
		line = cut_at(line, max, s->query->compat);
	if (s->query->compat ? value.n : line.n) /* Gas Town says it though nothing be left */
		attribute(b, key, line);
}

static void put_attributes(const struct spawn *s, struct env *e)
{
	struct buf b = BUF_INIT(0);

	attribute_some(&b, "gt.role", get(e, "GT_ROLE"));
	attribute_some(&b, "gt.rig", s->query->rig);
	attribute_some(&b, "gt.actor", get(e, "BD_ACTOR"));
	attribute_some(&b, "gt.agent", s->query->name);
	attribute_some(&b, "gt.town", s->town_dir.n ? path_base(s->town_dir) : (struct str){0});
	attribute_cut(s, &b, "gt.prompt", s->options->prompt, ATTRIBUTE_PROMPT);
	attribute_cut(s, &b, "gt.issue", s->options->issue, ATTRIBUTE_SHORT);
	attribute_cut(s, &b, "gt.topic", s->options->topic, ATTRIBUTE_SHORT);
	attribute_cut(s, &b, "gt.session", s->options->session, ATTRIBUTE_SESSION);
	put_some(s, e, "OTEL_RESOURCE_ATTRIBUTES", arena_str(s->arena, buf_str(&b)));
	buf_free(&b);
}

static void put_logs(const struct spawn *s, struct env *e, const char *url)
{
	put_z(s, e, "BD_OTEL_LOGS_URL", url);
	put_z(s, e, "OTEL_LOGS_EXPORTER", "otlp");
	put_z(s, e, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", url);
	put_z(s, e, "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf");
	put_z(s, e, "OTEL_LOG_TOOL_DETAILS", "true");
	put_z(s, e, "OTEL_LOG_TOOL_CONTENT", "true");
	put_z(s, e, "OTEL_LOG_USER_PROMPTS", "true");
}

static void put_telemetry(const struct spawn *s, struct env *e)
{
	const char *metrics = spawn_env(s, "GT_OTEL_METRICS_URL"), *logs = spawn_env(s, "GT_OTEL_LOGS_URL");

	if (!metrics)
		return;
	put_z(s, e, "CLAUDE_CODE_ENABLE_TELEMETRY", "1");
	put_z(s, e, "OTEL_METRICS_EXPORTER", "otlp");
	put_z(s, e, "OTEL_METRIC_EXPORT_INTERVAL", "1000");
	put_z(s, e, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", metrics);
	put_z(s, e, "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf");
	put_z(s, e, "BD_OTEL_METRICS_URL", metrics);
	if (logs)
		put_logs(s, e, logs);
	put_attributes(s, e);
}

/* ---- what reaches it ---- */

static void put_dolt(const struct spawn *s, struct env *e)
{
	int64_t port = s->town_dir.n ? dolt_port(s) : 0;
	struct str text = port > 0 ? arena_fmt(s->arena, "%lld", (long long)port) : (struct str){0};
	struct str ours = str_of(spawn_env(s, "GT_DOLT_PORT")), theirs = str_of(spawn_env(s, "BEADS_DOLT_PORT"));
	struct str host = str_of(spawn_env(s, "BEADS_DOLT_SERVER_HOST"));

	put_some(s, e, "GT_DOLT_PORT", text.n ? text : ours);
	put_some(s, e, "BEADS_DOLT_PORT", text.n ? text : theirs.n ? theirs : ours);
	put_some(s, e, "BEADS_DOLT_SERVER_HOST", host.n ? host : str_of(spawn_env(s, "GT_DOLT_HOST")));
}

static void put_passed(const struct spawn *s, struct env *e)
{
	static const struct {
		const char *name;
		bool secret;
	} passed[] = {
#define PASS(name, secret) {#name, secret},
#include "roles/passed.def"
#undef PASS
	};

	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		struct word w = word_plain(str_of(spawn_env(s, passed[i].name)));

		if (w.value.n == 0)
			continue;
		if (passed[i].secret && !s->query->compat)
			w.name = str_of(passed[i].name);
		put_word(s, e, str_of(passed[i].name), w, (struct origin){0});
	}
}

/* ---- what runs ---- */

static void put_agent(const struct spawn *s, struct env *e)
{
	const struct pairs *own = &s->answer->runtime.env;

	put_some(s, e, "GT_SESSION_ID_ENV", s->answer->runtime.session.id_env);
	put_some(s, e, "GT_AGENT", s->answer->exported);
	put(s, e, "GT_PROCESS_NAMES", process_names(s));
	for (size_t i = 0; i < own->n; i++)
		put_word(s, e, own->v[i].key,
			 s->query->compat ? word_plain(own->v[i].value) : word_value(s, own->v[i].value),
			 own->v[i].at);
}

/* ---- in order ---- */

/* As "KEY=VALUE" sorts: the end of a key counts as '='. */
static int by_assignment(const void *a, const void *b)
{
	const struct env_var *x = a, *y = b;
	struct str p = x->key, q = y->key;
	size_t n = p.n < q.n ? p.n : q.n;
	int order = n ? memcmp(p.p, q.p, n) : 0;

	if (order == 0 && p.n != q.n)
		order = (p.n > n ? (unsigned char)p.p[n] : '=') - (q.n > n ? (unsigned char)q.p[n] : '=');
	if (order == 0 && p.n != q.n)
		return p.n < q.n ? -1 : 1;
	return order ? order : (x->order < y->order ? -1 : 1);
}

static void keep_last_of_each(struct env *e)
{
	size_t n = 0;

	qsort(e->v, e->n, sizeof(*e->v), by_assignment);
	for (size_t i = 0; i < e->n; i++)
		if (i + 1 == e->n || !str_eq(e->v[i].key, e->v[i + 1].key))
			e->v[n++] = e->v[i];
	e->n = n;
}

enum err env_of_spawn(const struct spawn *s, struct env *out, struct problem *p)
{
	*out = (struct env){0};
	put_identity(s, out);
	put_place(s, out);
	put_guards(s, out);
	put_effort(s, out);
	put_telemetry(s, out);
	put_dolt(s, out);
	put_passed(s, out);
	put_agent(s, out);
	if (arena_overflowed(s->arena))
		return problem_set(p, ERR_TOO_LARGE, "the environment of the agent does not fit into memory");
	keep_last_of_each(out);
	return OK;
}
