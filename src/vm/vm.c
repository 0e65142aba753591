// SPDX-License-Identifier: GPL-2.0
/*
 * Lifetime of VMs and vCPUs. A VM lives as long as somebody holds a reference (its fd, its vCPUs'
 * fds, its devices' fds); its vCPUs live as long as the VM.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <keel/vm.h>

static DEFINE_MUTEX(vms_lock);
static LIST_HEAD(vms);
static u32 last_id;	/* under vms_lock */

static void vcpu_destroy(struct keel_vcpu *vcpu)
{
	vtimer_vcpu_destroy(vcpu);
	vgic_vcpu_destroy(vcpu);
	stage2_vcpu_destroy(vcpu);
	mutex_destroy(&vcpu->mutex);
	free_page((unsigned long)vcpu->kvm_run);
	kfree(vcpu);
}

static void vm_destroy(struct kref *ref)
{
	struct keel_vm *vm = container_of(ref, struct keel_vm, ref);
	unsigned int i;

	mutex_lock(&vms_lock);
	list_del(&vm->link);
	mutex_unlock(&vms_lock);

	/* Tables first: the notifier must not find half a VM. */
	stage2_destroy(vm);
	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_destroy(vm->vcpus[i]);
	vgic_vm_destroy(vm);
	coalesced_destroy(vm);
	mmio_destroy(vm);
	cleanup_srcu_struct(&vm->srcu);
	mmdrop(vm->mm);
	kvfree(vm);
}

void vm_get(struct keel_vm *vm)
{
	kref_get(&vm->ref);
}

void vm_put(struct keel_vm *vm)
{
	kref_put(&vm->ref, vm_destroy);
}

struct keel_vm *vm_create(unsigned long type)
{
	struct keel_vm *vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!vm)
		return ERR_PTR(-ENOMEM);
	ret = init_srcu_struct(&vm->srcu);
	if (ret)
		goto err_srcu;
	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	mutex_init(&vm->config_lock);
	mutex_init(&vm->bus_lock);
	INIT_LIST_HEAD(&vm->irqfds);
	INIT_LIST_HEAD(&vm->ioeventfds);
	mmgrab(current->mm);
	vm->mm = current->mm;

	ret = coalesced_create(vm);
	if (ret)
		goto err_coalesced;
	ret = stage2_create(vm, type);
	if (ret)
		goto err_stage2;
	vcpu_arch_init_vm(vm);
	vgic_vm_init(vm);
	pnmi_vm_init(vm);
	vtimer_vm_init(vm);

	mutex_lock(&vms_lock);
	vm->id = ++last_id;
	list_add_tail(&vm->link, &vms);
	mutex_unlock(&vms_lock);
	return vm;

err_stage2:
	coalesced_destroy(vm);
err_coalesced:
	mmdrop(vm->mm);
	cleanup_srcu_struct(&vm->srcu);
err_srcu:
	kvfree(vm);
	return ERR_PTR(ret);
}

struct keel_vcpu *vm_vcpu_by_id(struct keel_vm *vm, u32 id)
{
	struct keel_vcpu *vcpu;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, vm)
		if (vcpu->id == id)
			return vcpu;
	return NULL;
}

#define MPIDR_AFFINITY 0xff00ffffffULL

struct keel_vcpu *vm_vcpu_by_mpidr(struct keel_vm *vm, u64 mpidr)
{
	struct keel_vcpu *vcpu;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, vm)
		if (!((vcpu->state.reg[VCPU_MPIDR_EL1] ^ mpidr) & MPIDR_AFFINITY))
			return vcpu;
	return NULL;
}

static struct keel_vcpu *vcpu_create(struct keel_vm *vm, u32 id)
{
	struct keel_vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->cpu = -1;
	vcpu->last_cpu = -1;
	mutex_init(&vcpu->mutex);
	rcuwait_init(&vcpu->wait);
	vcpu_preempt_init(vcpu);
	vcpu->kvm_run = (struct kvm_run *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->kvm_run)
		goto err_run;
	ret = stage2_vcpu_create(vcpu);
	if (ret)
		goto err_stage2;
	ret = vcpu_arch_create(vcpu);
	if (ret)
		goto err_arch;
	ret = vgic_vcpu_create(vcpu);
	if (ret)
		goto err_arch;
	vtimer_vcpu_create(vcpu);
	return vcpu;

err_arch:
	stage2_vcpu_destroy(vcpu);
err_stage2:
	free_page((unsigned long)vcpu->kvm_run);
err_run:
	kfree(vcpu);
	return ERR_PTR(ret);
}

struct keel_vcpu *vm_create_vcpu(struct keel_vm *vm, u32 id)
{
	struct keel_vcpu *vcpu;

	lockdep_assert_held(&vm->lock);
	if (id >= KEEL_MAX_VCPUS || vm->nr_vcpus == KEEL_MAX_VCPUS)
		return ERR_PTR(-EINVAL);
	if (vm_vcpu_by_id(vm, id))
		return ERR_PTR(-EEXIST);
	vcpu = vcpu_create(vm, id);
	if (IS_ERR(vcpu))
		return vcpu;
	vm->vcpus[vm->nr_vcpus] = vcpu;
	/* Pairs with the load-acquire in vm_for_each_vcpu(). */
	smp_store_release(&vm->nr_vcpus, vm->nr_vcpus + 1);
	return vcpu;
}

void vm_shutdown_all(void)
{
	struct keel_vm *vm;

	mutex_lock(&vms_lock);
	WRITE_ONCE(vm_shut_down, true);
	list_for_each_entry(vm, &vms, link) {
		vm_request_all(vm, VCPU_REQ_LEAVE, NULL);
		vm_guest_barrier(vm);
	}
	mutex_unlock(&vms_lock);
}
