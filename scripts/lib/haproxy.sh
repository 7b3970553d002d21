# The load balancer that rolling restarts are tried behind. Sourced, not run; needs lib/install.sh. The tests that want one
# start it themselves, on a free port.

# Installs HAProxy when there is none. Debian keeps it beside the paths of plain users.
need_haproxy() {
  command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] || apt_install haproxy
}
