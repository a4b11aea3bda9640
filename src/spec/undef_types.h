/* Clears the row macros of api/types.def; no include guard on purpose: it is included after each expansion. */
#undef TYPE
#undef F_BOOL
#undef F_INT
#undef F_REAL
#undef F_TEXT
#undef F_ENUM
#undef F_TIME
#undef F_MS
#undef F_ID
#undef F_RAW
#undef F_OBJECT
#undef F_TEXTS
#undef F_WORDS
#undef F_OBJECTS
#undef F_MAP
#undef END_TYPE
#undef SPEC_TYPES
