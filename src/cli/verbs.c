/*
 * api/verbs.def as data.
 */
#include "cli/cli.h"

#include <string.h>

#define CALL(route_name, verb, positional_fields, columns_, doc_, example_) \
	{.name = verb,                                                      \
	 .kind = VERB_CALL,                                                 \
	 .route = ROUTE_##route_name,                                       \
	 .run = cli_call,                                                   \
	 .positional = positional_fields,                                   \
	 .columns = columns_,                                               \
	 .doc = doc_,                                                       \
	 .example = example_},
#define OWN(kind_, function, handed_in_, verb, args, positional_fields, columns_, doc_, example_) \
	{.name = verb,                                                                            \
	 .kind = kind_,                                                                           \
	 .own_args = &type_##args,                                                                \
	 .run = function,                                                                         \
	 .handed_in = handed_in_,                                                                 \
	 .positional = positional_fields,                                                         \
	 .columns = columns_,                                                                     \
	 .doc = doc_,                                                                             \
	 .example = example_},
#define VERB(name_, ...)   OWN(VERB_OWN, cmd_##name_, 0, __VA_ARGS__)
#define SERVER(name_, ...) OWN(VERB_SERVER, NULL, offsetof(struct cli_extra, name_), __VA_ARGS__)
#define PART(name_, ...)   OWN(VERB_PART, NULL, offsetof(struct cli_extra, name_), __VA_ARGS__)

#define GROUP(name_, doc_)
const struct cli_verb cli_verbs[] = {
#include "api/verbs.def"
};
#undef GROUP
#undef CALL
#undef VERB
#undef SERVER
#undef PART

/* A verb that stands twice, as when two merge the table and both lines stay, does not compile. */
#define CALL(name_, ...)   ONCE_##name_,
#define VERB(name_, ...)   ONCE_##name_,
#define SERVER(name_, ...) ONCE_##name_,
#define PART(name_, ...)   ONCE_##name_,
#define GROUP(...)
enum {
#include "api/verbs.def"
};
#undef GROUP
#undef CALL
#undef VERB
#undef SERVER
#undef PART

const unsigned cli_verb_count = sizeof(cli_verbs) / sizeof(cli_verbs[0]);

#define CALL(...)
#define VERB(...)
#define SERVER(...)
#define PART(...)
#define GROUP(name_, doc_) {.name = name_, .doc = doc_},
const struct cli_group cli_groups[] = {
#include "api/verbs.def"
};

const unsigned cli_group_count = sizeof(cli_groups) / sizeof(cli_groups[0]);

/* Behind the names of positionals. */
static const char joins[] = " ...";
enum { JOINS_LENGTH = sizeof(joins) - 1 };

const struct json_type *cli_verb_args(const struct cli_verb *v)
{
	return v->kind == VERB_CALL ? spec_routes[v->route].in : v->own_args;
}

struct str cli_verb_positionals(const struct cli_verb *v, bool *flags_end)
{
	struct str names = str_of(v->positional);

	*flags_end = str_starts(names, STR("-- "));
	if (cli_verb_joins_words(v))
		names.n -= JOINS_LENGTH;
	return *flags_end ? (struct str){names.p + 3, names.n - 3} : names;
}

bool cli_verb_joins_words(const struct cli_verb *v)
{
	size_t n = strlen(v->positional);

	return n > JOINS_LENGTH && strcmp(v->positional + n - JOINS_LENGTH, joins) == 0;
}

struct str cli_verb_brief(const struct cli_verb *v)
{
	const char *end = strstr(v->doc, ". ");

	return end ? (struct str){v->doc, (size_t)(end + 1 - v->doc)} : str_of(v->doc);
}

bool cli_verb_in_group(const struct cli_verb *v, struct str group)
{
	struct str rest, first = str_cut(str_of(v->name), ' ', &rest);

	return rest.p && str_eq(first, group);
}
