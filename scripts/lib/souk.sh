# A Souk of its own in a temporary folder on a free port, as a stranger would start it. Sourced, not run.
#
#   souk_start BINARY [NAME=VALUE..]   starts `souk serve` with these settings; sets SOUK_URL, SOUK_PID, SOUK_DIR
#   souk_account ROLE                  prints address and password of the demo account with that role
#   souk_token ROLE                    prints an access token of the demo account with that role
#   souk_stop                          ends it as an operator would, by SIGTERM; fails when it does not end well
#
# Without settings it runs on SQLite in the folder, with the demo shop. SOUK_NO_LIMITS holds the settings that lift the
# rate limits.

SOUK_NO_LIMITS=()
for name in SIGN_IN LOGIN_ANONYMOUSLY ACCOUNT_TRIES ACCOUNT_STRANGERS ACCOUNT_LETTERS SECOND_FACTOR_TRIES SECOND_FACTOR_STRANGERS RECEIVE_HOOK LIST_PRODUCTS GET_PRODUCT CREATE_PRODUCT UPDATE_PRODUCT DELETE_PRODUCT UPLOAD_MODEL UPLOAD_IMAGE SEND_WEBHOOKS CALL_TOOLS ASK_MODELS; do
  SOUK_NO_LIMITS+=("SOUK__LIMITS__$name=off")
done
unset name

souk_start() {
  local binary=$1 port attempt tick
  shift
  for attempt in 1 2 3 4 5; do
    # A new folder each time: who found the port taken has made its demo accounts already, and told their passwords.
    SOUK_DIR=$(mktemp -d "${TMPDIR:-/tmp}/souk-server.XXXXXX")
    port=$((RANDOM % 20000 + 40000))
    SOUK_URL=http://127.0.0.1:$port
    (cd "$SOUK_DIR" && exec env -i PATH="$PATH" HOME="$SOUK_DIR" PORT="$port" "$@" "$binary" serve \
      >out.log 2>err.log </dev/null) &
    SOUK_PID=$!
    for ((tick = 0; tick < 600; tick++)); do
      if curl -fsS -o /dev/null --max-time 5 "$SOUK_URL/ready" 2>/dev/null; then return 0; fi
      kill -0 "$SOUK_PID" 2>/dev/null || break
      sleep 0.1
    done
    kill -0 "$SOUK_PID" 2>/dev/null && break
    [ "$attempt" = 5 ] || rm -rf "$SOUK_DIR"
  done
  say "souk did not become ready:"
  tail -n 40 "$SOUK_DIR/out.log" "$SOUK_DIR/err.log" >&2
  return 1
}

souk_account() {
  cat "$SOUK_DIR/out.log" "$SOUK_DIR/err.log" | sed -n "s/^demo account  $1  //p"
}

souk_token() {
  local email password
  read -r email password < <(souk_account "$1")
  curl -fsS --max-time 20 "$SOUK_URL/api/v1/auth/login" -H 'Content-Type: application/json' \
    -d "{\"email\":\"$email\",\"password\":\"$password\"}" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])'
}

souk_stop() {
  local status=0
  if [ -n "${SOUK_PID:-}" ]; then
    kill -TERM "$SOUK_PID" 2>/dev/null || true
    wait "$SOUK_PID" || status=$?
    SOUK_PID=
  fi
  if [ -n "${SOUK_DIR:-}" ]; then
    rm -rf "$SOUK_DIR"
    SOUK_DIR=
  fi
  return "$status"
}
