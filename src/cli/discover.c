/*
 * Which server, which key, which directory.
 *
 *   URL   --url, TENFOLD_URL; else server.json of the data directory; else where a server listens by default
 * key   --key, TENFOLD_KEY; else the access token of who is signed in at that server (cli/sign_in.h); else
 * admin.key of the data directory, but only for a server on this machine: a key of this machine's server is not
 * to be shown to
 *         another one
 *
 * What was seen of the store by the last command (Tenfold-Seen) is in the file `seen` of the data directory.
 *
 * A client asks again when its server could not be reached: files of the data directory may have changed.
 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/sign_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SMALL_FILE_MAX = 64 << 10 };

static const char default_url[] = "http://127.0.0.1:7010";

enum err cli_data_dir(struct str given, struct arena *a, struct str *out, struct problem *p)
{
	const char *home = getenv("TENFOLD_HOME"), *data_home = getenv("XDG_DATA_HOME"), *user = getenv("HOME");

	if (given.n)
		*out = arena_str(a, given);
	else if (home && *home)
		*out = arena_str(a, str_of(home));
	else if (data_home && data_home[0] == '/') /* the specification: other values are to be ignored */
		*out = arena_fmt(a, "%s/tenfold", data_home);
	else if (user && *user)
		*out = arena_fmt(a, "%s/.local/share/tenfold", user);
	else
		return problem_set(p, ERR_USAGE,
				   "no data directory is known; give one with --data or TENFOLD_HOME");
	return out->p ? OK : problem_set(p, ERR_TOO_LARGE, "The name of the data directory is too long");
}

/* ---- files ---- */

static enum err cannot_read(struct str path, const char *why, struct problem *p)
{
	return problem_set(p, ERR_USAGE, "cannot read %.*s: %s", STRF(path), why);
}

static enum err read_all(int fd, struct buf *b)
{
	for (;;) {
		char *room = buf_room(b, 65536);
		ssize_t n = room ? read(fd, room, 65536) : 0;

		if (!room)
			return ERR_TOO_LARGE;
		if (n == 0)
			return OK;
		if (n < 0 && errno != EINTR)
			return ERR_USAGE;
		buf_took(b, n > 0 ? (size_t)n : 0);
	}
}

enum err cli_read_file(struct str path, size_t max_bytes, struct arena *a, struct str *out, struct problem *p)
{
	bool from_stdin = str_eqz(path, "-");
	char *name = arena_z(a, path);
	int fd = from_stdin ? STDIN_FILENO : name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	struct buf b = BUF_INIT(max_bytes + 65536); /* room for a last read that finds the end */
	enum err e;

	if (fd < 0)
		return cannot_read(path, strerror(errno), p);
	e = read_all(fd, &b);
	if (e == ERR_USAGE)
		cannot_read(path, strerror(errno), p);
	if (!e && b.n <= max_bytes)
		*out = arena_str(a, buf_str(&b));
	if (e == ERR_TOO_LARGE || b.n > max_bytes || (!e && !out->p))
		e = cannot_read(path, "it is too large", p);
	buf_free(&b);
	if (!from_stdin)
		close(fd);
	return e;
}

/* ---- the server of the data directory ---- */

static bool read_in(struct str dir, const char *name, struct arena *a, struct str *out)
{
	struct str path = arena_fmt(a, "%.*s/%s", STRF(dir), name);

	return path.p && cli_read_file(path, SMALL_FILE_MAX, a, out, NULL) == OK;
}

static bool server_of(struct str dir, struct arena *a, struct str *url)
{
	struct server_file file;
	struct str text;

	if (!read_in(dir, "server.json", a, &text) ||
	    json_decode_answer(&type_server_file, text, a, &file, NULL) != OK)
		return false;
	*url = file.url;
	return true;
}

static bool is_here(struct str url)
{
	struct str rest;

	str_cut(url, '/', &rest);
	str_cut(rest, '/', &rest);
	return str_starts(rest, STR("127.")) || str_starts(rest, STR("localhost")) ||
	       str_starts(rest, STR("[::1]"));
}

/* Headers are lines: what would begin a new one must not get into them. */
static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

static enum err check(const struct client *settings, struct problem *p)
{
	if (!str_starts(settings->url, STR("http://")) && !str_starts(settings->url, STR("https://")))
		return problem_set(p, ERR_USAGE, "%.*s is no URL of a server; write http://HOST:PORT",
				   STRF(settings->url));
	if (!is_plain(settings->key))
		return problem_set(p, ERR_USAGE,
				   "the key has spaces or control characters; give it as it was shown");
	if (!is_plain(settings->tenant))
		return problem_set(p, ERR_USAGE, "--tenant: has spaces or control characters; give its name");
	return OK;
}

/* ---- what to use ---- */

static void find_url(const struct cli *cli, struct str dir, struct str own, struct arena *a, struct client *out)
{
	out->url_note = (struct str){0};
	if (cli->globals.url.n || own.n) {
		out->url = cli->globals.url.n ? cli->globals.url : own;
		return;
	}
	/* Its server may just be starting again: where it was last is a better guess than where others are. */
	if (out->url.n == 0)
		out->url = str_of(default_url);
	if (str_eqz(out->url, default_url))
		out->url_note = arena_fmt(a, "%.*s has no server.json; trying the default", STRF(dir));
}

static void find_key(const struct cli *cli, struct str dir, struct str own, struct arena *a, struct client *out)
{
	bool from_env = cli->globals_from_env & BIT(cli_globals, key);
	struct client shown = *out; /* what the server may have refused */

	out->key = cli->globals.key;
	out->key_note = cli->key_note.n ? cli->key_note : from_env ? STR("TENFOLD_KEY") : STR("--key");
	out->is_signed_in = false;
	if (out->key.n)
		return;
	if (sign_in_find(a, &shown)) {
		shown.url = out->url;
		*out = shown;
		return;
	}
	if (!str_eq(out->url, own) && !is_here(out->url)) {
		out->key_note = STR("admin.key is only shown to a server of this machine");
	} else if (read_in(dir, "admin.key", a, &out->key)) {
		out->key = str_trim(out->key);
		out->key_note = arena_fmt(a, "%.*s/admin.key", STRF(dir));
	} else {
		out->key_note = arena_fmt(a, "%.*s has no admin.key", STRF(dir));
	}
}

static void find(const struct cli *cli, struct arena *a, struct client *out)
{
	struct str dir = STR("the data directory"), own = {0};

	if (cli_data_dir(cli->globals.data, a, &dir, NULL) == OK) {
		server_of(dir, a, &own);
		out->seen_file = arena_fmt(a, "%.*s/seen", STRF(dir));
	}
	find_url(cli, dir, own, a, out);
	find_key(cli, dir, own, a, out);
}

static void find_again(void *ctx, struct arena *a, struct client *settings)
{
	struct client found = *settings;

	find(ctx, a, &found);
	if (check(&found, NULL) == OK)
		*settings = found;
}

enum err cli_connect(struct cli *cli, struct client **out)
{
	struct client settings = {
		.tenant = cli->globals.tenant, .agent = "tenfold", .find = find_again, .find_ctx = cli};
	enum err e;

	find(cli, cli->arena, &settings);
	e = check(&settings, &cli->problem);
	if (e)
		return e;
	*out = client_new(&settings);
	return OK;
}
