/*
 * Paths as texts: what Gas Town computes with path/filepath, so that --settings names the same file. Nothing here
 * looks at a disk.
 */
#include "roles/command_priv.h"

#include "base/vec.h"

struct str path_base(struct str path)
{
	if (path.n == 0)
		return STR(".");
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	for (size_t i = path.n; i > 0; i--)
		if (path.p[i - 1] == '/' && path.n > 1)
			return (struct str){path.p + i, path.n - i};
	return path;
}

/* The parts of a path that count. */
struct steps {
	VEC(struct str) parts;
	bool rooted;
};

static void step(struct steps *s, struct str part)
{
	bool up = str_eqz(part, "..");
	bool nowhere = s->parts.n == 0 || str_eqz(s->parts.v[s->parts.n - 1], "..");

	if (part.n == 0 || str_eqz(part, "."))
		return;
	if (up && !nowhere)
		s->parts.n--;
	else if (!up || !s->rooted) /* above the root is the root */
		*VEC_PUSH(&s->parts) = part;
}

static void steps_of(struct steps *s, struct str path)
{
	while (path.n)
		step(s, str_cut(path, '/', &path));
}

static struct str steps_text(const struct steps *s, struct arena *a)
{
	struct buf b = BUF_INIT(0);
	struct str text;

	if (s->rooted)
		buf_c(&b, '/');
	for (size_t i = 0; i < s->parts.n; i++) {
		if (i)
			buf_c(&b, '/');
		buf_str_add(&b, s->parts.v[i]);
	}
	text = arena_str(a, b.n ? buf_str(&b) : STR("."));
	buf_free(&b);
	return text;
}

struct str path_join(struct arena *a, const struct str *parts, size_t count)
{
	struct steps s = {0};
	struct str text;
	bool begun = false;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].n == 0)
			continue;
		s.rooted |= !begun && parts[i].p[0] == '/';
		begun = true;
		steps_of(&s, parts[i]);
	}
	text = begun ? steps_text(&s, a) : (struct str){0};
	VEC_FREE(&s.parts);
	return text;
}
