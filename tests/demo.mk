# The demonstration: six nodes, their adapters, and the workload of 2019.
workload_obj = $(patsubst %,$(BUILD)/tests/workload/%.o,$(1))
WORKLOAD_PLAN := $(call workload_obj,plan people)
WORKLOAD_COUNT := $(call workload_obj,tally figures)
WORKLOAD_TESTS := $(BUILD)/tests/workload/test_plan $(BUILD)/tests/workload/test_tally

$(WORKLOAD_TESTS): %: %.o $(WORKLOAD_PLAN) $(WORKLOAD_COUNT) $(call libs,model crypto base)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

.PHONY: workload-check
workload-check: $(WORKLOAD_TESTS)
	@tests/run-unit.sh $^
