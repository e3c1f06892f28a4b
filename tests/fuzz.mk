# Fuzzing: one target per parser of foreign bytes, layers and targets built with clang beside the
# normal build. `make fuzz` gives each target FUZZ_SECONDS; `make fuzz-short` gives all of them
# together less than a minute on two cores, as part of `make check`. Seeds stand in
# tests/fuzz/data/<parser>; `make fuzz-seeds` makes them anew. What a run finds stays in the build
# folder.
FUZZ_SECONDS ?= 60
FUZZ_SHORT_SECONDS ?= 3
FUZZ_BUILD := $(BUILD)/fuzz
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LIBS := console policy client http rpc tlog crypto model base
FUZZ_PROGRAMS := $(FUZZ_SRC:%.c=$(BUILD)/%)
FUZZ_SEEDS := $(BUILD)/tests/fuzz/seeds

# fuzz_<adapter>... has the adapter's own code, too.
define fuzz_adapter_rule
$(filter $(BUILD)/tests/fuzz/fuzz_$(1)%,$(FUZZ_PROGRAMS)): $(BUILD)/lib$(1).a $(BUILD)/libsdk.a
endef
$(foreach a,$(ADAPTERS),$(if $(filter $(BUILD)/tests/fuzz/fuzz_$(a)%,$(FUZZ_PROGRAMS)),$(eval $(call fuzz_adapter_rule,$(a)))))
# The one parser of foreign bytes that store has, without LMDB.
$(filter %/fuzz_change,$(FUZZ_PROGRAMS)): $(BUILD)/gateway/store/change.o
$(FUZZ_PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(call libs,$(FUZZ_LIBS))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter-out $(call libs,$(FUZZ_LIBS)),$(filter %.a,$^)) $(call libs,$(FUZZ_LIBS)) $(LIBS)
$(FUZZ_SEEDS): $(FUZZ_SEEDS).o $(call libs,$(FUZZ_LIBS))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

fuzz_make = $(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) CC=clang CFLAGS='-O1 -g' \
	SANITIZE=fuzzer-no-link,address,undefined

.PHONY: fuzz fuzz-short fuzz-build fuzz-programs fuzz-seeds
# In the sub-make, where BUILD is the fuzzers' own folder.
fuzz-programs: $(FUZZ_PROGRAMS)
fuzz-build:
	+@$(fuzz_make) fuzz-programs
fuzz: fuzz-build
	@tests/fuzz/run.sh $(FUZZ_BUILD) $(FUZZ_SECONDS) $(FUZZ_SRC)
fuzz-short: fuzz-build
	@tests/fuzz/run.sh $(FUZZ_BUILD) $(FUZZ_SHORT_SECONDS) $(FUZZ_SRC)
fuzz-seeds: $(FUZZ_SEEDS)
	@$(FUZZ_SEEDS) tests/fuzz/data
