/*
 * Verbs that are one call: args are the call's `in`, the answer is shown by the row of its `out`. With --json the
 * answer is printed as it was received.
 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static void print_json(struct str reply)
{
	fwrite(reply.p, 1, reply.n, stdout);
	if (reply.n && reply.p[reply.n - 1] != '\n')
		fputc('\n', stdout);
}

static void print_people(const struct cli_verb *v, const void *out)
{
	struct buf b = BUF_INIT(0);

	print_object(spec_routes[v->route].out, out, v->columns, print_width(), &b);
	fwrite(buf_cstr(&b), 1, b.n, stdout);
	fflush(stdout); /* what is told on standard error stands below it */
	buf_free(&b);
}

/* A page that is not the last is no news to a program, which reads next_cursor. */
static void tell_next_page(const struct cli_verb *v, const void *out)
{
	const struct json_type *t = spec_routes[v->route].out;
	const struct json_field *f = json_field_by_name(t, STR("next_cursor"));
	struct str cursor = f ? json_text(t, (uint32_t)(f - t->fields), out) : (struct str){0};

	if (cursor.n && json_field_by_name(spec_routes[v->route].in, STR("cursor")))
		fprintf(stderr, "There is more: add --cursor %.*s\n", STRF(cursor));
}

static int64_t number_in(const struct json_type *t, const char *name, const void *object, int64_t without)
{
	const struct json_field *f = json_field_by_name(t, str_of(name));
	int64_t n = without;

	if (f && f->kind == JSON_INT)
		memcpy(&n, (const char *)object + f->offset, sizeof(n));
	return n;
}

/* Where lists have no end, the place moves on until nothing is new. */
static void tell_next_place(const struct cli_verb *v, const void *args, const void *out)
{
	int64_t since = number_in(spec_routes[v->route].in, "since", args, 0);
	int64_t next = number_in(spec_routes[v->route].out, "next_since", out, since);

	if (next != since)
		fprintf(stderr, "There may be more: add --since %" PRId64 "\n", next);
}

/* A call that creates answers 201; with 200 it answers with what there was. */
static void tell_there_already(const struct cli_verb *v, const struct client *client)
{
	if (spec_routes[v->route].status == 201 && client_request_status(client->request) == 200)
		fputs("There already: nothing was added.\n", stderr);
}

enum err cli_call(struct cli *cli, const void *args)
{
	const struct cli_verb *v = cli->verb;
	struct client *client;
	struct str reply;
	void *out = arena_alloc(cli->arena, spec_routes[v->route].out->size);
	enum err e = out ? cli_connect(cli, &client) : ERR_TOO_LARGE;

	if (e)
		return e;
	e = client_call(client, v->route, args, cli->arena, cli->globals.json ? NULL : out, &reply, &cli->problem);
	if (!e && cli->globals.json)
		print_json(reply);
	if (!e && !cli->globals.json) {
		print_people(v, out);
		tell_next_page(v, out);
		tell_next_place(v, args, out);
		tell_there_already(v, client);
	}
	client_destroy(&client);
	return e;
}
