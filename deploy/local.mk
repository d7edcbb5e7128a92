# What "make install" puts beside the program: services, and the files that the
# README tells to take.  Nothing of it is outside of the prefix.

systemdunitdir = $(prefix)/lib/systemd/system
dist_systemdunit_DATA = deploy/systemd/restreamer.socket
hostingdir = $(pkgdatadir)/shared-hosting
dist_hosting_DATA = deploy/shared-hosting/README deploy/shared-hosting/htaccess
dist_pkgdata_DATA = \
	deploy/grafana-dashboard.json \
	deploy/logrotate \
	deploy/prometheus-alerts.yml

# A site of nginx for the service, out of the configuration that is tested.
nodist_pkgdata_DATA = nginx-site.conf
nginx-site.conf: deploy/nginx.conf Makefile
	$(AM_V_GEN){ echo '# /etc/nginx/sites-available/restreamer: link to it' \
		'from sites-enabled.' && \
		sed -n '/^\tserver {/,/^\t}/s/^\t//p' \
			$(srcdir)/deploy/nginx.conf | \
		sed -e 's|listen 127.0.0.1:@PORT@ .*|listen 80 default_server;|' \
			-e 's|@RUN@/restreamer.sock|/run/restreamer/socket|' \
			-e 's|@RUN@/archive/|/var/lib/restreamer/|' \
			-e '/@EXTRA@/d'; } >$@.tmp && mv $@.tmp $@
CLEANFILES += nginx-site.conf
frontdir = $(pkgdatadir)/front
dist_front_DATA = \
	deploy/apache-fcgid.conf \
	deploy/apache-proxy.conf \
	deploy/lighttpd.conf \
	deploy/nginx-cluster.conf \
	deploy/nginx.conf
errorsdir = $(pkgdatadir)/errors
dist_errors_DATA = \
	deploy/errors/README \
	deploy/errors/400.html \
	deploy/errors/403.html \
	deploy/errors/404.html \
	deploy/errors/405.html \
	deploy/errors/412.html \
	deploy/errors/413.html \
	deploy/errors/414.html \
	deploy/errors/416.html \
	deploy/errors/417.html \
	deploy/errors/431.html \
	deploy/errors/500.html \
	deploy/errors/501.html \
	deploy/errors/502.html \
	deploy/errors/503.html \
	deploy/errors/504.html \
	deploy/errors/505.html
examplesdir = $(pkgdatadir)/examples
dist_examples_SCRIPTS = \
	deploy/examples/contact-sheet \
	deploy/examples/cut-list \
	deploy/examples/fetch-cut \
	deploy/examples/mirror-hour

# With the place of the program in them: known when it is installed, for prefix
# may be given then.
fill_in = sed -e 's|@bindir[@]|$(bindir)|g' -e 's|@pkgdatadir[@]|$(pkgdatadir)|g'

# The web page: all of www, so that no file is forgotten.  What plays video in it
# is not kept here but fetched once; then the package has it, too.
www_files = cd $(srcdir)/www && find . -type f ! -path '*/.*' ! -name '*~'
get_hls = $(srcdir)/deploy/get-hls || { \
	echo '*** www/lib lacks hls.js: the web page will play no video.'; \
	echo '*** See above; then do this again.'; } >&2
dist-hook:
	@$(get_hls)
	@($(www_files)) | while read -r file; do \
		$(MKDIR_P) "$(distdir)/www/$${file%/*}" && \
		cp "$(srcdir)/www/$$file" "$(distdir)/www/$$file" || exit 1; \
	done
install-www:
	@$(get_hls)
	@($(www_files)) | while read -r file; do \
		to='$(DESTDIR)$(pkgdatadir)/www'/$${file%/*} && \
		$(MKDIR_P) "$$to" && \
		$(INSTALL_DATA) "$(srcdir)/www/$$file" "$$to" || exit 1; \
	done
.PHONY: install-www
EXTRA_DIST += deploy/get-hls

# Named for the place they go to.
install-data-local: install-www
	$(MKDIR_P) '$(DESTDIR)$(prefix)/lib/sysusers.d' \
		'$(DESTDIR)$(prefix)/lib/tmpfiles.d' \
		'$(DESTDIR)$(systemdunitdir)' '$(DESTDIR)$(hostingdir)'
	$(fill_in) $(srcdir)/deploy/systemd/restreamer.service.in \
		>'$(DESTDIR)$(systemdunitdir)/restreamer.service'
	$(fill_in) $(srcdir)/deploy/shared-hosting/restreamer.fcgi.in \
		>'$(DESTDIR)$(hostingdir)/restreamer.fcgi'
	chmod 755 '$(DESTDIR)$(hostingdir)/restreamer.fcgi'
	$(INSTALL_DATA) $(srcdir)/deploy/systemd/sysusers.conf \
		'$(DESTDIR)$(prefix)/lib/sysusers.d/restreamer.conf'
	$(INSTALL_DATA) $(srcdir)/deploy/systemd/tmpfiles.conf \
		'$(DESTDIR)$(prefix)/lib/tmpfiles.d/restreamer.conf'
uninstall-local:
	rm -f '$(DESTDIR)$(systemdunitdir)/restreamer.service' \
		'$(DESTDIR)$(hostingdir)/restreamer.fcgi' \
		'$(DESTDIR)$(prefix)/lib/sysusers.d/restreamer.conf' \
		'$(DESTDIR)$(prefix)/lib/tmpfiles.d/restreamer.conf'
	rm -rf '$(DESTDIR)$(pkgdatadir)/www'

EXTRA_DIST += \
	deploy/shared-hosting/restreamer.fcgi.in \
	deploy/systemd/restreamer.service.in \
	deploy/systemd/sysusers.conf \
	deploy/systemd/tmpfiles.conf

# A package for Debian, of what "make dist" has.
deb: dist
	rm -rf deb && $(MKDIR_P) deb
	cd deb && tar -xf ../$(distdir).tar.xz && \
		cp -R $(distdir)/deploy/debian $(distdir)/debian && \
		cp ../$(distdir).tar.xz restreamer_$(VERSION).orig.tar.xz
	cd deb/$(distdir) && dpkg-buildpackage -b -us -uc
	@echo && ls deb/*.deb
.PHONY: deb
clean-local:
	rm -rf deb
EXTRA_DIST += \
	deploy/debian/changelog \
	deploy/debian/control \
	deploy/debian/copyright \
	deploy/debian/postrm \
	deploy/debian/rules \
	deploy/debian/source/format \
	deploy/systemd/default
