# `make conformance ADAPTER=lote|oficio|pgj|sedesa|ssc [CONFIG=FILE] [CONFORMANCE_OUT=FOLDER]`: Enlace's side towards an
# agency's test system, or towards the repository's simulator when no settings are given. Ends with
# what make says of a failure; adapters/conformance/run.py itself says 0, 1 or 2.
CONFORMANCE_OUT ?= $(BUILD)/conformance/$(ADAPTER)
.PHONY: conformance
conformance:
	@adapters/conformance/run.py $(if $(ADAPTER),$(ADAPTER),'') $(if $(CONFIG),--config $(CONFIG)) \
		--out $(CONFORMANCE_OUT)
