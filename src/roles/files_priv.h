/*
 * What reading (files.c) and writing (files_write.c) the files of the machine share.
 */
#ifndef TENFOLD_ROLES_FILES_PRIV_H
#define TENFOLD_ROLES_FILES_PRIV_H

#include "roles/files.h"

#include <sys/stat.h>

/* The words for what a system call said of the path; a link that leads nowhere is told from no file. */
enum err file_fault(struct problem *p, const char *path, int error);
/* OK for a plain file; otherwise says what it is. */
enum err file_is_plain(struct problem *p, const char *path, const struct stat *st);

struct stamp file_stamp(const struct stat *st);

enum err file_write(struct files *f, const char *path, struct str text, const struct stamp *was, struct problem *p);

#endif
