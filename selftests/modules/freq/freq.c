// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs whose frequency can be set, for hosts that have none such: 500 MHz to 2 GHz, each CPU for
 * itself or all together. Nothing becomes faster by it; what was asked for is in cpufreq's own
 * files (scaling_min_freq) and here.
 */
#include <linux/cpufreq.h>
#include <linux/module.h>

static unsigned int changes;
module_param(changes, uint, 0444);
MODULE_PARM_DESC(changes, "how often the bounds of a CPU were set");

static bool shared;
module_param(shared, bool, 0444);
MODULE_PARM_DESC(shared, "one frequency for all CPUs");

static int freq_init_policy(struct cpufreq_policy *policy)
{
	policy->cpuinfo.min_freq = 500000;
	policy->cpuinfo.max_freq = 2000000;
	policy->min = policy->cpuinfo.min_freq;
	policy->max = policy->cpuinfo.max_freq;
	policy->policy = CPUFREQ_POLICY_POWERSAVE;
	if (shared)
		cpumask_setall(policy->cpus);
	return 0;
}

static int freq_verify(struct cpufreq_policy_data *policy)
{
	cpufreq_verify_within_cpu_limits(policy);
	return 0;
}

static int freq_set(struct cpufreq_policy *policy)
{
	changes++;
	return 0;
}

static unsigned int freq_get(unsigned int cpu)
{
	return 2000000;
}

static struct cpufreq_driver driver = {
	.name = "keel-selftest",
	.init = freq_init_policy,
	.verify = freq_verify,
	.setpolicy = freq_set,
	.get = freq_get,
};

static int __init freq_init(void)
{
	return cpufreq_register_driver(&driver);
}

static void __exit freq_exit(void)
{
	cpufreq_unregister_driver(&driver);
}

module_init(freq_init);
module_exit(freq_exit);
MODULE_DESCRIPTION("keel selftest: CPUs whose frequency can be set");
MODULE_LICENSE("GPL");
