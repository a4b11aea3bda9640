/* See bits_priv.h. */
#include "search/bits_priv.h"

/* Neighbours are added up: pairs, fours, eights, and the bytes by a multiplication. */
static uint32_t count_word(uint64_t v)
{
	v -= v >> 1 & 0x5555555555555555U;
	v = (v & 0x3333333333333333U) + (v >> 2 & 0x3333333333333333U);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fU;
	return (uint32_t)(v * 0x0101010101010101U >> 56);
}

uint32_t bits_count_both_portable(const uint64_t *a, const uint64_t *b, size_t words)
{
	uint32_t n = 0;

	for (size_t i = 0; i < words; i++)
		n += count_word(a[i] & b[i]);
	return n;
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) static uint32_t count_both_popcnt(const uint64_t *a, const uint64_t *b,
								    size_t words)
{
	uint32_t n = 0;

	for (size_t i = 0; i < words; i++)
		n += (uint32_t)__builtin_popcountll(a[i] & b[i]);
	return n;
}

uint32_t bits_count_both(const uint64_t *a, const uint64_t *b, size_t words)
{
	return __builtin_cpu_supports("popcnt") ? count_both_popcnt(a, b, words)
						: bits_count_both_portable(a, b, words);
}
#else
uint32_t bits_count_both(const uint64_t *a, const uint64_t *b, size_t words)
{
	return bits_count_both_portable(a, b, words);
}
#endif

uint32_t bits_count(const uint64_t *bits, size_t words)
{
	return bits_count_both(bits, bits, words);
}
