// SPDX-License-Identifier: GPL-2.0
/* keelctl gva and regs: of a guest whose page tables are those of guests/lib/mmu.c. */
#include <linux/keel.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/keelctl.h"
#include "lib/picture.h"
#include "lib/poke.h"
#include "lib/vm.h"

static struct vm vm;

static void create(void)
{
	poke_create(&vm);
	vcpu_init(vcpu_create(&vm, 5), true);
	vcpu_create(&vm, 6);
	set_name(&vm, "mapped");
}

/* The identity map: device memory, RAM as pages, as blocks, and what is no memory. */
static void scan(void)
{
	create();
	answers(NULL, "keelctl gva scan mapped");
	CHECK(has_line(out, "START LAST SIZE IPA LEAF EL1 EL0 MEMORY SHARED NOTE"));
	CHECK(has_line(out, "0x%016x 0x%016x 1G 0x0 1G rw- --- device nGnRE *", 0, 0x3fffffff));
	CHECK(has_line(out, "0x%016x 0x%016x 2M 0x40000000 4K rwx --- write-back inner",
		       0x40000000, 0x401fffff));
	CHECK(has_line(out, "0x%016x 0x%016x 1022M 0x40200000 2M rwx --- write-back inner",
		       0x40200000, 0x7fffffff));
	CHECK(has_line(out, "0x%016x 0x%016x 2G 0x80000000 1G rw- --- device nGnRE *",
		       0x80000000, 0xffffffff));
	answers_json(NULL, "keelctl gva scan mapped --json");
	CHECK_EQ(json_u64(out, "vcpu"), 0);
	CHECK(json_is(out, "runs.1.gva", "0x40000000"));
	CHECK(json_is(out, "runs.1.ipa", "0x40000000"));
	CHECK_EQ(json_u64(out, "runs.1.length"), 0x200000);
	CHECK_EQ(json_u64(out, "runs.1.leaf_size"), 0x1000);
	CHECK(json_is(out, "runs.1.el1", "rwx"));
	CHECK(json_is(out, "runs.1.el0", "---"));
	CHECK(json_is(out, "runs.1.mair", "0xff"));
	CHECK(json_is(out, "runs.0.memory", "device nGnRE"));
	CHECK(!json_find(out, "runs.4"));
	/* One AT each: 512 pages, 511 blocks of 2 MB, 3 of 1 GB. */
	CHECK_EQ(json_u64(out, "stats.leaves"), 512 + 511 + 3);
	vm_destroy(&vm);
}

static void scan_part(void)
{
	create();
	answers_json(NULL, "keelctl gva scan mapped 0x40001000 0x40002fff --json");
	CHECK(json_is(out, "runs.0.gva", "0x40001000"));
	CHECK_EQ(json_u64(out, "runs.0.length"), 0x2000);
	CHECK(!json_find(out, "runs.1"));
	answers_json(NULL, "keelctl gva scan mapped --ranges kernel --json");
	CHECK(!json_find(out, "runs.0"));
	answers_json(NULL, "keelctl gva scan mapped --ranges user --json");
	CHECK(json_find(out, "runs.3"));
	answers(NULL, "keelctl gva scan mapped 0x40000000 --stats");
	CHECK(has_line(out, "rwx --- 2 1G"));
	CHECK(has_line(out, "translations *"));
	vm_destroy(&vm);
}

static void scan_filter(void)
{
	create();
	answers_json(NULL, "keelctl gva scan mapped --need wx --json");
	CHECK(json_is(out, "runs.0.gva", "0x40000000"));
	CHECK(json_is(out, "runs.1.gva", "0x40200000"));
	CHECK(!json_find(out, "runs.2"));
	answers_json(NULL, "keelctl gva scan mapped --need el1:w --deny x --json");
	CHECK(json_is(out, "runs.0.gva", "0x0"));
	CHECK(json_is(out, "runs.1.gva", "0x80000000"));
	CHECK(!json_find(out, "runs.2"));
	answers_json(NULL, "keelctl gva scan mapped --need r,el0:r --json");
	CHECK(!json_find(out, "runs.0"));
	vm_destroy(&vm);
}

