/*
 * Every member of a town's files that decides about agents, and where it goes. Members of Gas Town's that do not
 * concern us are in others.def: only their types are looked at, because a wrong one makes it refuse the whole file.
 */
#include "roles/settings_priv.h"
#include "roles/shape_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SHAPE(table, type)                                                                     \
	{                                                                                      \
		.fields = (table), .count = COUNT(table), .bytes = sizeof(type), .given_at = 0 \
	}
#define PART(table, of, member)                                                                      \
	{                                                                                            \
		.fields = (table), .count = COUNT(table), .bytes = sizeof(((struct of *)0)->member), \
		.given_at = offsetof(struct of, member.given) - offsetof(struct of, member)          \
	}
#define INTO(key, want, type, member)                                \
	{                                                            \
		key, want, NULL, NULL, offsetof(type, member), false \
	}
#define IN(key, want, part, member)                                                                            \
	{                                                                                                      \
		key, want, NULL, NULL, offsetof(struct runtime, part.member) - offsetof(struct runtime, part), \
			false                                                                                  \
	}
#define OBJECT(key, shape, type, member)                                        \
	{                                                                       \
		key, WANT_OBJECT, &(shape), NULL, offsetof(type, member), false \
	}
#define TAKE(key, want, take)                          \
	{                                              \
		key, want, NULL, take, NOT_KEPT, false \
	}
#define OWN(key, want, take)                          \
	{                                             \
		key, want, NULL, take, NOT_KEPT, true \
	}

/* ---- what only has a type ---- */

#define SECTION(name, ...)                                         \
	static const struct field name##_fields[] = {__VA_ARGS__}; \
	static const struct shape shape_##name = {.fields = name##_fields, .count = COUNT(name##_fields)};
#define TEXT_(key)                                          \
	{                                                   \
		key, WANT_TEXT, NULL, NULL, NOT_KEPT, false \
	}
#define BOOL_(key)                                          \
	{                                                   \
		key, WANT_BOOL, NULL, NULL, NOT_KEPT, false \
	}
#define INT_(key)                                          \
	{                                                  \
		key, WANT_INT, NULL, NULL, NOT_KEPT, false \
	}
#define NUMBER_(key)                                          \
	{                                                     \
		key, WANT_NUMBER, NULL, NULL, NOT_KEPT, false \
	}
#define TEXTS_(key)                                          \
	{                                                    \
		key, WANT_TEXTS, NULL, NULL, NOT_KEPT, false \
	}
#define TEXT_MAP_(key)                                          \
	{                                                       \
		key, WANT_TEXT_MAP, NULL, NULL, NOT_KEPT, false \
	}
#define OBJECT_(key, named)                                             \
	{                                                               \
		key, WANT_OBJECT, &shape_##named, NULL, NOT_KEPT, false \
	}
#include "roles/others.def"
#undef SECTION

/* ---- an agent ---- */

static const struct field session_fields[] = {
	IN("session_id_env", WANT_TEXT, session, id_env),
	IN("config_dir_env", WANT_TEXT, session, config_dir_env),
};
static const struct shape shape_session = PART(session_fields, runtime, session);

static const struct field hooks_fields[] = {
	IN("provider", WANT_TEXT, hooks, provider),
	IN("dir", WANT_TEXT, hooks, dir),
	IN("settings_file", WANT_TEXT, hooks, settings_file),
	IN("informational", WANT_BOOL, hooks, informational),
};
static const struct shape shape_hooks = PART(hooks_fields, runtime, hooks);

static const struct field tmux_fields[] = {
	IN("process_names", WANT_TEXTS, tmux, process_names),
	IN("ready_prompt_prefix", WANT_TEXT, tmux, ready_prompt_prefix),
	IN("ready_delay_ms", WANT_INT, tmux, ready_delay_ms),
};
static const struct shape shape_tmux = PART(tmux_fields, runtime, tmux);

static const struct field instructions_fields[] = {IN("file", WANT_TEXT, instructions, file)};
static const struct shape shape_instructions = PART(instructions_fields, runtime, instructions);

static const struct field acp_fields[] = {
	IN("mode", WANT_TEXT, acp, mode),
	IN("command", WANT_TEXT, acp, command),
	IN("args", WANT_TEXTS, acp, args),
};
static const struct shape shape_acp = PART(acp_fields, runtime, acp);

static const struct field non_interactive_fields[] = {
	IN("subcommand", WANT_TEXT, non_interactive, subcommand),
	IN("prompt_flag", WANT_TEXT, non_interactive, prompt_flag),
	IN("output_flag", WANT_TEXT, non_interactive, output_flag),
};
static const struct shape shape_non_interactive = PART(non_interactive_fields, runtime, non_interactive);

/* An entry of `agents`, and `runtime`. */
static const struct field runtime_fields[] = {
	INTO("provider", WANT_TEXT, struct runtime, provider),
	INTO("command", WANT_TEXT, struct runtime, command),
	INTO("args", WANT_TEXTS, struct runtime, args),
	INTO("env", WANT_TEXT_MAP, struct runtime, env),
	INTO("initial_prompt", WANT_TEXT, struct runtime, initial_prompt),
	TAKE("prompt_mode", WANT_TEXT, take_prompt_mode),
	OBJECT("session", shape_session, struct runtime, session),
	OBJECT("hooks", shape_hooks, struct runtime, hooks),
	OBJECT("tmux", shape_tmux, struct runtime, tmux),
	OBJECT("instructions", shape_instructions, struct runtime, instructions),
	OBJECT("acp", shape_acp, struct runtime, acp),
	INTO("exec_wrapper", WANT_TEXTS, struct runtime, exec_wrapper),
};
const struct shape shape_runtime = SHAPE(runtime_fields, struct runtime);

