# Kafka 4.1.1, one KRaft node, from its jars.

kafka_jars=$cache_dir/kafka-4.1.1

java_is_17() {
  local version
  version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
  [ -n "$version" ] && [ "$version" -ge 17 ]
}

kafka_prepared() { [ -d "$kafka_jars" ]; }

kafka_prepare() {
  say 'Kafka: fetching its jars (once)'
  local work=$kafka_jars.$$
  rm -rf "$work"
  mvn -q -B -f "$here/local-stack/kafka-pom.xml" dependency:copy-dependencies "-DoutputDirectory=$work" \
    -DincludeScope=runtime >"$cache_dir/kafka-maven.log" 2>&1 || { cat "$cache_dir/kafka-maven.log" >&2; return 3; }
  rm -f "$cache_dir/kafka-maven.log"
  publish_folder "$work" "$kafka_jars"
}

kafka_properties() {
  cat <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$KAFKA_CONTROLLER_PORT
listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT,CONTROLLER://127.0.0.1:$KAFKA_CONTROLLER_PORT
advertised.listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$stack_dir/kafka
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=33554432
PROPERTIES
}

kafka_start() {
  say "Kafka: starting on port $KAFKA_PORT"
  kafka_properties >"$stack_dir/kafka.properties"
  if [ ! -f "$stack_dir/kafka/meta.properties" ]; then
    rm -rf "$stack_dir/kafka"
    local id
    id=$(java -cp "$kafka_jars/*" kafka.tools.StorageTool random-uuid 2>>"$stack_dir/kafka.log")
    java -cp "$kafka_jars/*" kafka.tools.StorageTool format --standalone -t "$id" -c "$stack_dir/kafka.properties" \
      >>"$stack_dir/kafka.log" 2>&1
  fi
  launch kafka java -Xms128m -Xmx1g -XX:+ExitOnOutOfMemoryError -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -cp "$kafka_jars/*" kafka.Kafka "$stack_dir/kafka.properties"
}

kafka_await() {
  await kafka 90 port_open "$KAFKA_PORT"
  await kafka 60 kafka_answers
}
kafka_answers() {
  java -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$kafka_jars/*" org.apache.kafka.tools.BrokerApiVersionsCommand \
    --bootstrap-server "127.0.0.1:$KAFKA_PORT"
}

# Written out: a wildcard would be expanded by the shell that uses it.
kafka_class_path() { printf '%s:' "$kafka_jars"/*.jar; }

kafka_env() {
  cat <<ENV
export KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:$KAFKA_PORT
export KAFKA_JARS='$kafka_jars'
export KAFKA_RUN_CLASS='java -Xmx256m -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp $(kafka_class_path)'
ENV
}
