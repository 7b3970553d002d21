# A private Redis server in a temporary folder on a free port. Sourced, not run; needs lib/install.sh.
#
#   redis_start     exports SOUK_TEST_REDIS_URL
#   redis_stop      ends the server by its process id and removes the folder
#
# Nothing is written to the disk: what Souk keeps in Redis may be lost at any time, and tests prove that elsewhere.

# Prints the path of the server's program; installs it when there is none. Tests that stop a Redis start one of their own.
redis_program() {
  if command -v redis-server; then return; fi
  apt_install redis-server >&2 || return
  command -v redis-server
}

redis_start() {
  local program password attempt
  program=$(redis_program) || return
  REDIS_DIR=$(mktemp -d "${TMPDIR:-/tmp}/souk-redis.XXXXXX")
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  for attempt in 1 2 3 4 5; do
    REDIS_PORT=$((RANDOM % 20000 + 20000))
    # In a file, because the arguments of a process are everybody's to read.
    printf '%s\n' "port $REDIS_PORT" "bind 127.0.0.1" "requirepass $password" "dir $REDIS_DIR" 'save ""' "appendonly no" \
      >"$REDIS_DIR/redis.conf"
    (exec "$program" "$REDIS_DIR/redis.conf" >"$REDIS_DIR/server.log" 2>&1 </dev/null) &
    REDIS_PID=$!
    if redis_wait; then
      export SOUK_TEST_REDIS_URL="redis://:$password@127.0.0.1:$REDIS_PORT"
      return 0
    fi
    wait "$REDIS_PID" 2>/dev/null || true
  done
  say "Redis did not start:"
  cat "$REDIS_DIR/server.log" >&2
  return 1
}

# Waits for the server to say that it is ready; fails when the process has ended.
redis_wait() {
  local tick
  for ((tick = 0; tick < 600; tick++)); do
    kill -0 "$REDIS_PID" 2>/dev/null || return 1
    if grep -q 'Ready to accept connections' "$REDIS_DIR/server.log"; then return 0; fi
    sleep 0.05
  done
  return 1
}

redis_stop() {
  if [ -n "${REDIS_PID:-}" ]; then
    kill -TERM "$REDIS_PID" 2>/dev/null || true
    wait "$REDIS_PID" 2>/dev/null || true
    REDIS_PID=
  fi
  if [ -n "${REDIS_DIR:-}" ]; then
    rm -rf "$REDIS_DIR"
    REDIS_DIR=
  fi
}
