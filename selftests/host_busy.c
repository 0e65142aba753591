// SPDX-License-Identifier: GPL-2.0
/* Not a test: two VMs that run until the machine below them ends (host_reboot.sh). */
#include <stdio.h>
#include <unistd.h>

#include "lib/busy.h"
#include "lib/vm.h"

int main(void)
{
	static struct vm vms[2];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(vms); i++)
		busy_start(&vms[i]);
	for (i = 0; i < ARRAY_SIZE(vms); i++)
		busy_wait(&vms[i]);
	puts("running");
	fflush(stdout);
	for (;;)
		pause();
}
