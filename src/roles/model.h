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

enum severity { SEVERITY_HINT, SEVERITY_WARNING, SEVERITY_ERROR };

struct fault {
	enum severity severity;
	struct origin at;
	struct str text; /* "role_agents must be an object, not a text" */
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

struct town_agent {
	struct str name;
	struct runtime runtime;
	struct origin at;
	bool is_preset; /* built in, or of agents.json: flat entries overlaid on a preset */
};

/* What was found where a file should be. */
enum file_state {
	FILE_UNREAD,
	FILE_MISSING,
	FILE_READ,
	FILE_KEPT, /* it cannot be used as it is now; this is what it said before */
	FILE_LOST  /* it cannot be used, and never could: this is as if it were missing, but it is not */
};

struct source {
	const char *path; /* as origins have it; NULL: built in */
	enum file_state state;
	bool refused;              /* Gas Town would not take the file at all: a wrong type somewhere */
	const struct fault *fault; /* of KEPT and LOST: why; else of `refused`; else NULL */
};

/* Agents of one file, sorted by name, each name once. */
struct agents {
	const struct town_agent *v;
	size_t n;
	const struct agents *under; /* what is not found here is looked for there; NULL: nowhere else */
	struct source source;
};
const struct town_agent *agents_find(const struct agents *a, struct str name); /* goes down; NULL: there is none */
/* One whose command is that, or has that last part of its path, and which names its processes: for liveness. Those
 * with the names of built-in presets first, then from the top down. NULL: there is none. */
const struct town_agent *agents_by_command(const struct agents *a, struct str command);

/* role or crew name, or type or label → agent name or effort */
struct mapping {
	struct str key, value;
	struct str model,
		effort; /* of polecat_agents and type_agents: {"agent", "model", "effort"}, all optional */
	struct origin at, value_at;
};

struct mappings {
	struct mapping *v; /* in the order of the file; of several with one key the last counts */
	size_t n;
};
const struct mapping *mappings_find(const struct mappings *m, struct str key); /* NULL: there is none */
struct str mappings_value(const struct mappings *m, struct str key);           /* empty: none, or none said */

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

/* role_accounts: {"polecat": "work"} pins, {"polecat": ["work", "home"]} takes turns; "*" is every other role. */
struct account_choice {
	struct str role;
	struct texts handles;
	struct origin at;
};

/* budgets: {"alpha": {"usd_per_day": 20, "warn_at": 0.8}}; the key is a rig, a role, rig/role or "*". */
struct budget_line {
	struct str key;
	double usd_per_day, warn_at; /* warn_at: share of it, 0.8 when not said */
	struct origin at;
};

/* A settings/config.json, of the town or of a rig. What only one of them has is empty in the other; lists are in
 * the order of the file, of entries with one key only the last is there. */
struct settings {
	struct source source;
	struct agents agents; /* its custom agents; source and under are not used */
	struct mappings role_agents, role_effort;
	struct mappings worker_agents;               /* crew_agents of a town */
	struct mappings polecat_agents, type_agents; /* tenfold's own, as are the three below */
	struct account_choice *accounts;
	size_t account_count;
	struct agent_pool *pools;
	size_t pool_count;
	struct budget_line *budgets;
	size_t budget_count;
	struct str default_agent; /* `agent` of a rig */
	struct origin default_agent_at;
	struct str cost_tier;
	struct origin cost_tier_at;
	const struct runtime *runtime; /* rig only, deprecated but stronger than `agent`; NULL: none */
	struct origin runtime_at;
	bool old_target_branch, old_integration_branches; /* removed keys of merge_queue that Gas Town warns of */
	struct rig_part *rigs; /* of a town, tenfold's own: what stands in for members that a rig's file lacks */
	size_t rig_count;      /* sorted by name */
};

struct rig_part {
	struct str name;
	struct settings settings; /* source is not used */
	struct origin at;
};

struct rig {
	struct str name; /* empty: what Gas Town takes for one when there is none, see town_rig_here() */
	/* Its file's, and member by member what `rigs` of the town's file says where it says nothing. */
	const struct settings *settings;
	const struct settings *own;    /* its file's alone, which is what Gas Town sees */
	const struct agents *registry; /* its agents.json over the town's; leaks into no other rig */
};

/* mayor/accounts.json, and what mayor/quota.json says of each. */
enum account_status { ACCOUNT_AVAILABLE, ACCOUNT_LIMITED, ACCOUNT_COOLDOWN };

struct account {
	struct str handle, email, config_dir; /* config_dir as written: "~/" is not expanded */
	enum account_status status;
	struct str resets_at; /* as the provider said it, for people */
	struct origin at;
};

struct accounts {
	const struct account *v; /* in the order of the file */
	size_t n;
	struct str default_handle;
	struct origin default_at;
	struct source source;
};

/*
 * A town. Long-lived: town_refresh() looks at the stamps and reads again what changed; a file that cannot be
 * used keeps the last good version, and the fault is in `faults`. One thread at a time.
 */
struct town;

enum { TOWN_PATH_MAX = 4096 };

/* dir empty: the nearest one upwards from `from` that has mayor/town.json. A relative dir is below `from`. Reads
 * nothing else yet: files are read when they are first needed. ERR_NOT_FOUND, ERR_INVALID. */
enum err town_open(struct files *files, struct str dir, struct str from, struct town **out, struct problem *p);
void town_close(struct town **t);
struct str town_dir(const struct town *t);
struct files *town_files(struct town *t);

/* To be called once before each question. After it what the functions below return stays valid until the next. */
void town_refresh(struct town *t);

const struct settings *town_settings(struct town *t);
/* NULL: there is no such folder, or the name cannot be one: empty, with '/', a leading '.' or a NUL. */
const struct rig *town_rig(struct town *t, struct str name);
/* settings/ of the working directory: Gas Town takes it for a rig's when there is no rig. For --compat only. */
const struct rig *town_rig_here(struct town *t);
const struct agents *town_registry(struct town *t); /* the town's agents.json over the built-in presets */
/* The rig's as if the town had none: how Gas Town reads it when it refuses the town's. For --compat only. */
const struct agents *town_registry_alone(struct town *t, const struct rig *rig);
const struct accounts *town_accounts(struct town *t);
const struct account *accounts_find(const struct accounts *a, struct str handle); /* NULL: there is none */
/* Folders of the town that are rigs: with settings/config.json, settings/agents.json, a line in mayor/rigs.json or
 * in `rigs` of the town's settings; sorted by name. */
enum err town_rigs(struct town *t, struct arena *a, struct str **names, size_t *count, struct problem *p);
/* "there is no rig "x" in /town; did you mean y?": for whoever refuses a name. */
struct str town_no_rig_text(struct town *t, struct str name, struct arena *a);
/* The command as it would be started: what was found along PATH is remembered and only looked at again. NULL when
 * it cannot be executed. For a name it is the path found, until the next town_refresh(). */
const char *town_executable(struct town *t, struct str command);

/* What is wrong with the files read so far, each taken by itself; role_check() sees what they mean together. */
size_t town_fault_count(struct town *t);
const struct fault *town_fault(struct town *t, size_t i);      /* by file, then by line */
int fault_order(const struct fault *a, const struct fault *b); /* that order, for sorting */

/* ---- tables ---- */

extern const char *const role_texts[ROLE_COUNT];
enum role role_by_text(struct str text); /* ROLE_UNKNOWN */
bool role_works_in_rig(enum role role);

/* One as it would be started: with what its entry leaves out. Points into it and into the presets. */
struct runtime town_agent_filled(const struct town_agent *one, const struct agents *presets, struct arena *a);

/* The 12 built-in presets, src/roles/presets.def. */
const struct agents *presets_builtin(void);

/* src/roles/tiers.def. Empty agent: the default tier of the ladder. */
struct tier {
	const char *name;
	const char *agent[ROLE_COUNT];
	const char *effort[ROLE_COUNT]; /* "": none */
	bool brings;                    /* Gas Town defines the agents it names */
	const char *doc;
};
extern const struct tier tiers[];
extern const unsigned tier_count;
const struct tier *tier_by_name(struct str name); /* NULL */
/* The agents a tier brings along, such as claude-sonnet. NULL: none of that name. */
const struct town_agent *tier_agent(struct str name);
const struct agents *tier_agents(void); /* all of them that are no presets */
/* The tier whose map role_agents is; NULL: a custom one. A town that names no agent for boot and dog counts as
 * standard too; Gas Town calls it custom (compat). */
const struct tier *tier_of(const struct settings *s, bool compat);

enum effort { EFFORT_UNSET, EFFORT_LOW, EFFORT_MEDIUM, EFFORT_HIGH, EFFORT_XHIGH, EFFORT_MAX, EFFORT_AUTO };
enum effort effort_by_text(struct str text); /* EFFORT_UNSET: not one */
const char *effort_text(enum effort e);

/* The nearest of the known words, or empty: for "did you mean". Keep a guess and offer words to it. */
struct guess {
	struct str word, nearest;
	unsigned distance;
};
struct guess guess_for(struct str word);
void guess_offer(struct guess *g, struct str known);
void guess_offer_agents(struct guess *g, const struct agents *a); /* with all that are under it */

#endif
