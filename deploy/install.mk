# make install DESTDIR=... PREFIX=/usr
PREFIX ?= /usr
.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/share/doc/enlace
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 deploy/systemd/*.service $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 644 README.md deploy/README.md deploy/haproxy.cfg $(DESTDIR)$(PREFIX)/share/doc/enlace
