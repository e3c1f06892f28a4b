# `make lint`: what can be decided by reading. Each check is a promise with a line; `make lint-<name>`
# runs one. `make lint-deep` is clang-tidy, which takes minutes.
LINT_C = $(shell find gateway adapters tests -name node_modules -prune -o -name '*.[ch]' -print | sort)
LINT_SHELL = $(sort $(shell find .ci certs deploy tests -name node_modules -prune -o -name '*.sh' -print; \
	find .ci certs deploy tests -name node_modules -prune -o -type f -print | \
	xargs grep -lE '^\#!/(bin/|usr/bin/env )(ba)?sh'))
LINT_CHECKS := layers banned names places reasons format shell cppcheck proto
LINT_JOBS := $(shell nproc)
# A sub-make shares the caller's -j; without one it takes the cores.
parallel = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(LINT_JOBS))

PROGRAM_NAMES := enlaced enlace enlace-verify enlace-follow sdk adapter
.PHONY: lint lint-deep print-layers $(LINT_CHECKS:%=lint-%)
lint:
	+@$(MAKE) --no-print-directory -k $(parallel) $(LINT_CHECKS:%=lint-%)

# The table as text: "uses LAYER DEPS..." and "owner LIBRARY FOLDER", the only source of lint-layers.
print-layers:
	@$(foreach name,$(LAYERS) $(PROGRAM_NAMES),echo 'uses $(name) $($(name)_DEPS)';)
	@$(foreach library,openssl lmdb grpc event cairo,echo 'owner $(library) $($(library)_OWNER)';)

lint-layers:
	@tests/promise.sh 'a folder includes what the table allows' \
		sh -c '$(MAKE) -s --no-print-directory print-layers | tests/lint/layers.sh'
lint-banned:
	@tests/promise.sh 'no banned call' tests/lint/banned.sh $(LINT_C)
lint-names:
	@tests/promise.sh 'base names are unique' tests/lint/names.sh $(LINT_C)
lint-places:
	@tests/promise.sh 'no file names a place of one machine' tests/lint/places.sh
lint-reasons:
	@tests/promise.sh 'each refusal of the policy stands in a test' tests/lint/reasons.sh
lint-format:
	@tests/promise.sh 'C is as clang-format writes it' tests/lint/format.sh $(LINT_C)
# SC2317: it does not see that a function given by name is called.
lint-shell:
	@tests/promise.sh 'shellcheck has no complaint' shellcheck -f gcc -x -P SCRIPTDIR -P . \
		-e SC2317 $(LINT_SHELL)
lint-cppcheck:
	@mkdir -p $(BUILD)/cppcheck
	@tests/promise.sh 'cppcheck has no complaint' tests/lint/cppcheck.sh $(BUILD)/cppcheck $(LINT_JOBS)
lint-proto: interop-modules
	@tests/promise.sh 'buf lint has no complaint' tests/lint/proto.sh

lint-deep: $(PB_HDR)
	@tests/promise.sh 'clang-tidy has no complaint' tests/lint/tidy.sh $(BUILD)/gen $(LINT_JOBS)

# Tools in JavaScript, pinned by a lock file; no package's install script runs. Without a network,
# ENLACE_OFFLINE=1 skips what needs them, and says so.
INTEROP_STAMP := tests/interop/node_modules/.package-lock.json
.PHONY: interop-modules
interop-modules: $(if $(ENLACE_OFFLINE),,$(INTEROP_STAMP))
$(INTEROP_STAMP): tests/interop/package.json tests/interop/package-lock.json tests/interop/.npmrc
	@tests/promise.sh 'npm installs what the lock file lists' \
		sh -c 'cd tests/interop && npm ci --ignore-scripts && touch node_modules/.package-lock.json'
