// SPDX-License-Identifier: GPL-2.0
/* keelctl guestinfo, backdoor send and power: what the one that serves a VM is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "guest_text.h"
#include "guestinfo.h"
#include "node.h"
#include "output.h"

#define PREFIX	"guestinfo."

static char request[CONTROL_MAX], answer[CONTROL_MAX];

static void find_vm(const struct request *r, struct keel_vm_info *vm)
{
	int node = node_open(r->node), observer = node_open_vm(node, r->vm, vm);

	close(observer);
	close(node);
}

/* Put two texts into the request, one after the other. Return: its length. */
static size_t compose(const char *a, const char *b, size_t max)
{
	size_t len = strlen(a) + strlen(b);

	if (len > max)
		die("this is %zu bytes too long for a message", len - max);
	strcpy(stpcpy(request, a), b);
	return len;
}

static const char *without_prefix(const char *key)
{
	if (!strncmp(key, PREFIX, strlen(PREFIX)))
		key += strlen(PREFIX);
	if (!*key || strchr(key, ' '))
		die("'%s' is no name of a variable: it needs a letter, and no blank", key);
	if (strlen(key) > GUESTINFO_KEY_MAX - strlen(PREFIX))
		die("'%s' is too long for a variable's name", key);
	return key;
}

/* UTF-8 without NULs? Overlong forms and surrogates are not looked for. */
static bool is_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];
		int more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;

		if (!c || c > 0xf4 || (c >= 0x80 && c < 0xc2) || len - i <= (size_t)more)
			return false;
		while (more--)
			if ((s[++i] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

/* JSON has no bytes: what is not text is in hexadecimal digits. */
static void value_json(const struct keel_vm_info *vm, const char *key, const char *value,
		       size_t len)
{
	char *text = xcalloc(2 * len + 1, 1);

	json_open(NULL, '{');
	json_number("vm", vm->id);
	json_string("key", key);
	if (is_text(value, len)) {
		memcpy(text, value, len);
		json_string("value", text);
	} else {
		for (size_t i = 0; i < len; i++)
			sprintf(text + 2 * i, "%02x", (unsigned char)value[i]);
		json_string("hex", text);
	}
	json_close('}');
	free(text);
}

/* A terminal gets only what it can show, a file the bytes. */
static void value_line(char *value, size_t len)
{
	static char text[CONTROL_MAX + 1];

	if (isatty(1))
		value = guest_text(value, len, text, sizeof(text));
	fwrite(value, 1, len, stdout);
	putchar('\n');
}

void keelctl_guestinfo_get(const struct request *r)
{
	const char *key = without_prefix(r->rest[0]);
	struct keel_vm_info vm;
	size_t n;

	find_vm(r, &vm);
	n = compose("info-get " PREFIX, key, KEEL_BACKDOOR_MAX);
	n = control_ask(&vm, request, n, answer);
	if (*answer != '1')
		die("VM %u has no variable " PREFIX "%s", vm.id, key);
	if (r->json)
		value_json(&vm, request + strlen("info-get "), answer + 2, n - 2);
	else
		value_line(answer + 2, n - 2);
}

void keelctl_guestinfo_set(const struct request *r)
{
	const char *key = without_prefix(r->rest[0]);
	char start[sizeof("info-set " PREFIX " ") + GUESTINFO_KEY_MAX], why[256];
	struct keel_vm_info vm;
	size_t n;

	find_vm(r, &vm);
	snprintf(start, sizeof(start), "info-set " PREFIX "%s ", key);
	n = control_ask(&vm, request, compose(start, r->rest[1], KEEL_BACKDOOR_MAX), answer);
	if (*answer != '1')
		die("VM %u does not take " PREFIX "%s: %s", vm.id, key,
		    guest_text(answer + 2, n - 2, why, sizeof(why)));
}

/* Ask the tools. Return: the reply's length; it stands at answer + 2. */
static size_t ask_tools(const struct keel_vm_info *vm, const char *text)
{
	size_t n = control_ask(vm, request, compose(CONTROL_TCLO, text, CONTROL_MAX - 1), answer);
	char why[256];

	if (*answer == '1')
		return n - 2;
	guest_text(answer, n, why, sizeof(why));
	if (!strcmp(why, CONTROL_NO_TOOLS))
		die("no tools run in VM %u: open it a door (keelctl backdoor on), start vmtoolsd",
		    vm->id);
	if (!strcmp(why, CONTROL_NO_REPLY))
		die("the tools in VM %u do not answer: restart them", vm->id);
	die("VM %u cannot be asked: %s", vm->id, why + 2);
}

static bool refused(size_t len)
{
	return len >= 5 && !memcmp(answer + 2, "ERROR", 5);
}

void keelctl_backdoor_send(const struct request *r)
{
	static char text[CONTROL_MAX + 1];
	struct keel_vm_info vm;
	size_t n;

	find_vm(r, &vm);
	n = ask_tools(&vm, r->rest[0]);
	puts(guest_text(answer + 2, n, text, sizeof(text)));
	if (refused(n)) {
		output_end();
		exit(1);
	}
}

static void power(const struct request *r, const char *text)
{
	char why[256];
	struct keel_vm_info vm;
	size_t n;

	find_vm(r, &vm);
	n = ask_tools(&vm, text);
	if (refused(n))
		die("the tools in VM %u refuse it: %s", vm.id,
		    guest_text(answer + 2, n, why, sizeof(why)));
}

void keelctl_power_off(const struct request *r)
{
	power(r, "OS_Halt");
}

void keelctl_power_reboot(const struct request *r)
{
	power(r, "OS_Reboot");
}
