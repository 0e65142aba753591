// SPDX-License-Identifier: GPL-2.0
/* Work that a thread finds on its way to userspace, done without going there. */
#include <linux/entry-kvm.h>
#include <linux/errno.h>
#include <linux/kvm_host.h>

#include "work.h"

#ifdef CONFIG_KVM_XFER_TO_GUEST_WORK

/*
 * The kernel does such work for in-tree KVM: if a signal comes meanwhile it notes an exit in the
 * vCPU that it is given. Nobody reads what it notes here.
 */
static struct kvm_run nobodys_run;
static struct kvm_vcpu nobody = { .run = &nobodys_run };

int run_user_work(void)
{
	return xfer_to_guest_mode_handle_work(&nobody);
}

#else

int run_user_work(void)
{
	return -EINTR;
}

#endif
