/*
 * The files that agents are imported from: which there are, and their bytes.
 *
 * A compressed file (.gz, .xz, .lz4, .zst, .bz2) is read through apt's own helper, which knows whatever apt writes.
 */
#ifndef TENFOLD_CLI_AGENT_FILE_H
#define TENFOLD_CLI_AGENT_FILE_H

#include "base/vec.h"
#include "spec/types.h"

#include <sys/types.h>

/* In the order to read them; the texts are in the arena. As VEC(const char *). */
struct path_list {
	const char **v;
	size_t n, cap;
};

struct agent_paths {
	struct path_list details; /* of long descriptions: agent_import_details() */
	struct path_list agents;
};

/* The files that are meant by what was named: a directory means its *.json, and nothing means, for debian, what dpkg
 * and apt know. ERR_USAGE when there is none. */
enum err agent_paths_find(enum agent_format format, const struct str *named, size_t count, struct arena *a,
			  struct agent_paths *out, struct problem *p);
void agent_paths_free(struct agent_paths *paths);

struct agent_file {
	const char *path;
	int fd;
	pid_t helper; /* 0: none */
	int error;    /* errno of a read that failed */
};

/* "-" is standard input. ERR_USAGE when it cannot be read; then there is nothing to close. */
enum err agent_file_open(struct agent_file *f, const char *path, struct problem *p);
size_t agent_file_read(void *file, char *to, size_t n); /* an import_read_fn; 0 at the end and after an error */
/* ERR_USAGE when it was not read to its end, although that was wanted. */
enum err agent_file_close(struct agent_file *f, bool to_the_end, struct problem *p);

#endif
