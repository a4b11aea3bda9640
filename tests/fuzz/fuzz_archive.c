/*
 * Whatever an archive's file holds: as it came, with its checksum put right, and as what frames hold, in three parts,
 * with an index around them that is so, because no bytes that are merely tried are ever a frame.
 */
#include "archive_kit/forge.h"
#include "base/magic.h"

#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Rows come by execution, and every one of the index comes. */
struct seen {
	const struct archive_file *file;
	size_t executions, bytes;
};

static enum err look(void *ctx, const struct archive_row *row)
{
	struct seen *s = ctx;
	const struct query *insert = archive_queries[row->kind];

	s->executions += row->kind == ARCHIVE_EXECUTION;
	CHECK(s->executions > 0 && s->executions <= s->file->count);
	CHECK(row->execution == s->file->ids[s->executions - 1]);
	for (unsigned i = 0; i < insert->in_count; i++) {
		const struct sql_field *f = &insert->in[i];
		const struct str *text = (const struct str *)((const char *)&row->execution_row + f->offset);

		if (f->type != SQL_TEXT && f->type != SQL_BYTES)
			continue;
		CHECK(text->p || f->nullable);
		s->bytes += text->n && text->p[0] && text->p[text->n - 1]; /* all of it can be read */
	}
	return OK;
}

static void find_each(const struct archive_file *f)
{
	size_t block;

	for (size_t i = 0; i < f->count; i++) {
		CHECK(archive_file_find(f, f->ids[i], &block) && block < f->blocks);
		CHECK(archive_block_first(f, block) <= i && i < archive_block_first(f, block + 1));
	}
}

static void check(struct str bytes)
{
	char path[FORGE_PATH];
	int fd = forge_file(bytes, path);
	struct archive_file *f;
	struct problem p = {0};
	struct seen seen;
	enum err err = archive_file_open(path, 0, &f, &p);

	seen = (struct seen){.file = f};
	if (!err) {
		find_each(f);
		err = archive_file_each(f, look, &seen, &p);
	}
	CHECK(err ? err == ERR_ARCHIVE && strstr(p.detail, path) : seen.executions == f->count);
	archive_file_close(&f);
	close(fd);
}

static void put_own_head(struct buf *file)
{
	struct arena *a = arena_new(1 << 20);
	struct archive_head head = forge_head(a);
	struct buf text = BUF_INIT(0);

	forge_head_text(&head, &text);
	forge_frame(buf_str(&text), file);
	buf_free(&text);
	arena_destroy(&a);
}

/* Of one block, unless it is empty, in which ids grow by one. */
static void put_index(size_t head_end, size_t block_end, size_t plain_bytes, uint64_t ids, struct buf *index)
{
	buf_varint(index, head_end);
	buf_varint(index, plain_bytes > 0);
	if (plain_bytes > 0) {
		buf_varint(index, block_end - head_end);
		buf_varint(index, plain_bytes);
		buf_varint(index, ids);
	}
	for (uint64_t i = 0; i < ids; i++)
		buf_c(index, 1);
}

/* Its first byte says what is given, a head, a block or what is in an index, and how many ids there are. */
static void check_plain(struct str input)
{
	enum { HEAD, BLOCK, INDEX, PARTS };
	int part = (unsigned char)input.p[0] % PARTS;
	uint64_t ids = (unsigned char)input.p[0] / PARTS;
	struct str plain = {input.p + 1, input.n - 1};
	struct buf file = BUF_INIT(0), index = BUF_INIT(0);
	size_t head_end, block_end;

	if (part == HEAD)
		forge_frame(plain, &file);
	else
		put_own_head(&file);
	head_end = file.n;
	if (part != HEAD)
		forge_frame(part == BLOCK ? plain : STR("x"), &file);
	block_end = file.n;
	if (part == INDEX) {
		buf_varint(&index, head_end);
		buf_str_add(&index, plain);
	} else {
		put_index(head_end, block_end, part == BLOCK ? plain.n : 0, ids, &index);
	}
	forge_frame(buf_str(&index), &file);
	forge_footer(file.n - block_end, ids, &file);
	check(buf_str(&file));
	buf_free(&index);
	buf_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = {(const char *)data, size};
	char *copy = must_alloc(size + 1);

	check(input);
	memcpy(copy, data, size);
	forge_seal(copy, size);
	check((struct str){copy, size});
	free(copy);
	if (size > 0)
		check_plain(input);
	return 0;
}
