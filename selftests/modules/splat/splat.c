// SPDX-License-Identifier: GPL-2.0
/*
 * Plants one kernel report, so that the scan of the host's log can be seen to find it.
 *
 * insmod splat.ko kind=KIND does it at once; the module stays loaded and can be removed, except
 * after kind=bug, which kills insmod. Each kind can be planted once a boot: the kernel itself
 * mutes most reports after the first.
 */
#include <linux/bug.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *kind = "warn";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "warn, bug, kasan, ubsan, lockdep, atomic, rcu, leak, stall, hung");

static void plant_warn(void)
{
	WARN(1, "planted warning\n");
}

static void plant_bug(void)
{
	BUG();
}

static void plant_kasan(void)
{
	size_t size = 40;
	char *p = kmalloc(size, GFP_KERNEL);

	if (!p)
		return;
	/* else the compiler knows the size and refuses */
	OPTIMIZER_HIDE_VAR(size);
	WRITE_ONCE(p[size], 1);
	kfree(p);
}

static void plant_ubsan(void)
{
	unsigned int by = 40;
	int value = 1;

	OPTIMIZER_HIDE_VAR(by);
	value <<= by;
	OPTIMIZER_HIDE_VAR(value);
}

static DEFINE_MUTEX(lock_a);
static DEFINE_MUTEX(lock_b);

/* Both orders one after the other: no deadlock happens, and lockdep sees that one could. */
static void plant_lockdep(void)
{
	mutex_lock(&lock_a);
	mutex_lock(&lock_b);
	mutex_unlock(&lock_b);
	mutex_unlock(&lock_a);

	mutex_lock(&lock_b);
	mutex_lock(&lock_a);
	mutex_unlock(&lock_a);
	mutex_unlock(&lock_b);
}

static DEFINE_SPINLOCK(spin);

static void plant_atomic(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
}

static int __rcu *published;

static void plant_rcu(void)
{
	int *p = rcu_dereference(published);

	OPTIMIZER_HIDE_VAR(p);
}

static void plant_leak(void)
{
	char *p = kmalloc(96, GFP_KERNEL);

	/* the only reference dies here, and with it all that might lie on the stack */
	if (p)
		strscpy(p, "planted leak", 96);
	OPTIMIZER_HIDE_VAR(p);
}

/*
 * Longer than /sys/module/rcupdate/parameters/rcu_cpu_stall_timeout, whose least value is 3 s and
 * to which PROVE_RCU adds 5 s, and shorter than a soft lockup, which would be another report.
 */
static void plant_stall(void)
{
	/* a grace period that waits for this CPU */
	start_poll_synchronize_rcu();
	preempt_disable();
	mdelay(12000);
	preempt_enable();
}

/* Longer than /proc/sys/kernel/hung_task_timeout_secs, which the test sets to 2 s. */
static void plant_hung(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(8 * HZ);
}

static const struct {
	const char *name;
	void (*plant)(void);
} kinds[] = {
	{ "warn",	plant_warn },
	{ "bug",	plant_bug },
	{ "kasan",	plant_kasan },
	{ "ubsan",	plant_ubsan },
	{ "lockdep",	plant_lockdep },
	{ "atomic",	plant_atomic },
	{ "rcu",	plant_rcu },
	{ "leak",	plant_leak },
	{ "stall",	plant_stall },
	{ "hung",	plant_hung },
};

static int __init splat_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kinds[i].name, kind)) {
			kinds[i].plant();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit splat_exit(void)
{
}

module_init(splat_init);
module_exit(splat_exit);
MODULE_DESCRIPTION("keel selftest: plants a kernel report");
MODULE_LICENSE("GPL");
