# PostgreSQL from the machine's packages, else from a Maven artefact with the server's binaries.

postgres_artifact=io.zonky.test.postgres:embedded-postgres-binaries-linux
postgres_version=18.6.0
POSTGRES_PASSWORD=millrace

postgres_bin() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -t/ -k5 -n | tail -n 1)
  [ -n "$found" ] || found=$(postgres_cache)/bin/initdb
  [ -x "$found" ] && dirname "$found"
}

# initdb and postgres refuse to run as root; data and binaries must then be where an unprivileged user can reach them.
postgres_user() {
  if id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    (cd / && runuser -u "$(postgres_user)" -- "$@")
  else
    "$@"
  fi
}
reachable_folder() {
  if [ "$(id -u)" -ne 0 ] || as_postgres test -x "$(dirname "$1")"; then
    echo "$1"
  else
    echo "/tmp/millrace-$(echo "$1" | cksum | cut -d' ' -f1)-$(basename "$1")"
  fi
}
postgres_cache() { reachable_folder "$cache_dir/postgres-$postgres_version"; }
postgres_data() { reachable_folder "$stack_dir/postgres"; }

postgres_prepared() { postgres_bin >/dev/null; }
postgres_can_prepare() { has mvn && { has unzip || has jar || has python3; }; }

postgres_prepare() {
  say 'PostgreSQL: unpacking (once)'
  local home work arch
  home=$(postgres_cache)
  work=$home.$$
  case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64v8 ;; *) arch=$(uname -m) ;; esac
  rm -rf "$work"
  mkdir -p "$work/jar" "$work/root"
  mvn -q -B dependency:copy "-Dartifact=$postgres_artifact-$arch:$postgres_version:jar" "-DoutputDirectory=$work/jar" \
    >"$work/log" 2>&1 || { cat "$work/log" >&2; return 3; }
  (cd "$work/jar" && unpack_zip ./*.jar)
  tar -xJf "$work"/jar/*.txz -C "$work/root"
  publish_folder "$work/root" "$home"
  rm -rf "$work"
}

unpack_zip() {
  if has unzip; then
    unzip -q "$1"
  elif has jar; then
    jar xf "$1"
  else
    python3 -m zipfile -e "$1" .
  fi
}

postgres_start() {
  say "PostgreSQL: starting on port $POSTGRES_PORT"
  local bin data
  bin=$(postgres_bin)
  data=$(postgres_data)
  if [ ! -f "$data/PG_VERSION" ]; then
    rm -rf "$data"
    mkdir -p "$data"
    [ "$(id -u)" -ne 0 ] || chown "$(postgres_user)" "$data"
    local password_file=$data.password
    echo "$POSTGRES_PASSWORD" >"$password_file"
    [ "$(id -u)" -ne 0 ] || chown "$(postgres_user)" "$password_file"
    as_postgres "$bin/initdb" -D "$data" -U millrace --pwfile="$password_file" --auth-local=scram-sha-256 \
      --auth-host=scram-sha-256 --encoding=UTF8 --locale=C >>"$stack_dir/postgres.log" 2>&1
    rm -f "$password_file"
  fi
  : >>"$data.log"
  [ "$(id -u)" -ne 0 ] || chown "$(postgres_user)" "$data.log"
  as_postgres "$bin/pg_ctl" start -s -w -t 60 -D "$data" -l "$data.log" -o "-p $POSTGRES_PORT -h 127.0.0.1 -k '' \
    -c wal_level=logical -c max_wal_senders=20 -c max_replication_slots=20 -c max_connections=200 \
    -c shared_buffers=256MB -c max_wal_size=2GB -c checkpoint_timeout=15min" 9>&- ||
    { tail -n 20 "$data.log" >&2; return 3; }
  record_process postgres "$(head -n 1 "$data/postmaster.pid")"
}

postgres_await() { await postgres 30 port_open "$POSTGRES_PORT"; }

postgres_clean() { rm -rf "$(postgres_data)" "$(postgres_data).log"; }

postgres_env() {
  cat <<ENV
export POSTGRES_HOST=127.0.0.1
export POSTGRES_PORT=$POSTGRES_PORT
export POSTGRES_USER=millrace
export POSTGRES_PASSWORD=$POSTGRES_PASSWORD
export POSTGRES_DATABASE=postgres
export POSTGRES_URL=postgres://millrace:$POSTGRES_PASSWORD@127.0.0.1:$POSTGRES_PORT/postgres
ENV
}
