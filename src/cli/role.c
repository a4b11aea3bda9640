/*
 * See role.h. The town's folder is made absolute, because agents are told it (GT_ROOT). What is remembered lies in
 * the data directory; without one it is remembered for as long as the verb runs.
 */
#include "cli/role.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* As it is when it leads nowhere: town_open() says so with the name that was given. */
static struct str absolute(struct arena *a, struct str path)
{
	char real[PATH_MAX], *z = arena_z(a, path);

	return z && realpath(z, real) ? arena_str(a, str_of(real)) : path;
}

static enum err open_town(struct cli *cli, struct str town, struct role_desk *out)
{
	char here[PATH_MAX];

	if (town.n)
		return town_open(out->files, absolute(cli->arena, town), (struct str){0}, &out->town,
				 &cli->problem);
	if (!getcwd(here, sizeof(here)))
		return problem_set(&cli->problem, ERR_USAGE,
				   "the current folder is gone; name the town with --town");
	return town_open(out->files, (struct str){0}, absolute(cli->arena, str_of(here)), &out->town,
			 &cli->problem);
}

static enum err open_state(struct cli *cli, struct role_desk *out)
{
	enum err e;

	cli_data_dir(cli->globals.data, cli->arena, &out->data, NULL);
	e = town_state_open(out->files, out->data, town_dir(out->town), &out->state, &cli->problem);
	if (!e && town_state_warning(out->state).n)
		fprintf(stderr, "tenfold: %s: %.*s\n", cli->verb->name, STRF(town_state_warning(out->state)));
	return e;
}

enum err role_open(struct cli *cli, struct str town, struct role_desk *out)
{
	enum err e;

	*out = (struct role_desk){.cli = cli, .files = files_of_system()};
	e = open_town(cli, town, out);
	if (!e)
		e = open_state(cli, out);
	if (e)
		role_close(out);
	return e;
}

void role_close(struct role_desk *d)
{
	if (d->state)
		town_state_close(&d->state);
	if (d->town)
		town_close(&d->town);
}

void role_warn(const struct cli *cli, const struct fault *f, bool compat)
{
	struct role_mistake m = role_report_fault(f, cli->arena);
	struct buf b = BUF_INIT(0);

	fflush(stdout); /* what it is about comes first, also where both go to one place */
	if (compat) {
		json_show_text(f->text, &b);
		fprintf(stderr, "%s\n", buf_cstr(&b));
	} else {
		role_fault_show(&m, &b);
		fprintf(stderr, "tenfold: %s: %s\n", cli->verb->name, buf_cstr(&b));
	}
	buf_free(&b);
}
