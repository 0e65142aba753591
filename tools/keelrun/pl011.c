// SPDX-License-Identifier: GPL-2.0
/*
 * The serial port: Arm PrimeCell PL011 (DDI 0183), revision 1p4 with FIFOs of 16.
 *
 * What is sent has left at once, so the transmit FIFO is always empty. What is typed waits in the
 * terminal until the guest enables the receiver; the receive timeout comes without the delay of 32
 * bits.
 */
#include <pthread.h>
#include <stdlib.h>

#include "pl011.h"
#include "terminal.h"
#include "vm.h"

#define UART_DR		0x00
#define UART_RSR	0x04
#define UART_FR		0x18
#define UART_ILPR	0x20
#define UART_IBRD	0x24
#define UART_FBRD	0x28
#define UART_LCRH	0x2c
#define UART_CR		0x30
#define UART_IFLS	0x34
#define UART_IMSC	0x38
#define UART_RIS	0x3c
#define UART_MIS	0x40
#define UART_ICR	0x44
#define UART_DMACR	0x48
#define UART_ID		0xfe0

#define FR_RXFE		(1 << 4)
#define FR_RXFF		(1 << 6)
#define FR_TXFE		(1 << 7)
#define LCRH_FEN	(1 << 4)
#define CR_UARTEN	(1 << 0)
#define CR_LBE		(1 << 7)
#define CR_RXE		(1 << 9)
#define CR_RESET	0x300
#define IFLS_RESET	0x12
#define INT_RX		(1 << 4)
#define INT_TX		(1 << 5)
#define INT_RT		(1 << 6)
#define INT_ALL		0x7ff

#define FIFO_DEPTH	16

struct pl011 {
	struct vm *vm;
	pthread_mutex_t lock;
	u32 ilpr, ibrd, fbrd, lcrh, cr, ifls, imsc, ris, dmacr;
	bool line;
	u8 fifo[FIFO_DEPTH];
	unsigned int count, first;
};

static const u8 pl011_id[] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

static unsigned int fifo_depth(const struct pl011 *p)
{
	return p->lcrh & LCRH_FEN ? FIFO_DEPTH : 1;
}

/* How full the FIFO is when INT_RX comes: UART_IFLS bits 5:3. */
static unsigned int rx_trigger(const struct pl011 *p)
{
	static const u8 levels[] = { 2, 4, 8, 12, 14, 14, 14, 14 };

	return p->lcrh & LCRH_FEN ? levels[(p->ifls >> 3) & 7] : 1;
}

/* Under the lock, so that the line changes in the order of its causes. */
static void update_line(struct pl011 *p)
{
	bool level = p->ris & p->imsc;

	if (level == p->line)
		return;
	p->line = level;
	vm_irq_set(p->vm, PL011_SPI, level);
}

static void receive(struct pl011 *p, u8 c)
{
	p->fifo[(p->first + p->count++) % FIFO_DEPTH] = c;
	p->ris |= INT_RT;
	if (p->count >= rx_trigger(p))
		p->ris |= INT_RX;
}

static void fill_fifo(struct pl011 *p)
{
	u32 on = CR_UARTEN | CR_RXE;
	u8 c;

	while ((p->cr & (on | CR_LBE)) == on && p->count < fifo_depth(p) && terminal_read(&c, 1))
		receive(p, c);
}

void pl011_input(void *opaque)
{
	struct pl011 *p = opaque;

	pthread_mutex_lock(&p->lock);
	fill_fifo(p);
	update_line(p);
	pthread_mutex_unlock(&p->lock);
}

static u32 read_data(struct pl011 *p)
{
	u8 c = p->fifo[p->first];

	if (!p->count)
		return 0;
	p->first = (p->first + 1) % FIFO_DEPTH;
	p->count--;
	if (p->count < rx_trigger(p))
		p->ris &= ~INT_RX;
	if (!p->count)
		p->ris &= ~INT_RT;
	fill_fifo(p);
	return c;
}

