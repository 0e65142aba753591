// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory that a driver maps by page frame, without struct page for keel to hold: RAM and a
 * device's registers, taken away under the guest and faulted in again (modules/pfnmap).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/hostmem.h"
#include "lib/poke.h"
#include "lib/walk.h"

#define SIZE	(64 * HOST_PAGE)
#define MODULE	"/modules/pfnmap.ko"

/* A clock that most virtual machines have; its last eight registers say what it is. */
#define RTC_NAME	"pl031"
#define RTC_ID		0xfe0
#define RTC_ID_FIRST	0x31

/* Where the host has it; 0: nowhere. */
static u64 rtc_address(void)
{
	FILE *f = fopen("/proc/iomem", "re");
	char line[256];
	u64 addr = 0;

	REQUIRE(f);
	while (!addr && fgets(line, sizeof(line), f))
		if (strstr(line, RTC_NAME))
			addr = strtoull(line, NULL, 16);
	fclose(f);
	return addr;
}

static int driver_open(void)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	char parameters[64];

	REQUIRE_OK(fd);
	snprintf(parameters, sizeof(parameters), "device=%#llx", rtc_address());
	REQUIRE_OK(syscall(__NR_finit_module, fd, parameters, 0));
	close(fd);
	fd = open("/dev/keel_pfnmap", O_RDWR | O_CLOEXEC);
	REQUIRE_OK(fd);
	return fd;
}

static void driver_close(int fd)
{
	close(fd);
	REQUIRE_OK(syscall(__NR_delete_module, "pfnmap", 0));
}

static void take_away(int fd, char how)
{
	REQUIRE_EQ(write(fd, &how, 1), 1);
}

/* Both sets begin as zeros: after a change the guest finds them, or what it wrote there before. */
static void ram(void)
{
	struct vm vm;
	int fd, i;
	char *mem;

	fd = driver_open();
	mem = mem_map(SIZE, MAP_SHARED, fd);
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, WALK_IPA, SIZE, mem));
	for (i = 0; i < 6; i++) {
		CHECK_EQ(poke_read(&vm, WALK_IPA + 8, 8), i < 2 ? 0 : 30 + i - 2);
		poke_write(&vm, WALK_IPA + 8, 8, 30 + i);
		CHECK_EQ(READ_ONCE(*(u64 *)(mem + 8)), 30 + i);
		take_away(fd, 'z');
		CHECK_EQ(poke_read(&vm, WALK_IPA + 8, 8), 30 + i);
		WRITE_ONCE(*(u64 *)(mem + 16), i);
		CHECK_EQ(poke_read(&vm, WALK_IPA + 16, 8), i);
		take_away(fd, 'x');
	}
	vm_destroy(&vm);
	munmap(mem, SIZE);
	driver_close(fd);
}

static void ram_running(void)
{
	struct walk w;
	u64 failures;
	int fd, i;

	fd = driver_open();
	walk_create(&w, mem_map(SIZE, MAP_SHARED, fd), SIZE, 2, 0);
	walk_start(&w);
	walk_rounds(&w, 0);
	for (i = 0; i < 50; i++)
		take_away(fd, 'z');
	walk_rounds(&w, 1);
	WRITE_ONCE(w.may_fail, true);
	for (i = 0; i < 5; i++) {
		failures = READ_ONCE(w.failures);
		take_away(fd, '-');
		while (READ_ONCE(w.failures) == failures)
			host_pause();
		take_away(fd, 'z');
		walk_rounds(&w, 0);
	}
	walk_stop(&w);
	walk_check(&w);
	walk_destroy(&w);
	munmap(w.mem, SIZE);
	driver_close(fd);
}

/* The guest reads the registers as the VMM does, without an exit each. */
static void device(void)
{
	u32 *regs;
	struct vm vm;
	char *mem;
	u64 i, n;
	int fd;

	REQUIRE(rtc_address());
	fd = driver_open();
	mem = mmap(NULL, HOST_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, SIZE);
	REQUIRE(mem != MAP_FAILED);
	regs = (u32 *)mem;
	REQUIRE_EQ(READ_ONCE(regs[RTC_ID / 4]), RTC_ID_FIRST);
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, WALK_IPA, HOST_PAGE, mem));
	for (n = 0; n < 3; n++) {
		for (i = RTC_ID; i < HOST_PAGE; i += 4)
			CHECK_EQ(poke_read(&vm, WALK_IPA + i, 4), READ_ONCE(regs[i / 4]));
		take_away(fd, 'z');
	}
	vm_destroy(&vm);
	munmap(mem, HOST_PAGE);
	driver_close(fd);
}

static const struct ktap_case cases[] = {
	{ "ram", ram },
	{ "ram_running", ram_running },
	{ "device", device },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
