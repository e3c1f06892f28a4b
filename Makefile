# The architecture. A layer may include and link what stands on its line and nothing else; `make lint` enforces it.
LAYERS := base model crypto tlog store rpc http policy relay client offline publish paper console
base_DEPS   :=
model_DEPS  := base
# Pages for people: adapters use it; a program that wants reports or evidence in PDF may, too.
paper_DEPS  := base
crypto_DEPS := base
tlog_DEPS   := crypto base
offline_DEPS := tlog crypto base
store_DEPS  := tlog crypto model base
rpc_DEPS    := crypto model base
http_DEPS   := crypto base
policy_DEPS := tlog crypto model base
relay_DEPS  := policy http rpc store tlog crypto model base
publish_DEPS := offline store tlog crypto model base
client_DEPS := rpc tlog crypto model base
console_DEPS := client http policy offline $(client_DEPS)
# Programs: enlaced may use relay and publish; everything that talks to a node may use client, and never store.
enlaced_DEPS   := relay publish offline $(relay_DEPS)
enlace_DEPS    := console paper $(console_DEPS)
enlace-verify_DEPS := offline $(offline_DEPS)
# A log's copy on another disk: an environment of its own, never a node's.
enlace-follow_DEPS := rpc store tlog crypto model base
sdk_DEPS       := client http $(client_DEPS)
adapter_DEPS := sdk paper $(sdk_DEPS)
# Agencies' adapters, a folder each: adapters/NAME becomes enlace-NAME.
ADAPTERS := $(filter-out sdk,$(patsubst adapters/%/main.c,%,$(wildcard adapters/*/main.c)))

# The one folder that may include each of these libraries' headers.
openssl_OWNER := crypto
lmdb_OWNER    := store
grpc_OWNER    := rpc
event_OWNER   := http
cairo_OWNER   := paper

# `make SANITIZE=address,undefined` and `make SANITIZE=thread` build beside the normal build.
SANITIZE ?=
BUILD ?= build$(if $(SANITIZE),/san-$(subst $(comma),-,$(SANITIZE)))
comma := ,
CC ?= gcc
CFLAGS ?= -O2 -g
# With sanitizers gcc no longer sees how long a text can be: the normal build decides what is cut.
SANITIZE_CFLAGS = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
	$(if $(findstring clang,$(CC)),,-Wno-format-truncation)
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wvla -Werror \
	-fstack-protector-strong -fno-omit-frame-pointer -fPIE \
	$(if $(SANITIZE),$(SANITIZE_CFLAGS),-D_FORTIFY_SOURCE=2) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)
LIBS := -lgrpc -lgpr -lprotobuf-c -lssl -lcrypto -llmdb -linih -ljansson -lsystemd \
	-lcurl -lseccomp -lxml2 -levent_core -levent_extra -levent_openssl -levent_pthreads -lpthread \
	-lpangocairo-1.0 -lpangoft2-1.0 -lpango-1.0 -lgobject-2.0 -lglib-2.0 -lcairo -lfontconfig -lqrencode
# cairo's and pango's headers lie in folders of their own.
paper_CFLAGS = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags pangocairo pangoft2))

# `make V=1` shows whole commands; otherwise a word for each.
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-6s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$(2))')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

PROTO := $(sort $(wildcard proto/enlace/v1/*.proto proto/grpc/health/v1/*.proto))
PB_SRC := $(PROTO:proto/%.proto=$(BUILD)/gen/%.pb-c.c)
PB_HDR := $(PB_SRC:.c=.h)
PB_OBJ := $(PB_SRC:.c=.o)

libs = $(foreach layer,$(1),$(BUILD)/lib$(layer).a)
srcs = $(sort $(wildcard $(1)/*.c))
objs = $(patsubst %.c,$(BUILD)/%.o,$(call srcs,$(1)))

define layer_rule
$(BUILD)/lib$(1).a: $(call objs,gateway/$(1)) $(if $(filter rpc,$(1)),$(PB_OBJ))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach layer,$(LAYERS),$(eval $(call layer_rule,$(layer))))
$(BUILD)/libsdk.a: $(call objs,adapters/sdk)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# An adapter without its main, for tests.
define adapter_rule
$(1)_DEPS := $$(adapter_DEPS)
$(BUILD)/lib$(1).a: $(filter-out %/main.o,$(call objs,adapters/$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach a,$(ADAPTERS),$(eval $(call adapter_rule,$(a))))

# The console's pages stand inside the program as they are.
$(BUILD)/gateway/console/web_file.o: $(wildcard gateway/console/web/*)

# Generated code stays in the build folder; only rpc sees it.
$(BUILD)/gen/%.pb-c.c $(BUILD)/gen/%.pb-c.h &: proto/%.proto
	@mkdir -p $(BUILD)/gen
	$(Q)protoc-c --proto_path=proto --c_out=$(BUILD)/gen $<
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c | $(PB_HDR)
	$(Q)$(CC) -I$(BUILD)/gen -MMD -MP $(filter-out -Wpedantic -Wshadow,$(ALL_CFLAGS)) -Wno-missing-braces -c $< -o $@
$(call objs,gateway/rpc) $(call objs,tests/unit/rpc): | $(PB_HDR)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -Igateway -Iadapters -Itests $(if $(filter adapters/%,$<),-isystem /usr/include/libxml2) $(if $(findstring /rpc/,$<),-I$(BUILD)/gen) $(if $(findstring gateway/paper/,$<),$(paper_CFLAGS)) -MMD -MP $(ALL_CFLAGS) -c $< -o $@

define program_rule
$(BUILD)/bin/$(1): $(call objs,$(2)) $(call libs,$($(3)_DEPS))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(eval $(call program_rule,enlaced,gateway/enlaced,enlaced))
$(eval $(call program_rule,enlace,gateway/enlace,enlace))
$(eval $(call program_rule,enlace-follow,gateway/enlace-follow,enlace-follow))
$(foreach a,$(ADAPTERS),$(eval $(call program_rule,enlace-$(a),adapters/$(a),adapter)))
# Alone: it runs where nothing of ours is installed. Sanitizers cannot be linked statically. The
# linker's warnings are about look-ups and modules of libcrypto that it never uses.
$(BUILD)/bin/enlace-verify: $(call objs,gateway/enlace-verify) $(call libs,$(enlace-verify_DEPS))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(filter-out -pie,$(ALL_LDFLAGS)) $(if $(SANITIZE),-pie,-static-pie -s -Wl$(comma)--no-warnings) -o $@ $^ -lcrypto

PROGRAMS := $(if $(call srcs,gateway/enlaced),$(BUILD)/bin/enlaced) \
	$(if $(call srcs,gateway/enlace),$(BUILD)/bin/enlace) \
	$(if $(call srcs,gateway/enlace-follow),$(BUILD)/bin/enlace-follow) \
	$(if $(call srcs,gateway/enlace-verify),$(BUILD)/bin/enlace-verify) \
	$(ADAPTERS:%=$(BUILD)/bin/enlace-%)
.PHONY: all
all: deps $(PROGRAMS)

include $(sort $(wildcard deploy/*.mk tests/*.mk))

.PHONY: deps clean
# One list of packages in one file; what is missing is named before it is installed.
deps:
	@deploy/install-packages.sh
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
