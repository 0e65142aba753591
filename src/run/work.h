/* SPDX-License-Identifier: GPL-2.0 */
/* The face of work.c, which includes nothing of keel's: in-tree KVM's header uses its names. */
#ifndef KEEL_RUN_WORK_H
#define KEEL_RUN_WORK_H

/**
 * run_user_work() - do what this thread was to do on its way to userspace (TIF_NOTIFY_RESUME)
 *
 * Context: task, nothing held but vcpu->mutex; may sleep, fault and be scheduled. What is to be
 * done may be anybody's, the close of a VM among it: the caller holds this vCPU's file.
 *
 * Return: 0: done. -EINTR: not, or not all of it: it has to return there.
 */
int run_user_work(void);

#endif /* KEEL_RUN_WORK_H */
