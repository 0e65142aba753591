// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a driver maps by page frame (VM_PFNMAP) and takes away again, as drivers of PCI
 * devices and graphics do.
 *
 * /dev/keel_pfnmap, mmap at offset 0: RAM, 2 sets of PFNMAP_PAGES pages of which one is mapped; at
 * offset PFNMAP_DEVICE: the page of device memory at the parameter `device`. A byte written to it
 * takes all mappings away:
 *
 *   z  the same pages come back when they are touched
 *   x  the other set does
 *   -  touching gives SIGBUS, until the next byte
 */
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/uaccess.h>

#define PFNMAP_PAGES	64UL
#define PFNMAP_DEVICE	PFNMAP_PAGES	/* in pages */

static unsigned long device;
module_param(device, ulong, 0444);
MODULE_PARM_DESC(device, "physical address of a page of device memory");

/* Each page has a reference of its own, without which in-tree KVM does not take it. */
static void *sets[2];

/* A fault reads these and maps; a revocation changes them and unmaps. */
static DECLARE_RWSEM(lock);
static unsigned int set;
static bool closed;

static unsigned long pfn_at(unsigned long index)
{
	if (index == PFNMAP_DEVICE)
		return PHYS_PFN(device);
	return PHYS_PFN(virt_to_phys(sets[set])) + index;
}

static vm_fault_t pfnmap_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = VM_FAULT_SIGBUS;

	down_read(&lock);
	if (!closed)
		ret = vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK, pfn_at(vmf->pgoff));
	up_read(&lock);
	return ret;
}

static const struct vm_operations_struct pfnmap_vm_ops = {
	.fault = pfnmap_fault,
};

static int pfnmap_mmap(struct file *file, struct vm_area_struct *vma)
{
	bool ram = !vma->vm_pgoff;
	int ret;

	if (vma_pages(vma) != (ram ? PFNMAP_PAGES : 1) || !(vma->vm_flags & VM_SHARED) ||
	    (!ram && (vma->vm_pgoff != PFNMAP_DEVICE || !device)))
		return -EINVAL;
	if (!ram)
		vma->vm_page_prot = pgprot_device(vma->vm_page_prot);
	vma->vm_ops = &pfnmap_vm_ops;
	down_read(&lock);
	ret = remap_pfn_range(vma, vma->vm_start, pfn_at(vma->vm_pgoff),
			      vma->vm_end - vma->vm_start, vma->vm_page_prot);
	up_read(&lock);
	return ret;
}

static ssize_t pfnmap_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	char c;

	if (!size || get_user(c, buf))
		return -EFAULT;
	if (c != 'z' && c != 'x' && c != '-')
		return -EINVAL;
	down_write(&lock);
	closed = c == '-';
	if (c == 'x')
		set = !set;
	unmap_mapping_range(file->f_mapping, 0, 0, 1);
	up_write(&lock);
	return 1;
}

static const struct file_operations pfnmap_fops = {
	.owner	= THIS_MODULE,
	.mmap	= pfnmap_mmap,
	.write	= pfnmap_write,
};

static struct miscdevice pfnmap_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "keel_pfnmap",
	.fops	= &pfnmap_fops,
};

static void sets_free(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sets); i++)
		if (sets[i])
			free_pages_exact(sets[i], PFNMAP_PAGES * PAGE_SIZE);
}

static int __init pfnmap_init(void)
{
	unsigned int i;
	int ret = -ENOMEM;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		sets[i] = alloc_pages_exact(PFNMAP_PAGES * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
		if (!sets[i])
			goto err;
	}
	ret = misc_register(&pfnmap_misc);
	if (ret)
		goto err;
	return 0;

err:
	sets_free();
	return ret;
}

static void __exit pfnmap_exit(void)
{
	misc_deregister(&pfnmap_misc);
	sets_free();
}

module_init(pfnmap_init);
module_exit(pfnmap_exit);
MODULE_DESCRIPTION("keel selftest: memory mapped by page frame");
MODULE_LICENSE("GPL");
