# Benchmarks: programs of their own, whole processes over mutual TLS. `make bench` prints ratios in one run.
BENCH := $(BUILD)/tests/bench
BENCH_LIBS := $(call libs,policy rpc crypto model base)
$(BENCH)/%: $(BUILD)/tests/bench/%.o $(BENCH_LIBS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BENCH)/check: $(BUILD)/tests/bench/check.o $(call libs,client $(client_DEPS))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# A log of many leaves, and what reading it costs: the node's own functions.
LOG_BENCH := $(BENCH)/loggen $(BENCH)/readlog
$(LOG_BENCH): $(BENCH)/%: $(BUILD)/tests/bench/%.o $(call libs,$(enlaced_DEPS))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

BENCH_PROGRAMS := $(BENCH)/load $(BENCH)/echo_server $(BENCH)/payload $(BENCH)/check $(LOG_BENCH)
.PHONY: bench
bench: all $(BENCH_PROGRAMS)
	python3 tests/bench/run.py --bin $(BUILD)/bin --tools $(BENCH) --out build/bench
	$(MAKE) --no-print-directory bench-log

# Reading a log of LOG_LEAVES leaves; 10^7 takes about 13 GB in LOG_PLACE and ten minutes:
#     make bench-log LOG_LEAVES=10000000
LOG_LEAVES ?= 1000000
LOG_PLACE ?= $(BUILD)/bench-log
.PHONY: bench-log
bench-log: all $(LOG_BENCH)
	python3 tests/bench/log.py --bin $(BUILD)/bin --tools $(BENCH) --place $(LOG_PLACE) \
		--leaves $(LOG_LEAVES) --out build/bench
