/*
 * A time zone of the IANA database: which offset from UTC held when.
 *
 * Read from the compiled file of the zone (TZif, RFC 9636), whose last line says by what rule the clock goes on after
 * the last change that is written out; the rule is carried out up to the year 2500. So a zone is one sorted table,
 * never changes once it is read, and any thread may look at it: nothing here knows of the process's own zone.
 */
#ifndef TENFOLD_SCHEDULE_ZONE_H
#define TENFOLD_SCHEDULE_ZONE_H

#include "base/problem.h"
#include "base/str.h"

struct zone;

enum { ZONE_FILE_MAX = 128 << 10, ZONE_NAME_MAX = 64 };

/* A stretch of time with one offset. Seconds since 1970, UTC. */
struct zone_span {
	int64_t from_s, until_s; /* from in, until out; INT64_MIN and INT64_MAX: no change on that side */
	int32_t offset_s;        /* local time less UTC */
	int32_t before_s;        /* the offset before it */
};

/* The bytes of a TZif file of version 2 or later. ERR_INVALID says what is wrong with them. */
enum err zone_parse(struct str tzif, struct zone **out, struct problem *p);
void zone_destroy(struct zone **z);

struct zone_span zone_span_at(const struct zone *z, int64_t at_s);

/* The zones of a folder, each read when somebody asks for it first, and kept. Any thread. */
struct zones;
struct zones *zones_new(struct str folder);
void zones_destroy(struct zones **z);

/* Borrowed until zones_destroy(). ERR_INVALID, of the field, when there is no such zone or its file cannot be read. */
enum err zones_get(struct zones *z, struct str name, const char *field, const struct zone **out, struct problem *p);

#endif
