/* See sim_agents.h. */
#include "server/sim_agents.h"

#include "base/vec.h"
#include "cli/client.h"
#include "spec/types.h"

#include <stdlib.h>

enum { PAGE = 100, PAGE_BYTES = 64 << 20, AGENTS_MAX = 4000000 };

struct handles {
	VEC(struct str) list;
	struct arena *arena;
};

static enum err take_page(struct handles *h, const struct agent_list_out *page, struct problem *p)
{
	for (size_t i = 0; i < page->items_count; i++) {
		if (page->items[i].status != STATUS_MAINTENANCE)
			*VEC_PUSH(&h->list) = arena_str(h->arena, page->items[i].handle);
		if (h->list.n > AGENTS_MAX)
			return problem_set(p, ERR_TOO_LARGE, "the directory has more than %d agents", AGENTS_MAX);
	}
	return OK;
}

/* `cursor` becomes that of the next page; empty after the last. */
static enum err read_page(struct client *client, struct handles *h, struct str *cursor, struct problem *p)
{
	struct arena *a = arena_new(PAGE_BYTES);
	struct agent_list_in in = {0};
	struct agent_list_out page;
	enum err e;

	PUT(&in, agent_list_in, limit, PAGE);
	PUT(&in, agent_list_in, visibility, VISIBLE_TENANT);
	if (cursor->n)
		PUT(&in, agent_list_in, cursor, *cursor);
	e = client_call(client, ROUTE_agent_list, &in, a, &page, NULL, p);
	if (!e)
		e = take_page(h, &page, p);
	*cursor = !e && page.next_cursor.n ? arena_str(h->arena, page.next_cursor) : (struct str){0};
	arena_destroy(&a);
	return e;
}

static int by_name(const void *left, const void *right)
{
	return str_cmp(*(const struct str *)left, *(const struct str *)right);
}

enum err sim_agents(struct cli *cli, struct arena *a, struct str **ids, uint32_t *count, struct problem *p)
{
	struct handles h = {.arena = a};
	struct client *client = NULL;
	struct str cursor = {0};
	enum err e = cli_connect(cli, &client);

	if (e)
		return e;
	do
		e = read_page(client, &h, &cursor, p);
	while (!e && cursor.n);
	client_destroy(&client);
	if (!e && h.list.n)
		qsort(h.list.v, h.list.n, sizeof(h.list.v[0]), by_name);
	*ids = ARENA_ARRAY(a, struct str, h.list.n + 1);
	*count = (uint32_t)h.list.n;
	for (size_t i = 0; i < h.list.n; i++)
		(*ids)[i] = h.list.v[i];
	VEC_FREE(&h.list);
	return e;
}
