/*
 * Archive files of which the frames, the numbers and the checksums are what a test says, in memory that has a path.
 */
#ifndef TENFOLD_TESTS_ARCHIVE_KIT_FORGE_H
#define TENFOLD_TESTS_ARCHIVE_KIT_FORGE_H

#include "archive/file_priv.h"

enum { FORGE_PATH = 32 };

/* The columns of this program, and everything else as a file of archive 1 has it. Texts are in the arena. */
struct archive_head forge_head(struct arena *a);
void forge_head_text(const struct archive_head *head, struct buf *to);

/* As the writer packs, with a checksum. */
void forge_frame(struct str plain, struct buf *to);
/* One that says `says` and yields `yields` zeros, which may be more than there is memory for. */
void forge_zeros(uint64_t says, uint64_t yields, struct buf *to);

/* Behind the index, which is the last index_bytes of the file. */
void forge_footer(size_t index_bytes, uint64_t executions, struct buf *file);
/* Puts the checksum of the footer right, if the bytes have a footer that says where an index is. */
void forge_seal(char *file, size_t n);

/* A file that is gone when fd is closed; path: how it is opened until then. */
int forge_file(struct str bytes, char path[FORGE_PATH]);

#endif
