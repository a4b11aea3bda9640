/*
 * From a document to structs, by table: which members an object may have, of which type, and where they go.
 *
 * The rules are those of encoding/json where Gas Town reads the file too: members in the order of the text, any
 * case, null leaves a text or number as it was and empties a list, a map or an object, an object met twice is
 * merged. What has the wrong type is told with its place and left out; the rest of the file counts. Gas Town then
 * takes nothing of the file, which is noted as `refused`, for --compat.
 */
#ifndef TENFOLD_ROLES_SHAPE_PRIV_H
#define TENFOLD_ROLES_SHAPE_PRIV_H

#include "base/vec.h"
#include "roles/model.h"

enum { FAULTS_MAX = 200, /* of one file; the rest is counted */ PAIRS_MAX = 1000 };

/* One file being read. */
struct reading {
	const struct doc *doc;
	struct arena *arena; /* of what is kept: nothing kept points into doc */
	const char *shown;   /* for origins */
	bool is_rig;
	VEC(struct fault) faults;
	size_t more_faults;
	bool refused;
	unsigned own; /* within members that are tenfold's: Gas Town does not look at them */
};

enum want {
	WANT_ANY,
	WANT_TEXT,
	WANT_BOOL,
	WANT_INT,
	WANT_NUMBER,
	WANT_TEXTS,
	WANT_TEXT_MAP,
	WANT_OBJECT,
	WANT_MAP
};

struct field;
struct shape {
	const struct field *fields;
	size_t count;
	size_t bytes;    /* of the struct it is read into; 0: into none */
	size_t given_at; /* of its `given` */
};

/* For a WANT_MAP (called for each entry, null ones too) and for whatever does not simply go to `at`. n NULL: null
 * was said for the map or object as a whole, forget what was there. */
typedef void take_fn(struct reading *r, const struct field *f, const struct node *n, void *out);

struct field {
	const char *key;
	enum want want;
	const struct shape *shape; /* of an OBJECT */
	take_fn *take;             /* gets the struct of the shape that has the field */
	size_t at;                 /* into that struct; NOT_KEPT: only its type matters */
	bool own;                  /* tenfold's own */
};

#define NOT_KEPT SIZE_MAX

/* n is an object (else that is a fault). out may be NULL when no field of the shape is kept. */
void shape_take(struct reading *r, const struct shape *s, const struct node *n, void *out);

/* What the struct points to, copied into the arena. */
void shape_keep(const struct shape *s, void *of, struct arena *a);

/* For take functions: whether n is of that kind; a fault when not. */
bool shape_is(struct reading *r, const struct node *n, enum want want);
struct str shape_text(struct reading *r,
		      const struct node *n); /* a copy; empty for null, with a fault when wrong */

void shape_fault(struct reading *r, struct origin at, enum severity severity, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct str shape_path(const struct reading *r, const struct node *n);          /* agents.x.args[2] */
struct origin shape_origin(const struct reading *r, const struct node *n);     /* of the value */
struct origin shape_key_origin(const struct reading *r, const struct node *n); /* of the name */

/* ---- the shapes ---- */

extern const struct shape shape_town_settings, shape_rig_settings; /* struct building */
extern const struct shape shape_runtime;                           /* struct runtime: an entry of `agents` */
extern const struct shape shape_preset;                            /* struct runtime: an entry of agents.json */

#endif
