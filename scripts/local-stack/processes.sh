# Processes that the stack owns, and their ports. Sourced by scripts/stack.

has() { command -v "$1" >/dev/null 2>&1; }

say() { echo "stack: $*"; }

# One `up` or `down` per stack at a time; the lock ends with this shell and is not inherited by the servers.
hold_lock() {
  has flock || return 0
  exec 9>"$1"
  flock 9
}

# What tells a process from a later one with the same id.
start_mark() {
  if [ -r "/proc/$1/stat" ]; then
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
  else
    ps -o lstart= -p "$1" 2>/dev/null | tr -d ' '
  fi
}

# record_process <server> <pid>
record_process() {
  echo "$2" >"$stack_dir/$1.pid"
  start_mark "$2" >"$stack_dir/$1.started"
}

is_running() {
  local pid mark
  [ -s "$stack_dir/$1.pid" ] && [ -s "$stack_dir/$1.started" ] || return 1
  pid=$(cat "$stack_dir/$1.pid")
  mark=$(start_mark "$pid")
  [ -n "$mark" ] && [ "$mark" = "$(cat "$stack_dir/$1.started")" ] && ! is_zombie "$pid"
}

is_zombie() {
  [ -r "/proc/$1/stat" ] && sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | grep -q '^Z'
}

# launch <server> <command…>: detached, output to its log.
launch() {
  local server=$1
  shift
  local detach=nohup
  has setsid && detach=setsid
  "$detach" "$@" >>"$stack_dir/$server.log" 2>&1 </dev/null 9>&- &
  record_process "$server" $!
}

# stop_process <server> <signal>: only if the recorded process is still that one; KILL after a minute.
stop_process() {
  local pid waited=0
  if is_running "$1"; then
    pid=$(cat "$stack_dir/$1.pid")
    kill -s "$2" "$pid" 2>/dev/null || true
    while is_running "$1"; do
      sleep 0.1
      waited=$((waited + 1))
      if [ "$waited" -eq 600 ]; then kill -s KILL "$pid" 2>/dev/null || true; fi
    done
  fi
  rm -f "$stack_dir/$1.pid" "$stack_dir/$1.started"
}

# await <server> <seconds> <probe…>
await() {
  local server=$1 tries=$(($2 * 5))
  shift 2
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ] || ! is_running "$server"; then
      say "$server does not answer; the end of $stack_dir/$server.log:" >&2
      tail -n 20 "$stack_dir/$server.log" >&2 || true
      return 3
    fi
    sleep 0.2
  done
}

port_open() { (exec 8<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port below the range that outgoing connections take theirs from.
free_port() {
  local port
  while :; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    case " $1 " in *" $port "*) continue ;; esac
    port_open "$port" || break
  done
  echo "$port"
}

# Ports are chosen once and kept; one that a stranger has taken meanwhile is chosen again.
choose_ports() {
  MYSQL_PORT= KAFKA_PORT= KAFKA_CONTROLLER_PORT= POSTGRES_PORT=
  # shellcheck source=/dev/null
  [ ! -f "$stack_dir/ports" ] || . "$stack_dir/ports"
  local name server taken=
  for name in MYSQL_PORT KAFKA_PORT KAFKA_CONTROLLER_PORT POSTGRES_PORT; do
    server=$(echo "${name%%_*}" | tr '[:upper:]' '[:lower:]')
    if [ -z "${!name}" ] || { ! server_is_up "$server" && port_open "${!name}"; }; then
      printf -v "$name" %s "$(free_port "$taken")"
    fi
    taken="$taken ${!name}"
  done
  for name in MYSQL_PORT KAFKA_PORT KAFKA_CONTROLLER_PORT POSTGRES_PORT; do echo "$name=${!name}"; done >"$stack_dir/ports"
}

server_is_up() { is_running "$1" || containers_running "$1"; }

# publish_folder <built> <final>: appears whole or not at all; another process may have been faster.
publish_folder() { mv -T "$1" "$2" 2>/dev/null || rm -rf "$1"; }
