/*
 * agent find: one search, and a line for each hit that says why.
 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"

static bool is_same_word(const struct hit_word *a, const struct hit_word *b)
{
	return str_eq(a->found, b->found) && str_eq(a->asked, b->asked);
}

static bool stands_before(const struct hit_why *why, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_same_word(&why->words[k], &why->words[i]))
			return true;
	return false;
}

/* "git (name, description)", "control for contrl (tags)" */
static void add_word(struct buf *b, const struct hit_why *why, size_t i)
{
	const struct hit_word *w = &why->words[i];

	buf_z(b, b->n ? ", " : "");
	buf_str_add(b, w->found);
	if (!str_eq(w->asked, w->found))
		buf_fmt(b, " for %.*s", STRF(w->asked));
	buf_fmt(b, " (%.*s", STRF(w->field));
	for (size_t k = i + 1; k < why->words_count; k++)
		if (is_same_word(&why->words[k], w))
			buf_fmt(b, ", %.*s", STRF(why->words[k].field));
	buf_c(b, ')');
}

static struct str why_of(const struct hit_why *why, struct arena *a)
{
	struct buf b = BUF_INIT(0);
	struct str text;

	if (why->exact_name)
		buf_z(&b, "its very name");
	for (size_t i = 0; i < why->words_count; i++)
		if (!stands_before(why, i))
			add_word(&b, why, i);
	text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

static void print_hits(struct cli *cli, const struct agent_search_out *out)
{
	struct agent_found_list list = {.items = ARENA_ARRAY(cli->arena, struct agent_found, out->items_count)};
	struct buf b = BUF_INIT(0);

	for (size_t i = 0; list.items && i < out->items_count; i++) {
		const struct agent_hit *hit = &out->items[i];

		list.items[list.items_count++] = (struct agent_found){
			.handle = hit->agent.handle,
			.name = hit->agent.name,
			.status = hit->agent.status,
			.score = arena_fmt(cli->arena, "%.2f", hit->score),
			.why = why_of(&hit->why, cli->arena),
		};
	}
	print_object(&type_agent_found_list, &list, cli->verb->columns, print_width(), &b);
	fputs(buf_cstr(&b), stdout);
	buf_free(&b);
}

/* "type: tool 12, service 3", a line for each facet. */
static void print_facets(const struct agent_search_out *out)
{
	struct buf b = BUF_INIT(0);

	for (size_t i = 0; i < out->facets_count; i++) {
		const struct hit_facet *f = &out->facets[i];
		bool first = i == 0 || f->facet != out->facets[i - 1].facet;

		if (first)
			buf_fmt(&b, "%s%s: ", i ? "\n" : "", enum_facet_name.values[f->facet].text);
		buf_z(&b, first ? "" : ", ");
		json_show_text(f->value, &b);
		buf_fmt(&b, " %lld", (long long)f->count);
	}
	if (b.n)
		puts(buf_cstr(&b));
	buf_free(&b);
}

static void tell_more(const struct agent_search_out *out)
{
	if (HAS(out, agent_search_out, count))
		fprintf(stderr, "%lld in all\n", (long long)out->count);
	if (HAS(out, agent_search_out, words_left_out) && out->words_left_out)
		fprintf(stderr, "The last %lld words did not count\n", (long long)out->words_left_out);
	if (HAS(out, agent_search_out, next_cursor))
		fprintf(stderr, "There is more: add --cursor %.*s\n", STRF(out->next_cursor));
}

enum err cmd_agent_find(struct cli *cli, const void *args)
{
	struct agent_search_out out;
	struct client *client;
	struct str reply;
	enum err e = cli_connect(cli, &client);

	if (e)
		return e;
	e = client_call(client, ROUTE_agent_search, args, cli->arena, &out, &reply, &cli->problem);
	if (!e && cli->globals.json) {
		fwrite(reply.p, 1, reply.n, stdout);
		putchar('\n');
	} else if (!e) {
		print_hits(cli, &out);
		print_facets(&out);
		tell_more(&out);
	}
	client_destroy(&client);
	return e;
}
