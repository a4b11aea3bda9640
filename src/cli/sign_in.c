/* See sign_in.h. */
#include "cli/sign_in.h"

#include "base/clock.h"
#include "cli/private_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 256 << 10, ENTRIES_MAX = 100, SOON_MS = 30000 };

static int64_t now_ms(void)
{
	struct clock *clock = clock_system_new();
	int64_t ms = clock_now_ms(clock);

	clock_system_destroy(&clock);
	return ms;
}

/* ---- the file ---- */

static struct str path_in(struct arena *a)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *user = getenv("HOME");

	if (config && config[0] == '/')
		return arena_fmt(a, "%s/tenfold/sign-in.json", config);
	return user && *user ? arena_fmt(a, "%s/.config/tenfold/sign-in.json", user) : (struct str){0};
}

/* What cannot be read is as if it were not there. */
static void read_entries(struct arena *a, struct sign_in_file *out)
{
	struct str text, path = path_in(a);

	*out = (struct sign_in_file){0};
	if (!path.p || cli_read_file(path, FILE_BYTES_MAX, a, &text, NULL) != OK ||
	    json_decode_answer(&type_sign_in_file, text, a, out, NULL) != OK)
		*out = (struct sign_in_file){0};
}

static enum err write_entries(struct arena *a, const struct sign_in_file *file, struct problem *p)
{
	struct str path = path_in(a);
	struct buf b = BUF_INIT(FILE_BYTES_MAX);
	enum err e;

	if (!path.p)
		return problem_set(p, ERR_USAGE,
				   "there is no place to keep the tokens; set HOME or XDG_CONFIG_HOME");
	json_encode(&type_sign_in_file, file, 0, &b);
	buf_c(&b, '\n');
	e = private_file_write(path.p, buf_str(&b), false, a, p);
	sodium_memzero(b.p, b.n);
	buf_free(&b);
	return e;
}

static struct sign_in_entry *entry_of(const struct sign_in_file *file, struct str url)
{
	for (size_t i = 0; i < file->servers_count; i++)
		if (str_eq(file->servers[i].url, url))
			return &file->servers[i];
	return NULL;
}

static struct str plain_url(struct str url)
{
	while (url.n && url.p[url.n - 1] == '/')
		url.n--;
	return url;
}

int sign_in_lock(struct arena *a)
{
	struct str path = path_in(a), lock = arena_fmt(a, "%.*s.lock", STRF(path));
	int fd = -1;

	if (path.p && private_file_write(lock.p, (struct str){0}, true, a, NULL) != ERR_USAGE)
		fd = open(lock.p, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void sign_in_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

/* ---- kept ---- */

static struct sign_in_entry entry_from(struct str url, const struct signed_in *in)
{
	return (struct sign_in_entry){.url = url,
				      .email = in->email,
				      .tenant = in->tenant_name,
				      .access_token = in->access_token,
				      .expires_at = now_ms() + in->expires_in_ms,
				      .refresh_token = in->refresh_token};
}

/* The oldest goes when there are too many. */
static enum err put_entry(struct arena *a, const struct sign_in_entry *entry, struct problem *p)
{
	struct sign_in_file file, next = {.servers = ARENA_ARRAY(a, struct sign_in_entry, ENTRIES_MAX)};

	if (!next.servers)
		return ERR_TOO_LARGE;
	read_entries(a, &file);
	next.servers[next.servers_count++] = *entry;
	for (size_t i = 0; i < file.servers_count && next.servers_count < ENTRIES_MAX; i++)
		if (!str_eq(file.servers[i].url, entry->url))
			next.servers[next.servers_count++] = file.servers[i];
	return write_entries(a, &next, p);
}

enum err sign_in_keep(struct cli *cli, struct str url, const struct signed_in *in)
{
	struct sign_in_entry entry = entry_from(plain_url(url), in);

	return put_entry(cli->arena, &entry, &cli->problem);
}

enum err sign_in_token(struct cli *cli, struct str url, struct str *refresh_token)
{
	struct sign_in_file file;
	const struct sign_in_entry *entry;

	read_entries(cli->arena, &file);
	entry = entry_of(&file, plain_url(url));
	if (!entry)
		return problem_set(&cli->problem, ERR_NOT_FOUND,
				   "nobody is signed in at %.*s from here; 'tenfold account sign-in EMAIL'",
				   STRF(url));
	*refresh_token = entry->refresh_token;
	return OK;
}

enum err sign_in_forget(struct cli *cli, struct str url)
{
	struct sign_in_file file;
	struct sign_in_entry *entry;

	read_entries(cli->arena, &file);
	entry = entry_of(&file, plain_url(url));
	if (!entry)
		return OK;
	*entry = file.servers[--file.servers_count];
	return write_entries(cli->arena, &file, &cli->problem);
}

/* ---- used ---- */

static bool is_over(const struct sign_in_entry *entry, const struct client *settings)
{
	bool refused = settings->refused && str_eq(settings->key, entry->access_token);

	return refused || entry->expires_at - now_ms() < SOON_MS;
}

/* With a client of its own, which shows no key. */
static enum err refresh(struct arena *a, const struct client *settings, struct sign_in_entry *entry)
{
	struct client *plain = client_new(&(struct client){.url = settings->url, .agent = settings->agent});
	struct token_refresh_in in = {0};
	struct signed_in out;
	struct problem why = {0};
	enum err e;

	PUT(&in, token_refresh_in, refresh_token, entry->refresh_token);
	e = client_call(plain, ROUTE_token_refresh, &in, a, &out, NULL, &why);
	if (!e) {
		*entry = entry_from(entry->url, &out);
		entry->access_token = arena_str(a, entry->access_token);
		entry->refresh_token = arena_str(a, entry->refresh_token);
		entry->email = arena_str(a, entry->email);
		entry->tenant = arena_str(a, entry->tenant);
		e = put_entry(a, entry, NULL);
	}
	client_destroy(&plain);
	return e;
}

/* What another command has refreshed meanwhile is taken as it is. */
static void renew(struct arena *a, const struct client *settings, struct sign_in_entry *entry)
{
	int lock = sign_in_lock(a);
	struct sign_in_file file;
	const struct sign_in_entry *now;

	read_entries(a, &file);
	now = entry_of(&file, entry->url);
	if (now)
		*entry = *now;
	if (lock >= 0 && now && is_over(entry, settings))
		refresh(a, settings,
			entry); /* if it is refused, the server says why when it is shown the old one */
	sign_in_unlock(lock);
}

bool sign_in_find(struct arena *a, struct client *settings)
{
	struct sign_in_file file;
	struct sign_in_entry *found;

	read_entries(a, &file);
	found = entry_of(&file, plain_url(settings->url));
	if (!found)
		return false;
	if (is_over(found, settings))
		renew(a, settings, found);
	settings->key = found->access_token;
	settings->key_until_ns = clock_mono_ns() + (found->expires_at - now_ms() - SOON_MS) * 1000000;
	settings->is_signed_in = true;
	settings->refused = false;
	settings->key_note = arena_fmt(a, "signed in as %.*s", STRF(found->email));
	return true;
}
