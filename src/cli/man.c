/*
 * tenfold(1) as roff, from the same rows as --help.
 */
#include "cli/man.h"

#include "cli/help.h"

/* Text of the tables into roff: backslashes, and dashes, which would become hyphens. */
static void text(struct buf *b, const char *z)
{
	for (; *z; z++) {
		if (*z == '\\')
			buf_z(b, "\\e");
		else if (*z == '-')
			buf_z(b, "\\-");
		else
			buf_c(b, *z);
	}
}

/* A line of its own: a dot or quote at its start would be a request. */
static void line(struct buf *b, const char *z)
{
	if (*z == '.' || *z == '\'')
		buf_z(b, "\\&");
	text(b, z);
	buf_c(b, '\n');
}

static void flag(struct buf *b, const struct cli_verb *v, const struct json_field *f)
{
	struct buf words = BUF_INIT(0);

	help_flag(f, &words);
	buf_z(b, ".TP\n\\fB");
	text(b, buf_cstr(&words));
	buf_z(b, "\\fR\n");
	buf_reset(&words);
	help_doc(v, f, &words);
	line(b, buf_cstr(&words));
	buf_reset(&words);
	help_notes(v, f, &words);
	if (words.n) {
		buf_c(b, '(');
		text(b, buf_cstr(&words));
		buf_z(b, ")\n");
	}
	buf_free(&words);
}

static void verb(struct buf *b, const struct cli_verb *v)
{
	const struct json_type *t = cli_verb_args(v);
	struct buf usage = BUF_INIT(0);

	help_usage(v, &usage);
	buf_z(b, ".SS tenfold ");
	line(b, buf_cstr(&usage));
	line(b, v->doc);
	for (uint32_t i = 0; i < t->field_count; i++)
		flag(b, v, &t->fields[i]);
	buf_z(b, ".PP\nExample:\n.PP\n.nf\n.RS\n");
	line(b, v->example);
	buf_z(b, ".RE\n.fi\n");
	buf_free(&usage);
}

static void globals(struct buf *b)
{
	buf_z(b, ".SH FLAGS OF EVERY VERB\n");
	for (uint32_t i = 0; i < type_cli_globals.field_count; i++)
		flag(b, NULL, &type_cli_globals.fields[i]);
}

static void environment(struct buf *b)
{
	char name[CLI_ENV_NAME];

	buf_z(b, ".SH ENVIRONMENT\n");
	for (uint32_t i = 0; i < type_cli_globals.field_count; i++) {
		const char *variable = cli_env_name(NULL, &type_cli_globals.fields[i], name);

		if (!variable[0])
			continue;
		buf_fmt(b, ".TP\n.B %s\n", variable);
		line(b, type_cli_globals.fields[i].doc);
	}
	buf_z(b,
	      ".PP\nThe flags of \\fBtenfold serve\\fR are read from the environment as well, as TENFOLD_FLAG.\n");
}

void man_print(const char *version, struct buf *b)
{
	buf_fmt(b, ".TH TENFOLD 1 \"\" \"tenfold %s\"\n", version);
	buf_z(b, ".SH NAME\ntenfold \\- run a fleet of AI agents on a durable work queue\n"
		 ".SH SYNOPSIS\n.B tenfold\nVERB [FLAGS]\n.SH VERBS\n");
	for (unsigned i = 0; i < cli_verb_count; i++)
		verb(b, &cli_verbs[i]);
	globals(b);
	environment(b);
	buf_z(b,
	      ".SH EXIT STATUS\n.nf\n0\tit went well\n1\trefused, or a check failed\n2\tthe command was not "
	      "understood\n"
	      "3\tthe server is unreachable or unavailable\n4\tnot found\n5\tconflict\n6\tthe outcome is unknown\n"
	      "130, 143\tended by a signal\n.fi\n");
}
