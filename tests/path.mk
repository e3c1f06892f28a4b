# What the path tests preload into a node, and a node that does not sync: the test of the power cut
# must catch it. Only db.c differs, and it comes before the library that holds the real one.
SUPPORT := $(patsubst tests/support/%.c,$(BUILD)/tests/support/%.so,$(wildcard tests/support/*.c))
NO_SYNC := $(BUILD)/tests/support/enlaced-no-sync

$(BUILD)/tests/support/%.so: tests/support/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -shared -fPIC -std=c17 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wvla -Werror -O2 -g -o $@ $< -ldl -lpthread
$(BUILD)/tests/support/db-no-sync.o: gateway/store/db.c
	@mkdir -p $(@D)
	$(Q)$(CC) -Igateway -MMD -MP -DENLACE_TEST_NO_SYNC $(ALL_CFLAGS) -c $< -o $@
$(NO_SYNC): $(call objs,gateway/enlaced) $(BUILD)/tests/support/db-no-sync.o $(call libs,$(enlaced_DEPS))
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: path-support
path-support: $(SUPPORT) $(NO_SYNC)
$(patsubst %,run-tests/path/%.sh,50_kill 51_power_cut 52_disk): path-support
