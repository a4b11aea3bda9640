/*
 * What the files of a town say, typed: agents, rigs, tiers. Everything has the place it comes from.
 *
 * Names, fields and precedence are Gas Town's; docs/roles.md lists the files. A missing value is an empty str, an
 * empty list with its `has_` bit clear, or -1.
 */
#ifndef TENFOLD_ROLES_MODEL_H
#define TENFOLD_ROLES_MODEL_H

#include "roles/doc.h"
#include "roles/files.h"

/* Where a value stands. path NULL: built in; line 0: the file as a whole. */
struct origin {
	const char *path; /* relative to the town if it is in it */
	int line, column;
};

enum role {
#define ROLE(name, text, tiered, rig, doc) ROLE_##name,
#include "roles/roles.def"
#undef ROLE
	ROLE_COUNT,
	ROLE_UNKNOWN = ROLE_COUNT
};

struct pair {
	struct str key, value;
	struct origin at;
};

struct texts {
	struct str *v;
	size_t n;
	bool given; /* [] was written: none, instead of what would be filled in */
};

struct pairs {
	struct pair *v;
	size_t n;
};

enum prompt_mode { PROMPT_UNSET, PROMPT_ARG, PROMPT_NONE };
enum resume_style { RESUME_UNSET, RESUME_FLAG, RESUME_SUBCOMMAND };

/* How an agent is started: an entry of `agents`, an entry of agents.json, or a built-in preset, filled or not. */
struct runtime {
	struct str provider, command, initial_prompt;
	struct texts args;
	struct pairs env;
	enum prompt_mode prompt_mode;
	struct {
		struct str id_env, config_dir_env;
		bool given;
	} session;
	struct {
		struct str provider, dir, settings_file;
		int informational; /* -1: not said */
		bool given;
	} hooks;
	struct {
		struct texts process_names;
		struct str ready_prompt_prefix;
		int64_t ready_delay_ms;
		bool given;
	} tmux;
	struct {
		struct str file;
		bool given;
	} instructions;
	struct {
		struct str mode, command;
		struct texts args;
		bool given;
	} acp;
	struct texts exec_wrapper;
	struct {
		struct str flag, continue_flag;
		enum resume_style style;
	} resume;
	struct {
		struct str subcommand, prompt_flag, output_flag;
		bool given;
	} non_interactive;
	struct str config_dir;
	int supports_hooks, supports_fork_session, emits_permission_warning, has_turn_boundary_drain,
		escape_cancels_request, hooks_use_settings_dir; /* -1: not said */
};

struct agent {
	struct str name;
	struct runtime runtime;
	struct origin at;
	bool is_preset; /* built in, or of agents.json: flat entries overlaid on a preset */
};

struct agents {
	struct agent *v;
	size_t n;
	struct map *by_name; /* hash of the name to the agent */
};

/* role or crew name, or type or label → agent name or effort */
struct mapping {
	struct str key, value;
	struct origin at, value_at;
};

struct mappings {
	struct mapping *v;
	size_t n;
};

enum pool_selection { POOL_PRIORITY, POOL_ROUND_ROBIN, POOL_WEIGHTED, POOL_LEAST_COST };

struct pool_member {
	struct str agent;
	int64_t weight;
	struct origin at;
};

struct agent_pool {
	struct str name, fallback; /* fallback: an agent or another pool; empty: none */
	struct pool_member *members;
	size_t member_count;
	enum pool_selection selection;
	struct origin at;
};

/* A settings/config.json, of the town or of a rig. What only one of them has is empty in the other. */
struct settings {
	const struct doc *doc; /* NULL: the file is missing */
	struct agents agents;
	struct mappings role_agents, role_effort;
	struct mappings worker_agents;                              /* crew_agents of a town */
	struct mappings polecat_agents, type_agents, role_accounts; /* tenfold's own */
	struct agent_pool *pools;
	size_t pool_count;
	struct str default_agent; /* `agent` of a rig */
	struct origin default_agent_at;
	struct str cost_tier;
	struct runtime runtime; /* rig only, deprecated but stronger than `agent` */
	bool has_runtime;
	struct origin runtime_at;
};

struct rig {
	struct str name;
	struct settings settings;
	struct agents registry; /* its agents.json, over the town's; leaks into no other rig */
};

struct account {
	struct str handle, config_dir;
	struct origin at;
};

/*
 * A town. Long-lived: town_refresh() looks at the stamps and reads again what changed; a file that cannot be
 * used keeps the last good version, and the fault is in `faults`. One thread at a time.
 */
struct town;

enum { TOWN_PATH_MAX = 4096 };

/* dir empty: the nearest one upwards from `from` that has mayor/town.json. Reads nothing else yet: files are read
 * when they are first needed. */
enum err town_open(struct files *files, struct str dir, struct str from, struct town **out, struct problem *p);
void town_close(struct town **t);
struct str town_dir(const struct town *t);
struct files *town_files(struct town *t);

/* To be called once before each question. After it what the functions below return stays valid until the next. */
void town_refresh(struct town *t);

const struct settings *town_settings(struct town *t);
/* NULL: there is no such rig; an empty name is none. Names with '/', "..", a leading '.' or a NUL are none. */
const struct rig *town_rig(struct town *t, struct str name);
const struct agents *town_registry(struct town *t); /* built-in presets and the town's agents.json */
/* Rigs that have settings, sorted by name; reads the directory. */
enum err town_rigs(struct town *t, struct arena *a, struct str **names, size_t *count, struct problem *p);
const struct account *town_account(struct town *t, struct str handle); /* NULL: there is none */
struct str town_default_account(struct town *t);

/* Everything that is wrong with the files read so far. */
enum severity { SEVERITY_HINT, SEVERITY_WARNING, SEVERITY_ERROR };

struct fault {
	enum severity severity;
	struct origin at;
	struct str text; /* "unknown role "polcat" in role_agents; did you mean polecat?" */
};

size_t town_fault_count(const struct town *t);
const struct fault *town_fault(const struct town *t, size_t i);

/* ---- tables ---- */

extern const char *const role_texts[ROLE_COUNT];
enum role role_by_text(struct str text); /* ROLE_UNKNOWN */

/* The 12 built-in presets, src/roles/presets.def. */
const struct agents *presets_builtin(void);

/* src/roles/tiers.def. Empty agent: the default tier of the ladder. */
struct tier {
	const char *name;
	const char *agent[ROLE_COUNT];
	const char *effort[ROLE_COUNT]; /* "": none */
	const char *doc;
};
extern const struct tier tiers[];
extern const unsigned tier_count;
const struct tier *tier_by_name(struct str name); /* NULL */
/* The agents a tier brings along, such as claude-sonnet. */
const struct agent *tier_agent(struct str name);

enum effort { EFFORT_UNSET, EFFORT_LOW, EFFORT_MEDIUM, EFFORT_HIGH, EFFORT_XHIGH, EFFORT_MAX, EFFORT_AUTO };
enum effort effort_by_text(struct str text); /* EFFORT_UNSET: not one */
const char *effort_text(enum effort e);

/* The nearest known word, or NULL: for "did you mean". */
const char *nearest(struct str word, const char *const *words, size_t count);

#endif
