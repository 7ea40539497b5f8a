# The same three servers by compose/compose.yaml. They listen on the same port inside as outside, so one address
# serves clients on both sides.

containers_answer() { has docker && docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }

compose() {
  MYSQL_PORT=${MYSQL_PORT:-0} KAFKA_PORT=${KAFKA_PORT:-0} POSTGRES_PORT=${POSTGRES_PORT:-0} \
    docker compose -p "$(compose_project)" -f "$checkout/compose/compose.yaml" "$@"
}
compose_project() { echo "millrace-$(echo "$stack_dir" | cksum | cut -d' ' -f1)"; }

containers_running() {
  [ "$(mode)" = containers ] && [ -n "$(compose ps -q --status running "$1" 2>/dev/null)" ]
}

containers_up() {
  containers_answer || { say 'needs a container engine with compose' >&2; return 3; }
  choose_ports
  compose up --detach --wait || return 3
  mysql_users_sql | compose exec -T mysql mysql -uroot "-p$MYSQL_ROOT_PASSWORD" 2>/dev/null
}

load_ports() {
  # shellcheck source=/dev/null
  [ ! -f "$stack_dir/ports" ] || . "$stack_dir/ports"
}
containers_down() { load_ports; compose stop; }
containers_clean() { load_ports; compose down --volumes; }
containers_status() {
  load_ports
  local part failed=0
  for part in mysql kafka postgres; do
    if containers_running "$part"; then echo "$part  running"; else echo "$part  stopped"; failed=1; fi
  done
  return $failed
}

containers_env() {
  local run
  run="docker compose -p $(compose_project) -f $checkout/compose/compose.yaml exec -T"
  cat <<ENV
export MYSQL_HOST=127.0.0.1
export MYSQL_PORT=$MYSQL_PORT
export MYSQL_USER=root
export MYSQL_PASSWORD=$MYSQL_ROOT_PASSWORD
export MYSQL_CAPTURE_USER=millrace
export MYSQL_CAPTURE_PASSWORD=millrace
export MYSQL_CLIENT='env KAFKA_PORT=$KAFKA_PORT MYSQL_PORT=$MYSQL_PORT POSTGRES_PORT=$POSTGRES_PORT $run mysql mysql --host=127.0.0.1 --port=$MYSQL_PORT --user=root --password=$MYSQL_ROOT_PASSWORD --get-server-public-key'
export KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:$KAFKA_PORT
export KAFKA_RUN_CLASS='env KAFKA_PORT=$KAFKA_PORT MYSQL_PORT=$MYSQL_PORT POSTGRES_PORT=$POSTGRES_PORT $run kafka /opt/kafka/bin/kafka-run-class.sh'
ENV
  postgres_env
}
