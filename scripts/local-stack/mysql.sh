# MySQL 9.7 from Debian's sid suite, unpacked beside the system with the libraries it was built against.

mysql_home=$cache_dir/mysql-9
MYSQL_ROOT_PASSWORD=millrace-root

mysql_prepared() { [ -x "$mysql_home/usr/sbin/mysqld" ]; }
mysql_can_prepare() { has apt-get && has dpkg-deb && ls /etc/apt/sources.list.d/debian.sources >/dev/null 2>&1; }

mysql_prepare() {
  say 'MySQL: unpacking (once)'
  local work=$cache_dir/mysql-9.$$
  rm -rf "$work"
  mkdir -p "$work/apt/sources" "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/root"
  : >"$work/apt/status"
  # The machine's own first source with another suite, so that its mirror and keys apply.
  awk 'NF == 0 && seen { exit } NF { seen = 1 } { sub(/^Suites:.*/, "Suites: sid"); print }' \
    /etc/apt/sources.list.d/debian.sources >"$work/apt/sources/sid.sources"
  local options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/apt/sources"
    -o "Dir::State::lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o "Dir::State::status=$work/apt/status"
    -o APT::Install-Recommends=false -o APT::Sandbox::User= -o Debug::NoLocking=true -qq)
  apt-get "${options[@]}" update >"$work/apt/log" 2>&1 &&
    apt-get "${options[@]}" -y --download-only install mysql-server-core mysql-client-core >>"$work/apt/log" 2>&1 ||
    { cat "$work/apt/log" >&2; return 3; }
  local package
  for package in "$work"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$work/root"; done
  publish_folder "$work/root" "$mysql_home"
  rm -rf "$work"
}

# The loader and libraries of the unpacked packages: their libc is newer than the system's.
mysql_command() {
  local library=$mysql_home/usr/lib/$(uname -m)-linux-gnu
  echo "$(ls "$library"/ld-linux-*.so.*) --library-path $library:$library/mysql/private $mysql_home/usr/$1"
}

mysql_options() {
  echo "--no-defaults --datadir=$stack_dir/mysql --basedir=$mysql_home/usr --lc-messages-dir=$mysql_home/usr/share/mysql" \
    "--character-sets-dir=$mysql_home/usr/share/mysql/charsets --plugin-dir=$mysql_home/usr/lib/mysql/plugin"
  [ "$(id -u)" -ne 0 ] || echo --user=root
}

# A socket path is limited to some 100 bytes, a checkout's path is not.
mysql_socket() { echo "/tmp/millrace-mysql-$MYSQL_PORT.sock"; }

# shellcheck disable=SC2046
mysql_start() {
  say "MySQL: starting on port $MYSQL_PORT"
  if [ ! -d "$stack_dir/mysql/mysql" ]; then
    rm -rf "$stack_dir/mysql"
    $(mysql_command sbin/mysqld) $(mysql_options) --initialize-insecure >>"$stack_dir/mysql.log" 2>&1
  fi
  launch mysql $(mysql_command sbin/mysqld) $(mysql_options) "--socket=$(mysql_socket)" "--port=$MYSQL_PORT" \
    --bind-address=127.0.0.1 --mysqlx=OFF --server-id=1 --log-bin=binlog --binlog-row-metadata=FULL \
    --binlog-row-value-options= --gtid-mode=ON --enforce-gtid-consistency=ON --innodb-flush-log-at-trx-commit=2 \
    --sync-binlog=0 --innodb-buffer-pool-size=512M --innodb-redo-log-capacity=512M --max-allowed-packet=256M \
    --max-connections=300 --local-infile=ON --secure-file-priv=
}

mysql_await() { await mysql 60 mysql_answers; }
mysql_answers() { mysql_root -e 'SELECT 1' || mysql_fresh_root -e 'SELECT 1'; }

# shellcheck disable=SC2046
mysql_root() {
  MYSQL_PWD=$MYSQL_ROOT_PASSWORD $(mysql_command bin/mysql) --no-defaults "--socket=$(mysql_socket)" -uroot "$@"
}
# shellcheck disable=SC2046
mysql_fresh_root() { $(mysql_command bin/mysql) --no-defaults "--socket=$(mysql_socket)" -uroot "$@"; }

mysql_users() {
  mysql_root -e 'SELECT 1' >/dev/null 2>&1 || mysql_users_sql | mysql_fresh_root
  mysql_time_zones
}

# Without the binlog: a reader that starts at the beginning meets only what tests did.
mysql_users_sql() {
  cat <<SQL
SET sql_log_bin = 0;
CREATE USER IF NOT EXISTS 'millrace'@'%' IDENTIFIED BY 'millrace';
GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'millrace'@'%';
CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;
ALTER USER 'root'@'localhost' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
SQL
}

mysql_time_zones() {
  [ -d /usr/share/zoneinfo ] && [ -x "$mysql_home/usr/bin/mysql_tzinfo_to_sql" ] || return 0
  [ "$(mysql_root -N -e 'SELECT COUNT(*) FROM mysql.time_zone_name')" = 0 ] || return 0
  # shellcheck disable=SC2046
  { echo 'SET sql_log_bin = 0;'; $(mysql_command bin/mysql_tzinfo_to_sql) /usr/share/zoneinfo 2>/dev/null; } | mysql_root mysql
}

mysql_env() {
  cat <<ENV
export MYSQL_HOST=127.0.0.1
export MYSQL_PORT=$MYSQL_PORT
export MYSQL_USER=root
export MYSQL_PASSWORD=$MYSQL_ROOT_PASSWORD
export MYSQL_SOCKET='$(mysql_socket)'
export MYSQL_CAPTURE_USER=millrace
export MYSQL_CAPTURE_PASSWORD=millrace
export MYSQL_CLIENT='$(mysql_command bin/mysql) --no-defaults --host=127.0.0.1 --port=$MYSQL_PORT --user=root --password=$MYSQL_ROOT_PASSWORD --get-server-public-key'
export MYSQL_BINLOG_TOOL='$(mysql_command bin/mysqlbinlog) --no-defaults'
export MYSQL_DATA_DIR='$stack_dir/mysql'
ENV
}
