/*
 * What an agent is told about its item. Whoever enqueued the item wrote most of it, so it begins with words of
 * ours: nothing in an item can come first and be taken for an option or a command of the agent's program.
 */
#include "cli/worker_prompt.h"

#include "base/id.h"
#include "models/prompt.h"
#include "roles/doc.h"

enum { PAYLOAD_IN_PROMPT_MAX = 32 << 10 };

static void add_line(struct buf *b, const char *name, struct str text)
{
	if (!text.n)
		return;
	buf_z(b, name);
	buf_str_add(b, text);
	buf_c(b, '\n');
}

static void add_labels(struct buf *b, const struct texts *labels)
{
	for (size_t i = 0; i < labels->n; i++) {
		buf_z(b, i ? ", " : "Labels: ");
		buf_str_add(b, labels->v[i]);
	}
	if (labels->n)
		buf_c(b, '\n');
}

static void add_block(struct buf *b, const char *name, struct str text)
{
	if (!text.n)
		return;
	buf_c(b, '\n');
	buf_z(b, name);
	buf_str_add(b, text);
	buf_c(b, '\n');
}

bool prompt_has_payload(const struct work_claimed *item)
{
	return item->payload.n <= PAYLOAD_IN_PROMPT_MAX;
}

struct str prompt_of_item(const struct work_claimed *item, const struct texts *labels, struct arena *a)
{
	struct buf b = BUF_INIT(0);
	char id[ID_TEXT];
	struct str prompt;

	id_format(id, "w_", item->id);
	buf_fmt(&b, "Work item %s", id);
	add_line(&b, ": ", item->title.n ? item->title : item->type);
	add_line(&b, "Type: ", item->type);
	add_line(&b, "Team: ", item->team);
	add_labels(&b, labels);
	add_block(&b, "", item->description);
	if (prompt_has_payload(item))
		add_block(&b, "Payload (JSON):\n", item->payload);
	else
		buf_fmt(&b, "\nIts payload, %zu bytes of JSON, is on standard input.\n", item->payload.n);
	prompt = arena_str(a, buf_str(&b));
	buf_free(&b);
	return prompt;
}

bool prompt_has_brief(struct str brief_json)
{
	return brief_json.n <= PAYLOAD_IN_PROMPT_MAX;
}

struct str prompt_of_step(const struct step_brief *brief, struct str brief_json, struct arena *a)
{
	struct model_prompt whole = model_prompt_of(brief, a);
	char id[ID_TEXT];

	id_format(id, "st_", brief->step);
	if (prompt_has_brief(brief_json))
		return arena_fmt(a, "Step %s: %.*s\n\n%.*s\n\n%.*s", id, STRF(brief->name), STRF(whole.system),
				 STRF(whole.user));
	return arena_fmt(a, "Step %s: %.*s\n\n%.*s\n\nIts brief, %zu bytes of JSON, is on standard input.\n", id,
			 STRF(brief->name), STRF(whole.system), brief_json.n);
}

struct texts labels_of_item(const struct work_claimed *item, struct arena *a)
{
	struct texts out = {0};
	struct doc doc;

	if (!item->labels.n || doc_parse(STR("labels"), item->labels, a, &doc, NULL) != OK ||
	    doc.root->kind != NODE_OBJECT)
		return out;
	out.v = ARENA_ARRAY(a, struct str, doc.root->count);
	for (const struct node *n = doc.root->first; n && out.v; n = n->next)
		out.v[out.n++] = n->text.n ? arena_fmt(a, "%.*s=%.*s", STRF(n->key), STRF(n->text)) : n->key;
	return out;
}
