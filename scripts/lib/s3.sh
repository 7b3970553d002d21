# A private server that speaks S3, on a free port, which keeps everything in memory. Sourced, not run; needs lib/install.sh.
#
#   s3_start        exports SOUK_TEST_S3_URL
#   s3_stop         ends the server by its process id and removes its log

s3_start() {
  local venv attempt
  venv=$(python_venv tests/s3.txt) || return
  S3_LOG=$(mktemp "${TMPDIR:-/tmp}/souk-s3.XXXXXX")
  for attempt in 1 2 3 4 5; do
    S3_PORT=$((RANDOM % 20000 + 20000))
    (exec "$venv/bin/moto_server" -H 127.0.0.1 -p "$S3_PORT" >"$S3_LOG" 2>&1 </dev/null) &
    S3_PID=$!
    if s3_wait; then
      export SOUK_TEST_S3_URL="http://127.0.0.1:$S3_PORT"
      return 0
    fi
    wait "$S3_PID" 2>/dev/null || true
  done
  say "The S3 server did not start:"
  cat "$S3_LOG" >&2
  return 1
}

# Waits until the port answers; fails when the process has ended, as it does when somebody else has the port.
s3_wait() {
  local tick
  for ((tick = 0; tick < 600; tick++)); do
    kill -0 "$S3_PID" 2>/dev/null || return 1
    if grep -q "Running on http://127.0.0.1:$S3_PORT" "$S3_LOG"; then return 0; fi
    sleep 0.05
  done
  return 1
}

s3_stop() {
  if [ -n "${S3_PID:-}" ]; then
    kill -TERM "$S3_PID" 2>/dev/null || true
    wait "$S3_PID" 2>/dev/null || true
    S3_PID=
  fi
  if [ -n "${S3_LOG:-}" ]; then
    rm -f "$S3_LOG"
    S3_LOG=
  fi
}
