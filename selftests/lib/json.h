/* SPDX-License-Identifier: GPL-2.0 */
/* JSON as far as tests need it: is a text JSON, and what does it say at some place. */
#ifndef SELFTESTS_JSON_H
#define SELFTESTS_JSON_H

#include "common.h"

/**
 * json_valid() - is all of a text one JSON value?
 * @text: NUL-terminated
 *
 * Return: true if so.
 */
bool json_valid(const char *text);

/**
 * json_find() - a value inside another
 * @text: valid JSON
 * @path: keys of objects and numbers of array elements with dots between: "vcpus.0.id"
 *
 * Return: where the value begins, or NULL.
 */
const char *json_find(const char *text, const char *path);

/**
 * json_u64() - a number; ends the case if there is none
 * @text: valid JSON
 * @path: where
 *
 * Return: its value.
 */
u64 json_u64(const char *text, const char *path);

/**
 * json_is() - is the value at a place this string?
 * @text: valid JSON
 * @path: where
 * @want: as it stands in the text, with its escapes and without quotes
 *
 * Return: true if so.
 */
bool json_is(const char *text, const char *path, const char *want);

#endif
