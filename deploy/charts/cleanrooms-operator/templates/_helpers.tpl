{{- define "cleanrooms-operator.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The same in every release: IAM trust policies and Pod Identity associations name it. */}}
{{- define "cleanrooms-operator.fullname" -}}
{{ .Values.fullnameOverride | default (include "cleanrooms-operator.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "cleanrooms-operator.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "cleanrooms-operator.fullname" .) }}
{{- end }}

{{- define "cleanrooms-operator.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "cleanrooms-operator.selector" -}}
app.kubernetes.io/name: {{ include "cleanrooms-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cleanrooms-operator.labels" -}}
{{ include "cleanrooms-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/managed-by: Helm
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* One variable of the operator: a pair of its name and its value, which is left out when it is empty. */}}
{{- define "cleanrooms-operator.variable" -}}
{{- $value := index . 1 -}}
{{- if kindIs "map" $value }}{{ $value = ternary (toJson $value) "" (not (empty $value)) }}{{ end -}}
{{- if kindIs "slice" $value }}{{ $value = join "," $value }}{{ end -}}
{{- if kindIs "float64" $value }}{{ $value = ternary (int64 $value) $value (eq (floor $value) $value) }}{{ end -}}
{{- if ne (toString $value) "" }}
- name: CLEANROOMS_{{ index . 0 }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{/* The settings of the operator, each from its value. */}}
{{- define "cleanrooms-operator.settings" -}}
{{- $fullname := include "cleanrooms-operator.fullname" . -}}
{{- with .Values -}}
{{- range list
  (list "OWNER" .owner.id)
  (list "OWNER_INHERITS" .owner.inherits)
  (list "WATCH_NAMESPACES" .watchNamespaces)
  (list "OWN_IDENTITY_NAMESPACES" .aws.ownIdentityNamespaces)
  (list "ROLES" .aws.roles)
  (list "ENDPOINT_PROFILES" .aws.endpointProfiles)
  (list "RATES" .aws.rates)
  (list "SECRET_SOURCES" (not (empty .sources.secretNamespaces)))
  (list "SOURCE_KEY_FILE" (ternary "/etc/cleanrooms-operator/key" "" (ne .sources.keySecret "")))
  (list "QUOTAS" .aws.quotas)
  (list "WORKERS" .reconcile.maxConcurrent)
  (list "LIST_INTERVAL" .reconcile.listIntervalSeconds)
  (list "DETAIL_INTERVAL" .reconcile.detailIntervalSeconds)
  (list "PROGRESS_INTERVAL" .reconcile.progressIntervalSeconds)
  (list "SETTLE" .reconcile.settleSeconds)
  (list "SEND_WINDOW" .reconcile.sendWindowSeconds)
  (list "DENIED_GRACE" .reconcile.deniedGraceSeconds)
  (list "RELEASE_LIMIT" .reconcile.releaseLimitSeconds)
  (list "AUDIT_INTERVAL" .reconcile.auditIntervalSeconds)
  (list "LEADER_ELECTION" .leaderElection.enabled)
  (list "LEASE_NAME" $fullname)
  (list "LEASE_DURATION" .leaderElection.leaseDurationSeconds)
  (list "LEASE_RENEW_DEADLINE" .leaderElection.renewDeadlineSeconds)
  (list "LEASE_RENEW_INTERVAL" .leaderElection.renewPeriodSeconds)
  (list "LEASE_RETRY_INTERVAL" .leaderElection.retryPeriodSeconds)
  (list "METRICS_ADDRESS" (printf ":%v" .metrics.port))
  (list "METRICS_PER_RESOURCE" .metrics.perResource)
  (list "DRAIN_SECONDS" .drainSeconds)
  (list "LOG_FORMAT" .log.format)
  (list "LOG_LEVEL" .log.level)
}}
{{- include "cleanrooms-operator.variable" . }}
{{- end }}
{{- end }}
{{- end }}
