/*
 * changes watch: the feed of changes as lines, as it grows.
 */
#include "cli/follow.h"

enum { LOOK_MS = 10000 };

struct changes_watch {
	struct follow follow;
	struct changes_follow_in from; /* where to begin while no event has come */
};

static void print_change(const struct change *c)
{
	static const uint32_t parts[] = {change__seq, change__at, change__entity, change__op, change__id};
	struct buf b = BUF_INIT(0);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		buf_z(&b, i ? " " : "");
		json_show_field(&type_change, parts[i], c, &b);
	}
	puts(buf_cstr(&b));
	buf_free(&b);
}

/* What was missed is no longer kept: whoever keeps a copy has to read it anew. */
static void on_reset(struct changes_watch *w)
{
	fputs("tenfold: changes watch: some changes were missed, they are no longer kept; going on with those "
	      "that are\n",
	      stderr);
	buf_reset(&w->follow.stream.sse.id);
	PUT(&w->from, changes_follow_in, since, 0);
}

static void on_event(void *ctx, const struct sse_event *e)
{
	struct changes_watch *w = ctx;
	struct change change;

	arena_reset(w->follow.arena);
	if (str_eqz(e->name, "reset")) {
		on_reset(w);
	} else if (w->follow.cli->globals.json) {
		fwrite(e->data.p, 1, e->data.n, stdout);
		putchar('\n');
	} else if (json_decode_answer(&type_change, e->data, w->follow.arena, &change, NULL) == OK) {
		print_change(&change);
	}
}

static enum err open_changes(void *ctx, int64_t now)
{
	struct changes_watch *w = ctx;

	return stream_open(&w->follow.stream, ROUTE_change_stream, &w->from, now, &w->follow.cli->problem);
}

enum err cmd_changes_watch(struct cli *cli, const void *args)
{
	struct changes_watch w = {.from = *(const struct changes_follow_in *)args};
	enum err e;

	w.follow.open = open_changes;
	w.follow.ctx = &w;
	e = follow_begin(&w.follow, cli, on_event);
	if (e)
		return e;
	while (!e) {
		e = follow_step(&w.follow);
		if (!e)
			follow_wait(&w.follow, LOOK_MS);
	}
	follow_end(&w.follow);
	return e;
}
