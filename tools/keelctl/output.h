/* SPDX-License-Identifier: GPL-2.0 */
/* What keelctl prints: aligned tables and JSON, and numbers as people like them. */
#ifndef KEELCTL_OUTPUT_H
#define KEELCTL_OUTPUT_H

#include <linux/keel.h>

#include "util.h"

#define TABLE_COLUMNS	32

/**
 * struct table - rows of text, printed when all are known
 * @columns: how many of them there are
 * @left: bit n: column n is aligned to the left, else to the right
 * @rows: how many there are so far
 * @cell: the texts, row by row
 */
struct table {
	unsigned int columns;
	unsigned int left;
	unsigned int rows;
	char **cell;
};

/**
 * table_row() - add a row
 * @t: the table
 * @fmt: printf format of all cells, with a tab between two; the first row is the heading
 */
void table_row(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * table_print() - print the table and empty it
 * @t: the table
 */
void table_print(struct table *t);

/**
 * table_free() - empty the table
 * @t: the table
 */
void table_free(struct table *t);

/**
 * json_open() - begin an object or an array
 * @key: its name in the object around it; NULL in an array, and for the whole
 * @bracket: '{' or '['
 */
void json_open(const char *key, char bracket);

/**
 * json_lines() - print each object, with all in it, on a line of its own from now on
 * @on: do so
 */
void json_lines(bool on);

/**
 * json_close() - end it
 * @bracket: '}' or ']'; the end of the whole ends the line
 */
void json_close(char bracket);

/**
 * json_number() - a number of the object
 * @key: its name
 * @value: the number
 */
void json_number(const char *key, u64 value);

/**
 * json_signed() - a number of the object that may be below 0
 * @key: its name
 * @value: the number
 */
void json_signed(const char *key, s64 value);

/**
 * json_fixed() - a number of the object, with one decimal
 * @key: its name
 * @value: the number
 */
void json_fixed(const char *key, double value);

/**
 * json_bool() - a yes or no of the object
 * @key: its name
 * @value: true or false
 */
void json_bool(const char *key, bool value);

/**
 * json_string() - a text of the object
 * @key: its name; NULL in an array
 * @value: the text
 */
void json_string(const char *key, const char *value);

/**
 * json_hex() - a value of the object, as text: "0x..."
 * @key: its name
 * @value: the value
 *
 * Text, as JSON's numbers are often read as doubles, which do not hold 64 bits.
 */
void json_hex(const char *key, u64 value);

/**
 * json_vm() - what is known of a VM, into the object
 * @vm: the VM
 */
void json_vm(const struct keel_vm_info *vm);

#define TEXT_SIZE 32

/**
 * hex_text() - an address or the like
 * @value: the value
 * @to: filled in, TEXT_SIZE characters: "0x..."
 *
 * Return: @to.
 */
char *hex_text(u64 value, char *to);

/**
 * size_text() - bytes with their unit
 * @bytes: how many
 * @to: filled in, TEXT_SIZE characters
 *
 * Return: @to.
 */
char *size_text(u64 bytes, char *to);

/**
 * exact_text() - bytes with the largest unit that leaves no fraction
 * @bytes: how many
 * @to: filled in, TEXT_SIZE characters
 *
 * Return: @to.
 */
char *exact_text(u64 bytes, char *to);

/**
 * age_text() - how long in at most two units
 * @ns: how long
 * @to: filled in, TEXT_SIZE characters
 *
 * Return: @to.
 */
char *age_text(u64 ns, char *to);

/**
 * user_text() - a user's name after /etc/passwd, or his number
 * @uid: the user
 * @to: filled in, TEXT_SIZE characters
 *
 * Return: @to.
 */
char *user_text(u32 uid, char *to);

/**
 * output_end() - make sure that all was printed, or die
 */
void output_end(void);

#endif
