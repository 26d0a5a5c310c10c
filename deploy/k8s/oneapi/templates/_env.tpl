{{/* The environment of one service: what its settings read, and nothing else. Takes root, component, port, healthPort. */}}
{{- define "oneapi.env" -}}
{{- $root := .root -}}
{{- $values := index $root.Values .component -}}
{{- $secret := required "existingSecret names the Secret with the URLs and keys" $root.Values.existingSecret -}}
{{- $door := include "oneapi.http" (dict "root" $root "component" "edge" "port" 3000) -}}
{{- $known := dict
    "ONEAPI_PORT" 3000
    "ONEAPI_ROUTER_PORT" .port
    "ONEAPI_BILLING_PORT" .port
    "ONEAPI_MCP_PORT" .port
    "ONEAPI_ADMIN_PORT" .port
    "ONEAPI_ROUTER_HEALTH_PORT" .healthPort
    "ONEAPI_BILLING_HEALTH_PORT" .healthPort
    "ONEAPI_ROUTER_ADDR" (include "oneapi.grpc" (dict "root" $root "component" "router" "port" 3101))
    "ONEAPI_BILLING_ADDR" (include "oneapi.grpc" (dict "root" $root "component" "billing" "port" 3102))
    "ONEAPI_MCP_URL" (include "oneapi.http" (dict "root" $root "component" "mcp" "port" 3103))
    "ONEAPI_ADMIN_URL" (include "oneapi.http" (dict "root" $root "component" "admin" "port" 3104))
    "ONEAPI_PUBLIC_URL" ($root.Values.publicUrl | default $door)
    "ONEAPI_TRUSTED_PROXIES" (join "," $root.Values.trustedProxies)
    "ONEAPI_ALLOW_PRIVATE_UPSTREAMS" (ternary "1" "0" $root.Values.allowPrivateUpstreams)
    "ONEAPI_NATS_REPLICAS" $root.Values.natsReplicas
    "ONEAPI_CLICKHOUSE_CLUSTER" $root.Values.clickhouseCluster
    "ONEAPI_LOG_LEVEL" $root.Values.logLevel
    "ONEAPI_DATA_DIR" "/var/lib/oneapi"
    "ONEAPI_SPOOL_DIR" "/var/lib/oneapi/spool"
-}}
{{- $plain := dict
    "edge" (list "ONEAPI_PORT" "ONEAPI_ROUTER_ADDR" "ONEAPI_BILLING_ADDR" "ONEAPI_MCP_URL" "ONEAPI_ADMIN_URL"
                 "ONEAPI_TRUSTED_PROXIES" "ONEAPI_ALLOW_PRIVATE_UPSTREAMS" "ONEAPI_NATS_REPLICAS" "ONEAPI_LOG_LEVEL"
                 "ONEAPI_DATA_DIR" "ONEAPI_SPOOL_DIR")
    "router" (list "ONEAPI_ROUTER_PORT" "ONEAPI_ROUTER_HEALTH_PORT" "ONEAPI_LOG_LEVEL")
    "billing" (list "ONEAPI_BILLING_PORT" "ONEAPI_BILLING_HEALTH_PORT" "ONEAPI_NATS_REPLICAS"
                    "ONEAPI_CLICKHOUSE_CLUSTER" "ONEAPI_LOG_LEVEL")
    "mcp" (list "ONEAPI_MCP_PORT" "ONEAPI_PORT" "ONEAPI_PUBLIC_URL" "ONEAPI_TRUSTED_PROXIES"
                "ONEAPI_ALLOW_PRIVATE_UPSTREAMS" "ONEAPI_LOG_LEVEL")
    "admin" (list "ONEAPI_ADMIN_PORT" "ONEAPI_PORT" "ONEAPI_PUBLIC_URL" "ONEAPI_TRUSTED_PROXIES"
                  "ONEAPI_ROUTER_ADDR" "ONEAPI_BILLING_ADDR" "ONEAPI_ALLOW_PRIVATE_UPSTREAMS" "ONEAPI_NATS_REPLICAS"
                  "ONEAPI_LOG_LEVEL" "ONEAPI_DATA_DIR")
-}}
{{- $secrets := dict
    "edge" (list "NATS_URL" "REDIS_URL" "ONEAPI_SECRET_KEY")
    "router" (list "NATS_URL" "ONEAPI_SECRET_KEY")
    "billing" (list "NATS_URL" "REDIS_URL" "CLICKHOUSE_URL" "ONEAPI_SECRET_KEY")
    "mcp" (list "NATS_URL" "ONEAPI_SECRET_KEY")
    "admin" (list "NATS_URL" "DATABASE_URL" "ONEAPI_SECRET_KEY" "ONEAPI_ADMIN_TOKEN")
-}}
{{- $podNames := dict "edge" "ONEAPI_EDGE_ID" "billing" "ONEAPI_BILLING_REPLICA" -}}
- {name: ONEAPI_HOST, value: "0.0.0.0"}
- {name: ONEAPI_DRAIN_SECONDS, value: {{ $values.drainSeconds | quote }}}
- {name: ONEAPI_TRACE_SAMPLE, value: {{ $root.Values.traceSample | quote }}}
{{- with $root.Values.otlpEndpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- if $root.Values.metrics.enabled }}
- {name: ONEAPI_METRICS_PORT, value: {{ $root.Values.metrics.port | quote }}}
{{- end }}
{{- range $name := index $plain .component }}
{{- with index $known $name }}
- {name: {{ $name }}, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- with index $podNames .component }}
- name: {{ . }}
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- end }}
{{- range $name := index $secrets .component }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $name }}}}
{{- end }}
# There while the secret key is being changed.
- name: ONEAPI_SECRET_KEY_PREVIOUS
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: ONEAPI_SECRET_KEY_PREVIOUS, optional: true}}
{{- range $name, $value := $values.env }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}