static void pictures(void)
{
	struct picture p;

	create();
	answers(NULL, "keelctl gva scan mapped --map /tmp/mapped.png");
	CHECK(!*out);
	picture_png("/tmp/mapped.png", &p);
	picture_free(&p);
	answers(NULL, "keelctl gva scan mapped --map /tmp/mapped.svg");
	picture_svg("/tmp/mapped.svg", &p);
	CHECK(strstr((char *)p.data, "Kernel half"));
	CHECK(strstr((char *)p.data, "User half"));
	CHECK(strstr((char *)p.data, "writable and executable"));
	CHECK(strstr((char *)p.data, "0x00000000ffffffff"));
	picture_free(&p);
	refuses(1, "end it with .svg or .png", NULL, "keelctl gva scan mapped --map /tmp/mapped");
	refuses(1, "cannot write /nowhere/a.svg", NULL,
		"keelctl gva scan mapped --map /nowhere/a.svg");
	vm_destroy(&vm);
}

static void translate(void)
{
	create();
	answers(NULL, "keelctl gva translate mapped 0x40201234");
	CHECK(has_line(out, "status mapped"));
	CHECK(has_line(out, "ipa 0x40201234"));
	CHECK(has_line(out, "leaf 0x*, level 2, 2M"));
	CHECK(has_line(out, "permissions EL1 rwx, EL0 ---"));
	CHECK(has_line(out, "memory write-back, shareability inner"));
	CHECK(has_line(out, "host memory*"));
	answers_json(NULL, "keelctl gva translate mapped 0x40201234 --user --json");
	CHECK(json_is(out, "status", "fault"));
	CHECK(json_is(out, "reason", "permission fault, level 2"));
	CHECK(json_is(out, "ipa", "0x40201234"));
	answers_json(NULL, "keelctl gva translate mapped 0x1000 --write --json");
	CHECK(json_is(out, "status", "mapped"));
	CHECK(json_is(out, "host", "none"));
	CHECK_EQ(json_u64(out, "level"), 1);
	answers(NULL, "keelctl gva translate mapped 0x100000000");
	CHECK(has_line(out, "status translation fault, level 1"));
	/* The other vCPU has its MMU off. */
	answers_json(NULL, "keelctl gva translate mapped 4096 --vcpu 5 --json");
	CHECK(json_is(out, "ipa", "0x1000"));
	CHECK(!json_find(out, "descriptor"));
	vm_destroy(&vm);
}

static void read_memory(void)
{
	char *text;

	create();
	text = vm_ptr(&vm, FREE_IPA);
	memcpy(text, "keel at work\0\377~ and more", 23);
	answers(NULL, "keelctl gva read mapped 0x40400000 23");
	CHECK(has_line(out, "0x0000000040400000 6b 65 65 6c 20 61 74 20 77 6f 72 6b 00 ff 7e 20 %s",
		       "|keel at work..~ |"));
	CHECK(has_line(out, "0x0000000040400010 61 6e 64 20 6d 6f 72 |and mor|"));
	answers(NULL, "keelctl gva read mapped 0x40400000 4 --raw");
	CHECK(!strcmp(out, "keel"));
	answers_json(NULL, "keelctl gva read mapped 0x40400000 0x4 --json");
	CHECK(json_is(out, "hex", "6b65656c"));
	CHECK(json_is(out, "status", "mapped"));
	/* The map goes on where memory ends. */
	memcpy(vm_ptr(&vm, RAM_IPA + RAM_SIZE - 4), "last", 4);
	CHECK_EQ(run(NULL, "keelctl gva read mapped 0x40fffffc 16 --raw"), 1);
	CHECK(!strcmp(out, "last"));
	CHECK(strstr(err, "read 4 of 16 bytes; 0x41000000: mapped, but to no guest memory"));
	CHECK_EQ(run(NULL, "keelctl gva read mapped 0x100000000 8 --json"), 1);
	REQUIRE(json_valid(out));
	CHECK_EQ(json_u64(out, "done"), 0);
	CHECK(json_is(out, "reason", "translation fault, level 1"));
	CHECK_EQ(run(NULL, "keelctl gva read mapped 0x40400000 4K --user"), 1);
	CHECK(strstr(err, "permission fault, level 2"));
	vm_destroy(&vm);
}

