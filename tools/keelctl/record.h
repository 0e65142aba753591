/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl power record: what it has seen, and its chart. */
#ifndef KEELCTL_RECORD_H
#define KEELCTL_RECORD_H

#include <stdio.h>

#include "power.h"

/**
 * struct sample - a vCPU at one moment
 * @state: where it is
 * @asked: what its guest asks for
 * @target: what comes of it
 * @delivered: what it had
 */
struct sample {
	u32 state;
	u32 asked;
	u32 target;
	u32 delivered;
};

/**
 * struct record - all that was seen
 * @vm: the VM
 * @every: ns from one moment to the next
 * @nr_vcpus: how many vCPUs
 * @vcpu: their ids
 * @nr: how many moments, 1 or more
 * @at: ns since the first, of each
 * @sample: moment by moment, of each vCPU
 */
struct record {
	struct keel_vm_info vm;
	u64 every;
	size_t nr_vcpus;
	u32 *vcpu;
	size_t nr;
	u64 *at;
	struct sample *sample;
};

/**
 * record_sample() - what was seen of a vCPU
 * @r: the record
 * @i: which moment
 * @vcpu: which vCPU, as an index of @r->vcpu
 *
 * Return: the sample.
 */
static inline const struct sample *record_sample(const struct record *r, size_t i, size_t vcpu)
{
	return &r->sample[i * r->nr_vcpus + vcpu];
}

/**
 * record_chart() - draw it, a panel for each vCPU
 * @r: the record
 * @f: of canvas_open()
 * @path: of the file
 */
void record_chart(const struct record *r, FILE *f, const char *path);

#endif
