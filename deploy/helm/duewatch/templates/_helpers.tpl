{{/* Short enough for `NAME-intelligence-reactions`: a StatefulSet's name with a hash behind it is a label, of 63 characters at most. */}}
{{- define "duewatch.name" -}}
{{- .Release.Name | trunc 29 | trimSuffix "-" -}}
{{- end -}}

{{- define "duewatch.selector" -}}
app.kubernetes.io/name: duewatch
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "duewatch.labels" -}}
{{ include "duewatch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "duewatch.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "duewatch.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "duewatch.name" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{/* One list of all workloads, as YAML: each with name, service, only ("", api, reactions), named, groups, settings.
`named`: what works by itself (reactions, imports, releases) runs under names that stay, so that a pod that comes again has its partitions back at once. */}}
{{- define "duewatch.workloads" -}}
{{- range $service, $given := .Values.services }}
{{- $settings := mergeOverwrite (deepCopy $.Values.defaults) (deepCopy ($given | default dict)) }}
{{- $split := $settings.split | default false }}
{{- $whole := omit $settings "split" "reactions" }}
{{- $named := and (not $split) (not (has $service (list "gateway" "gate"))) }}
{{- include "duewatch.workload" (dict "root" $ "name" $service "service" $service "only" ($split | ternary "api" "") "named" $named "settings" $whole) }}
{{- if $split }}
{{- $reactions := mergeOverwrite (deepCopy $whole) (deepCopy ($settings.reactions | default dict)) }}
{{- include "duewatch.workload" (dict "root" $ "name" (printf "%s-reactions" $service) "service" $service "only" "reactions" "named" true "settings" $reactions) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* One of the list; `groups` are those it reads in. Refuses copies for which there are no partitions: screening's would never be ready. */}}
{{- define "duewatch.workload" -}}
{{- $scaling := .settings.autoscaling }}
{{- $least := int ($scaling.enabled | ternary $scaling.minReplicas .settings.replicas) }}
{{- $partitions := int .root.Values.partitions }}
{{- $groups := list .service }}
{{- if eq .service "partners" }}{{ $groups = list "partners-feed" "partners-deliveries" }}{{ end }}
{{- if eq .service "intelligence" }}{{ $groups = list }}{{ end }}
{{- if and .named (gt $least $partitions) }}
{{- fail (printf "%s: %d copies share %d partitions, so some would have none; see services and partitions" .name $least $partitions) }}
{{- end }}
{{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) }}
{{- fail (printf "%s: autoscaling.minReplicas is above maxReplicas" .name) }}
{{- end }}
- name: {{ .name }}
  service: {{ .service }}
  only: {{ .only | quote }}
  named: {{ .named }}
  kind: {{ .named | ternary "StatefulSet" "Deployment" }}
  groups: {{ .named | ternary $groups list | toJson }}
  settings: {{ .settings | toJson }}
{{ end -}}

{{/* The services that have an address: the gateway and those it hands on to. */}}
{{- define "duewatch.addresses" -}}
{{- $found := list -}}
{{- range $service := without (keys .Values.services | sortAlpha) "gateway" -}}
{{- $found = append $found (printf "%s=http://%s-%s:8080" $service (include "duewatch.name" $) $service) -}}
{{- end -}}
{{- join "," $found -}}
{{- end -}}

{{- define "duewatch.bus" -}}
{{- $kafka := .Values.kafka -}}
{{- $options := list (printf "prefix=%s" $kafka.prefix) (printf "replication=%d" (int $kafka.replication)) (printf "security=%s" $kafka.security) -}}
{{- if hasPrefix "SASL" $kafka.security -}}
{{- $options = concat $options (list (printf "mechanism=%s" $kafka.mechanism) "username_file=/secrets/kafka/username" "password_file=/secrets/kafka/password") -}}
{{- end -}}
{{- if $kafka.ca.existingSecret -}}{{- $options = append $options "ca_file=/secrets/kafka-ca/ca.crt" -}}{{- end -}}
{{- if $kafka.clientCertificate.existingSecret -}}
{{- $options = concat $options (list "cert_file=/secrets/kafka-client/tls.crt" "key_file=/secrets/kafka-client/tls.key") -}}
{{- end -}}
kafka://{{ join "," $kafka.servers }}/?{{ join "&" $options }}
{{- end -}}

{{/* What every process is told. Argument: dict "root" $ "mongodbSecret" name. */}}
{{- define "duewatch.environment" -}}
{{- $values := .root.Values -}}
- {name: DUEWATCH_BUS, value: {{ include "duewatch.bus" .root | quote }}}
- name: DUEWATCH_STORE
  valueFrom:
    secretKeyRef:
      name: {{ required "mongodb.existingSecret: the secret that holds MongoDB's address" (.mongodbSecret | default $values.mongodb.existingSecret) }}
      key: {{ $values.mongodb.uriKey }}
- {name: DUEWATCH_MONGO_DRIVER, value: {{ $values.mongodb.driver | quote }}}
- {name: DUEWATCH_PARTITIONS, value: {{ $values.partitions | quote }}}
{{- end -}}

{{- define "duewatch.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "duewatch.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Kafka's secrets. Argument: dict "root" $ "kafkaSecret" name. */}}
{{- define "duewatch.kafkaMounts" -}}
{{- $kafka := .root.Values.kafka -}}
{{- if hasPrefix "SASL" $kafka.security }}
- {name: kafka, mountPath: /secrets/kafka, readOnly: true}
{{- end }}
{{- if $kafka.ca.existingSecret }}
- {name: kafka-ca, mountPath: /secrets/kafka-ca, readOnly: true}
{{- end }}
{{- if $kafka.clientCertificate.existingSecret }}
- {name: kafka-client, mountPath: /secrets/kafka-client, readOnly: true}
{{- end }}
{{- end -}}

{{- define "duewatch.kafkaVolumes" -}}
{{- $kafka := .root.Values.kafka -}}
{{- if hasPrefix "SASL" $kafka.security }}
- name: kafka
  secret:
    secretName: {{ required "kafka.credentials.existingSecret: the secret with Kafka's user name and password" (.kafkaSecret | default $kafka.credentials.existingSecret) }}
    defaultMode: 0440
    items:
      - {key: {{ $kafka.credentials.usernameKey }}, path: username}
      - {key: {{ $kafka.credentials.passwordKey }}, path: password}
{{- end }}
{{- with $kafka.ca }}
{{- if .existingSecret }}
- name: kafka-ca
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items: [{key: {{ .key }}, path: ca.crt}]
{{- end }}
{{- end }}
{{- with $kafka.clientCertificate }}
{{- if .existingSecret }}
- name: kafka-client
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items: [{key: {{ .certKey }}, path: tls.crt}, {key: {{ .keyKey }}, path: tls.key}]
{{- end }}
{{- end }}
{{- end -}}
