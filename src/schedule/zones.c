/* The zones of a folder; see zone.h. */
#include "schedule/zone_priv.h"

#include "base/buf.h"
#include "base/map.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct named {
	struct named *next; /* with the same hash */
	struct zone *zone;
	size_t length;
	char name[ZONE_NAME_MAX];
};

struct zones {
	char folder[PATH_MAX / 2];
	pthread_mutex_t lock;
	struct map by_name;
};

struct zones *zones_new(struct str folder)
{
	struct zones *z = NEW(struct zones);
	CHECK(folder.n < sizeof z->folder);
	snprintf(z->folder, sizeof z->folder, "%.*s", STRF(folder));
	CHECK(pthread_mutex_init(&z->lock, NULL) == 0);
	return z;
}

void zones_destroy(struct zones **zp)
{
	struct zones *z = *zp;
	if (!z)
		return;
	struct named *n, *next;
	for (size_t i = 0; (n = map_next(&z->by_name, &i));)
		for (; n; n = next) {
			next = n->next;
			zone_destroy(&n->zone);
			free(n);
		}
	map_free(&z->by_name);
	pthread_mutex_destroy(&z->lock);
	free(z);
	*zp = NULL;
}

/* ---- reading ---- */

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       c == '+' || c == '/';
}

/* Such as Europe/Berlin; nothing that leads out of the folder. */
static bool is_name(struct str name)
{
	if (name.n == 0 || name.n > ZONE_NAME_MAX || name.p[0] == '/')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_name_char(name.p[i]))
			return false;
	return true;
}

static bool read_bytes(const struct zones *z, struct str name, struct buf *out)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%.*s", z->folder, STRF(name));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;
	while (n > 0) {
		char *room = buf_room(out, 4096);
		n = room ? read(fd, room, 4096) : -1;
		if (n > 0)
			buf_took(out, (size_t)n);
	}
	if (fd >= 0)
		close(fd);
	return n == 0;
}

static enum err unknown(const struct zones *z, struct str name, const char *field, struct problem *p)
{
	if (access(z->folder, R_OK | X_OK) != 0)
		return problem_field(p, ERR_INVALID, field,
				     "no time zone is known: %s cannot be read; install tzdata or set --zoneinfo",
				     z->folder);
	return problem_field(p, ERR_INVALID, field,
			     "there is no time zone '%.*s'; give one of the IANA database, such as Europe/Berlin",
			     STRF(name));
}

static enum err read_zone(const struct zones *z, struct str name, const char *field, struct zone **out,
			  struct problem *p)
{
	struct buf bytes = BUF_INIT(ZONE_FILE_MAX);
	struct problem why = {0};
	if (!read_bytes(z, name, &bytes)) {
		buf_free(&bytes);
		return unknown(z, name, field, p);
	}
	enum err err = zone_parse(buf_str(&bytes), out, &why);
	buf_free(&bytes);
	return err ? problem_field(p, err, field, "'%.*s' %s", STRF(name), why.detail) : OK;
}

/* ---- looking one up ---- */

static struct named *find(struct zones *z, struct str name)
{
	struct named *n = map_get(&z->by_name, str_hash(name));
	while (n && !str_eq(name, (struct str){n->name, n->length}))
		n = n->next;
	return n;
}

static struct named *keep(struct zones *z, struct str name, struct zone *zone)
{
	struct named *n = NEW(struct named);
	n->zone = zone;
	n->length = name.n;
	for (size_t i = 0; i < name.n; i++)
		n->name[i] = name.p[i];
	n->next = map_put(&z->by_name, str_hash(name), n);
	return n;
}

enum err zones_get(struct zones *z, struct str name, const char *field, const struct zone **out, struct problem *p)
{
	struct zone *zone = NULL;
	enum err err = OK;
	if (!is_name(name))
		return unknown(z, name, field, p);
	pthread_mutex_lock(&z->lock);
	struct named *n = find(z, name);
	if (!n)
		err = read_zone(z, name, field, &zone, p);
	if (!n && !err)
		n = keep(z, name, zone);
	pthread_mutex_unlock(&z->lock);
	*out = err ? NULL : n->zone;
	return err;
}
