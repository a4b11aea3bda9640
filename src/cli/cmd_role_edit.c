/*
 * role set, unset, tier, consolidate: changes to a town's files, and a line about each.
 */
#include "cli/role.h"

#include "cli/print.h"
#include "roles/edit.h"

/* What an edit wants to know of its args, and how it is done. */
struct edit {
	struct str town;
	struct edit_options options;
	enum err (*run)(struct town *t, const void *args, const struct edit_options *o, struct arena *a,
			struct edit_report *out, struct problem *p);
};

static void print_changes(const struct cli *cli, const struct role_edit_report *r)
{
	struct buf b = BUF_INIT(1 << 30);

	for (size_t i = 0; i < r->changes_count; i++) {
		json_show_text(r->changes[i], &b);
		buf_c(&b, '\n');
	}
	fwrite(buf_cstr(&b), 1, b.n, stdout);
	fflush(stdout);
	if (!r->written)
		fprintf(stderr, "tenfold: %s: nothing was written%s\n", cli->verb->name,
			r->changes_count ? ": --dry-run" : ", it is so already");
	buf_free(&b);
}

static void print_edit(const struct cli *cli, const struct edit_report *done, bool dry_run)
{
	struct role_edit_report r = {
		.written = done->count && !dry_run, .changes = done->lines, .changes_count = done->count};

	if (done->path)
		PUT(&r, role_edit_report, file, str_of(done->path));
	if (cli->globals.json)
		print_answer(cli, &type_role_edit_report, &r, cli->verb->columns);
	else
		print_changes(cli, &r);
}

static enum err edit(struct cli *cli, const void *args, const struct edit *how)
{
	struct edit_report done = {0};
	struct role_desk desk;
	enum err e = role_open(cli, how->town, &desk);

	if (e)
		return e;
	town_refresh(desk.town);
	e = how->run(desk.town, args, &how->options, cli->arena, &done, &cli->problem);
	if (!e)
		print_edit(cli, &done, how->options.dry_run);
	role_close(&desk);
	return e;
}

/* ---- the verbs ---- */

static enum err run_set(struct town *t, const void *args, const struct edit_options *o, struct arena *a,
			struct edit_report *out, struct problem *p)
{
	const struct role_set_args *g = args;

	return role_set(t, g->role, g->agent, o, a, out, p);
}

enum err cmd_role_set(struct cli *cli, const void *args)
{
	const struct role_set_args *g = args;

	return edit(cli, args, &(struct edit){g->town, {g->rig, g->dry_run, g->force}, run_set});
}

static enum err run_unset(struct town *t, const void *args, const struct edit_options *o, struct arena *a,
			  struct edit_report *out, struct problem *p)
{
	const struct role_unset_args *g = args;

	return role_unset(t, g->role, o, a, out, p);
}

enum err cmd_role_unset(struct cli *cli, const void *args)
{
	const struct role_unset_args *g = args;

	return edit(cli, args, &(struct edit){g->town, {g->rig, g->dry_run, g->force}, run_unset});
}

static enum err run_tier(struct town *t, const void *args, const struct edit_options *o, struct arena *a,
			 struct edit_report *out, struct problem *p)
{
	const struct role_tier_args *g = args;

	return role_set_tier(t, g->tier, o, a, out, p);
}

enum err cmd_role_tier(struct cli *cli, const void *args)
{
	const struct role_tier_args *g = args;

	return edit(cli, args, &(struct edit){g->town, {g->rig, g->dry_run, g->force}, run_tier});
}

static enum err run_consolidate(struct town *t, const void *args, const struct edit_options *o, struct arena *a,
				struct edit_report *out, struct problem *p)
{
	(void)args;
	return role_consolidate(t, o, a, out, p);
}

enum err cmd_role_consolidate(struct cli *cli, const void *args)
{
	const struct role_consolidate_args *g = args;

	return edit(cli, args, &(struct edit){g->town, {g->rig, g->dry_run, g->force}, run_consolidate});
}
