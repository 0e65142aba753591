/* SPDX-License-Identifier: GPL-2.0 */
/* Running keelctl, and what it says. */
#ifndef SELFTESTS_KEELCTL_H
#define SELFTESTS_KEELCTL_H

#include <sys/types.h>

#include "vm.h"

#define MAX_ANSWER	0x40000

/* What the last command has printed. */
extern char out[MAX_ANSWER], err[MAX_ANSWER];

/**
 * run_as() - run a command; its output is then in out and err
 * @uid: user and group
 * @name: what stands for %s in the command, the only way to a word with a blank
 * @command: words with blanks between
 *
 * Return: its exit status.
 */
int run_as(uid_t uid, const char *name, const char *command);

/**
 * run() - run_as() root
 * @name: as there
 * @command: as there
 *
 * Return: its exit status.
 */
int run(const char *name, const char *command);

/**
 * answers() - run a command that works and complains of nothing, or the case fails
 * @name: as for run_as()
 * @command: as for run_as()
 */
void answers(const char *name, const char *command);

/**
 * answers_json() - answers(), with JSON
 * @name: as for run_as()
 * @command: as for run_as()
 */
void answers_json(const char *name, const char *command);

/**
 * check_refusal() - the last command said one line on standard error and nothing else
 * @got: its status
 * @want: what that should be
 * @words: are in the line
 * @command: for messages
 */
void check_refusal(int got, int want, const char *words, const char *command);

/**
 * refuses() - run a command that is refused: check_refusal()
 * @status: it ends with
 * @words: are in the line
 * @name: as for run_as()
 * @command: as for run_as()
 */
void refuses(int status, const char *words, const char *name, const char *command);

/**
 * has_line() - is there a line like a pattern, whatever the blanks between its words?
 * @text: lines
 * @fmt: makes the pattern (fnmatch), with one blank between two words
 *
 * Return: true if so.
 */
bool has_line(const char *text, const char *fmt, ...) __printf(2, 3);

/**
 * set_name() - name a VM
 * @vm: the VM
 * @name: its name
 */
void set_name(struct vm *vm, const char *name);

#endif
