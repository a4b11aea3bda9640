/* jansson's opinion. */
#include "oracle.h"

#include <jansson.h>
#include <string.h>

enum oracle_says oracle_check(struct str text)
{
	json_error_t error;
	json_t *value;

	if (text.n == 0 || memchr(text.p, '\0', text.n))
		return ORACLE_INVALID; /* jansson takes a NUL byte for the end of the text; JSON has it nowhere */
	value = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL,
			   &error);
	if (value) {
		json_decref(value);
		return ORACLE_VALID;
	}
	return json_error_code(&error) == json_error_numeric_overflow ? ORACLE_CANNOT_SAY : ORACLE_INVALID;
}
