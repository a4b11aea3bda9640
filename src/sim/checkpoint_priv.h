/*
 * What the files of checkpoints share.
 *
 *   checkpoint.c        saving and loading: which, and what is said of the others
 *   checkpoint_text.c   a checkpoint as bytes, and back
 *   checkpoint_files.c  bytes on the disk, names, and what is there
 */
#ifndef TENFOLD_SIM_CHECKPOINT_PRIV_H
#define TENFOLD_SIM_CHECKPOINT_PRIV_H

#include "base/buf.h"
#include "sim/checkpoint.h"

#define CHECKPOINT_JSON   ".json"
#define CHECKPOINT_AGENTS ".agents"

enum { CHECKPOINT_NAME_MAX = 80, CHECKPOINT_MEMORY_EACH = 12, CHECKPOINT_JSON_MAX = 256 << 20 };

/* ---- as bytes ---- */

void checkpoint_write_memory(const struct checkpoint *c, struct buf *b);
/* The JSON, its checksum in place; false when it is too large. */
bool checkpoint_write_json(const struct checkpoint *c, struct str memory, struct buf *b);

/* Puts the checksum where it stands in the text; false when it has no place for one. */
bool checkpoint_seal(char *json, size_t n);

/* The way back. ERR_MALFORMED: torn, changed or of another version, and p says which. out->memory is empty until
 * checkpoint_read_memory() has compared the other file. */
struct checkpoint_file;
enum err checkpoint_read_json(struct str json, struct arena *a, struct checkpoint *out,
			      struct checkpoint_file *file, struct problem *p);
enum err checkpoint_read_memory(struct str memory, const struct checkpoint_file *file, struct arena *a,
				struct checkpoint *out, struct problem *p);

/* ---- on the disk ---- */

struct checkpoint_name {
	char stem[CHECKPOINT_NAME_MAX]; /* without its ending */
	uint32_t cycle;
};

bool checkpoint_name_parse(struct str file, struct checkpoint_name *out);
/* One that is not there yet: of that time, or of the second after that. */
void checkpoint_name_make(struct str dir, uint32_t cycle, int64_t saved_ms, struct checkpoint_name *out);

/* Those that are there, the highest cycle first, among equals the latest. */
enum err checkpoint_names(struct str dir, struct arena *a, struct checkpoint_name **out, size_t *count,
			  struct problem *p);
enum err checkpoint_put(struct str dir, const struct checkpoint_name *name, struct str json, struct str memory,
			struct problem *p);
void checkpoint_remove(struct str dir, const struct checkpoint_name *name);
/* Removes what was left by who was killed between the two files of one. */
void checkpoint_sweep(struct str dir);
/* `ending` begins with its point. */
enum err checkpoint_get(struct str dir, struct str stem, const char *ending, size_t max, struct arena *a,
			struct str *out, struct problem *p);

#endif
