/*
 * Whatever a file of checkpoints holds: read as it came, and with its checksum put right, so that what lies behind that
 * is reached. What is taken for a checkpoint says the same when it is written and read again.
 */
#include "base/magic.h"
#include "sim/checkpoint_priv.h"
#include "sim/checkpoint_types.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct checkpoint *c, struct arena *a)
{
	struct buf json = BUF_INIT(0);
	struct checkpoint_file file;
	struct checkpoint again;

	if (checkpoint_write_json(c, (struct str){0}, &json)) {
		/* Without what agents remember, which is of no length. */
		CHECK(checkpoint_read_json(buf_str(&json), a, &again, &file, NULL) == ERR_MALFORMED);
		CHECK(file.agents == c->agents && file.cycle == c->cycle && str_eq(file.run, c->run_id));
		CHECK(file.endpoints_count == c->endpoint_count && file.kept_count == c->kept_count);
	}
	buf_free(&json);
}

static void check(struct str json)
{
	struct arena *a = arena_new(64 << 20);
	struct checkpoint_file file;
	struct checkpoint c = {0};
	struct problem p = {0};

	if (checkpoint_read_json(json, a, &c, &file, &p) == OK) {
		CHECK(c.agents > 0 && c.agents <= CHECKPOINT_AGENTS_MAX);
		CHECK(checkpoint_read_memory(json, &file, a, &c, &p) != OK || c.memory);
		check_again(&c, a);
		checkpoint_release(&c);
	} else {
		CHECK(p.err && p.detail[0] && !c.endpoints);
	}
	arena_destroy(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct checkpoint_name name;
	char *copy = must_alloc(size + 1);

	check((struct str){(const char *)data, size});
	checkpoint_name_parse((struct str){(const char *)data, size}, &name);
	memcpy(copy, data, size);
	if (checkpoint_seal(copy, size))
		check((struct str){copy, size});
	free(copy);
	return 0;
}
