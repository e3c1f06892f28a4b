# `make check`: every promise of this repository that a machine can keep, a line each, in three
# stages: what the compiler and the linters say; the unit programs, plain and under sanitizers, and
# the fuzzers; real processes on loopback. The closing line adds them up.
ASAN_BUILD := $(BUILD)/san-address-undefined
TSAN_BUILD := $(BUILD)/san-thread
# What hands things over between threads: some layers whole, else every test that starts a thread.
THREADED := $(sort $(wildcard tests/unit/rpc/test_*.c tests/unit/http/test_*.c \
	tests/unit/relay/test_*.c tests/unit/publish/test_*.c) \
	$(shell grep -lE 'pthread_create|worker_new|writer_new|seen_open|anchor_open' tests/unit/*/test_*.c))
unit_in = $(patsubst tests/%.c,$(1)/tests/%,$(2))

CHECK_LEDGER := $(BUILD)/check.ledger
PATH_TESTS := $(sort $(wildcard tests/path/certs.sh tests/path/[0-9]*.sh))
INTEROP_TESTS := $(wildcard tests/interop/check_*.py tests/interop/check_*.mjs tests/interop/check_*.js)
# A hang, not slowness: a machine with other work takes several times what a quiet one does.
PATH_SECONDS ?= 600

sub_make = $(MAKE) -s --no-print-directory -k
# Half the time of the compiler goes to the sanitizers' builds: less optimised, with lines only.
san_flags = CFLAGS='-O1 -g1'
asan_make = $(sub_make) BUILD=$(ASAN_BUILD) SANITIZE=address,undefined $(san_flags)
tsan_make = $(sub_make) BUILD=$(TSAN_BUILD) SANITIZE=thread $(san_flags)
# Stories whose nodes also run under sanitizers.
path_of = $(filter $(PATH_TESTS),$(patsubst %,tests/path/%.sh,$(1)))
ASAN_PATHS := $(call path_of,10_exchange 20_refusals 70_other_language)
TSAN_PATHS := $(call path_of,10_exchange 70_other_language)

# A promise writes its own failure into the ledger; what else goes wrong in make is one, too.
not_kept = printf '0\t1\t0\tmake itself went through (its errors are above)\n'

.PHONY: check check-all check-build check-build-asan check-build-tsan check-build-fuzz \
	$(PATH_TESTS:%=run-%) $(INTEROP_TESTS:%=run-%) $(ASAN_PATHS:%=asan-%) $(TSAN_PATHS:%=tsan-%)
check: deps
	@mkdir -p $(BUILD)
	@rm -f $(CHECK_LEDGER)
	+@LEDGER=$(abspath $(CHECK_LEDGER)) $(sub_make) check-all || $(not_kept) >>$(CHECK_LEDGER)
	@tests/tally.sh $(CHECK_LEDGER)

check-all:
	+@$(sub_make) $(parallel) check-build check-build-asan check-build-tsan check-build-fuzz \
		$(LINT_CHECKS:%=lint-%) || $(not_kept) >>$$LEDGER
	@tests/promise.sh 'unit tests' tests/run-unit.sh $(UNIT_BIN)
	@tests/promise.sh 'the year of 2019: its plan and its arithmetic' tests/run-unit.sh $(WORKLOAD_TESTS)
	@tests/promise.sh 'unit tests under ASan, LSan and UBSan' \
		tests/sanitized.sh tests/run-unit.sh $(call unit_in,$(ASAN_BUILD),$(UNIT_SRC))
	@tests/promise.sh 'what threads share, under TSan' \
		tests/sanitized.sh tests/run-unit.sh $(call unit_in,$(TSAN_BUILD),$(THREADED))
	@tests/promise.sh 'no parser of foreign bytes gives way to the fuzzer' \
		tests/fuzz/run.sh $(FUZZ_BUILD) $(FUZZ_SHORT_SECONDS) $(FUZZ_SRC)
	+@$(sub_make) $(parallel) $(PATH_TESTS:%=run-%) $(INTEROP_TESTS:%=run-%) \
		$(ASAN_PATHS:%=asan-%) $(TSAN_PATHS:%=tsan-%) || $(not_kept) >>$$LEDGER

check-build:
	+@tests/promise.sh 'programs and tests build without a warning' \
		$(sub_make) all $(UNIT_BIN) $(WORKLOAD_TESTS) $(VECTORS)
check-build-asan:
	+@tests/promise.sh 'and with address and undefined-behaviour sanitizers' \
		$(asan_make) all $(call unit_in,$(ASAN_BUILD),$(UNIT_SRC))
check-build-tsan:
	+@tests/promise.sh 'and with the thread sanitizer' \
		$(tsan_make) all $(call unit_in,$(TSAN_BUILD),$(THREADED))
check-build-fuzz:
	+@tests/promise.sh 'and with clang, for the fuzzers' $(sub_make) fuzz-build

# Six nodes that witness each other, under TSan: some minutes, so not part of `make check`.
.PHONY: tsan-witness
tsan-witness:
	+@$(tsan_make) all
	@BUILD=$(TSAN_BUILD) tests/sanitized.sh tests/path/65_witness.sh

# Each is a program that exits 0 when its promises are kept; 77 when it cannot run here.
run_story = tests/promise.sh '$*$(1)' $(2) timeout -k 10 $(PATH_SECONDS) $*
$(PATH_TESTS:%=run-%) $(INTEROP_TESTS:%=run-%): run-%:
	@BUILD=$(BUILD) ENLACE_BIN=$(BUILD)/bin $(call run_story)
$(ASAN_PATHS:%=asan-%): asan-%:
	@BUILD=$(ASAN_BUILD) $(call run_story,$(comma) under ASan$(comma) LSan and UBSan,tests/sanitized.sh)
$(TSAN_PATHS:%=tsan-%): tsan-%:
	@BUILD=$(TSAN_BUILD) $(call run_story,$(comma) under TSan,tests/sanitized.sh)
# Stories with a browser or another program in JavaScript.
npm_paths := $(shell grep -lE 'node_modules|/console\.sh' $(PATH_TESTS))
$(npm_paths:%=run-%) $(INTEROP_TESTS:%=run-%): | interop-modules