static u32 flags(const struct pl011 *p)
{
	u32 fr = FR_TXFE;

	if (!p->count)
		fr |= FR_RXFE;
	if (p->count >= fifo_depth(p))
		fr |= FR_RXFF;
	return fr;
}

static u32 read_register(struct pl011 *p, u64 offset)
{
	switch (offset) {
	case UART_DR:
		return read_data(p);
	case UART_FR:
		return flags(p);
	case UART_ILPR:
		return p->ilpr;
	case UART_IBRD:
		return p->ibrd;
	case UART_FBRD:
		return p->fbrd;
	case UART_LCRH:
		return p->lcrh;
	case UART_CR:
		return p->cr;
	case UART_IFLS:
		return p->ifls;
	case UART_IMSC:
		return p->imsc;
	case UART_RIS:
		return p->ris;
	case UART_MIS:
		return p->ris & p->imsc;
	case UART_DMACR:
		return p->dmacr;
	}
	if (offset >= UART_ID)
		return pl011_id[(offset - UART_ID) / 4];
	return 0;
}

static u64 pl011_read(void *opaque, u64 offset, unsigned int len)
{
	struct pl011 *p = opaque;
	u32 value;

	(void)len;
	pthread_mutex_lock(&p->lock);
	value = read_register(p, offset & ~3ULL);
	update_line(p);
	pthread_mutex_unlock(&p->lock);
	return value;
}

static void write_data(struct pl011 *p, u8 c)
{
	p->ris |= INT_TX;
	if (p->cr & CR_LBE && p->count < fifo_depth(p))
		receive(p, c);
}

static void write_register(struct pl011 *p, u64 offset, u32 value)
{
	switch (offset) {
	case UART_DR:
		write_data(p, value);
		break;
	case UART_ILPR:
		p->ilpr = value & 0xff;
		break;
	case UART_IBRD:
		p->ibrd = value & 0xffff;
		break;
	case UART_FBRD:
		p->fbrd = value & 0x3f;
		break;
	case UART_LCRH:
		/* Switching the FIFO on or off empties it. */
		if ((p->lcrh ^ value) & LCRH_FEN) {
			p->count = 0;
			p->ris &= ~(INT_RX | INT_RT);
		}
		p->lcrh = value & 0xff;
		fill_fifo(p);
		break;
	case UART_CR:
		p->cr = value & 0xff87;
		fill_fifo(p);
		break;
	case UART_IFLS:
		p->ifls = value & 0x3f;
		break;
	case UART_IMSC:
		p->imsc = value & INT_ALL;
		break;
	case UART_ICR:
		p->ris &= ~value;
		break;
	case UART_DMACR:
		p->dmacr = value & 7;
		break;
	}
}

static void pl011_write(void *opaque, u64 offset, unsigned int len, u64 value)
{
	struct pl011 *p = opaque;

	(void)len;
	offset &= ~3ULL;
	/* Not under the lock: a reader of the output that is slow must not hold up the input. */
	if (offset == UART_DR && !(__atomic_load_n(&p->cr, __ATOMIC_RELAXED) & CR_LBE)) {
		u8 c = value;

		terminal_write(&c, 1);
	}
	pthread_mutex_lock(&p->lock);
	write_register(p, offset, value);
	update_line(p);
	pthread_mutex_unlock(&p->lock);
}

struct pl011 *pl011_create(struct vm *vm)
{
	struct pl011 *p = xcalloc(1, sizeof(*p));

	p->vm = vm;
	p->cr = CR_RESET;
	p->ifls = IFLS_RESET;
	pthread_mutex_init(&p->lock, NULL);
	bus_add(&vm->bus, &(struct mmio_region) {
		.name = "pl011",
		.base = PL011_BASE,
		.size = PL011_SIZE,
		.read = pl011_read,
		.write = pl011_write,
		.opaque = p,
	});
	return p;
}

void pl011_destroy(struct pl011 *port)
{
	pthread_mutex_destroy(&port->lock);
	free(port);
}
