/*
 * What Gas Town looks at around an agent: the names of its processes, by which it is told alive, and the port of
 * the town's Dolt server.
 */
#include "roles/command_priv.h"

#include "roles/doc.h"

/* ---- names of processes ---- */

/* A town wraps a program as gt-program. */
static struct str unwrapped(struct str name)
{
	return str_starts(name, STR("gt-")) ? (struct str){name.p + 3, name.n - 3} : name;
}

static bool runs_command(const struct town_agent *a, struct str command)
{
	struct str base = path_base(command), own = a->runtime.command;

	return command.n == 0 || str_eq(own, command) || str_eq(own, base) || str_eq(path_base(own), base) ||
	       str_eq(own, unwrapped(base));
}

static const struct town_agent *names_itself(const struct spawn *s, struct str command)
{
	const struct town_agent *a = agents_find(s->registry, s->answer->exported);

	return a && a->runtime.tmux.process_names.n && runs_command(a, command) ? a : NULL;
}

/* A custom agent may carry the name of a preset and run another program, so the program decides. */
static const struct town_agent *agent_of_processes(const struct spawn *s)
{
	struct str command = s->answer->runtime.command, base = path_base(command);
	const struct town_agent *a = names_itself(s, command);

	if (!a && command.n)
		a = agents_by_command(s->registry, command);
	if (!a && command.n)
		a = agents_by_command(s->registry, unwrapped(base));
	return a;
}

struct str process_names(const struct spawn *s)
{
	const struct town_agent *a = agent_of_processes(s);
	const struct texts *names = a ? &a->runtime.tmux.process_names : NULL;
	struct buf b = BUF_INIT(0);
	struct str text;

	if (!a)
		return s->answer->runtime.command.n ? path_base(s->answer->runtime.command) : STR("node,claude");
	for (size_t i = 0; i < names->n; i++) {
		if (i)
			buf_c(&b, ',');
		buf_str_add(&b, names->v[i]);
	}
	text = arena_str(s->arena, buf_str(&b));
	buf_free(&b);
	return text;
}

/* ---- the port ---- */

enum { SMALL_FILE_MAX = 1 << 20 };

/* As strconv.Atoi: a sign may stand before it. */
static int64_t port_of(struct str text)
{
	int64_t port = 0;

	if (str_starts(text, STR("+")) && text.n > 1 && text.p[1] != '-')
		text = (struct str){text.p + 1, text.n - 1};
	return str_to_i64(text, &port) && port > 0 ? port : 0;
}

static struct str town_file(const struct spawn *s, const char *name)
{
	const struct str parts[] = {s->town_dir, str_of(name)};
	const char *path = arena_z(s->arena, path_join(s->arena, parts, 2));
	struct str text = {0};
	struct stamp stamp;

	if (!path || s->files->read(s->files, path, SMALL_FILE_MAX, s->arena, &text, &stamp, NULL))
		return (struct str){0};
	return text;
}

/* The file is made by Gas Town in one form, so lines are enough: the port under "listener:". */
static int64_t port_of_yaml(struct str text)
{
	bool inside = false;
	int64_t port = 0;

	while (text.n && port == 0) {
		struct str line = str_cut(text, '\n', &text), plain = str_trim(line);

		if (str_eqz(plain, "listener:"))
			inside = true;
		else if (inside && str_starts(plain, STR("port:")))
			port = port_of(str_trim((struct str){plain.p + 5, plain.n - 5}));
		else if (line.n && line.p[0] != ' ' && line.p[0] != '\t')
			inside = false;
	}
	return port;
}

/* mayor/daemon.json: {"env": {"GT_DOLT_PORT": "3307"}}. As in Go one value that is no text spoils the file. */
static int64_t port_of_daemon(const struct spawn *s)
{
	struct str text = town_file(s, "mayor/daemon.json");
	const struct node *env, *port;
	struct doc doc;

	if (text.n == 0 || doc_parse(STR("mayor/daemon.json"), text, s->arena, &doc, NULL))
		return 0;
	env = node_member(doc.root, STR("env"));
	if (!env || env->kind != NODE_OBJECT)
		return 0;
	for (const struct node *n = env->first; n; n = n->next)
		if (n->kind != NODE_STRING && n->kind != NODE_NULL)
			return 0;
	port = node_entry(env, STR("GT_DOLT_PORT"));
	return port ? port_of(port->text) : 0;
}

int64_t dolt_port(const struct spawn *s)
{
	int64_t port = port_of_yaml(town_file(s, ".dolt-data/config.yaml"));

	if (port == 0)
		port = port_of(str_of(spawn_env(s, "GT_DOLT_PORT")));
	return port ? port : port_of_daemon(s);
}
