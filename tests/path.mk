# What the path tests preload into a node, and two nodes that tests must catch. One does not sync (the
# test of the power cut): only db.c differs, and it comes before the library that holds the real one.
# One signs before it commits (the test of crash order): the linker puts its commit in the place of ours.
SUPPORT := $(patsubst tests/support/%.c,$(BUILD)/tests/support/%.so,$(wildcard tests/support/*.c))
NO_SYNC := $(BUILD)/tests/support/enlaced-no-sync
SIGN_FIRST := $(BUILD)/tests/support/enlaced-sign-first

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
$(SIGN_FIRST): $(call objs,gateway/enlaced) $(BUILD)/tests/support/mutants/sign_first.o $(call libs,$(enlaced_DEPS))
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,--wrap=txn_write,--wrap=txn_commit -o $@ $^ $(LIBS)

.PHONY: path-support
path-support: $(SUPPORT) $(NO_SYNC) $(SIGN_FIRST)
$(patsubst %,run-tests/path/%.sh,50_kill 51_power_cut 52_disk 56_each_call 66_erasure 68_clock 90_clocks): path-support

# What an attacker does to a store, with the store's own functions.
ATTACKS := $(patsubst tests/attack/%.c,$(BUILD)/tests/attack/%,$(wildcard tests/attack/*.c))
$(ATTACKS): %: %.o $(call libs,store $(store_DEPS))
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
path-support: $(ATTACKS)
run-tests/path/67_audit.sh: path-support
