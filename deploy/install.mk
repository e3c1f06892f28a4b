# make install DESTDIR=... PREFIX=/usr
PREFIX ?= /usr
.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/share/doc/enlace
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(BUILD)/bin/enlace --manual >$(DESTDIR)$(PREFIX)/share/man/man1/enlace.1
	$(BUILD)/bin/enlace --completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/enlace
	$(BUILD)/bin/enlace --completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/enlace.fish
	install -m 644 deploy/systemd/*.service $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -d $(DESTDIR)$(PREFIX)/share/enlace/certs/profiles
	install -m 755 certs/enrol.sh $(DESTDIR)$(PREFIX)/share/enlace/certs
	install -m 644 certs/common.sh $(DESTDIR)$(PREFIX)/share/enlace/certs
	install -m 644 certs/profiles/*.cnf $(DESTDIR)$(PREFIX)/share/enlace/certs/profiles
	install -d $(DESTDIR)$(PREFIX)/share/doc/enlace/deploy
	install -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/enlace
	install -m 644 deploy/*.md deploy/alertas.yml deploy/haproxy.cfg $(DESTDIR)$(PREFIX)/share/doc/enlace/deploy
