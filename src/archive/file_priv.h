/* The form of archive files: what writing (file_write.c) and reading (file_read.c) share. */
#ifndef TENFOLD_ARCHIVE_FILE_PRIV_H
#define TENFOLD_ARCHIVE_FILE_PRIV_H

#include "archive/file.h"

#include <string.h>

/* All little-endian. The footer is a skippable frame of zstd's: its magic, the bytes that follow, and these fields. */
enum {
	ARCHIVE_VERSION = 1,
	ARCHIVE_SKIPPABLE = 0x184D2A5E,
	ARCHIVE_FOOTER_FIELDS = 6, /* of 8 bytes: mark, index offset, index bytes, executions, archive, checksum */
	ARCHIVE_FOOTER_BYTES = 8 + 8 * ARCHIVE_FOOTER_FIELDS,
	ARCHIVE_PLAIN_MAX = 1 << 30 /* of a frame */
};

#define ARCHIVE_FORMAT "tenfold executions"
static const char archive_mark[8] = {'T', 'F', 'A', 'R', 'C', 'H', '0', '1'};

struct archive_footer {
	uint64_t index_offset, index_bytes, executions, archive;
};

/* Over the fields before it and the frame of the index. */
static inline uint64_t archive_checksum(const unsigned char *fields, struct str index)
{
	return str_hash_seed(index, str_hash((struct str){(const char *)fields, 8 * (ARCHIVE_FOOTER_FIELDS - 1)}));
}

static inline void archive_put_u64(unsigned char *to, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		to[i] = (unsigned char)(v >> 8 * i);
}

static inline uint64_t archive_get_u64(const unsigned char *from)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v |= (uint64_t)from[i] << 8 * i;
	return v;
}

/* The queries whose rows a file holds, by enum archive_row_kind. */
extern const struct query *const archive_queries[ARCHIVE_ROW_KINDS];

#endif
