# The demonstration: six nodes, their adapters, and the workload of 2019. It reads the directory as
# a node does, hence policy; the layers of gateway/ stay as the Makefile's table has them.
WORKLOAD_DEPS := client policy rpc tlog crypto model base
workload_obj = $(patsubst %,$(BUILD)/tests/workload/%.o,$(1))
WORKLOAD_PLAN := $(call workload_obj,plan people)
WORKLOAD_COUNT := $(call workload_obj,tally figures)
WORKLOAD_TESTS := $(patsubst %,$(BUILD)/tests/workload/test_%,plan tally logbook kept books)

$(WORKLOAD_TESTS): %: %.o $(WORKLOAD_PLAN) $(WORKLOAD_COUNT) \
		$(call workload_obj,logbook kept books folder) $(call libs,$(WORKLOAD_DEPS))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

$(BUILD)/bin/enlace-w2019: $(call workload_obj,w2019 opening requester scripts start meter folder) \
		$(WORKLOAD_PLAN) $(WORKLOAD_COUNT) $(call libs,$(WORKLOAD_DEPS))
$(BUILD)/bin/enlace-report2019: $(call workload_obj,report2019 graded kept books logbook folder) \
		$(WORKLOAD_PLAN) $(WORKLOAD_COUNT) $(call libs,$(WORKLOAD_DEPS))
WORKLOAD_PROGRAMS := $(BUILD)/bin/enlace-w2019 $(BUILD)/bin/enlace-report2019
$(WORKLOAD_PROGRAMS):
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
# tests/path/60_year.sh lets the year flow.
check-build: $(WORKLOAD_PROGRAMS)

.PHONY: workload-check
workload-check: $(WORKLOAD_TESTS)
	@tests/run-unit.sh $^

DEMO_PROGRAMS := $(PROGRAMS) $(WORKLOAD_PROGRAMS)
.PHONY: demo demo-up demo-down
demo: deps $(DEMO_PROGRAMS)
	@deploy/demo/demo.sh $(BUILD)
demo-up: deps $(DEMO_PROGRAMS)
	@deploy/demo/up.sh $(BUILD)
demo-down:
	@deploy/demo/down.sh $(BUILD)
