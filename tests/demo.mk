# The demonstration: six nodes, their adapters, and the workload of 2019.
WORKLOAD_DEPS := client $(client_DEPS)
workload_obj = $(patsubst %,$(BUILD)/tests/workload/%.o,$(1))
WORKLOAD_PLAN := $(call workload_obj,plan people)

$(BUILD)/tests/workload/test_plan: $(call workload_obj,test_plan) $(WORKLOAD_PLAN) $(call libs,model crypto base)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

.PHONY: workload-check
workload-check: $(BUILD)/tests/workload/test_plan
	@tests/run-unit.sh $^
