# SPDX-License-Identifier: GPL-2.0
# keel: `make help` lists what there is.

KERNEL_ARCH := $(shell uname -m)
BUILD := $(CURDIR)/build

# What the emulated host runs on: 6.1, 6.12 or debug; and the rest of `make run`
HOST ?= 6.12
GUEST ?= 6.12
CPUS ?= 2
MEM ?= 512M
CPU ?= max
KERNEL ?= $(HOST)
PREFIX ?= /usr/local
export HOST GUEST CPUS MEM CPU T ALL DEBUG

CROSS_COMPILE ?= aarch64-linux-gnu-
SYSROOT := $(BUILD)/cache/arm64
KBUILD_KEEL = $(MAKE) -C $(HEADERS) ARCH=arm64 $(KBUILD_CROSS) $(KBUILD_DEBUG) W=$(W)
W ?=

ifeq ($(KERNEL_ARCH),aarch64)
# An arm64 machine builds for the kernel that it runs.
KERNEL := native
HEADERS := /lib/modules/$(shell uname -r)/build
CROSS_COMPILE :=
SETUP := :
all: keel.ko
else
HEADERS = $(BUILD)/cache/$(if $(filter debug,$(KERNEL)),debug,kernel/$(KERNEL))/headers
KBUILD_CROSS = CROSS_COMPILE=$(CROSS_COMPILE) CC=$(CROSS_COMPILE)gcc
SETUP := scripts/setup
all: keel
endif

ifneq ($(filter 1,$(DEBUG))$(filter debug,$(KERNEL)),)
KBUILD_DEBUG := KEEL_DEBUG=1 KCFLAGS=-DKEEL_DEBUG
endif

.PHONY: all keel keel.ko modules tools install-tools selftests run check soak bench lint size help clean

# Objects land beside their sources, so each kernel gets a tree of links to them. One build at a time
# in a tree: $(call in_tree,FOLDER,SOURCE...) links and builds there.
TREE = $(BUILD)/$(KERNEL)
in_tree = mkdir -p $(1) && scripts/links $(1) $(2) && \
	flock $(TREE)/.lock $(KBUILD_KEEL) M=$(1) modules

keel: ## build/KERNEL/keel.ko for KERNEL=6.1|6.12|debug
	@$(SETUP) $(if $(filter :,$(SETUP)),,packages $(KERNEL))
	@+$(call in_tree,$(TREE),Kbuild src include uapi)

keel.ko: keel
	@cp $(TREE)/keel.ko $@

modules: keel ## helper modules of the tests, build/KERNEL/modules/
	@+for d in $(notdir $(patsubst %/,%,$(wildcard selftests/modules/*/))); do \
		$(call in_tree,$(TREE)/modules/$$d,selftests/modules/$$d/*) || exit; \
	done

tools: ## keelrun and its companions, build/tools/
	@$(SETUP) $(if $(filter :,$(SETUP)),,packages userland)
	@+$(MAKE) -C tools O=$(BUILD)/tools CROSS_COMPILE=$(CROSS_COMPILE) SYSROOT=$(SYSROOT)

install-tools: tools ## programs, man page and completion of the tools into DESTDIR
	@install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/man/man1" \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions"
	@install -m 755 $(BUILD)/tools/keelctl $(BUILD)/tools/keelrun "$(DESTDIR)$(PREFIX)/bin"
	@install -m 644 tools/keelctl/keelctl.1 "$(DESTDIR)$(PREFIX)/share/man/man1"
	@install -m 644 tools/keelctl/keelctl.bash \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/keelctl"

selftests: ## the programs of selftests/, build/selftests/
	@$(SETUP) $(if $(filter :,$(SETUP)),,packages userland)
	@+$(MAKE) -C selftests O=$(BUILD)/selftests CROSS_COMPILE=$(CROSS_COMPILE) \
		SYSROOT=$(SYSROOT)

run: ## the main job: Debian as a guest of keel on an emulated Debian host
	@scripts/run

check: ## all tests; T=quick or T=part-of-an-id for some, ALL=1 on every kernel and CPU
	@scripts/check

soak: ## the tests that take over a minute
	@scripts/check --soak

bench: ## figures, in instructions
	@scripts/bench

lint: ## compiler warnings, sparse, checkpatch, shellcheck, rules of the EL2 objects
	@scripts/lint

size: ## lines of code against the budget
	@scripts/size

help: ## this list
	@sed -n 's/^\([a-z.-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 15
	@echo
	@echo 'Variables: HOST GUEST CPUS MEM CPU (run), T ALL (check), DEBUG=1, KERNEL (keel),'
	@echo 'DESTDIR, PREFIX (install-tools; /usr/local unless given).'
	@echo 'scripts/host --help, scripts/setup --help: the emulated host and what it needs.'

clean: ## remove what was built; downloads and the debug kernel stay in build/cache
	@rm -f keel.ko
	@find $(BUILD) -mindepth 1 -maxdepth 1 ! -name cache ! -name fresh -exec rm -rf {} +
