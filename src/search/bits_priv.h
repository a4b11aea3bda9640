/* How many bits are set. The machine is asked for its instruction when it has one; the answer is the same without.
 */
#ifndef TENFOLD_SEARCH_BITS_PRIV_H
#define TENFOLD_SEARCH_BITS_PRIV_H

#include <stddef.h>
#include <stdint.h>

uint32_t bits_count(const uint64_t *bits, size_t words);
uint32_t bits_count_both(const uint64_t *a, const uint64_t *b, size_t words); /* that are set in a and in b */

/* The one without the instruction, for its test. */
uint32_t bits_count_both_portable(const uint64_t *a, const uint64_t *b, size_t words);

#endif
