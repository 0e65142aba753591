// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's table in a device's registers, which the VMM has mapped (modules/pfnmap): neither the
 * CPU's walker (HCR_EL2.PTW) nor keel reads there. Of this one each access would be an external
 * abort, as nothing is at its physical address.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/gva.h"
#include "lib/hostmem.h"
#include "lib/observer.h"
#include "lib/poke.h"

#define MODULE		"/modules/pfnmap.ko"
#define PFNMAP_DEVICE	(64 * HOST_PAGE)
#define NOBODY		0x0b000000	/* physical, between the devices of QEMU's machine virt */

#define TABLES		FREE_IPA
#define TABLES_SIZE	0x100000
#define GONE		0x20000000ULL	/* IPA of that page */
#define BROKEN		0x400000000ULL	/* what it would translate: 2 MB */
#define NORMAL		(S1_AF | S1_ATTR(0) | S1_SH(3))

static const struct stage1_shape shape = {
	false, { GRANULE_4K, GRANULE_4K }, { 48, 48 },
};

static struct vm vm;
static struct stage1 s1;
static int driver, observer;
static char *page;

static void create(void)
{
	char parameters[32];
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);

	REQUIRE_OK(fd);
	snprintf(parameters, sizeof(parameters), "device=%#x", NOBODY);
	REQUIRE_OK(syscall(__NR_finit_module, fd, parameters, 0));
	close(fd);
	driver = open("/dev/keel_pfnmap", O_RDWR | O_CLOEXEC);
	REQUIRE_OK(driver);
	page = mmap(NULL, HOST_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, driver, PFNMAP_DEVICE);
	REQUIRE(page != MAP_FAILED);
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, GONE, HOST_PAGE, page));
	observer = observe_last();
}

static void destroy(void)
{
	vm_destroy(&vm);
	close(observer);
	munmap(page, HOST_PAGE);
	close(driver);
	REQUIRE_OK(syscall(__NR_delete_module, "pfnmap", 0));
}

/* A load of the guest's has stage 2 map the page, and fails as any would. */
static void map_stage2(void)
{
	struct poke load = { POKE_READ, GONE, 8, 0, 0, 0 };

	REQUIRE(poke_command(&vm, &load));
	CHECK_EQ(load.esr & 0x3f, 0x10);
	stage1_begin(&s1, &vm.vcpus[0], &shape, TABLES, TABLES_SIZE, vm_ptr(&vm, TABLES));
	stage1_map(&s1, 0x400000, 3, RAM_IPA, NORMAL);
	*stage1_entry(&s1, BROKEN, 2) = stage1_table(&s1, 0, GONE);
	stage1_map(&s1, BROKEN + 0x200000, 3, RAM_IPA + 0x5000, NORMAL);
	stage1_set(&s1, &vm.vcpus[0]);
}

static void translate(void)
{
	struct keel_gva_translate t;
	struct keel_gva_read r;
	char bytes[16];
	int i;

	create();
	map_stage2();
	for (i = 0; i < 100; i++) {
		REQUIRE_EQ(gva_translate(observer, 0, BROKEN + 0x1000, i & 3, &t), 0);
		CHECK_EQ(t.status, KEEL_GVA_NO_TABLE);
		CHECK_EQ(t.level, 3);
		CHECK_EQ(t.ipa, GONE + 8);
		REQUIRE_EQ(gva_translate(observer, 0, 0x400010, 0, &t), 0);
		CHECK_EQ(t.status, KEEL_GVA_MAPPED);
		CHECK_EQ(t.ipa, RAM_IPA + 0x10);
	}
	REQUIRE_EQ(gva_read(observer, 0, BROKEN, bytes, sizeof(bytes), &r), 0);
	CHECK_EQ(r.status, KEEL_GVA_NO_TABLE);
	CHECK_EQ(r.done, 0);
	destroy();
}

static void scan(void)
{
	struct gva_scan s = { .call = { .last = ~0ULL } };

	create();
	map_stage2();
	REQUIRE_EQ(gva_scan(observer, 0, 16, &s), 0);
	REQUIRE_EQ(s.nr, 3);
	CHECK_EQ(s.runs[0].gva, 0x400000);
	CHECK_EQ(s.runs[1].gva, BROKEN);
	CHECK_EQ(s.runs[1].length, 0x200000);
	CHECK_EQ(s.runs[1].ipa, GONE);
	CHECK_EQ(s.runs[1].flags, KEEL_GVA_RUN_NO_TABLE);
	CHECK_EQ(s.runs[2].gva, BROKEN + 0x200000);
	CHECK_EQ(s.runs[2].ipa, RAM_IPA + 0x5000);
	CHECK_EQ(s.sum.leaves, 2);
	CHECK(s.sum.stage2_holes);
	free(s.runs);
	destroy();
}

static const struct ktap_case cases[] = {
	{ "translate", translate },
	{ "scan", scan },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
