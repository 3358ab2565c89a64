{{- define "duewatch.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
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

{{/* One list of all workloads, as YAML: each with name, service, only ("", api, reactions), partitions (a range or ""), settings. */}}
{{- define "duewatch.workloads" -}}
{{- $defaults := .Values.defaults -}}
{{- range $service, $given := .Values.services }}
{{- $settings := mergeOverwrite (deepCopy $defaults) (deepCopy ($given | default dict)) }}
- name: {{ $service }}
  service: {{ $service }}
  only: {{ $settings.split | default false | ternary "api" "" | quote }}
  partitions: ""
  settings: {{ $settings | toJson }}
{{- if $settings.split }}
- name: {{ $service }}-reactions
  service: {{ $service }}
  only: reactions
  partitions: ""
  settings: {{ mergeOverwrite (deepCopy $settings) (dict "replicas" ($settings.reactions | default 1) "autoscaling" (dict "enabled" false)) | toJson }}
{{- end }}
{{- end }}
{{- $count := int .Values.partitions }}
{{- $workers := int .Values.screening.workers }}
{{- if gt $workers $count }}
{{- fail (printf "screening.workers (%d) must not be more than partitions (%d): one would own none" $workers $count) }}
{{- end }}
{{- $settings := mergeOverwrite (deepCopy $defaults) (deepCopy .Values.screening) (dict "replicas" 1 "autoscaling" (dict "enabled" false)) }}
{{- range $worker := until $workers }}
- name: screening-{{ $worker }}
  service: screening
  only: ""
  partitions: {{ printf "%d-%d" (div (mul $worker $count) $workers) (sub (div (mul (add1 $worker) $count) $workers) 1) | quote }}
  settings: {{ $settings | toJson }}
{{- end }}
{{- end -}}

{{/* The services that have an address: the gateway and those it hands on to. */}}
{{- define "duewatch.addresses" -}}
{{- $found := list -}}
{{- range $service := append (without (keys .Values.services) "gateway" | sortAlpha) "screening" -}}
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
