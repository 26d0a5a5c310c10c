{{/* One pod of a service. Takes root, component, port (what it serves), portName, healthPort. */}}
{{- define "oneapi.pod" -}}
{{- $values := index .root.Values .component -}}
metadata:
  labels:
    {{- include "oneapi.labels" . | nindent 4 }}
  {{- if .root.Values.metrics.enabled }}
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/port: {{ .root.Values.metrics.port | quote }}
  {{- end }}
spec:
  serviceAccountName: {{ include "oneapi.fullname" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add $values.drainSeconds 30 }}
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile: {type: RuntimeDefault}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "oneapi.selector" . | nindent 10 }}
  containers:
    - name: {{ .component }}
      image: {{ include "oneapi.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [{{ .component | quote }}]
      ports:
        - {name: {{ .portName }}, containerPort: {{ .port }}}
        {{- if ne (int .port) (int .healthPort) }}
        - {name: health, containerPort: {{ .healthPort }}}
        {{- end }}
        {{- if .root.Values.metrics.enabled }}
        - {name: metrics, containerPort: {{ .root.Values.metrics.port }}}
        {{- end }}
      env:
        {{- include "oneapi.env" . | nindent 8 }}
      startupProbe:
        httpGet: {path: /healthz, port: {{ .healthPort }}}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /healthz, port: {{ .healthPort }}}
        periodSeconds: 10
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: {{ .healthPort }}}
        periodSeconds: 2
        failureThreshold: 2
      lifecycle:
        # Endpoints are removed at the same time as SIGTERM is sent: give that a moment.
        preStop:
          exec: {command: [sleep, "5"]}
      resources: {{ toYaml $values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        - {name: data, mountPath: /var/lib/oneapi}
  volumes:
    - name: tmp
      emptyDir: {}
    {{- if ne .component "edge" }}
    - name: data
      emptyDir: {}
    {{- end }}
{{- end -}}
