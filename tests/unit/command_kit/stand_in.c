/*
 * Stands in for an agent: says what it was given. A record is its arguments, a NUL each, an empty one more with the
 * byte 1 to tell it from an empty argument, the variables of its environment likewise, and the byte 2.
 */
#include <stdio.h>
#include <unistd.h>

static void say(char **texts)
{
	for (; *texts; texts++) {
		fputs(*texts, stdout);
		putchar('\0');
	}
	fwrite("\1", 1, 2, stdout);
}

int main(int argc, char **argv)
{
	(void)argc;
	say(argv);
	say(environ);
	fwrite("\2", 1, 2, stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}
