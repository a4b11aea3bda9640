/*
 * Runs a fuzz target over the files of a folder, without a fuzzer: what was once interesting stays tested.
 *
 *	fuzz_NAME FOLDER    TAP: one `ok` per file; a target that dislikes a file aborts
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The whole file, in memory of exactly its size, so that a sanitizer sees a byte read too many. */
static uint8_t *read_file(const char *folder, const char *name, size_t *size)
{
	char path[4096];
	uint8_t *data;
	FILE *f;
	long length;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END) || (length = ftell(f)) < 0 || fseek(f, 0, SEEK_SET)) {
		printf("Bail out! cannot read %s\n", path);
		exit(1);
	}
	*size = (size_t)length;
	data = malloc(*size ? *size : 1);
	if (!data || fread(data, 1, *size, f) != *size) {
		printf("Bail out! cannot read %s\n", path);
		exit(1);
	}
	fclose(f);
	return data;
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **files = NULL;
	int count = argc == 2 ? scandir(argv[1], &files, is_shown, alphasort) : -1;

	if (count <= 0) {
		printf("Bail out! no files in %s\n", argc == 2 ? argv[1] : "(no folder given)");
		return 1;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		size_t size;
		uint8_t *data = read_file(argv[1], files[i]->d_name, &size);

		LLVMFuzzerTestOneInput(data, size);
		printf("ok %d - %s\n", i + 1, files[i]->d_name);
		fflush(stdout); /* so that a crash is told apart from the file before it */
		free(data);
		free(files[i]);
	}
	free(files);
	return 0;
}
