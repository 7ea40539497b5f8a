# Engines that are not ours and read what we wrote.

readers_packages='duckdb==1.5.5 duckdb-extensions==1.5.5 duckdb-extension-avro==1.5.5 duckdb-extension-iceberg==1.5.5 pyiceberg[pyarrow]==0.12.0'

readers_home() { echo "$cache_dir/readers-$(echo "$readers_packages" | cksum | cut -d' ' -f1)"; }

readers_env() { [ ! -f "$(readers_home)/ready" ] || echo "export READERS_PYTHON='$(readers_home)/bin/python'"; }

# Prints the interpreter; everything else goes to stderr.
readers_install() {
  mkdir -p "$cache_dir"
  local home
  home=$(readers_home)
  if [ ! -f "$home/ready" ]; then
    if ! has python3 || ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
      echo 'stack: needs Python 3.10+ with venv to read lake tables with independent engines' >&2
      return 3
    fi
    say 'readers: installing DuckDB and PyIceberg (once)' >&2
    hold_lock "$cache_dir/readers.lock"
    if [ ! -f "$home/ready" ]; then
      rm -rf "$home"
      python3 -m venv "$home" >&2
      # shellcheck disable=SC2086
      "$home/bin/python" -m pip install --quiet --disable-pip-version-check $readers_packages >&2
      : >"$home/ready"
    fi
  fi
  echo "$home/bin/python"
}
