/*
 * Words for a shell: ours, which every POSIX shell reads back as they were, and Gas Town's.
 */
#include "roles/command_priv.h"

#include <string.h>

/* What makes Gas Town quote a word. That ~ = ^ % are not here, nor the empty word, is its defect. */
static const char compat_specials[] = " \t\n\"'`$\\!*?[]{}()<>|&;#";

static bool compat_plain(struct str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] && strchr(compat_specials, word.p[i]))
			return false;
	return true;
}

void quote_compat(struct buf *b, struct str word)
{
	if (compat_plain(word)) {
		buf_str_add(b, word);
		return;
	}
	buf_c(b, '\'');
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] == '\'')
			buf_z(b, "'\\''");
		else
			buf_c(b, word.p[i]);
	buf_c(b, '\'');
}

void quote_prompt_compat(struct buf *b, struct str prompt)
{
	buf_c(b, '"');
	for (size_t i = 0; i < prompt.n; i++) {
		if (prompt.p[i] && strchr("\\\"`$", prompt.p[i]))
			buf_c(b, '\\');
		buf_c(b, prompt.p[i]);
	}
	buf_c(b, '"');
}

/* ---- words that name a variable ---- */

static bool name_char(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

/* Takes "$NAME" or "${NAME}" off *s and gives NAME; empty when *s does not begin so. */
static struct str take_reference(struct str *s)
{
	bool braces = str_starts(*s, STR("${"));
	size_t at = braces ? 2 : 1;
	struct str name;

	if (!str_starts(*s, STR("$")))
		return (struct str){0};
	name = (struct str){s->p + at, 0};
	while (at < s->n && name_char(s->p[at], name.n == 0))
		at++, name.n++;
	if (name.n == 0 || (braces && (at == s->n || s->p[at++] != '}')))
		return (struct str){0};
	*s = (struct str){s->p + at, s->n - at};
	return name;
}

static struct word looked_up(const struct spawn *s, struct str name, struct str rest)
{
	const char *found = s->files->env(s->files, arena_z(s->arena, name));

	return (struct word){
		.value = arena_fmt(s->arena, "%s%.*s", found ? found : "", STRF(rest)), .name = name, .rest = rest};
}

struct word word_plain(struct str value)
{
	return (struct word){.value = value};
}

struct word word_value(const struct spawn *s, struct str written)
{
	struct str rest = written, name = take_reference(&rest);

	return name.n && rest.n == 0 ? looked_up(s, name, rest) : word_plain(written);
}

struct word word_path(const struct spawn *s, struct str written)
{
	struct str rest = written, name = take_reference(&rest);
	const char *home = spawn_env(s, "HOME");

	if (home && str_starts(written, STR("~/")))
		return word_plain(arena_fmt(s->arena, "%s/%.*s", home, (int)(written.n - 2), written.p + 2));
	return name.n && (rest.n == 0 || rest.p[0] == '/') ? looked_up(s, name, rest) : word_plain(written);
}

void word_quote(struct buf *b, const struct word *w, bool reveal)
{
	if (w->name.n == 0 || reveal) {
		buf_shell_word(b, w->value);
		return;
	}
	buf_fmt(b, "\"$%.*s\"", STRF(w->name));
	if (w->rest.n)
		buf_shell_word(b, w->rest);
}
