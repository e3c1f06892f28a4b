# `make check`: every promise of this repository that a machine can keep, a line each, in three
# stages: what the compiler and the linters say; the unit programs, plain and under sanitizers, and
# the fuzzers; real processes on loopback. The closing line adds them up.
ASAN_BUILD := $(BUILD)/san-address-undefined
TSAN_BUILD := $(BUILD)/san-thread
# What hands things over between threads.
THREADED := $(wildcard tests/unit/base/test_inbox.c tests/unit/base/test_log.c \
	tests/unit/base/test_worker.c tests/unit/store/test_writer*.c tests/unit/rpc/test_*.c \
	tests/unit/relay/test_*.c tests/unit/client/test_session*.c)
unit_in = $(patsubst tests/%.c,$(1)/tests/%,$(2))

CHECK_LEDGER := $(BUILD)/check.ledger
PATH_TESTS := $(sort $(wildcard tests/path/certs.sh tests/path/[0-9]*.sh))
INTEROP_TESTS := $(wildcard tests/interop/check_*.py tests/interop/check_*.mjs tests/interop/check_*.js)
PATH_SECONDS ?= 240

sub_make = $(MAKE) -s --no-print-directory -k
asan_make = $(sub_make) BUILD=$(ASAN_BUILD) SANITIZE=address,undefined
tsan_make = $(sub_make) BUILD=$(TSAN_BUILD) SANITIZE=thread
# Address space layout as TSan's runtime needs it, where the machine lets a process ask.
TSAN_RUN = $(shell setarch -R true 2>/dev/null && echo setarch -R)

.PHONY: check check-all check-build check-build-asan check-build-tsan check-build-fuzz \
	$(PATH_TESTS:%=run-%) $(INTEROP_TESTS:%=run-%)
check: deps
	@mkdir -p $(BUILD)
	@rm -f $(CHECK_LEDGER)
	+@LEDGER=$(abspath $(CHECK_LEDGER)) $(sub_make) check-all || true
	@tests/tally.sh $(CHECK_LEDGER)

check-all:
	+@$(sub_make) $(parallel) check-build check-build-asan check-build-tsan check-build-fuzz \
		$(LINT_CHECKS:%=lint-%)
	@tests/promise.sh 'unit tests' tests/run-unit.sh $(UNIT_BIN)
	@tests/promise.sh 'the year of 2019: its plan and its arithmetic' tests/run-unit.sh $(WORKLOAD_TESTS)
	@LSAN_OPTIONS=suppressions=tests/lsan.supp:print_suppressions=0 UBSAN_OPTIONS=print_stacktrace=1 \
		tests/promise.sh 'unit tests under ASan, LSan and UBSan' \
		tests/run-unit.sh $(call unit_in,$(ASAN_BUILD),$(UNIT_SRC))
	@TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1 \
		tests/promise.sh 'what threads share, under TSan' \
		$(TSAN_RUN) tests/run-unit.sh $(call unit_in,$(TSAN_BUILD),$(THREADED))
	@tests/promise.sh 'no parser of foreign bytes gives way to the fuzzer' \
		tests/fuzz/run.sh $(FUZZ_BUILD) $(FUZZ_SHORT_SECONDS) $(FUZZ_SRC)
	+@$(sub_make) $(parallel) $(PATH_TESTS:%=run-%) $(INTEROP_TESTS:%=run-%)

check-build:
	+@tests/promise.sh 'programs and tests build without a warning' $(sub_make) all $(UNIT_BIN) $(WORKLOAD_TESTS)
check-build-asan:
	+@tests/promise.sh 'and with address and undefined-behaviour sanitizers' \
		$(asan_make) $(call unit_in,$(ASAN_BUILD),$(UNIT_SRC))
check-build-tsan:
	+@tests/promise.sh 'and with the thread sanitizer' $(tsan_make) $(call unit_in,$(TSAN_BUILD),$(THREADED))
check-build-fuzz:
	+@tests/promise.sh 'and with clang, for the fuzzers' $(sub_make) fuzz-build

# Each is a program that exits 0 when its promises are kept; 77 when it cannot run here.
$(PATH_TESTS:%=run-%) $(INTEROP_TESTS:%=run-%): run-%:
	@BUILD=$(BUILD) ENLACE_BIN=$(BUILD)/bin tests/promise.sh '$*' timeout -k 10 $(PATH_SECONDS) $*
run-tests/path/70_other_language.sh $(INTEROP_TESTS:%=run-%): | interop-modules