/* An entry of agents.json: flat. */
static const struct field preset_fields[] = {
	TEXT_("name"), /* the key of the entry counts */
	INTO("command", WANT_TEXT, struct runtime, command),
	INTO("args", WANT_TEXTS, struct runtime, args),
	INTO("env", WANT_TEXT_MAP, struct runtime, env),
	INTO("process_names", WANT_TEXTS, struct runtime, tmux.process_names),
	INTO("session_id_env", WANT_TEXT, struct runtime, session.id_env),
	INTO("resume_flag", WANT_TEXT, struct runtime, resume.flag),
	INTO("continue_flag", WANT_TEXT, struct runtime, resume.continue_flag),
	TAKE("resume_style", WANT_TEXT, take_resume_style),
	INTO("supports_hooks", WANT_BOOL, struct runtime, supports_hooks),
	INTO("supports_fork_session", WANT_BOOL, struct runtime, supports_fork_session),
	OBJECT("non_interactive", shape_non_interactive, struct runtime, non_interactive),
	TAKE("prompt_mode", WANT_TEXT, take_prompt_mode),
	INTO("config_dir_env", WANT_TEXT, struct runtime, session.config_dir_env),
	INTO("config_dir", WANT_TEXT, struct runtime, config_dir),
	INTO("hooks_provider", WANT_TEXT, struct runtime, hooks.provider),
	INTO("hooks_dir", WANT_TEXT, struct runtime, hooks.dir),
	INTO("hooks_settings_file", WANT_TEXT, struct runtime, hooks.settings_file),
	INTO("hooks_informational", WANT_BOOL, struct runtime, hooks.informational),
	INTO("hooks_use_settings_dir", WANT_BOOL, struct runtime, hooks_use_settings_dir),
	INTO("ready_prompt_prefix", WANT_TEXT, struct runtime, tmux.ready_prompt_prefix),
	INTO("ready_delay_ms", WANT_INT, struct runtime, tmux.ready_delay_ms),
	INTO("instructions_file", WANT_TEXT, struct runtime, instructions.file),
	INTO("emits_permission_warning", WANT_BOOL, struct runtime, emits_permission_warning),
	INTO("has_turn_boundary_drain", WANT_BOOL, struct runtime, has_turn_boundary_drain),
	INTO("escape_cancels_request", WANT_BOOL, struct runtime, escape_cancels_request),
	OBJECT("acp", shape_acp, struct runtime, acp),
};
const struct shape shape_preset = SHAPE(preset_fields, struct runtime);

/* ---- settings/config.json ---- */

#define OF_BOTH                                                                                                   \
	TAKE("agents", WANT_MAP, take_agent), TAKE("role_agents", WANT_MAP, take_role_agent),                     \
		TAKE("role_effort", WANT_MAP, take_role_effort),                                                  \
		OWN("polecat_agents", WANT_MAP, take_polecat_agent),                                              \
		OWN("type_agents", WANT_MAP, take_type_agent), OWN("role_accounts", WANT_MAP, take_role_account), \
		OWN("agent_pools", WANT_MAP, take_pool), OWN("budgets", WANT_MAP, take_budget)

static const struct field town_fields[] = {
	OF_BOTH,
	TEXT_("type"),
	INT_("version"),
	TAKE("crew_agents", WANT_MAP, take_worker_agent),
	TAKE("default_agent", WANT_TEXT, take_default_agent),
	TAKE("cost_tier", WANT_TEXT, take_cost_tier),
	OWN("rigs", WANT_MAP, take_rig),
	TEXT_("cli_theme"),
	TEXT_("agent_email_domain"),
	TEXTS_("disabled_patrols"),
	OBJECT_("web_timeouts", web_timeouts),
	OBJECT_("worker_status", worker_status),
	OBJECT_("feed_curator", feed_curator),
	OBJECT_("convoy", convoy),
	OBJECT_("scheduler", scheduler),
	OBJECT_("operational", operational),
};
const struct shape shape_town_settings = SHAPE(town_fields, struct building);

static const struct field rig_fields[] = {
	OF_BOTH,
	TAKE("type", WANT_TEXT, take_rig_type),
	TAKE("version", WANT_INT, take_rig_version),
	TAKE("worker_agents", WANT_MAP, take_worker_agent),
	TAKE("agent", WANT_TEXT, take_default_agent),
	TAKE("runtime", WANT_OBJECT, take_runtime),
	{"merge_queue", WANT_OBJECT, &shape_merge_queue, take_merge_queue, NOT_KEPT, false},
	OBJECT_("theme", theme),
	OBJECT_("namepool", namepool),
	OBJECT_("crew", crew),
	OBJECT_("workflow", workflow),
};
const struct shape shape_rig_settings = SHAPE(rig_fields, struct building);
