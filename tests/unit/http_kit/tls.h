/*
 * A certificate for 127.0.0.1 that exists only while a test runs.
 */
#ifndef TENFOLD_TESTS_TLS_H
#define TENFOLD_TESTS_TLS_H

struct tls_pair {
	char cert[4096], key[4096]; /* PEM */
};

void tls_pair_make(struct tls_pair *out);

#endif
