/*
 * agents.json: presets of the town's or a rig's own, each laid field by field over the one of the same name below.
 */
#include "roles/settings_priv.h"

#include "roles/fill_priv.h"

struct registry_building {
	const struct agents *under;
	VEC(struct town_agent) agents;
};

/* Entries are flat, so an object that they fill counts as given when anything of it is there. */
static void note_given(struct runtime *r)
{
	r->session.given = r->session.id_env.n || r->session.config_dir_env.n;
	r->hooks.given = r->hooks.provider.n != 0;
	r->tmux.given = r->tmux.process_names.n || r->tmux.ready_prompt_prefix.n || r->tmux.ready_delay_ms;
	r->instructions.given = r->instructions.file.n != 0;
}

/* People write the nested objects of config.json here too, and nothing says that they do nothing. */
static void look_at_nested(struct reading *r, const struct node *entry)
{
	static const struct {
		struct str key;
		const char *instead;
	} nested[] = {{{"tmux", 4}, "process_names, ready_prompt_prefix and ready_delay_ms"},
		      {{"session", 7}, "session_id_env and config_dir_env"},
		      {{"hooks", 5}, "hooks_provider, hooks_dir and hooks_settings_file"},
		      {{"instructions", 12}, "instructions_file"}};

	for (size_t i = 0; i < sizeof(nested) / sizeof(nested[0]); i++) {
		const struct node *m = node_member(entry, nested[i].key);

		if (m)
			shape_fault(r, shape_key_origin(r, m), SEVERITY_WARNING,
				    "%.*s does nothing in agents.json: its fields are %s, beside command",
				    STRF(shape_path(r, m)), nested[i].instead);
	}
}

static bool replaced(const struct node *entry)
{
	for (const struct node *m = entry->next; m; m = m->next)
		if (str_eq(m->key, entry->key))
			return true;
	return false;
}

/* Gas Town looks into an entry once it has them all by name, so what is replaced can be as wrong as it likes. */
static void take_entry(struct reading *r, const struct node *n, struct runtime *out)
{
	bool refused = r->refused;

	shape_take(r, &shape_preset, n, out);
	if (r->refused && !refused && replaced(n))
		r->refused = false;
}

static void take_preset(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct registry_building *b = out;
	const struct town_agent *below;
	struct town_agent *one;

	(void)f;
	if (!n || b->agents.n == AGENTS_MAX) {
		b->agents.n = n ? b->agents.n : 0;
		return;
	}
	below = agents_find(b->under, n->key);
	one = VEC_PUSH(&b->agents);
	*one = (struct town_agent){.name = arena_str(r->arena, n->key),
				   .runtime = below ? below->runtime : runtime_unsaid,
				   .at = shape_key_origin(r, n),
				   .is_preset = true};
	/* What is below may be read anew, and go, while this is kept. */
	shape_keep(&shape_preset, &one->runtime, r->arena);
	one->runtime.provider = arena_str(r->arena, one->runtime.provider);
	if (n->kind == NODE_NULL)
		return; /* unlike in config.json: an entry that says nothing */
	take_entry(r, n, &one->runtime);
	note_given(&one->runtime);
	if (n->kind == NODE_OBJECT)
		look_at_nested(r, n);
}

void registry_read(struct reading *r, const struct agents *under, struct agents *out)
{
	static const struct field fields[] = {{"version", WANT_INT, NULL, NULL, NOT_KEPT, false},
					      {"agents", WANT_MAP, NULL, take_preset, NOT_KEPT, false}};
	static const struct shape shape = {.fields = fields, .count = sizeof(fields) / sizeof(fields[0])};
	struct registry_building b = {.under = under};

	shape_take(r, &shape, r->doc->root, &b);
	agents_keep(r, b.agents.v, b.agents.n, out);
	VEC_FREE(&b.agents);
	out->under = under;
}
