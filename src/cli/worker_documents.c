/* See worker_documents.h. */
#include "cli/worker_documents.h"

#include "base/buf.h"
#include "base/vec.h"
#include "search/search.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_BYTES_MAX = 1 << 20,
	ALL_BYTES_MAX = 256 << 20,
	FILES_MAX = 20000,
	DEPTH_MAX = 16,
	PASSAGE_BYTES = 1200,
	HITS_PER_DOCUMENT = 8
};

struct passage {
	size_t file;
	struct str text;
};

struct documents {
	struct arena *arena;
	VEC(struct str) files;
	VEC(struct passage) passages; /* their ids begin at 1 */
	struct search *index;
	struct search_reader *reader;
	size_t bytes;
};

/* ---- passages ---- */

/* Up to the last end of a paragraph, of a line or of a character that fits. */
static size_t passage_length(struct str s)
{
	size_t n = PASSAGE_BYTES, line = 0, paragraph = 0;

	if (s.n <= n)
		return s.n;
	for (size_t i = PASSAGE_BYTES / 4; i < n; i++) {
		if (s.p[i] != '\n')
			continue;
		line = i + 1;
		if (s.p[i - 1] == '\n')
			paragraph = i + 1;
	}
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return paragraph ? paragraph : line ? line : n;
}

static void add_passage(struct documents *d, size_t file, struct str text)
{
	struct str texts[] = {d->files.v[file], text};
	struct search_doc doc = {.id = (int64_t)d->passages.n + 1, .texts = texts};

	if (str_trim(text).n == 0 || search_put(d->index, &doc) != OK)
		return;
	*VEC_PUSH(&d->passages) = (struct passage){file, text};
}

static void add_file(struct documents *d, struct str path, struct str text)
{
	size_t file = d->files.n;

	*VEC_PUSH(&d->files) = arena_str(d->arena, path);
	text = arena_str(d->arena, text);
	while (text.n) {
		size_t n = passage_length(text);

		add_passage(d, file, (struct str){text.p, n});
		text = (struct str){text.p + n, text.n - n};
	}
}

/* ---- files ---- */

static enum err cannot_read(const char *path, struct problem *p)
{
	return problem_set(p, ERR_USAGE, "cannot read %s: %s", path, strerror(errno));
}

static bool read_whole(int fd, size_t size, struct buf *b)
{
	char *room = buf_room(b, size + 1);
	ssize_t n;

	while (room && b->n < size + 1 && (n = read(fd, room, size + 1 - b->n)) > 0) {
		buf_took(b, (size_t)n);
		room = buf_room(b, size + 1 - b->n);
	}
	return b->n <= size && str_is_utf8(buf_str(b)) && !memchr(buf_cstr(b), '\0', b->n);
}

static enum err take_file(struct documents *d, const char *path, struct problem *p)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct buf b = BUF_INIT(FILE_BYTES_MAX + 2);
	struct stat st;
	enum err e = OK;

	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? OK : cannot_read(path, p);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_BYTES_MAX &&
	    read_whole(fd, (size_t)st.st_size, &b)) {
		d->bytes += b.n;
		if (d->files.n == FILES_MAX || d->bytes > ALL_BYTES_MAX)
			e = problem_set(p, ERR_USAGE, "--documents are over %d files or %d MiB; name fewer",
					FILES_MAX, ALL_BYTES_MAX >> 20);
		else
			add_file(d, str_of(path), buf_str(&b));
	}
	buf_free(&b);
	close(fd);
	return e;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static enum err take_folder(struct documents *d, const char *path, int depth, struct problem *p);

static enum err take_entry(struct documents *d, const char *path, int depth, struct problem *p)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? OK : cannot_read(path, p);
	if (S_ISDIR(st.st_mode))
		return depth < DEPTH_MAX ? take_folder(d, path, depth + 1, p) : OK;
	return S_ISREG(st.st_mode) ? take_file(d, path, p) : OK;
}

/* In the order of their names, so that the same files give the same answers. */
static enum err take_folder(struct documents *d, const char *path, int depth, struct problem *p)
{
	DIR *folder = opendir(path);
	VEC(struct str) names = {0};
	struct dirent *entry;
	enum err e = OK;

	if (!folder)
		return cannot_read(path, p);
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			*VEC_PUSH(&names) = arena_fmt(d->arena, "%s/%s", path, entry->d_name);
	closedir(folder);
	if (names.n > 1)
		qsort(names.v, names.n, sizeof(*names.v), by_name);
	for (size_t i = 0; i < names.n && !e; i++)
		e = take_entry(d, names.v[i].p, depth, p);
	VEC_FREE(&names);
	return e;
}

/* ---- life ---- */

enum err documents_open(const struct str *folders, size_t count, struct documents **out, struct problem *p)
{
	static const struct search_field fields[] = {
		{.name = "path", .weight = 2, .b = 0.5, .pivot = 6, .is_name = true},
		{.name = "text", .weight = 1, .b = 0.75, .pivot = 150}};
	struct documents *d = NEW(struct documents);
	enum err e = OK;

	d->arena = arena_new(2 * (size_t)ALL_BYTES_MAX);
	d->index = search_new(&(struct search_config){.fields = fields, .field_count = 2});
	d->reader = search_reader_new(d->index);
	for (size_t i = 0; i < count && !e; i++)
		e = take_folder(d, arena_z(d->arena, folders[i]), 0, p);
	*out = d;
	if (e)
		documents_close(out);
	return e;
}

void documents_close(struct documents **pd)
{
	struct documents *d = *pd;

	*pd = NULL;
	if (!d)
		return;
	search_reader_destroy(&d->reader);
	search_destroy(&d->index);
	VEC_FREE(&d->files);
	VEC_FREE(&d->passages);
	arena_destroy(&d->arena);
	free(d);
}

/* ---- asking ---- */

static bool is_among(const struct retrieved_document *found, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(found[i].name, name))
			return true;
	return false;
}

size_t documents_search(struct documents *d, struct str query, size_t limit, struct retrieved_document *found)
{
	struct search_query q = {.text = query, .limit = limit * HITS_PER_DOCUMENT, .typos = true};
	struct search_result result;
	size_t count = 0;

	if (search_query(d->reader, &q, &result) != OK)
		return 0;
	for (size_t i = 0; i < result.hit_count && count < limit; i++) {
		const struct passage *hit = &d->passages.v[result.hits[i].id - 1];
		struct str name = d->files.v[hit->file];

		if (!is_among(found, count, name))
			found[count++] = (struct retrieved_document){
				.name = name, .score = result.hits[i].score, .excerpt = hit->text};
	}
	return count;
}
