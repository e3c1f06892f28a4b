# Vectors for other languages: `make vectors` writes them anew; check_vectors.py reproduces them from
# proto/ and the formulas of gateway/tlog/commit.h alone, and asks make_vectors whether they are old.
VECTORS := $(BUILD)/tests/interop/make_vectors
$(VECTORS): $(VECTORS).o $(call libs,rpc tlog crypto model base)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
.PHONY: vectors
vectors: $(VECTORS)
	$(VECTORS) >tests/interop/vectors.json
run-tests/interop/check_vectors.py: $(VECTORS)
