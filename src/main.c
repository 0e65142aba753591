// SPDX-License-Identifier: GPL-2.0
/* insmod and rmmod: brings the folders up in order, and hands down the calls that point up. */
#include <linux/init.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/preempt.h>

#include <keel/abi.h>
#include <keel/host.h>
#include <keel/vm.h>

/* The timer's PPI while a vCPU is loaded here; one that comes late belongs to nobody any more. */
static void main_vtimer_irq(struct prda *p)
{
	if (p->vcpu)
		vtimer_host_irq(p->vcpu);
}

static const struct host_ops host_ops = {
	.vtimer_irq = main_vtimer_irq,
	.shutdown = vm_shutdown_all,
};

static int __init keel_init(void)
{
	int ret;

	ret = host_probe();
	if (ret)
		return ret;
	ret = vcpu_init();
	if (ret)
		return ret;
	ret = stage2_init();
	if (ret)
		return ret;
	ret = vgic_init_host();
	if (ret)
		goto err_vgic;
	ret = host_claim(&host_ops);
	if (ret)
		goto err_vgic;
	preempt_notifier_inc();
	ret = power_init();
	if (ret)
		goto err_power;
	ret = abi_init();
	if (ret)
		goto err_abi;
	return 0;

err_abi:
	power_exit();
err_power:
	preempt_notifier_dec();
	host_release();
err_vgic:
	stage2_exit();
	return ret;
}

/*
 * No file of keel's is open, so no VM exists; what they freed lazily must be gone before the code
 * is.
 */
static void __exit keel_exit(void)
{
	abi_exit();
	power_exit();
	preempt_notifier_dec();
	host_release();
	stage2_exit();
	mmu_notifier_synchronize();
	rcu_barrier();
}

module_init(keel_init);
module_exit(keel_exit);
MODULE_DESCRIPTION("A small virtual machine monitor for arm64 with VHE");
MODULE_LICENSE("GPL");
