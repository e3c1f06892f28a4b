# Unit tests: one program per module, linked with its own layer and the layers below it, nothing else.
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_BIN := $(UNIT_SRC:tests/%.c=$(BUILD)/tests/%)
unit_layer = $(word 3,$(subst /, ,$(1)))
define unit_rule
$(BUILD)/tests/$(1): $(BUILD)/tests/$(1).o $(call libs,$(call unit_layer,tests/$(1)) $($(call unit_layer,tests/$(1))_DEPS))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ -lcmocka $$(LIBS)
endef
$(foreach t,$(UNIT_SRC:tests/%.c=%),$(eval $(call unit_rule,$(t))))

.PHONY: unit
unit: $(UNIT_BIN)
	@tests/run-unit.sh $(UNIT_BIN)
