/*
 * role check: the mistakes of a town's files, as compilers tell of theirs. The list goes to stdout, the verdict to
 * stderr and into the exit status.
 */
#include "cli/role.h"

#include "cli/print.h"
#include "roles/check.h"

static void print_mistakes(const struct role_check_report *r)
{
	struct buf b = BUF_INIT(1 << 30);

	for (size_t i = 0; i < r->items_count; i++) {
		role_fault_show(&r->items[i], &b);
		buf_c(&b, '\n');
	}
	fwrite(buf_cstr(&b), 1, b.n, stdout);
	buf_free(&b);
}

static void print_verdict(const struct role_check_report *r)
{
	fflush(stdout); /* the list comes first, also where both go to one place */
	fprintf(stderr, "%lld error%s, %lld warning%s, %lld hint%s: %s\n", (long long)r->errors,
		r->errors == 1 ? "" : "s", (long long)r->warnings, r->warnings == 1 ? "" : "s", (long long)r->hints,
		r->hints == 1 ? "" : "s",
		r->all_run ? "every spawn runs what its file says"
			   : "some spawns would not run what their files say");
}

static enum err report_of(const struct check_report *found, struct arena *a, struct role_check_report *out)
{
	*out = (struct role_check_report){.errors = (int64_t)found->errors,
					  .warnings = (int64_t)found->warnings,
					  .hints = (int64_t)found->hints,
					  .all_run = found->all_run};
	out->items = ARENA_ARRAY(a, struct role_mistake, found->count);
	for (size_t i = 0; i < found->count && out->items; i++)
		out->items[out->items_count++] = role_report_fault(&found->faults[i], a);
	return arena_overflowed(a) ? ERR_TOO_LARGE : OK;
}

enum err cmd_role_check(struct cli *cli, const void *args)
{
	const struct town_only_args *given = args;
	struct role_check_report out;
	struct check_report found;
	struct role_desk desk;
	enum err e = role_open(cli, given->town, &desk);

	if (e)
		return e;
	town_refresh(desk.town);
	e = role_check(desk.town, cli->arena, &found, &cli->problem);
	if (!e)
		e = report_of(&found, cli->arena, &out);
	if (!e && cli->globals.json)
		print_answer(cli, &type_role_check_report, &out, cli->verb->columns);
	else if (!e)
		print_mistakes(&out);
	if (!e && !cli->globals.json)
		print_verdict(&out);
	cli->exit_code = !e && !out.all_run;
	role_close(&desk);
	return e;
}
