/* Populations as CSV and JSONL: see population.h. */
#include "sim/population_priv.h"

#include <string.h>

static bool is_quoted(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (strchr(",\"\r\n", text.p[i]))
			return true;
	return text.n > 0 && str_trim(text).n != text.n; /* readers take white space at the ends away */
}

static void csv_text(struct str text, struct buf *b)
{
	if (!is_quoted(text)) {
		buf_str_add(b, text);
		return;
	}
	buf_c(b, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			buf_c(b, '"');
		buf_c(b, text.p[i]);
	}
	buf_c(b, '"');
}

static void csv_value(const struct value *v, struct buf *b)
{
	struct buf list = BUF_INIT(1 << 20);

	if (v->kind == VALUE_TEXT) {
		csv_text(v->text, b);
	} else if (v->kind == VALUE_LIST) {
		for (uint32_t i = 0; i < v->count; i++) {
			buf_z(&list, i ? ";" : "");
			buf_str_add(&list, v->items[i].text);
		}
		csv_text(buf_str(&list), b);
	} else if (v->kind != VALUE_NULL) {
		value_json(v, b);
	}
	buf_free(&list);
}

static void csv_columns(const struct population *p, struct buf *b)
{
	buf_z(b, "id");
	for (unsigned i = 0; i < population_attribute_count(p); i++) {
		buf_c(b, ',');
		csv_text(population_attribute(p, i)->name, b);
	}
	buf_c(b, '\n');
}

static void csv_agent(const struct population *p, uint32_t agent, struct buf *b)
{
	char room[POPULATION_ROOM];
	struct value words[POPULATION_WORDS_MAX];

	csv_text(population_id(p, agent, room), b);
	for (unsigned i = 0; i < population_attribute_count(p); i++) {
		struct value v = population_value(p, agent, i, words);

		buf_c(b, ',');
		csv_value(&v, b);
	}
	buf_c(b, '\n');
}

static void jsonl_agent(const struct population *p, uint32_t agent, struct buf *b)
{
	char room[POPULATION_ROOM];
	struct value words[POPULATION_WORDS_MAX];

	buf_z(b, "{\"id\":");
	buf_json_text(b, population_id(p, agent, room));
	for (unsigned i = 0; i < population_attribute_count(p); i++) {
		struct value v = population_value(p, agent, i, words);

		buf_c(b, ',');
		buf_json_text(b, population_attribute(p, i)->name);
		buf_c(b, ':');
		value_json(&v, b);
	}
	buf_z(b, "}\n");
}

void population_write(const struct population *p, enum population_format format, uint32_t first, uint32_t count,
		      struct buf *b)
{
	if (format == POPULATION_CSV && first == 0)
		csv_columns(p, b);
	for (uint32_t agent = first; agent < first + count; agent++) {
		if (format == POPULATION_CSV)
			csv_agent(p, agent, b);
		else
			jsonl_agent(p, agent, b);
	}
}