static void errors(void)
{
	create();
	refuses(1, "gva translate takes a VM and ADDRESS", NULL, "keelctl gva translate mapped");
	refuses(1, "'top' is no address", NULL, "keelctl gva translate mapped top");
	refuses(1, "'0x' is no address", NULL, "keelctl gva translate mapped 0x");
	refuses(1, "'-1' is no vCPU", NULL, "keelctl gva translate mapped 1 --vcpu=-1");
	refuses(2, "has no vCPU 7", NULL, "keelctl gva translate mapped 1 --vcpu 7");
	refuses(1, "is not initialised", NULL, "keelctl regs mapped 6");
	refuses(1, "LAST is below START", NULL, "keelctl gva scan mapped 2 1");
	refuses(1, "takes kernel or user, not 'all'", NULL, "keelctl gva scan mapped --ranges all");
	refuses(1, "exclude each other", NULL, "keelctl gva scan mapped 0 --ranges user");
	refuses(1, "--need takes letters of rwx", NULL, "keelctl gva scan mapped --need q");
	refuses(1, "--deny takes letters of rwx", NULL, "keelctl gva scan mapped --deny el0:");
	refuses(1, "bytes at once", NULL, "keelctl gva read mapped 0 0");
	refuses(1, "'x' is no length", NULL, "keelctl gva read mapped 0 x");
	refuses(1, "exclude each other", NULL, "keelctl gva read mapped 0 1 --raw --json");
	refuses(1, "the address space ends", NULL,
		"keelctl gva read mapped 0xffffffffffffffff 2");
	refuses(2, "no VM nobody", NULL, "keelctl gva scan nobody");
	refuses(2, "has no vCPU 7", NULL, "keelctl regs mapped 7");
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 0));
	refuses(2, "no VM mapped", NULL, "keelctl gva scan mapped");
	vm_destroy(&vm);
}

static void regs(void)
{
	create();
	vcpu_set(&vm.vcpus[0], REG_X(3), 0x1234);
	vcpu_set(&vm.vcpus[0], REG_X(30), 0xfedcba9876543210);
	vcpu_set(&vm.vcpus[0], REG_PC, 0xffff800012345678);
	vcpu_set(&vm.vcpus[0], REG_PSTATE, 0x604003c5);
	answers(NULL, "keelctl regs mapped 0");
	CHECK(has_line(out, "vCPU 0"));
	CHECK(has_line(out, "x0 0x* pc 0xffff800012345678"));
	CHECK(has_line(out, "x1 0x* pstate 0x00000000604003c5 EL1h DAIF nZCv PAN"));
	CHECK(has_line(out, "x3 0x0000000000001234 *"));
	CHECK(has_line(out, "x30 0xfedcba9876543210"));
	CHECK(has_line(out, "x* sctlr_el1 0x* MMU on, caches on"));
	CHECK(has_line(out, "x* tcr_el1 0x* TTBR0 39 bits, 4K; TTBR1 off"));
	CHECK(!has_line(out, "vCPU 5"));
	answers(NULL, "keelctl regs mapped");
	CHECK(has_line(out, "vCPU 5"));
	CHECK(has_line(out, "vCPU 6 is not initialised"));
	answers_json(NULL, "keelctl regs mapped --json");
	CHECK(json_is(out, "vcpus.0.x3", "0x1234"));
	CHECK(json_is(out, "vcpus.0.pc", "0xffff800012345678"));
	CHECK(json_is(out, "vcpus.0.pstate_text", "EL1h DAIF"));
	CHECK(json_is(out, "vcpus.0.pstate_flags", "nZCv PAN"));
	CHECK_EQ(json_u64(out, "vcpus.1.id"), 5);
	CHECK(json_is(out, "vcpus.1.sctlr_el1", "0xc50078"));
	CHECK(!json_find(out, "vcpus.2.pc"));
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "scan", scan },
	{ "scan_part", scan_part },
	{ "scan_filter", scan_filter },
	{ "pictures", pictures },
	{ "translate", translate },
	{ "read_memory", read_memory },
	{ "errors", errors },
	{ "regs", regs },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
