/* See forge.h. */
#include "archive_kit/forge.h"

#include "base/magic.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

/* ---- heads ---- */

struct archive_head forge_head(struct arena *a)
{
	struct archive_head head = {.format = STR(ARCHIVE_FORMAT),
				    .version = ARCHIVE_VERSION,
				    .archive = 1,
				    .tenant = 1,
				    .to = 86400000,
				    .made_at = 86400000,
				    .program = STR("test")};

	head.executions = columns_names(archive_queries[ARCHIVE_EXECUTION], a, &head.executions_count);
	head.steps = columns_names(archive_queries[ARCHIVE_STEP], a, &head.steps_count);
	head.events = columns_names(archive_queries[ARCHIVE_EVENT], a, &head.events_count);
	return head;
}

void forge_head_text(const struct archive_head *head, struct buf *to)
{
	json_encode(&type_archive_head, head, 0, to);
	buf_c(to, '\n');
}

/* ---- frames ---- */

static void stream(ZSTD_CCtx *zstd, const char *bytes, size_t n, ZSTD_EndDirective how, struct buf *to)
{
	ZSTD_inBuffer in = {bytes, n, 0};
	size_t left;

	do {
		size_t room = ZSTD_CStreamOutSize();
		ZSTD_outBuffer out = {buf_room(to, room), room, 0};

		CHECK(out.dst);
		left = ZSTD_compressStream2(zstd, &out, &in, how);
		CHECK(!ZSTD_isError(left));
		buf_took(to, out.pos);
	} while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
}

static ZSTD_CCtx *packer(void)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();

	CHECK(zstd);
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	return zstd;
}

void forge_frame(struct str plain, struct buf *to)
{
	ZSTD_CCtx *zstd = packer();

	stream(zstd, plain.p, plain.n, ZSTD_e_end, to);
	ZSTD_freeCCtx(zstd);
}

/* zstd writes no size that is not so: it is put in by hand, as the 8 bytes behind a descriptor that says so. */
static void put_size(uint64_t says, struct buf *frame)
{
	static const char magic[] = {0x28, (char)0xB5, 0x2F, (char)0xFD};
	enum { DESCRIPTOR = 4, WINDOW = 5, BEHIND = 6, SIZE_OF_8 = 0xC0, CHECKSUM = 0x04 };
	struct buf with = BUF_INIT(0);
	unsigned char size[8];

	archive_put_u64(size, says);
	buf_add(&with, magic, sizeof magic);
	buf_c(&with, (char)(SIZE_OF_8 | (frame->p[DESCRIPTOR] & CHECKSUM)));
	buf_c(&with, frame->p[WINDOW]);
	buf_add(&with, size, sizeof size);
	buf_add(&with, frame->p + BEHIND, frame->n - BEHIND);
	buf_free(frame);
	*frame = with;
}

void forge_zeros(uint64_t says, uint64_t yields, struct buf *to)
{
	static const char zeros[1 << 16];
	struct buf frame = BUF_INIT(0);
	ZSTD_CCtx *zstd = packer();

	for (; yields > sizeof zeros; yields -= sizeof zeros)
		stream(zstd, zeros, sizeof zeros, ZSTD_e_continue, &frame);
	stream(zstd, zeros, yields, ZSTD_e_flush, &frame);
	stream(zstd, NULL, 0, ZSTD_e_end, &frame);
	ZSTD_freeCCtx(zstd);
	put_size(says, &frame);
	buf_str_add(to, buf_str(&frame));
	buf_free(&frame);
}

/* ---- the footer ---- */

void forge_footer(size_t index_bytes, uint64_t executions, struct buf *file)
{
	unsigned char footer[ARCHIVE_FOOTER_BYTES] = {0}, *fields = footer + 8;

	archive_put_u64(footer, (uint64_t)(8 * ARCHIVE_FOOTER_FIELDS) << 32 | ARCHIVE_SKIPPABLE);
	memcpy(fields, archive_mark, sizeof archive_mark);
	archive_put_u64(fields + 8, file->n - index_bytes);
	archive_put_u64(fields + 16, index_bytes);
	archive_put_u64(fields + 24, executions);
	archive_put_u64(fields + 32, 1);
	buf_add(file, footer, sizeof footer);
	forge_seal(file->p, file->n);
}

void forge_seal(char *file, size_t n)
{
	unsigned char *fields;
	uint64_t offset, bytes;

	if (n < ARCHIVE_FOOTER_BYTES)
		return;
	fields = (unsigned char *)file + n - 8 * ARCHIVE_FOOTER_FIELDS;
	offset = archive_get_u64(fields + 8);
	bytes = archive_get_u64(fields + 16);
	if (offset <= n && bytes <= n - offset)
		archive_put_u64(fields + 40, archive_checksum(fields, (struct str){file + offset, bytes}));
}

int forge_file(struct str bytes, char path[FORGE_PATH])
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	CHECK(fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n);
	snprintf(path, FORGE_PATH, "/proc/self/fd/%d", fd);
	return fd;
}
