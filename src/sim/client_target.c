/*
 * The target's URL, taken apart by libcurl, and its addresses.
 */
#include "sim/client_priv.h"

#include "base/magic.h"

#include <curl/curl.h>
#include <string.h>

enum { URL_MAX = 4096 };

static enum err wrong(struct problem *p, const char *what)
{
	return problem_field(p, ERR_INVALID, "target", "%s; it is http://HOST[:PORT][/PREFIX] or https://…", what);
}

/* Empty when the URL has no such part. */
static struct str part(CURLU *u, CURLUPart which, unsigned flags, struct arena *a)
{
	char *text = NULL;
	struct str s = {0};

	if (curl_url_get(u, which, &text, flags) == CURLUE_OK)
		s = arena_str(a, str_of(text));
	curl_free(text);
	return s;
}

static enum err check_parts(CURLU *u, struct arena *a, struct problem *p)
{
	struct str scheme = part(u, CURLUPART_SCHEME, 0, a);

	if (!str_eqz(scheme, "http") && !str_eqz(scheme, "https"))
		return wrong(p, "is not of http or https");
	if (part(u, CURLUPART_USER, 0, a).n || part(u, CURLUPART_PASSWORD, 0, a).n)
		return wrong(p, "has a user in it; send a header instead");
	if (part(u, CURLUPART_QUERY, 0, a).n || part(u, CURLUPART_FRAGMENT, 0, a).n)
		return wrong(p, "has a ? or # in it");
	return OK;
}

/* An IPv6 address without its brackets. */
static struct str bare(struct str host)
{
	return str_starts(host, STR("[")) ? (struct str){host.p + 1, host.n - 2} : host;
}

static enum err look_up(struct client_target *t, struct str host, struct str port, struct arena *a,
			struct problem *p)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	int failed = getaddrinfo(arena_z(a, bare(host)), arena_z(a, port), &hints, &t->addresses);

	if (failed)
		return problem_set(p, ERR_TARGET_NAME, "%.*s: %s", STRF(host), gai_strerror(failed));
	return OK;
}

static struct str without_slash(struct str s)
{
	while (s.n && s.p[s.n - 1] == '/')
		s.n--;
	return s;
}

static enum err take_parts(CURLU *u, struct arena *a, struct client_target *out, struct problem *p)
{
	struct str host = part(u, CURLUPART_HOST, 0, a), given = part(u, CURLUPART_PORT, 0, a);
	enum err e = check_parts(u, a, p);

	if (e)
		return e;
	out->tls = str_eqz(part(u, CURLUPART_SCHEME, 0, a), "https");
	out->url = without_slash(part(u, CURLUPART_URL, 0, a));
	out->prefix = without_slash(part(u, CURLUPART_PATH, 0, a));
	out->authority = given.n ? arena_fmt(a, "%.*s:%.*s", STRF(host), STRF(given)) : host;
	return look_up(out, host, part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, a), a, p);
}

enum err client_target_read(struct str url, struct arena *a, struct client_target *out, struct problem *p)
{
	CURLU *u;
	enum err e;

	*out = (struct client_target){0};
	if (url.n == 0 || url.n > URL_MAX || memchr(url.p, 0, url.n))
		return wrong(p, "is no URL");
	u = curl_url();
	CHECK(u);
	if (curl_url_set(u, CURLUPART_URL, arena_z(a, url), 0) != CURLUE_OK)
		e = wrong(p, "is no URL");
	else
		e = take_parts(u, a, out, p);
	curl_url_cleanup(u);
	return e;
}

void client_target_free(struct client_target *t)
{
	if (t->addresses)
		freeaddrinfo(t->addresses);
	t->addresses = NULL;
}

enum err sim_client_check_target(struct str url, struct problem *p)
{
	struct arena *a = arena_new((size_t)1 << 16);
	struct client_target target;
	enum err e = client_target_read(url, a, &target, p);

	client_target_free(&target);
	arena_destroy(&a);
	return e;
}
