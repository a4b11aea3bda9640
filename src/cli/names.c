/* See names.h. */
#include "cli/names.h"

#include "cli/client.h"

#include "base/id.h"

#include <string.h>

/* Squads of one name: how many there are, and the first two. */
struct namesakes {
	size_t count;
	int64_t ids[2];
};

static void add(struct namesakes *to, int64_t id)
{
	if (to->count < 2)
		to->ids[to->count] = id;
	to->count++;
}

static enum err read_page(struct cli *cli, struct client *client, struct squad_list_in *in,
			  struct squad_list_out *out)
{
	enum err e = client_call(client, ROUTE_squad_list, in, cli->arena, out, NULL, &cli->problem);

	if (!e && HAS(out, squad_list_out, next_cursor))
		PUT(in, squad_list_in, cursor, out->next_cursor);
	return e;
}

static enum err find_all(struct cli *cli, struct client *client, struct str name, struct namesakes *active,
			 struct namesakes *archived)
{
	struct squad_list_in in = {0};
	struct squad_list_out page;
	enum err e;

	PUT(&in, squad_list_in, limit, 1000);
	do {
		e = read_page(cli, client, &in, &page);
		for (size_t i = 0; !e && i < page.items_count; i++)
			if (str_eq(page.items[i].name, name))
				add(page.items[i].status == SQUAD_ARCHIVED ? archived : active, page.items[i].id);
	} while (!e && HAS(&page, squad_list_out, next_cursor));
	return e;
}

static enum err several(struct cli *cli, const struct cli_named *named, const struct namesakes *of)
{
	char first[ID_TEXT], second[ID_TEXT];

	id_format(first, "sq_", of->ids[0]);
	id_format(second, "sq_", of->ids[1]);
	return problem_set(
		&cli->problem, ERR_USAGE,
		"%s: %zu squads are named '%.*s', such as %s and %s; give the id of the one that is meant",
		named->label, of->count, STRF(named->name), first, second);
}

static enum err resolve(struct cli *cli, struct client *client, const struct cli_named *named, void *args)
{
	const struct json_field *f = &cli_verb_args(cli->verb)->fields[named->field];
	struct namesakes active = {0}, archived = {0}, *meant;
	enum err e = find_all(cli, client, named->name, &active, &archived);

	if (e)
		return e;
	meant = active.count ? &active : &archived;
	if (meant->count > 1)
		return several(cli, named, meant);
	if (meant->count == 0)
		return problem_set(&cli->problem, ERR_NOT_FOUND,
				   "%s: there is no squad '%.*s'; 'tenfold squad list' shows those there are",
				   named->label, STRF(named->name));
	memcpy((char *)args + f->offset, &meant->ids[0], sizeof(meant->ids[0]));
	return OK;
}

enum err names_resolve(struct cli *cli, const struct cli_line *line)
{
	struct client *client;
	enum err e = OK;

	if (line->named_count == 0)
		return OK;
	e = cli_connect(cli, &client);
	if (e)
		return e;
	for (unsigned i = 0; i < line->named_count && !e; i++)
		e = resolve(cli, client, &line->named[i], line->args);
	client_destroy(&client);
	return e;
}
