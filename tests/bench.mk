# Benchmarks: programs of their own, whole processes over mutual TLS. `make bench` prints ratios in one run.
BENCH := $(BUILD)/tests/bench
BENCH_LIBS := $(call libs,policy rpc crypto model base)
$(BENCH)/%: $(BUILD)/tests/bench/%.o $(BENCH_LIBS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BENCH)/check: $(BUILD)/tests/bench/check.o $(call libs,client $(client_DEPS))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

BENCH_PROGRAMS := $(BENCH)/load $(BENCH)/echo_server $(BENCH)/payload $(BENCH)/check
.PHONY: bench
bench: all $(BENCH_PROGRAMS)
	python3 tests/bench/run.py --bin $(BUILD)/bin --tools $(BENCH) --out build/bench
