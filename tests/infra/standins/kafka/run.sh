#!/bin/bash
# KAFKA_LOG_DIRS=/x becomes log.dirs=/x, as in the image that this stands in for; the data folder is formatted once.
set -euo pipefail
properties=/opt/kafka/server.properties
env | grep '^KAFKA_' | grep -vE '^KAFKA_(HEAP_OPTS|OPTS)=' | while IFS= read -r line; do
    name=${line%%=*}
    name=${name#KAFKA_}
    name=${name//_/.}
    echo "${name,,}=${line#*=}"
done >"$properties"
heap=${KAFKA_HEAP_OPTS:--Xmx512m}
java -Xmx256m -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format --ignore-formatted -t "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" -c "$properties"
# shellcheck disable=SC2086  # the options are words of their own
exec java $heap -Dorg.slf4j.simpleLogger.showDateTime=true -cp '/opt/kafka/libs/*' kafka.Kafka "$properties"
