{{- define "oneapi.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "oneapi.labels" -}}
{{ include "oneapi.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{- define "oneapi.selector" -}}
app.kubernetes.io/name: oneapi
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* The name of a part's objects. Short enough for a pod's labels and for "-headless"; the part is never cut off. */}}
{{- define "oneapi.fullname" -}}
{{ printf "%s-%s" (.root.Release.Name | trunc 40 | trimSuffix "-") .component }}
{{- end -}}

{{/* Name and gRPC port of a service whose clients balance by themselves: one DNS name with an address for each pod. */}}
{{- define "oneapi.grpc" -}}
{{ include "oneapi.fullname" . }}-headless:{{ .port }}
{{- end -}}

{{- define "oneapi.http" -}}
http://{{ include "oneapi.fullname" . }}:{{ .port }}
{{- end -}}

{{/* What the values' schema can't say. */}}
{{- define "oneapi.checks" -}}
{{- range $component := list "edge" "router" "billing" "mcp" "admin" -}}
{{- $values := index $.Values $component -}}
{{- $fewest := $values.replicas -}}
{{- with $values.autoscaling -}}
{{- if .enabled -}}
{{- $fewest = .minReplicas -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- fail (printf "%s.autoscaling: minReplicas must not be more than maxReplicas" $component) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $away := $values.pdb.maxUnavailable -}}
{{- if and (not (kindIs "string" $away)) (gt (int $fewest) 1) (ge (int $away) (int $fewest)) -}}
{{- fail (printf "%s.pdb.maxUnavailable must leave one of the %d replicas" $component (int $fewest)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
