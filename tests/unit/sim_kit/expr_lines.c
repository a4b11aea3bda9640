/*
 * Each line of standard input is an expression; each line of the output is its value as JSON, or what is wrong. For
 * tests in other languages.
 */
#include "expr_env.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0) {
		struct buf out = BUF_INIT(1 << 20);
		struct kit k;

		kit_begin(&k);
		kit_says(&k, (struct str){line, (size_t)n - 1}, &out);
		printf("%s\n", buf_cstr(&out));
		kit_end(&k);
		buf_free(&out);
	}
	free(line);
	return 0;
}
