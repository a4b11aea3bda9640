/*
 * JSON lines: each line is what POST /v1/agents takes, but that a handle may be missing: it is made of the name.
 */
#include "import/agents_priv.h"

#include <string.h>

struct relaxed {
	struct json_type type;
	struct json_field fields[agent_new__COUNT];
};

static void relax_handle(struct relaxed *r)
{
	r->type = type_agent_new;
	memcpy(r->fields, type_agent_new.fields, sizeof(r->fields));
	r->fields[agent_new__handle].need = JSON_OPTIONAL;
	r->type.fields = r->fields;
}

static void take_line(struct agent_import *im, const struct json_type *type, size_t line)
{
	struct str text = str_trim(buf_str(&im->entry));
	struct problem p = {0};
	struct agent_new agent;

	if (!agent_entry_fits(im, line) || text.n == 0)
		return;
	if (json_decode(type, text, 0, im->arena, &agent, &p) != OK)
		agent_refuse_problem(im, line, &p);
	else
		agent_give(im, &(struct agent_origin){.line = line, .name = agent.name, .identity = agent.name},
			   &agent);
}

void agents_read_jsonl(struct agent_import *im)
{
	struct relaxed relaxed;

	relax_handle(&relaxed);
	while (!im->stopped) {
		size_t line = im->input.line;

		agent_begin(im);
		if (!input_line(&im->input, &im->entry))
			return;
		take_line(im, &relaxed.type, line);
	}
}
