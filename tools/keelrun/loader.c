// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel and its initial RAM disk.
 *
 * The kernel is a raw arm64 Image: Documentation/arch/arm64/booting.rst in the kernel's sources
 * describes its header of 64 bytes. An Image with an EFI stub is also a PE file, whose sections
 * tell how long the file has to be.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layout.h"
#include "loader.h"
#include "vm.h"

#define IMAGE_MAGIC	0x644d5241	/* "ARM\x64" */
#define PE_MAGIC	0x00004550	/* "PE\0\0" */
#define PE_SECTIONS	96		/* at most, by the format */
/* Of kernels before 3.17, whose image_size is 0. */
#define OLD_TEXT_OFFSET	0x80000

struct image_header {
	u32 code0;
	u32 code1;
	u64 text_offset;
	u64 image_size;
	u64 flags;
	u64 reserved[3];
	u32 magic;
	u32 pe_offset;
};

struct pe_header {
	u32 magic;
	u16 machine;
	u16 nr_sections;
	u32 unused[3];
	u16 optional_size;
	u16 characteristics;
};

struct pe_section {
	char name[8];
	u32 virtual_size;
	u32 virtual_address;
	u32 raw_size;
	u32 raw_offset;
	u32 unused[4];
};

void loader_open(struct boot_image *image, const char *what)
{
	struct stat st;

	image->fd = -1;
	if (!image->path)
		return;
	image->fd = open(image->path, O_RDONLY | O_CLOEXEC);
	if (image->fd < 0 || fstat(image->fd, &st))
		die("cannot open %s %s: %s; check --%s", what, image->path, strerror(errno), what);
	if (!S_ISREG(st.st_mode))
		die("%s %s is not a file; check --%s", what, image->path, what);
	if (!st.st_size)
		die("%s %s is empty: copy it again", what, image->path);
	image->size = st.st_size;
}

_Noreturn static void die_not_an_image(const char *path, const u8 *start)
{
	if (start[0] == 0x1f && start[1] == 0x8b)
		die("kernel %s is compressed: unpack it, gunzip < %s > Image", path, path);
	if (!memcmp(start, "MZ", 2) && !memcmp(start + 4, "zimg", 4))
		die("kernel %s is a compressed EFI image: give the arm64 Image inside it", path);
	if (!memcmp(start, "\177ELF", 4))
		die("kernel %s is an ELF file: make an Image, objcopy -O binary %s Image", path,
		    path);
	die("kernel %s is not an arm64 Image: give arch/arm64/boot/Image or Debian's vmlinuz",
	    path);
}

static void read_image_header(const struct boot_image *kernel, struct image_header *h)
{
	memset(h, 0, sizeof(*h));
	if (read_full(kernel->fd, h, kernel->size < sizeof(*h) ? kernel->size : sizeof(*h), 0))
		die("cannot read kernel %s: %s", kernel->path, strerror(errno));
	if (h->magic != IMAGE_MAGIC)
		die_not_an_image(kernel->path, (u8 *)h);
	if (!h->image_size) {
		h->image_size = kernel->size;
		h->text_offset = OLD_TEXT_OFFSET;
	}
}

/* Return: the end of the last section, 0 if the file is no PE file. */
static u64 pe_end(const struct boot_image *kernel, const struct image_header *h)
{
	u64 at = h->pe_offset, end = 0;
	struct pe_section s;
	struct pe_header pe;

	if (memcmp(h, "MZ", 2) || read_full(kernel->fd, &pe, sizeof(pe), at) ||
	    pe.magic != PE_MAGIC || pe.nr_sections > PE_SECTIONS)
		return 0;
	at += sizeof(pe) + pe.optional_size;
	for (unsigned int i = 0; i < pe.nr_sections; i++, at += sizeof(s)) {
		if (read_full(kernel->fd, &s, sizeof(s), at))
			return 0;
		if ((u64)s.raw_offset + s.raw_size > end)
			end = (u64)s.raw_offset + s.raw_size;
	}
	return end;
}

static void check_whole(const struct boot_image *kernel, const struct image_header *h)
{
	u64 end = pe_end(kernel, h);

	if (kernel->size < end)
		die("kernel %s is truncated: it has %llu of %llu bytes, copy it again",
		    kernel->path, (unsigned long long)kernel->size, (unsigned long long)end);
	if (kernel->size > h->image_size)
		die("kernel %s is damaged: the header says %llu bytes, it has %llu; copy it again",
		    kernel->path, (unsigned long long)h->image_size,
		    (unsigned long long)kernel->size);
}

void loader_plan(const struct boot_image *kernel, const struct boot_image *initrd, u64 mem,
		 struct boot_layout *out)
{
	struct image_header h;
	u64 need;

	read_image_header(kernel, &h);
	check_whole(kernel, &h);
	/* Keeps the sums below from overflowing; no memory holds more. */
	if (h.image_size > 1ULL << 40 || h.text_offset > 1ULL << 40)
		die("kernel %s is damaged: the header says %llu bytes at %llu; copy it again",
		    kernel->path, (unsigned long long)h.image_size,
		    (unsigned long long)h.text_offset);

	out->entry = RAM_BASE + h.text_offset;
	out->kernel_size = h.image_size;
	out->initrd_size = initrd->fd < 0 ? 0 : initrd->size;
	out->initrd = ALIGN_UP(out->entry + out->kernel_size, SZ_4K);
	out->fdt = ALIGN_UP(out->initrd + out->initrd_size, FDT_SPACE);
	need = out->fdt + FDT_SPACE - RAM_BASE;
	if (need > mem)
		die("too little memory: kernel (%llu KB), initrd (%llu KB): give at least %lluM",
		    (unsigned long long)(h.text_offset + h.image_size) / 1024,
		    (unsigned long long)out->initrd_size / 1024,
		    (unsigned long long)(need / SZ_1M));
}

static void load(const struct vm *vm, const struct boot_image *image, u64 addr)
{
	void *to = vm_ram(vm, addr, image->size);

	if (!to || read_full(image->fd, to, image->size, 0))
		die("cannot read %s: %s; copy it again", image->path, strerror(errno));
}

void loader_load(const struct vm *vm, const struct boot_image *kernel,
		 const struct boot_image *initrd, const struct boot_layout *layout)
{
	load(vm, kernel, layout->entry);
	if (layout->initrd_size)
		load(vm, initrd, layout->initrd);
}
