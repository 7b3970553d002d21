# A private PostgreSQL server in a temporary folder on a free port. Sourced, not run; needs lib/install.sh.
#
#   postgres_start [fast|durable]   exports SOUK_TEST_POSTGRES_URL, a superuser's URL of the maintenance database, and
#                                   SOUK_TEST_POSTGRES_BIN, where the programs are that made it
#   postgres_stop                   ends the server by its process id and removes the folder
#
# `fast` never waits for the disk and is for tests; `durable` keeps PostgreSQL's own promise and is for kill tests and
# benchmarks. The server's own kill -9 is not among the tests: killing Souk loses nothing in either mode.

# Prints the folder of the newest PostgreSQL programs; installs them when there are none.
postgres_bin() {
  local found
  found=$(find /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin -maxdepth 1 -name initdb 2>/dev/null |
    sort -V | tail -n 1)
  [ -n "$found" ] || found=$(command -v initdb || true)
  if [ -z "$found" ]; then
    apt_install postgresql >&2 || return
    found=$(find /usr/lib/postgresql/*/bin -maxdepth 1 -name initdb | sort -V | tail -n 1)
  fi
  dirname "$(readlink -f "$found")"
}

postgres_start() {
  local mode=${1:-fast} bin password attempt as=() settings=()
  bin=$(postgres_bin) || return
  POSTGRES_DIR=$(mktemp -d "${TMPDIR:-/tmp}/souk-postgres.XXXXXX")
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '%s\n' "$password" >"$POSTGRES_DIR/password"
  # PostgreSQL refuses to run as root, so root lends it the account that the package made.
  if [ "$(id -u)" -eq 0 ]; then
    chown -R postgres: "$POSTGRES_DIR"
    as=(setpriv --reuid=postgres --regid=postgres --init-groups env HOME="$POSTGRES_DIR")
  fi
  if [ "$mode" = fast ]; then
    settings=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)
  fi
  # One superuser with a random password: another account of this machine must not become superuser through the port.
  # The password goes in clear over loopback, because each test opens connections and a slow hash would be their cost.
  (cd "$POSTGRES_DIR" && "${as[@]}" "$bin/initdb" --pgdata="$POSTGRES_DIR/data" --username=postgres --no-sync \
    --pwfile="$POSTGRES_DIR/password" --auth=password --encoding=UTF8 --locale=C.UTF-8 >initdb.log 2>&1) ||
    { cat "$POSTGRES_DIR/initdb.log" >&2; return 1; }

  for attempt in 1 2 3 4 5; do
    POSTGRES_PORT=$((RANDOM % 20000 + 20000))
    (cd "$POSTGRES_DIR" && exec "${as[@]}" "$bin/postgres" -D "$POSTGRES_DIR/data" -p "$POSTGRES_PORT" \
      -c listen_addresses=127.0.0.1 -c unix_socket_directories="$POSTGRES_DIR" -c max_connections=200 \
      -c shared_buffers=256MB "${settings[@]}" >"$POSTGRES_DIR/server.log" 2>&1 </dev/null) &
    POSTGRES_PID=$!
    if postgres_wait; then
      export SOUK_TEST_POSTGRES_URL="postgres://postgres:$password@127.0.0.1:$POSTGRES_PORT/postgres"
      export SOUK_TEST_POSTGRES_BIN=$bin
      return 0
    fi
    wait "$POSTGRES_PID" 2>/dev/null || true
  done
  say "PostgreSQL did not start:"
  cat "$POSTGRES_DIR/server.log" >&2
  return 1
}

# Waits for the server to say that it is ready, in its lock file; fails when the process has ended.
postgres_wait() {
  local tick
  for ((tick = 0; tick < 600; tick++)); do
    kill -0 "$POSTGRES_PID" 2>/dev/null || return 1
    if [ "$(sed -n '8s/ *$//p' "$POSTGRES_DIR/data/postmaster.pid" 2>/dev/null)" = ready ]; then return 0; fi
    sleep 0.05
  done
  return 1
}

postgres_stop() {
  if [ -n "${POSTGRES_PID:-}" ]; then
    # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
    kill -INT "$POSTGRES_PID" 2>/dev/null || true
    wait "$POSTGRES_PID" 2>/dev/null || true
    POSTGRES_PID=
  fi
  if [ -n "${POSTGRES_DIR:-}" ]; then
    rm -rf "$POSTGRES_DIR"
    POSTGRES_DIR=
  fi
}
