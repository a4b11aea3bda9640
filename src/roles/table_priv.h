/*
 * How the tables of roles/ write a runtime: text and lists as constants.
 */
#ifndef TENFOLD_ROLES_TABLE_PRIV_H
#define TENFOLD_ROLES_TABLE_PRIV_H

#include "roles/model.h"

#define T(literal)                              \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}
#define LIST(...)                                                                                           \
	{                                                                                                   \
		(struct str[]){__VA_ARGS__}, sizeof((struct str[]){__VA_ARGS__}) / sizeof(struct str), true \
	}

#define ARGS(...)                         .args = LIST(__VA_ARGS__)
#define ARGS_NONE                         .args = {.given = true}
#define ENV(...)                          .env = {(struct pair[]){__VA_ARGS__}, sizeof((struct pair[]){__VA_ARGS__}) / sizeof(struct pair)}
#define PROCESSES(prefix, delay_ms, ...)  .tmux = {LIST(__VA_ARGS__), T(prefix), delay_ms, true}
#define SESSION(id_name, config_dir_name) .session = {T(id_name), T(config_dir_name), true}
#define HOOKS(whose, folder, file)        .supports_hooks = 1, .hooks = {T(whose), T(folder), T(file), 0, true}
#define RESUME(how, word, go_on)          .resume = {T(word), T(go_on), how}
#define ALONE(subcommand, prompt, output) .non_interactive = {T(subcommand), T(prompt), T(output), true}
#define INSTRUCTIONS(name)                .instructions = {T(name), true}

#endif
